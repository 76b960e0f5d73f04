"""The work of a search: trials, one after the other, in whatever process has joined the study.

A trial is a candidate; its cost is measured first, and where it is over the budget, nothing is trained. Then come the epochs,
with a look at the others at each rung. What a trial found is in its attributes, for every process to read.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite.datasets.dataset import Dataset
from glyphlite.models.choice import ModelChoice
from glyphlite.search.budget import Cost
from glyphlite.search.cost import cost_of
from glyphlite.search.images import read_images
from glyphlite.search.rungs import goes_on
from glyphlite.search.settings import SearchSettings
from glyphlite.search.short_training import train_briefly
from glyphlite.search.space import Candidate, suggest
from glyphlite.search.study import fail_dead_trials, fail_trial, fixed_candidate, is_dead, is_stopped, sign
from glyphlite.search.trials import RUNNING, counts_of, losses_of, records_of

if TYPE_CHECKING:
    from optuna import Study, Trial

Stop = Callable[[], bool]

_WAIT_SECONDS = 1.0


@dataclass
class Workplace:
    """A process's means for trials: the settings and the data, read once for each size of image.

    Attributes:
        settings: of the study.
        dataset: where the data is here, if not where the settings say.
        data_dir: its folder, if the user named one.
        beat: called every few steps; what it raises ends the trial.
        images: gives the images of a side, where they were read before.
    """

    settings: SearchSettings
    dataset: str | None = None
    data_dir: Path | None = None
    beat: Callable[[], None] = lambda: None
    images: Callable[[int], Dataset] | None = None
    _loaded: dict[int, Dataset] = field(default_factory=dict)

    def data(self, side: int) -> Dataset:
        """Returns the images at so many rows and columns, without the test split.

        Raises:
            DataError: the dataset cannot be had.
        """
        if self.images is not None:
            return self.images(side)
        if side not in self._loaded:
            self._loaded[side] = read_images(self.settings, side, self.dataset, self.data_dir)
        return self._loaded[side]


def run_trial(study: "Study", workplace: Workplace) -> None:
    """Runs one trial of a study: asks for a candidate, measures, trains, tells. Whatever ends it early queues it again.

    Raises:
        GlyphliteError: the data or a tool is missing.
    """
    asked: list[Trial] = []

    def objective(trial: "Trial") -> tuple[float, ...]:
        asked.append(trial)
        return _tried(study, trial, workplace)

    try:
        study.optimize(objective, n_trials=1)
    except BaseException:
        for trial in asked:
            fail_trial(study, study._storage.get_trial(trial._trial_id))
        raise


def work(
    study: "Study", workplace: Workplace, *, trials: int | None = None, at_most: int | None = None, stop: Stop = lambda: False
) -> bool:
    """Runs trials until there are as many as wanted in the study, whoever ran them, or until it is stopped.

    Returns whether that is so; if not, another process has to go on.

    Args:
        study: that was begun or joined.
        workplace: settings and data.
        trials: trained and pruned ones that the study is to have; None: until it is stopped.
        at_most: trials of this process, those over the budget among them; None: as many as it takes.
        stop: asked before every trial.
    """
    ran = 0
    while not stop() and not is_stopped(study):
        fail_dead_trials(study)
        if trials is not None:
            done, running = _progress(study)
            if done >= trials:
                return True
            if done + running >= trials:  # one of them may turn out to be over the budget, which does not count
                time.sleep(_WAIT_SECONDS)
                continue
        if ran == at_most:
            return False
        run_trial(study, workplace)
        ran += 1
    return True


def _tried(study: "Study", trial: "Trial", workplace: Workplace) -> tuple[float, ...]:
    """Returns what the trial reached of each objective, or raises that it was pruned or over the budget."""
    from optuna import TrialPruned

    sign(trial)
    settings, start = workplace.settings, time.process_time()
    candidate = fixed_candidate(trial) or suggest(trial, settings.sides)
    trial.set_user_attr("candidate", asdict(candidate))
    shape, name = candidate.input_shape(settings.channels), f"trial-{trial.number}"
    cost = cost_of(candidate.architecture(settings.channels, name), shape, settings.classes, settings.budget)
    trial.set_user_attr("cost", cost.document())
    trial.set_user_attr("cpu_seconds", time.process_time() - start)
    for limit, excess in cost.excesses(settings.budget).items():
        trial.set_constraint(limit, excess)
    if not cost.fits(settings.budget):
        raise TrialPruned("over budget")

    def seen(epoch: int, accuracy: float, loss: float) -> None:
        for key, value in (("accuracy", accuracy), ("loss", loss), ("epochs", epoch), (f"rung:{epoch}", accuracy)):
            trial.set_user_attr(key, value)
        trial.set_user_attr("cpu_seconds", time.process_time() - start)
        if len(settings.objectives) == 1:
            trial.report(accuracy, epoch)
        if not goes_on(losses_of(accuracy, cost, settings.objectives), _rivals(study, trial.number, epoch, settings)):
            raise TrialPruned(f"behind the others after {epoch} epochs")

    choice = choice_of(candidate, settings, name)
    trained = train_briefly(
        choice,
        workplace.data(candidate.side),
        choice.recipe,
        settings.seed,
        settings.rungs,
        seen,
        workplace.beat,
    )
    found = {"accuracy": trained.accuracy, "loss": trained.loss, "epochs": trained.epochs}
    for key, value in {**found, "cpu_seconds": time.process_time() - start}.items():
        trial.set_user_attr(key, value)
    values = {"accuracy": trained.accuracy, "flash": cost.flash_bytes, "ram": cost.ram_bytes, "instructions": cost.instructions}
    return tuple(float(values[each]) for each in settings.objectives)


def choice_of(candidate: Candidate, settings: SearchSettings, name: str) -> ModelChoice:
    """Returns a candidate as what the trainer takes."""
    shape, architecture = candidate.input_shape(settings.channels), candidate.architecture(settings.channels, name)
    recipe = replace(candidate.recipe(settings.epochs, batch=settings.batch), class_weights=settings.class_weights)
    return ModelChoice(
        name, shape, settings.classes, recipe, "a search", candidate.words, lambda: architecture.build(shape, settings.classes)
    )


def _rivals(study: "Study", number: int, epoch: int, settings: SearchSettings) -> list[tuple[float, ...]]:
    """Returns the objectives of the other trials at a rung."""
    found = []
    for record in records_of(study.get_trials(deepcopy=False)):
        accuracy = dict(record.rungs).get(epoch)
        if record.number != number and accuracy is not None and isinstance(record.cost, Cost):
            found.append(losses_of(accuracy, record.cost, settings.objectives))
    return found


def _progress(study: "Study") -> tuple[int, int]:
    """Returns how many trials were trained or pruned, and how many are running."""
    trials = study.get_trials(deepcopy=False)
    records = records_of(trials)
    running = sum(record.outcome == RUNNING and not is_dead(trial) for trial, record in zip(trials, records, strict=True))
    return counts_of(records).done, running
