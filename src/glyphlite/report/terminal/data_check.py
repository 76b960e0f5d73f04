"""The view of ``glyphlite data check`` on a terminal: its classes, and what was found in sentences."""

from rich.console import Group, RenderableType
from rich.text import Text

from glyphlite.evaluation.data_check.records import DataCheck
from glyphlite.formatting import count
from glyphlite.report.findings.data_findings import data_findings
from glyphlite.report.findings.group_findings import group_words
from glyphlite.report.terminal.tables import new_table, plain, right_align

MOST_CLASSES = 60


def data_check_view(check: DataCheck) -> RenderableType:
    """Returns a table of the classes by split, the sizes and modes that images are stored in, and the findings."""
    splits = list(check.classes[0].images)
    table = new_table("Class", *(split.capitalize() for split in splits))
    right_align(table, *range(1, len(splits) + 1))
    for each in check.classes[:MOST_CLASSES]:
        table.add_row(plain(each.label), *(count(each.images[split]) for split in splits))
    more = len(check.classes) - MOST_CLASSES
    parts: list[RenderableType] = [table, *([plain(f"and {count(more)} more classes")] if more > 0 else []), Text("")]
    stored = "; ".join(
        f"{what}: " + ", ".join(f"{name} ({count(number)})" for name, number in list(kinds.items())[:6])
        for what, kinds in (("sizes (height x width)", check.sizes), ("modes", check.modes))
    )
    groups = [group_words(check.groups)] if check.groups is not None else []
    parts += [plain(f"{count(check.images)} images, {stored}"), *map(plain, [*groups, *check.notes]), Text("")]
    return Group(*parts, *map(plain, data_findings(check) or ["Nothing that speaks against training on it was found."]))
