"""``glyphlite search``: begins a study or goes on with it, sets workers to it, watches them, and says what was found."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.registry import load_dataset
from glyphlite.emulation.machine import require_tools
from glyphlite.emulation.toolchain import target_named
from glyphlite.errors import DataError, ToolError
from glyphlite.extras import require_extra
from glyphlite.files.owned import locked_folder, require_ours
from glyphlite.files.single import without_detours
from glyphlite.pipeline.runs.training_plan import class_weights_for
from glyphlite.pipeline.search.display import SearchDisplay
from glyphlite.pipeline.search.starting_point import starting_point
from glyphlite.pipeline.search.tracked import TrialTracker
from glyphlite.search.budget import Budget
from glyphlite.search.crew import Crew, default_jobs
from glyphlite.search.images import read_images
from glyphlite.search.ray.crew import RayCrew
from glyphlite.search.report import SearchReport, report_of
from glyphlite.search.settings import EPOCHS, SearchSettings, sides_for
from glyphlite.search.space import batch_for
from glyphlite.search.study import (
    STUDY_FILE,
    begin_study,
    fail_dead_trials,
    is_stopped,
    join_study,
    quiet_optuna,
    settings_of,
    shown_url,
    stop_study,
    storage_failures,
    storage_of,
    storage_url,
)
from glyphlite.search.trials import TrialRecord, counts_of, records_of
from glyphlite.training.tracking.trackers import Tracking

if TYPE_CHECKING:
    from optuna import Study

DEFAULT_HOURS = 0.5
RESULT_FILE = "search.json"

_LOOK_SECONDS, _SAVE_SECONDS = 1.0, 5.0
_SPENT = "seconds"


@dataclass(frozen=True)
class SearchOptions:
    """The user's choices; every field is one option of ``glyphlite search``."""

    budget: Budget
    dataset: str = "mnist"
    data_dir: Path | None = None
    objectives: tuple[str, ...] = ("accuracy", "flash")
    sampler: str = "tpe"
    trials: int | None = None
    hours: float | None = None
    jobs: int | None = None
    seed: int = 0
    epochs: int = EPOCHS
    out: Path | None = None
    storage: str | None = None
    study: str | None = None
    class_weights: str = "auto"
    group_by: str | None = None
    images: int | None = None
    ray: str | None = None
    model: str | None = None
    tracking: Tracking = field(default_factory=Tracking)

    @property
    def folder(self) -> Path:
        """Returns where everything goes."""
        name = f"search-{Path(self.dataset).stem}-{self.budget.board or self.budget.core}"
        return without_detours(self.out) if self.out is not None else Path("runs") / name

    def settings(self) -> SearchSettings:
        """Returns the settings of the study, for the images that the dataset has.

        Raises:
            DataError: the dataset cannot be had, or has one class.
        """
        loaded = load_dataset(self.dataset, data_dir=self.data_dir, seed=self.seed, group_by=self.group_by)
        if loaded.classes < 2:
            raise DataError(f"{loaded.name} has {loaded.classes} class; a classifier needs two or more")
        return SearchSettings(
            dataset=self.dataset,
            input_shape=loaded.input_shape,
            classes=loaded.classes,
            budget=self.budget,
            objectives=self.objectives,
            sides=sides_for(loaded.input_shape),
            sampler=self.sampler,
            epochs=self.epochs,
            seed=self.seed,
            class_weights=self._class_weights(loaded),
            group_by=self.group_by,
            images=self.images,
            batch=batch_for(min(len(loaded.train), self.images or len(loaded.train))),
        )

    def _class_weights(self, loaded: Dataset) -> str | None:
        """Returns how classes are weighed in the loss, decided by the data where the user leaves it to them."""
        if self.class_weights == "auto":
            return class_weights_for(loaded)
        return None if self.class_weights == "none" else self.class_weights


@dataclass(frozen=True)
class Searched:
    """A search that has ended: its folder, its settings, every trial, and the report of them."""

    folder: Path
    settings: SearchSettings
    records: tuple[TrialRecord, ...]
    report: SearchReport


def search(options: SearchOptions) -> Searched:
    """Searches until there are enough trials or no time is left; the same command goes on with what was stopped.

    Returns:
        The trials and what is to be said of them; `glyphlite.pipeline.search.winner` writes it.

    Raises:
        GlyphliteError: the data, the storage, a tool or the folder.
        KeyboardInterrupt: Ctrl-C; the trials that ended are kept, the others queued again.
    """
    require_extra("train", "search")
    require_extra("search", "search")
    _require_tools(options.budget, options.ray)
    with locked_folder(options.folder) as folder, quiet_optuna(), storage_failures():
        require_ours(folder, [RESULT_FILE])
        settings = options.settings()
        place = options.storage or str(folder / STUDY_FILE)
        shown = folder / STUDY_FILE if options.storage is None else shown_url(storage_url(place))
        start = None if options.model is None else starting_point(options.model, settings)
        study = begin_study(storage_of(place), options.study or folder.name, settings, start=start)
        say(
            f"Within {settings.budget.words}, for {' and '.join(settings.objectives)}; trials in {shown}",
            lead="Search:",
        )
        _watch(study, options, place)
        records = records_of(study.get_trials(deepcopy=False))
    return Searched(folder, settings, tuple(records), report_of(study.study_name, settings, records, _spent(study)))


