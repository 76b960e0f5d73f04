"""A training's history: one record an epoch, kept as history.csv. Knows nothing of models."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from glyphlite.files.owned import write_owned
from glyphlite.files.untrusted import parsing, read_input
from glyphlite.records import TrainingReport


@dataclass(frozen=True)
class EpochRecord:
    """One epoch: training loss and accuracy as they ran, validation's after it. Accuracies are fractions, epochs count from 1.

    There is no validation loss and accuracy where all images are trained on.
    ``validation_balanced_accuracy``, the mean of the classes' recalls, is there where the training weighs classes.
    """

    epoch: int
    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float
    validation_balanced_accuracy: float | None = None


_BALANCED = "validation_balanced_accuracy"
_COLUMNS = tuple(field.name for field in fields(EpochRecord) if field.name != _BALANCED)


def write_history(path: Path, history: Sequence[EpochRecord]) -> Path:
    """Writes every epoch so far as CSV, atomically; numbers with all their digits."""
    text = io.StringIO()
    weighed = any(record.validation_balanced_accuracy is not None for record in history)
    columns = (*_COLUMNS, _BALANCED) if weighed else _COLUMNS
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(asdict(record) for record in history)
    return write_owned(path, text.getvalue())


def read_history(path: Path) -> tuple[EpochRecord, ...]:
    """Reads a history.csv.

    Raises:
        DataError: the file is missing or has other columns or values.
    """
    content = read_input(path, "a training's history.csv")
    with parsing(lambda _: f"{path} is not a training's history; expected the columns {','.join(_COLUMNS)}"):
        rows = list(csv.DictReader(content.decode().splitlines()))
        return tuple(
            EpochRecord(
                epoch=int(row["epoch"]),
                learning_rate=float(row["learning_rate"]),
                loss=float(row["loss"]),
                accuracy=float(row["accuracy"]),
                validation_loss=_number(row["validation_loss"]),
                validation_accuracy=_number(row["validation_accuracy"]),
                seconds=float(row["seconds"]),
                validation_balanced_accuracy=_number(row.get(_BALANCED)),
            )
            for row in rows
        )


def _number(text: str | None) -> float | None:
    """Returns a number, None of an empty field."""
    return float(text) if text else None


def training_report(history: Sequence[EpochRecord], validation_images: int) -> TrainingReport | None:
    """Makes a history's record in ``results.json``; None where nothing was trained.

    Args:
        history: every epoch.
        validation_images: how many images the validation accuracies are of; 0 where all images were trained on.
    """
    if not history:
        return None
    return TrainingReport(
        validation_images=validation_images,
        all_images=history[-1].validation_accuracy is None,
        learning_rate=[each.learning_rate for each in history],
        accuracy=[each.accuracy for each in history],
        validation_accuracy=[each.validation_accuracy for each in history if each.validation_accuracy is not None],
    )
