"""Model files (TOML): keys of hostile values, lines moved, nested, repeated without end."""

import functools
import re
from pathlib import Path
from typing import Any

from glyphlite.errors import ModelError
from glyphlite.models.definition.choosing import check_shapes
from glyphlite.models.definition.reading import LARGEST_FILE, read_definition
from glyphlite.models.definition.writing import write_definition
from glyphlite.models.registry import model_file_text

MODELS = ("mlp", "micro-cnn", "edge-cnn", "glyph-700", "glyph-2kram", "glyph-4k", "glyph-16k")
VALUES = (
    *(
        '""',
        '"\\u0000"',
        '"\\u001b[31m"',
        '"[bold]"',
        '"a\\nb"',
        '"\\u2028"',
        '"../../etc"',
        f'"{"x" * 5000}"',
        '"relu"',
        '"Dense"',
    ),
    *(
        "-1",
        "0",
        "1",
        "2",
        "3",
        "1024",
        "4096",
        "99999999999999999999999",
        "0x10",
        "1_000",
        "0.5",
        "1e308",
        "1e-320",
        "nan",
        "-inf",
    ),
    *("true", "[]", "{}", "[[]]", "[1, 2]", "[1, 2, 3]", "[nan]", "{ a = 1 }", "1979-05-27", "07:32:00"),
)
PIECES = ('"""', "'''", "[[", "]]", "{", "}", "\\", "#", "\r", "\0", "\ufeff", ".", "=", "\u2028", "[layers]\n", "a = 1\n")
ENDLESS = (" ", "\n", "[", "a.", "a = {", "#", "'", "[[layers]]\n", "k.a.b = 1\n", "1", "[a", '"', "=", "1, ", "\\\n")
_VALUE = re.compile(r"= (\"[^\"]*\"|[-\w.]+|\[[^\]]*\])")


@functools.cache
def sources() -> dict[str, bytes]:
    """Returns the model files of known models."""
    return {f"{name}.toml": model_file_text(name).encode() for name in MODELS}


def take(path: Path) -> list[str]:
    """Reads a model file and looks at its shapes; what was accepted must be the same when it is written and read again."""
    stored = read_definition(path)
    for shape, classes in (((1, 1, 1), 2), ((1024, 1024, 3), 4096)):
        try:
            check_shapes(stored, shape, classes)
        except ModelError as error:
            if not str(error).isprintable():
                return [f"control characters: {str(error)!r}"]
    again = path.with_name("again.toml")
    again.write_text(write_definition(stored.definition))
    if read_definition(again).definition != stored.definition:
        return ["the definition is another one when it is written and read again"]
    check_shapes(stored, (28, 28, 1), 10)
    return []


def _value(content: bytes, rng: Any) -> bytes:
    """Another value of a key, or of two."""
    text = content.decode()
    for _ in range(int(rng.integers(1, 3))):
        places = list(_VALUE.finditer(text))
        place = places[int(rng.integers(len(places)))]
        text = text[: place.start(1)] + VALUES[int(rng.integers(len(VALUES)))] + text[place.end(1) :]
    return text.encode()


def _lines(content: bytes, rng: Any) -> bytes:
    """A line less, twice, or elsewhere."""
    lines = content.decode().split("\n")
    here, there = (int(rng.integers(len(lines))) for _ in range(2))
    choice = int(rng.integers(3))
    line = lines[here] if choice == 1 else lines.pop(here)
    if choice:
        lines.insert(there, line)
    return "\n".join(lines).encode()


def _piece(content: bytes, rng: Any) -> bytes:
    """A piece of TOML where none belongs."""
    text = content.decode()
    start = int(rng.integers(len(text)))
    end = start + int(rng.integers(30))
    return (text[:start] + PIECES[int(rng.integers(len(PIECES)))] + text[end:]).encode()


def _endless(content: bytes, rng: Any) -> bytes:
    """One thing again and again, behind the file, amid it or alone, up to the largest size and beyond."""
    piece = ENDLESS[int(rng.integers(len(ENDLESS)))].encode()
    place = int(rng.choice((0, int(rng.integers(len(content))), len(content))))
    filler = piece * (int(rng.choice((2000, LARGEST_FILE - len(content), LARGEST_FILE))) // len(piece))
    return content[:place] + filler + content[place:]


CHANGES = {"value": _value, "lines": _lines, "piece": _piece, "endless": _endless}
