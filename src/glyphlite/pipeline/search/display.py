"""Display of a search: a live line (trials, pruned, over budget, time left), and a lasting one for each that joins the front."""

import time
from collections.abc import Sequence
from types import TracebackType

from rich.progress import Progress, SpinnerColumn, TextColumn

from glyphlite.console import say, stderr_console
from glyphlite.formatting import count, duration, percent
from glyphlite.search.settings import SearchSettings
from glyphlite.search.trials import OVER, TRAINED, Counts, TrialRecord, counts_of, front_of

_HOPELESS = 150
"""So many candidates over the budget and none within: the space has nothing that fits."""

_COARSE_SECONDS = 90.0
"""Seconds left above which whole minutes are said."""


class SearchDisplay:
    """The display of one search; a context manager.

    Attributes:
        counts: of the trials that were shown last.
    """

    def __init__(self, settings: SearchSettings, trials: int | None, seconds: float | None) -> None:
        """Prepares the display of so many trials, or of so many seconds."""
        self._settings, self._trials, self._seconds = settings, trials, seconds
        self._began, self._first, self._said = time.monotonic(), None, set[int]()
        self.counts = Counts()
        self._least: TrialRecord | None = None
        console = stderr_console()
        self._display = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._display.add_task("searching", total=None, left="")

    def __enter__(self) -> "SearchDisplay":
        self._display.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._display.stop()

    @property
    def is_hopeless(self) -> bool:
        """Returns whether a lot was tried and nothing of it fits."""
        return self.counts.over_budget >= _HOPELESS and not self.counts.done and not self.counts.running

    @property
    def closest(self) -> str:
        """Returns what the candidate takes that is least over the budget, in words."""
        if self._least is None or self._least.cost is None:
            return "unknown"
        cost = self._least.cost
        if not cost.is_bound:
            return cost_words(self._least)
        ram = f", {count(cost.ram_bytes)} of RAM" if cost.ram_bytes else ""
        return f"at least {count(cost.flash_bytes)} bytes of flash{ram}"

    def show(self, records: Sequence[TrialRecord]) -> None:
        """Shows how far a study is; trials that are new on its front get a line that stays."""
        counts = self.counts = counts_of(records)
        over = [each for each in records if each.outcome == OVER and each.cost]
        measured = [each for each in over if each.cost and not each.cost.is_bound]
        self._least = min(
            measured or over,
            key=lambda each: max(each.cost.excesses(self._settings.budget).values()) if each.cost else 0,
            default=None,
        )
        if self._first is None:
            self._first = counts.done
            self._said |= {each.number for each in records if each.outcome == TRAINED}
        front = front_of(records, self._settings.objectives)
        for each in front:
            if each.number not in self._said:
                say(
                    f"{accuracy_words(each)}, {cost_words(each)}: {candidate_words(each)}",
                    lead=f"trial {each.number:>3}",
                    style="cyan",
                )
        self._said |= {each.number for each in records if each.outcome == TRAINED}
        spent = time.monotonic() - self._began
        self._display.update(
            self._task, description=progress_words(counts, self._trials, front), left=self._left(counts.done, spent)
        )

    def _left(self, done: int, spent: float) -> str:
        seconds = None if self._seconds is None else self._seconds - spent
        if seconds is None and self._trials and self._first is not None and done > self._first:
            seconds = (self._trials - done) * spent / (done - self._first)
        if seconds is not None and seconds > _COARSE_SECONDS:
            return f"{seconds / 60:.0f} min left"
        return "" if seconds is None else f"{duration(max(0.0, seconds))} left"


def progress_words(counts: Counts, wanted: int | None, front: Sequence[TrialRecord]) -> str:
    """Returns how far a search is; beside the time left on a line of 80 columns.

    Args:
        counts: of its trials.
        wanted: trials to be done; None where time ends it.
        front: the trained networks on the front, the most accurate first.
    """
    done = f"{counts.done} of {wanted} trials" if wanted else f"{counts.done} trials"
    best = f"; best {accuracy_words(front[0])}, front of {len(front)}" if front else ""
    failed = f", {counts.failed} failed" if counts.failed else ""
    return f"{done}: {counts.pruned} pruned, {counts.over_budget} over budget{failed}{best}"


def accuracy_words(record: TrialRecord) -> str:
    """Returns the validation accuracy of a trial."""
    return percent(record.accuracy or 0.0)


def cost_words(record: TrialRecord) -> str:
    """Returns what a trial's network takes."""
    cost = record.cost
    if cost is None:
        return "cost unknown"
    return f"{count(cost.flash_bytes)} bytes of flash, {count(cost.ram_bytes)} of RAM, {count(cost.instructions)} instructions"


def candidate_words(record: TrialRecord) -> str:
    """Returns a trial's network and the size of its images."""
    candidate = record.candidate
    return "" if candidate is None else f"{candidate.words} at {candidate.side}x{candidate.side}"
