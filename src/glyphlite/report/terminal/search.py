"""Table of a search: the front, and how many trials of each kind there were."""

from rich.console import Group, RenderableType
from rich.text import Text

from glyphlite.formatting import duration, percent, things
from glyphlite.report.terminal.tables import new_table, right_align
from glyphlite.search.report import SearchedWinner, SearchReport


def search_table(report: SearchReport) -> RenderableType:
    """Returns the front, the most accurate network first, and what was tried."""
    table = new_table("Trial", "Validation", "Flash", "RAM", "Instructions", "MACs", "Images", "Network")
    right_align(table, 0, 1, 2, 3, 4, 5)
    for number in report.front:
        trial = report.trial(number)
        table.add_row(
            *(str(trial.number), percent(trial.validation_accuracy or 0.0)),
            *(f"{value or 0:,}" for value in (trial.flash_bytes, trial.ram_bytes, trial.instructions, trial.macs)),
            *(f"{trial.side}x{trial.side}", trial.network or ""),
        )
    table.columns[7].no_wrap = False
    failed = f", {report.failed} failed" if report.failed else ""
    words = (
        f"{things(report.trained, 'network')} trained to the end, {report.pruned} pruned, {report.over_budget} over the budget "
        f"before an epoch{failed}; {duration(report.seconds)}, {duration(report.cpu_seconds)} of processor time. Flash, RAM and "
        f"instructions are measured, accuracy is {report.judged} after a short training."
    )
    return Group(table, Text(""), Text(words), *([Text(_winner_words(report.winner, report.judged))] if report.winner else []))


def _winner_words(winner: SearchedWinner, judged: str) -> str:
    """Returns what the winner is worth and takes, and where its run lies."""
    tested = f"{percent(winner.test_accuracy.value)} of the test images as int8, " if winner.test_accuracy else ""
    if winner.test_balanced_accuracy is not None:
        tested += f"mean recall of the classes there {percent(winner.test_balanced_accuracy)}, "
    taken = ""
    if winner.flash_bytes is not None:
        figures = (winner.flash_bytes, winner.ram_bytes or 0, winner.instructions or 0)
        fits = "within" if winner.within_budget else "NOT within"
        taken = ", {:,} bytes of flash, {:,} of RAM, {:,} instructions".format(*figures) + f" ({fits} the budget)"
    return (
        f"Winner, trial {winner.trial}, trained in full: {tested}{percent(winner.validation_accuracy)} {judged}"
        f"{taken}; its run is in {winner.folder}/."
    )
