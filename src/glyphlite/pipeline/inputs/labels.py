"""The class labels of ``--labels``: a text file of one a line, or names between commas. Knows no model."""

from pathlib import Path

from glyphlite.errors import DataError
from glyphlite.escaping import lines_of, name_of
from glyphlite.files.untrusted import read_input

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
