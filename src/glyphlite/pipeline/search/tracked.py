"""The trials of a search as runs of the trackers that the user asked for: one run for each that was trained, when it has ended.

The process that the search was begun with tells of all, whoever ran them. The study keeps which are told, so that a search that
goes on tells each once.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from glyphlite.console import say
from glyphlite.errors import ToolError
from glyphlite.search.trials import PRUNED, TRAINED, TrialRecord
from glyphlite.training.tracking.trackers import Tracking

if TYPE_CHECKING:
    from optuna import Study

_TOLD = "told "


class TrialTracker:
    """The places where a search's trials are recorded; none is opened before a trial has ended."""

    def __init__(self, study: "Study", tracking: Tracking) -> None:
        folder = [Tracking(tracking.tensorboard.absolute())] if tracking.tensorboard else []
        self._study, self._places = study, [*folder, *(Tracking(services=(each,)) for each in tracking.services)]
        self._told = {place: set(study.user_attrs.get(_key(place), ())) for place in self._places}

    def tell(self, records: Sequence[TrialRecord]) -> None:
        """Tells each place of the trials that have ended since; one that fails is said aloud and left out from then on."""
        for place in list(self._places):
            new = [each for each in records if each.outcome in (TRAINED, PRUNED) and each.number not in self._told[place]]
            for record in new:
                try:
                    with place.begin(f"{self._study.study_name}-{record.number}") as trackers:
                        trackers.describe(trial_parameters(record))
                        trackers.finish(trial_figures(record))
                except ToolError as failure:
                    say(f"{failure}; its trials are told there when the search goes on", style="yellow")
                    self._places.remove(place)
                    break
                self._told[place].add(record.number)
                self._study.set_user_attr(_key(place), sorted(self._told[place]))


def trial_parameters(record: TrialRecord) -> dict[str, Any]:
    """Returns what a trial is: its network in words, how it was trained, what became of it."""
    candidate, cost = record.candidate, record.cost
    known = {"network" if name == "words" else name: value for name, value in asdict(candidate).items()} if candidate else {}
    return {"trial": record.number, "outcome": record.outcome, **known, "optimize": cost.optimize if cost else None}


def trial_figures(record: TrialRecord) -> dict[str, float | None]:
    """Returns what was measured of a trial: accuracy and loss on validation images, bytes, instructions."""
    cost = record.cost
    return {
        "validation_accuracy": record.accuracy,
        "validation_loss": record.loss,
        "epochs": record.epochs,
        "cpu_seconds": record.cpu_seconds,
        "flash_bytes": cost.flash_bytes if cost else None,
        "ram_bytes": cost.ram_bytes if cost else None,
        "instructions": cost.instructions if cost else None,
        "parameters": cost.parameters if cost else None,
    }


def _key(place: Tracking) -> str:
    return _TOLD + " ".join(place.words())
