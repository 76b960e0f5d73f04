"""The findings of ``glyphlite data check --group-by`` in sentences, the gravest first. A pure function of the record."""

from glyphlite.errors import first_of
from glyphlite.evaluation.data_check.records import DataCheck, GroupCheck, SplitByGroup
from glyphlite.formatting import count, percent, things

MOST_NAMED = 3
LARGE = 0.5
"""Share of the images from which one group is spoken of."""


def group_findings(check: DataCheck) -> list[str]:
    """Returns what was found of groups, a sentence or two each, and what to do; empty where none are told."""
    groups = check.groups
    if groups is None:
        return []
    found = [
        _ungrouped(groups),
        _too_few(groups),
        _shared(groups),
        _repeated(check),
        _missing(groups),
        _large(groups),
        _alike(groups),
    ]
    return [each for each in found if each]


def group_words(groups: GroupCheck) -> str:
    """Says how many groups there are, and how training would divide them."""
    made = "; ".join(
        f"{name} {things(split.groups, 'group')} ({_images(split)})" for name, split in (groups.splits or {}).items()
    )
    return things(len(groups.images), "group") + (f"; training would make of them {made}" if made else "")


def _images(split: SplitByGroup) -> str:
    return things(split.images, "image")


def _ungrouped(groups: GroupCheck) -> str | None:
    if not groups.ungrouped:
        return None
    return (
        f"{things(len(groups.ungrouped), 'picture')} without a group: {first_of(groups.ungrouped, MOST_NAMED)}. Training with "
        "--group-by refuses the folder until each has one."
    )


def _too_few(groups: GroupCheck) -> str | None:
    if groups.splits is not None:
        return None
    return (
        f"{things(len(groups.images), 'group')}, too few to hold some out to validate and to test with and keep every class: "
        "training with --group-by refuses them. It takes three or more that share the classes."
    )


def _shared(groups: GroupCheck) -> str | None:
    if not groups.shared:
        return None
    first = groups.shared[0]
    return (
        f"{things(len(groups.shared), 'group')} in several splits of the data's own, as {first.group} in "
        f"{' and '.join(first.splits)}: what is measured on them flatters. Move each to one side."
    )


def _repeated(check: DataCheck) -> str | None:
    several = [each for each in check.repetitions if each.several_groups]
    if not several:
        return None
    images = several[0].images
    other = next(image for image in images if image.group != images[0].group)
    return (
        f"{things(len(several), 'picture')} with the same pixels in several groups, as {images[0].name} of {images[0].group} and "
        f"{other.name} of {other.group}: a split by group may put it on both sides. Keep one."
    )


def _missing(groups: GroupCheck) -> str | None:
    """Names the classes that training could not measure, and which of them a single group has."""
    missing = groups.splits["test"].missing if groups.splits else []
    if not missing:
        return None
    alone = [f"{label} ({groups.of_one_group[label]})" for label in missing if label in groups.of_one_group]
    why = f"; a single group has {first_of(alone, MOST_NAMED)}" if alone else ""
    return (
        f"{things(len(missing), 'class', 'classes')} would have no test image with these groups and not be measured: "
        f"{first_of(missing, MOST_NAMED)}{why}. It takes pictures of more groups."
    )


def _large(groups: GroupCheck) -> str | None:
    total = sum(groups.images.values())
    name, most = next(iter(groups.images.items()), ("", 0))
    if len(groups.images) < 2 or most <= LARGE * total:
        return None
    return (
        f"{name} alone has {percent(most / total, 0)} of the images: what a model makes of others is measured on the "
        f"{count(total - most)} images of the other {things(len(groups.images) - 1, 'group')} at most."
    )


def _alike(groups: GroupCheck) -> str | None:
    if not groups.alike:
        return None
    return (
        f"{things(len(groups.alike), 'group')} written in two ways, as {' and '.join(groups.alike[0])}: they count as different. "
        "If they are one, name them alike."
    )
