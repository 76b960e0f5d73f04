"""The report of a search, ``search.json``: settings, how many trials of each kind, the front, and every trial.

Keys are only ever added.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from glyphlite import __version__
from glyphlite.records import Accuracy
from glyphlite.search.settings import SearchSettings
from glyphlite.search.trials import TrialRecord, counts_of, front_of


class SearchedTrial(BaseModel):
    """One trial; accuracies are fractions, of validation images."""

    model_config = ConfigDict(frozen=True)

    number: int
    outcome: str
    network: str | None = None
    side: int | None = None
    rate: float | None = None
    augmentation: str | None = None
    light: str | None = None
    optimize: str | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    instructions: int | None = None
    cycles: int | None = None
    macs: int | None = None
    weight_bytes: int | None = None
    parameters: int | None = None
    is_bound: bool = False
    validation_accuracy: float | None = None
    validation_loss: float | None = None
    epochs: int = 0
    cpu_seconds: float = 0.0


class SeedReport(BaseModel):
    """One training of the winner: its seed, and what it reached on validation images; mean recall where classes are weighed."""

    model_config = ConfigDict(frozen=True)

    seed: int
    validation_accuracy: float
    validation_loss: float
    best_epoch: int


class SearchedWinner(BaseModel):
    """The winner: chosen on validation images, its int8 file judged on the test split, its C measured on the core.

    ``folder`` is that of its run, beside ``search.json``; None where the run could not measure it.
    """

    model_config = ConfigDict(frozen=True)

    trial: int
    folder: str
    seeds: list[SeedReport]
    seed: int
    validation_accuracy: float
    test_accuracy: Accuracy | None
    core: str
    flash_bytes: int | None
    ram_bytes: int | None
    instructions: int | None
    within_budget: bool
    test_balanced_accuracy: float | None = None
    """Mean recall of the classes on the test split; None where its classes are about equal."""


class SearchReport(BaseModel):
    """The findings of a search so far."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    schema_version: int = Field(default=1, alias="schema")
    glyphlite: str = __version__
    study: str
    settings: dict[str, Any]
    """Settings of the search. Where ``class_weights`` stands in them, validation accuracies are mean recalls of the classes."""
    seconds: float
    cpu_seconds: float
    trained: int
    pruned: int
    over_budget: int
    failed: int
    front: list[int]
    best: int | None
    trials: list[SearchedTrial]
    winner: SearchedWinner | None = None

    @property
    def judged(self) -> str:
        """Says what the validation accuracies are: mean recalls of the classes where the trainings weigh these."""
        return f"{'mean recall of the classes ' if self.settings.get('class_weights') else ''}of validation images"

    def trial(self, number: int) -> SearchedTrial:
        """Returns the trial of a number."""
        return next(each for each in self.trials if each.number == number)


def report_of(study: str, settings: SearchSettings, records: Sequence[TrialRecord], seconds: float) -> SearchReport:
    """Returns the report of a study's trials; ``seconds`` of the clock were searched."""
    counts, front = counts_of(records), front_of(records, settings.objectives)
    best = front[0] if front else None
    return SearchReport(
        study=study,
        settings=settings.document(),
        seconds=round(seconds, 1),
        cpu_seconds=round(sum(each.cpu_seconds for each in records), 1),
        trained=counts.trained,
        pruned=counts.pruned,
        over_budget=counts.over_budget,
        failed=counts.failed,
        front=[each.number for each in front],
        best=best.number if best else None,
        trials=[searched_trial(each) for each in records],
    )


def searched_trial(record: TrialRecord) -> SearchedTrial:
    """Returns a trial as the report has it."""
    candidate, cost = record.candidate, record.cost
    known: dict[str, Any] = {}
    if candidate is not None:
        known |= {key: getattr(candidate, key) for key in ("side", "rate", "augmentation", "light")}
        known["network"] = candidate.words
    if cost is not None:
        known |= {key: value for key, value in cost.document().items() if key != "core"}
    return SearchedTrial(
        number=record.number,
        outcome=record.outcome,
        validation_accuracy=record.accuracy,
        validation_loss=record.loss,
        epochs=record.epochs,
        cpu_seconds=round(record.cpu_seconds, 2),
        **known,
    )
