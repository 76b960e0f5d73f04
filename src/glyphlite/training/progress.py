"""Display of a training: a live line (epoch, batch, loss, accuracy, time left), and a lasting line for each epoch."""

from types import TracebackType

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from glyphlite.console import say, stderr_console
from glyphlite.training.history import EpochRecord

_WIDE = 100
"""Columns of a terminal from which the batch and a bar stand beside the time left."""


class TrainingProgress:
    """The display of one training; a context manager."""

    def __init__(self, name: str, *, epochs: int, steps: int, done: int) -> None:
        """Prepares the display of ``epochs`` of ``steps`` batches each, ``done`` batches of all of them already behind."""
        self._epochs, self._steps, console = epochs, steps, stderr_console()
        has_room = console.width >= _WIDE
        columns = (
            "{task.description}",
            "epoch {task.fields[epoch]}/{task.fields[epochs]}",
            *(["batch {task.fields[batch]}/{task.fields[batches]}"] if has_room else []),
        )
        numbers = ("loss {task.fields[loss]}", "accuracy {task.fields[accuracy]}")
        self._display = Progress(
            SpinnerColumn(),
            *(TextColumn(column) for column in columns),
            *([BarColumn(bar_width=None)] if has_room else []),
            *(TextColumn(number) for number in numbers),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,  # piped into a file, it would leave nothing but empty lines
        )
        fields = {
            "epoch": done // steps + 1,
            "epochs": epochs,
            "batch": done % steps,
            "batches": steps,
            "loss": "-",
            "accuracy": "-",
        }
        self._task = self._display.add_task(name, total=epochs * steps, completed=done, **fields)

    def __enter__(self) -> "TrainingProgress":
        self._display.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._display.stop()

    def update(self, epoch: int, batch: int, loss: float, accuracy: float) -> None:
        """Shows the position (epoch from 0, batches of it done) and the epoch's running loss and accuracy."""
        self._display.update(
            self._task,
            completed=epoch * self._steps + batch,
            epoch=epoch + 1,
            batch=batch,
            loss=f"{loss:.4f}",
            accuracy=f"{accuracy:.2%}",
        )

    def epoch_done(self, record: EpochRecord, *, best: bool) -> None:
        """Leaves a line for a finished epoch."""
        say(
            f"epoch {record.epoch:>2}/{self._epochs}  loss {record.loss:.4f}  accuracy {record.accuracy:.2%}  "
            f"{_validation_words(record)}  {record.seconds:.1f} s{'  best so far' if best else ''}"
        )


def _validation_words(record: EpochRecord) -> str:
    """Returns what validation images say of an epoch, in words."""
    if record.validation_accuracy is None:
        return "no validation images"
    balanced = record.validation_balanced_accuracy
    recall = f", mean recall {balanced:.2%}" if balanced is not None else ""
    return f"validation loss {record.validation_loss:.4f}  validation accuracy {record.validation_accuracy:.2%}{recall}"
