"""The trackers that a user asked for, told together of a training's epochs and of what was measured at its end.

One that cannot be had is an error before the training; one that fails later is said aloud and left out from then on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from glyphlite.console import say
from glyphlite.errors import ModelError, ToolError, did_you_mean
from glyphlite.escaping import visible
from glyphlite.extras import require_extra
from glyphlite.files.untrusted import reason_of
from glyphlite.training.history import EpochRecord

SERVICES = ("mlflow", "wandb")
"""Values of ``--track``: the extras that bring them have the same names."""


class Tracker(Protocol):
    """One place where trainings are recorded."""

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Takes what the training is: model, data, recipe; plain values."""
        ...

    def epoch(self, record: EpochRecord) -> None:
        """Takes an epoch that has ended."""
        ...

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        """Takes what was measured after so many epochs, by name."""
        ...

    def close(self, *, finished: bool) -> None:
        """Ends the record."""
        ...


@dataclass(frozen=True)
class Tracking:
    """The trackers of a command line: ``--tensorboard`` and ``--track``.

    Attributes:
        tensorboard: the folder of event files, if they are wanted.
        services: of :data:`SERVICES`.
    """

    tensorboard: Path | None = None
    services: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Checks the names, and that what they need is installed.

        Raises:
            ModelError: an unknown name.
            ToolError: an extra is not installed.
        """
        for name in self.services:
            if name not in SERVICES:
                raise ModelError(f"--track takes {' or '.join(SERVICES)}, not {name!r}{did_you_mean(name, SERVICES)}")
            require_extra(name, f"--track {name}")
        if self.tensorboard is not None:
            require_extra("train", "--tensorboard")
            if self.tensorboard.exists() and not self.tensorboard.is_dir():
                raise ModelError(f"--tensorboard takes a folder, and {self.tensorboard} is a file")

    def words(self) -> list[str]:
        """Returns the command line's words that give these options again."""
        folder = [] if self.tensorboard is None else ["--tensorboard", str(self.tensorboard)]
        return folder + [word for name in self.services for word in ("--track", name)]

    def begin(self, name: str, *, resumed: bool = False) -> "Trackers":
        """Begins a record in each place.

        Args:
            name: of the run there.
            resumed: whether a training goes on: TensorBoard's record then does, too, and the others get one anew, of every epoch.

        Raises:
            ToolError: a record cannot be begun.
        """
        opened: list[tuple[str, Tracker]] = []
        for title, make in self._makers(name, resumed=resumed):
            try:
                opened.append((title, make()))
            except Exception as failure:  # other people's libraries raise anything, none of it a fault of ours
                Trackers(opened).__exit__()  # else the records before would look like trainings that go on
                raise ToolError(f"{title} cannot be told of the training: {reason_of(failure)}") from None
        return Trackers(opened)

    def _makers(self, name: str, *, resumed: bool) -> list[tuple[str, Callable[[], Tracker]]]:
        from glyphlite.training.tracking.services import MlflowTracker, WandbTracker
        from glyphlite.training.tracking.tensorboard import TensorBoardTracker

        makers: list[tuple[str, Callable[[], Tracker]]] = []
        if self.tensorboard is not None:
            folder = self.tensorboard
            makers.append(("TensorBoard", lambda: TensorBoardTracker(folder, name, resumed=resumed)))
        titles = {"mlflow": ("MLflow", MlflowTracker), "wandb": ("Weights & Biases", WandbTracker)}
        for service in self.services:
            title, kind = titles[service]
            makers.append((title, lambda kind=kind: kind(visible(name))))
        return makers


class Trackers:
    """Trackers that have begun; a context manager that ends their records."""

    def __init__(self, opened: Sequence[tuple[str, Tracker]] = ()) -> None:
        self._opened, self._told, self._finished = list(opened), 0, False

    def __enter__(self) -> "Trackers":
        return self

    def __exit__(self, *_: object) -> None:
        self._each(lambda tracker: tracker.close(finished=self._finished))
        self._opened = []

    def describe(self, parameters: Mapping[str, Any]) -> None:
        """Tells what the training is: model, data and recipe; None is left out, tables become names with dots."""
        self._each(lambda tracker: tracker.parameters(flat(parameters)))

    def epochs(self, history: Sequence[EpochRecord]) -> None:
        """Tells of those epochs of a history that were not told of yet."""
        for record in history[self._told :]:
            self._each(lambda tracker, record=record: tracker.epoch(record))
        self._told = max(self._told, len(history))

    def finish(self, figures: Mapping[str, float | None]) -> None:
        """Tells of what was measured at the end, None left out; the record is then one of a whole run."""
        known = {name: float(value) for name, value in figures.items() if value is not None}
        self._each(lambda tracker: tracker.figures(self._told, known))
        self._finished = True

    def _each(self, tell: Callable[[Tracker], None]) -> None:
        for title, tracker in list(self._opened):
            try:
                tell(tracker)
            except Exception as failure:
                self._opened.remove((title, tracker))
                say(f"{title} is told no more of this training: {reason_of(failure)}", style="yellow")


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, str | int | float | bool]:
    """Returns tables in tables as one, names joined by dots, None left out, lists as words."""
    found: dict[str, str | int | float | bool] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{above}{name}.")
        elif value is not None:
            found[f"{above}{name}"] = value if isinstance(value, str | int | float | bool) else ", ".join(map(str, value))
    return found
