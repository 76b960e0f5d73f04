"""The trials of a study as records: what became of each, the front among them, how many of each kind. Knows Optuna's states."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glyphlite.errors import ToolError
from glyphlite.files.untrusted import parsing
from glyphlite.search.budget import Cost
from glyphlite.search.space import Candidate

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

TRAINED, PRUNED, OVER, RUNNING, WAITING, FAILED = "trained", "pruned", "over budget", "running", "waiting", "failed"
"""The outcomes of a trial."""

_WORST_RATIO, _WORST_MORE = 4.0, 0.01
"""Times the errors of the best, and a hundredth of the images, that a network may err to be of use."""


@dataclass(frozen=True)
class TrialRecord:
    """One trial.

    Attributes:
        number: its place in the study.
        outcome: one of the above.
        candidate: what was tried; None before it is known.
        cost: what the network takes; None before it is known.
        accuracy: on validation images, with int8 simulated, after the last epoch; of a pruned one, where it ended.
        loss: likewise.
        epochs: trained.
        cpu_seconds: of the processor, cost and training.
        rungs: accuracy by epoch, where the trial was held against others.
    """

    number: int
    outcome: str
    candidate: Candidate | None = None
    cost: Cost | None = None
    accuracy: float | None = None
    loss: float | None = None
    epochs: int = 0
    cpu_seconds: float = 0.0
    rungs: tuple[tuple[int, float], ...] = ()

    @property
    def point(self) -> tuple[Candidate, Cost, float]:
        """Returns what is known of a trained one: candidate, cost, accuracy."""
        assert self.candidate is not None
        assert self.cost is not None
        assert self.accuracy is not None
        return self.candidate, self.cost, self.accuracy

    def objectives(self, names: Sequence[str]) -> tuple[float, ...]:
        """Returns what is sought, each the lower the better: 1 - accuracy, and bytes or instructions."""
        _, cost, accuracy = self.point
        return losses_of(accuracy, cost, names)


@dataclass(frozen=True)
class Counts:
    """The number of trials of each kind."""

    trained: int = 0
    pruned: int = 0
    over_budget: int = 0
    running: int = 0
    failed: int = 0

    @property
    def done(self) -> int:
        """Returns the trials that were trained, to their end or until they were pruned."""
        return self.trained + self.pruned


def losses_of(accuracy: float, cost: Cost, names: Sequence[str]) -> tuple[float, ...]:
    """Returns the objectives, each the lower the better."""
    values = {"accuracy": 1 - accuracy, "flash": cost.flash_bytes, "ram": cost.ram_bytes, "instructions": cost.instructions}
    return tuple(float(values[name]) for name in names)


def record_of(trial: "FrozenTrial") -> TrialRecord:
    """Returns the record of an Optuna trial."""
    attributes: dict[str, Any] = trial.user_attrs
    candidate, cost = attributes.get("candidate"), attributes.get("cost")
    rungs = sorted((int(key.removeprefix("rung:")), value) for key, value in attributes.items() if key.startswith("rung:"))
    return TrialRecord(
        number=trial.number,
        outcome=_outcome(trial),
        candidate=Candidate(**candidate) if candidate else None,
        cost=Cost.of_document(cost) if cost else None,
        accuracy=_number(attributes.get("accuracy")),
        loss=_number(attributes.get("loss")),
        epochs=int(attributes.get("epochs", 0)),
        cpu_seconds=float(attributes.get("cpu_seconds", 0.0)),
        rungs=tuple(rungs),
    )


def records_of(trials: Iterable["FrozenTrial"]) -> list[TrialRecord]:
    """Returns the records of some trials, in their order.

    Raises:
        ToolError: another program put something into them that no record has.
    """
    with parsing("the study holds trials that are not of glyphlite search", ToolError):
        return [record_of(trial) for trial in trials]


def counts_of(records: Iterable[TrialRecord]) -> Counts:
    """Returns how many records there are of each outcome."""
    found = [each.outcome for each in records]
    return Counts(*(found.count(outcome) for outcome in (TRAINED, PRUNED, OVER, RUNNING, FAILED)))


def front_of(records: Iterable[TrialRecord], objectives: Sequence[str]) -> list[TrialRecord]:
    """Returns the trained trials that no other is at least as good as in every objective; the most accurate first.

    Without those that are useless, however small they are (:func:`is_useless`).
    A search for accuracy alone has the front of accuracy and flash.
    """
    names = objectives if len(objectives) > 1 else (*objectives, "flash")
    trained = [each for each in records if each.outcome == TRAINED]
    errors = [1 - each.point[2] for each in trained]
    trained = [each for each, error in zip(trained, errors, strict=True) if not is_useless(error, errors)]
    losses = [each.objectives(names) for each in trained]
    kept = [each for each, own in zip(trained, losses, strict=True) if not any(dominates(other, own) for other in losses)]
    first = {each.objectives(names): each for each in reversed(kept)}
    return sorted(first.values(), key=lambda each: (each.objectives(names), each.number))


def is_useless(error: float, others: Iterable[float]) -> bool:
    """Returns whether a network errs so much more often than the best that it is of no use, however small it is."""
    return error > useful_error(min(others, default=error))


def useful_error(best: float) -> float:
    """Returns how often a network may err to be of use, where the best errs so often."""
    return _WORST_RATIO * best + _WORST_MORE


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Returns whether one is nowhere worse than another, and somewhere better."""
    pairs = list(zip(one, other, strict=True))
    return all(mine <= theirs for mine, theirs in pairs) and any(mine < theirs for mine, theirs in pairs)


def hypervolume(points: Iterable[Sequence[float]], reference: Sequence[float]) -> float:
    """Returns the area of what two-dimensional points dominate up to a reference; both the lower the better."""
    inside = sorted((x, y) for x, y in points if x < reference[0] and y < reference[1])
    area, lowest = 0.0, reference[1]
    for x, y in inside:
        if y < lowest:
            area += (reference[0] - x) * (lowest - y)
            lowest = y
    return area


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _outcome(trial: "FrozenTrial") -> str:
    from optuna.trial import TrialState

    match trial.state:
        case TrialState.COMPLETE:
            return TRAINED
        case TrialState.PRUNED:
            return OVER if any(excess > 0 for excess in trial.constraints.values()) else PRUNED
        case TrialState.RUNNING:
            return RUNNING
        case TrialState.WAITING:
            return WAITING
        case _:
            return FAILED
