"""The class labels of a model: those of ``--labels``, else those that its file carries or that lie beside it."""

from pathlib import Path

from glyphlite.datasets.own.labels import read_names
from glyphlite.errors import DataError
from glyphlite.escaping import lines_of, name_of
from glyphlite.files.untrusted import read_input
from glyphlite.pipeline.inputs.files import is_keras
from glyphlite.tflite.metadata import read_labels

LARGEST_LABELS = 1 << 20
"""Bytes of a file of labels, at most."""


def named_labels(text: str) -> tuple[str, ...]:
    """Returns the labels that ``--labels`` names.

    Raises:
        DataError: the file cannot be read or is no text, there are fewer than two labels, or one is there twice.

    Example:
        >>> named_labels("off, on")
        ('off', 'on')
    """
    path = Path(text)
    if "," not in text or path.is_file():
        content = read_input(path, "a text file of one label a line, or labels between commas", largest=LARGEST_LABELS)
        try:
            names = [name_of(line) for line in lines_of(content.decode("utf-8-sig")) if line.strip()]
        except UnicodeDecodeError:
            raise DataError(f"{path} is not UTF-8 text; expected one label a line") from None
    else:
        names = [name_of(part) for part in text.split(",")]
    if len(names) < 2:
        raise DataError(f"--labels {text} names {len(names)} label; expected one for each class, two or more")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise DataError(f"--labels names {twice!r} twice; expected another label for each class")
    return tuple(names)


def labels_of(path: Path, classes: int) -> tuple[str, ...]:
    """Returns the labels that a .tflite file carries, those beside it in a run's folder, else the numbers."""
    carried = () if is_keras(path) else read_labels(path.read_bytes())
    beside = path.parent / "labels.txt"
    if not carried and beside.is_file():
        carried = read_names(beside)[:classes]
    return carried if len(carried) == classes else tuple(str(index) for index in range(classes))