def join_search(
    place: str,
    *,
    study: str | None = None,
    dataset: str | None = None,
    data_dir: Path | None = None,
    jobs: int | None = None,
    hours: float | None = None,
    ray: str | None = None,
) -> SearchReport:
    """Works in a study that another process began, until that is stopped or has its trials.

    Args:
        place: of the storage: a URL, a file, or a search's folder.
        study: its name, where the storage has several.
        dataset: where its data lies here, if elsewhere.
        data_dir: the folder of a known dataset's files.
        jobs: workers.
        hours: after which this process leaves.
        ray: address of a Ray cluster whose actors are the workers; None: processes of this machine are.

    Raises:
        GlyphliteError: as :func:`search`.
    """
    require_extra("train", "search")
    require_extra("search", "search")
    with quiet_optuna(), storage_failures():
        joined = join_study(storage_of(place, must_exist=True), study)
        settings = settings_of(joined)
        _require_tools(settings.budget, ray)
        say(f"{joined.study_name}, within {settings.budget.words}", lead="Joined:")
        if is_stopped(joined):
            say("the study is finished; glyphlite search with its own options goes on with it")
        else:
            orders = _orders(place, joined.study_name, dataset, data_dir, joined.user_attrs.get("trials"))
            end = None if hours is None else time.monotonic() + 3600 * hours
            display = SearchDisplay(settings, joined.user_attrs.get("trials"), None)
            _run_crew(joined, orders, jobs, display, _is_past(end), ray)
        return report_of(joined.study_name, settings, records_of(joined.get_trials(deepcopy=False)), _spent(joined))


def _require_tools(budget: Budget, ray: str | None) -> None:
    """Checks that the budget's core can be emulated where its trials run: here, unless a cluster's machines do.

    Raises:
        ToolError: compiler or emulator are missing; no study has been begun, and no trial failed.
    """
    if ray is None:
        require_tools(target_named(budget.core))


def _watch(study: "Study", options: SearchOptions, place: str) -> None:
    """Sets workers to the study until it has its trials or its time is over; then stops it for everybody."""
    hours = DEFAULT_HOURS if options.trials is None and options.hours is None else options.hours
    study.set_user_attr("trials", options.trials)
    if dead := fail_dead_trials(study):
        say(f"{dead} trials that were cut off are queued again")
    clock = _Clock(study, None if hours is None else 3600 * hours)
    counts = counts_of(records_of(study.get_trials(deepcopy=False)))
    if counts.done:
        say(f"going on after {counts.done} trials and {clock.before / 60:.0f} minutes")
    orders = _orders(place, study.study_name, options.dataset, options.data_dir, options.trials)
    try:
        display = SearchDisplay(settings_of(study), options.trials, clock.left)
        tracker = TrialTracker(study, options.tracking)
        is_complete = options.trials is not None and counts.done >= options.trials  # no worker starts to find nothing to do
        _run_crew(study, orders, options.jobs, display, lambda: is_complete or clock.is_over(), options.ray, tracker)
        stop_study(study)
    finally:
        clock.save()


class _Clock:
    """The seconds of a search over every resumption, which the study keeps.

    Attributes:
        before: seconds that were searched before this process.
        left: seconds that this process has; None: as many as it takes.
    """

    def __init__(self, study: "Study", wanted: float | None) -> None:
        self._study, self._began, self._saved = study, time.monotonic(), 0.0
        self.before = _spent(study)
        self.left = None if wanted is None else max(0.0, wanted - self.before)

    def is_over(self) -> bool:
        """Returns whether no time is left; saves now and then how much was spent."""
        spent = time.monotonic() - self._began
        if spent - self._saved > _SAVE_SECONDS:
            self.save()
        return self.left is not None and spent >= self.left

    def save(self) -> None:
        """Tells the study how long it was searched."""
        self._saved = time.monotonic() - self._began
        self._study.set_user_attr(_SPENT, self.before + self._saved)


def _crew(study: "Study", orders: dict[str, object], jobs: int | None, ray: str | None) -> Crew | RayCrew:
    """Starts the workers: processes of this machine, or actors of a Ray cluster.

    Raises:
        GlyphliteError: Ray, its cluster, or the data that it is given.
    """
    if ray is None:
        return Crew(orders, jobs or default_jobs())
    settings, folder = settings_of(study), orders["data_dir"]

    def images(side: int) -> Dataset:
        return read_images(settings, side, cast("str | None", orders["dataset"]), Path(str(folder)) if folder else None)

    return RayCrew(study, orders, images, settings.sides, ray, jobs)


def _run_crew(
    study: "Study",
    orders: dict[str, object],
    jobs: int | None,
    display: SearchDisplay,
    is_over: Callable[[], bool],
    ray: str | None = None,
    tracker: TrialTracker | None = None,
) -> None:
    """Runs workers and shows what they find, until they have ended or time is over.

    Raises:
        ToolError: nothing fits the budget.
    """

    def look() -> None:
        records = records_of(study.get_trials(deepcopy=False))
        display.show(records)
        if tracker is not None:
            tracker.tell(records)

    with display:
        if is_over():
            return look()
        with _crew(study, orders, jobs, ray) as crew:
            while crew.look_after() and not is_over():
                time.sleep(_LOOK_SECONDS)
                look()
                if display.is_hopeless:
                    raise ToolError(
                        f"none of {display.counts.over_budget} networks fits {settings_of(study).budget.words}: the smallest was "
                        f"{display.closest}; give more with --flash, --ram or --instructions"
                    )
        look()
    return None


def _orders(place: str, study: str, dataset: str | None, data_dir: Path | None, trials: int | None) -> dict[str, object]:
    return {
        "storage": storage_url(place),
        "study": study,
        "dataset": dataset,
        "data_dir": str(data_dir.absolute()) if data_dir else None,
        "trials": trials,
    }


def _spent(study: "Study") -> float:
    """Returns the seconds that were searched so far, over every resumption."""
    return float(study.user_attrs.get(_SPENT, 0.0))


def _is_past(end: float | None) -> Callable[[], bool]:
    return lambda: end is not None and time.monotonic() >= end
