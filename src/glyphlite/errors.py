"""The kinds of failure a user can do something about. The CLI prints one as a single line and exits with code 2."""

import difflib
from collections.abc import Iterable, Sequence

from glyphlite.escaping import one_line

LONGEST_LINE = 1000
"""Characters of an error; of a longer one the middle is left out."""


class GlyphliteError(Exception):
    """An error with one line that a user can act on: what went wrong and what to do about it."""

    exit_code = 2

    def __str__(self) -> str:
        """Returns the message as one line in which nothing is hidden, and not without end: names of arrays are anybody's."""
        line = one_line(super().__str__())
        if len(line) <= LONGEST_LINE:
            return line
        return f"{line[: LONGEST_LINE // 2]} [...] {line[7 - LONGEST_LINE // 2 :]}"


class DataError(GlyphliteError):
    """A dataset, an image or their source is missing, malformed or not what its hash says."""


class ModelError(GlyphliteError):
    """A Keras model or a recipe is unknown, unreadable or does not fit the data."""


class ConversionError(GlyphliteError):
    """A model cannot be expressed as the artifact asked for."""


class ArtifactError(GlyphliteError):
    """A .tflite file is malformed, unsupported, or refused by a runtime."""


class ToolError(GlyphliteError):
    """A program or an optional package that the task needs is missing or failed."""


class OutputError(GlyphliteError):
    """A result cannot be written where it should go."""


class DisagreementError(GlyphliteError):
    """Two runtimes differ by more than the stated tolerance."""

    exit_code = 1


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Returns `` (did you mean micro-cnn?)`` where a name looks like a known one, else nothing: to stand behind the name."""
    plain = {_plain(each): each for each in known}
    close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return f" (did you mean {plain[close[0]]}?)" if close else ""


def first_of(names: Sequence[str], most: int) -> str:
    """Returns the first names of a list, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _plain(name: str) -> str:
    """Returns a name as it sounds: in small letters, without hyphens and their like."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())
