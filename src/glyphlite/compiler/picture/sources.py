"""The C files that prepare pictures for a model, rendered for the size of its input, and those that doubt its answers."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from glyphlite.models.interface.certainty import FittedCertainty, calibrated, logits_of
from glyphlite.models.interface.output_kind import OutputKind

LONGEST = 800
"""Rows or columns that a picture may have; `preprocessing.ink` makes larger ones smaller."""
LEAST_SIDE = 8
"""Rows or columns of the smallest input that a glyph is fitted into."""
MOST_PARTS = 16
"""Connected parts that are looked at: a picture with more than twelve is no glyph's."""
_PART_BYTES = 20
_FINE = 4
_CORRECTIONS = 4
_BOX_PART = 20 / 28
_STROKES = 2.0, 3.1
"""The widths of MNIST's strokes in a box of 20, as in `preprocessing.normalize`."""
_CODES = 256
_LARGEST_WEIGHT = 65535
_CERTAINTY_STEPS = 10_000
_ROUNDING = 2 / _CERTAINTY_STEPS
"""Certainty that rounding to 16 bits takes away at most."""
_STROKE_UNITS = 64


@dataclass(frozen=True)
class _Sizes:
    """Sizes that the C and its header's macros share, all from the side of the box that the glyph is fitted into."""

    box: int

    @property
    def most_radius(self) -> int:
        """Returns the most pixels of the fine grid by which a stroke is widened or thinned."""
        return -(-29 * self.box // 100)

    @property
    def room(self) -> int:
        """Returns the longest row of the fine grid."""
        return _FINE * self.box + 2 * self.most_radius

    @property
    def most_halves(self) -> int:
        """Returns the 16-bit words that hold the largest value of each row and column, later the box's pixels."""
        return max(2 * self.room, -(-self.box * self.box // 2))

    @property
    def ring(self) -> int:
        """Returns the rows of the fine grid that a stroke's width is changed on at a time."""
        return 2 * self.most_radius + 1

    def rows_aside(self, pixels: int) -> int:
        """Returns how many of the ring's rows the model's pixels can hold; two stay, for they hold words as well."""
        return min(pixels // self.room, self.ring - 2)

    def fit_bytes(self, rows_aside: int) -> int:
        """Returns what the fit takes beside a word per column of the picture."""
        return 4 * 2 * self.box + 2 * self.room + 2 * self.most_halves + (self.ring - rows_aside) * self.room

    @property
    def small_bytes(self) -> int:
        """Returns what a glyph smaller than the box takes to be enlarged: itself, its corrections, one to make it even."""
        return (self.box - 1) ** 2 * (1 + 2 * _CORRECTIONS) + 1


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("glyphlite.compiler.picture", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is C; a name is a C identifier, and all else are numbers
    )


def picture_sources(name: str, height: int, width: int, banner: str) -> dict[str, str]:
    """Returns ``NAME_image.h/.c`` and ``NAME_stroke.h/.c`` by their file names.

    Args:
        name: of the model's C symbols.
        height: rows of the model's input.
        width: columns of the model's input.
        banner: what the files open with.
    """
    values = {"name": name, "macro": name.upper(), "banner": banner, **picture_numbers(height, width)}
    return _rendered(name, ("image.h", "image.c", "stroke.h", "stroke.c"), values)


def picture_numbers(height: int, width: int) -> dict[str, int]:
    """Returns the numbers that the C files, and what states their memory in another language, share.

    Args:
        height: rows of the model's input.
        width: columns of the model's input.
    """
    box = int(min(height, width) * _BOX_PART + 0.5)
    sizes = _Sizes(box)
    thinnest, thickest = (stroke * box / 20 for stroke in _STROKES)
    return {
        "height": height,
        "width": width,
        "box": box,
        "longest": LONGEST,
        "most_parts": MOST_PARTS,
        "part_bytes": 2 * MOST_PARTS * _PART_BYTES,
        "most_radius": sizes.most_radius,
        "most_halves": sizes.most_halves,
        "rows_aside": sizes.rows_aside(height * width),
        "fit_bytes": sizes.fit_bytes(0),
        "bits_fit_bytes": sizes.fit_bytes(sizes.rows_aside(height * width)),
        "small_bytes": sizes.small_bytes,
        "thinnest": round(thinnest * _FINE * 65536),
        "thickest": round(thickest * _FINE * 65536),
        "stroke_thinnest": round(thinnest * _STROKE_UNITS),
        "stroke_thickest": round(thickest * _STROKE_UNITS),
    }


@dataclass(frozen=True)
class Scores:
    """The 8-bit scores that a certainty is read from.

    Attributes:
        kind: what they mean.
        classes: how many there are to choose from.
        scale: of the scores.
        zero_point: of the scores.
        softmax_dropped: whether the file ends in a softmax that the C leaves out; the certainty was fitted with it.
    """

    kind: OutputKind
    classes: int
    scale: float
    zero_point: int
    softmax_dropped: bool = False

    @property
    def values(self) -> np.ndarray:
        """Returns what each of the 256 scores is worth, float64 ``(256,)``."""
        return self.scale * (np.arange(-_CODES // 2, _CODES // 2) - self.zero_point)


def method_of(scores: Scores, certainty: FittedCertainty) -> str:
    """Returns how a certainty is read from scores.

    From one table of weights by score (``shares``), of certainties by score (``each``), of weights by the distance from the best
    score (``distances``), or from that distance by way of the softmax (``softmax``); "" where what the scores mean depends on the
    values of an image.
    """
    if scores.softmax_dropped:
        return "softmax"
    if scores.kind in (OutputKind.LOGITS, OutputKind.LOGIT) and scores.values[0] >= 0 and scores.values[-1] <= 1:
        return ""  # a softmax or sigmoid written out in other ops, perhaps
    if scores.kind is OutputKind.LOGITS:
        return "distances"
    return "each" if scores.kind.is_single or certainty.independent else "shares"


def certainty_sources(name: str, certainty: FittedCertainty, scores: Scores, banner: str) -> dict[str, str]:
    """Returns ``NAME_sure.h/.c`` by their file names; nothing where no certainty can be read from the scores.

    Args:
        name: of the model's C symbols.
        certainty: what was fitted for this very model.
        scores: what the C gives.
        banner: what the files open with.
    """
    method = method_of(scores, certainty)
    if not method:
        return {}
    values = {
        "name": name,
        "macro": name.upper(),
        "banner": banner,
        "method": method,
        "weights": _whole(certainty_weights(certainty, scores)),
        "exponentials": _whole(distance_weights(scores.scale, 1, 0)),
        "temperature": f"{certainty.temperature:.4g}",
        "least": f"{certainty.least_certainty:.1%}",
        "twin": certainty.twin,
        "least_steps": round(certainty.least_certainty * _CERTAINTY_STEPS),
        "error": f"{np.ceil(certainty_error(certainty, scores) * _CERTAINTY_STEPS) / _CERTAINTY_STEPS:.4f}",
    }
    return _rendered(name, ("sure.h", "sure.c"), values)


def certainty_weights(certainty: FittedCertainty, scores: Scores) -> np.ndarray:
    """Returns the table that a certainty is read from, ``(256,)`` whole numbers.

    What each score (or, of logits, each distance from the best) weighs: its probability at the fitted temperature but for the
    division by the sum, the largest 65,535. Where each score has a certainty of its own, that, in 1/10,000.
    """
    method = method_of(scores, certainty)
    if method == "distances":
        return distance_weights(scores.scale, certainty.temperature, certainty.floor)
    if method == "each":
        found = scores.kind.probabilities(scores.values[:, np.newaxis]) if scores.kind.is_single else scores.values[:, np.newaxis]
        return np.rint(calibrated(np.clip(found, 0, 1), certainty).max(axis=1) * _CERTAINTY_STEPS)
    probabilities = np.arange(_CODES) / _CODES if scores.softmax_dropped else np.clip(scores.values, 0, 1)
    logits = logits_of(probabilities[:, np.newaxis], certainty)[:, 0] / certainty.temperature
    return np.rint(np.exp(logits - logits.max()) * _LARGEST_WEIGHT)


def distance_weights(scale: float, temperature: float, floor: float) -> np.ndarray:
    """Returns what a score so many steps below the best weighs beside it, ``(256,)`` whole numbers, the best 65,535."""
    shares = np.maximum(np.exp(-scale * np.arange(_CODES)), floor)
    return np.rint(shares ** (1 / temperature) * _LARGEST_WEIGHT)


def certainty_error(certainty: FittedCertainty, scores: Scores) -> float:
    """Returns by how much a certainty may miss predict's: what rounding takes, and of logits what the floor does.

    Probabilities below the fitted floor count as the floor. A table of distances has to take the best one's for 1, and it is no
    less than one by the number of classes; a certainty changes by no more than the sum that it is divided by.
    """
    if method_of(scores, certainty) != "distances":
        return _ROUNDING
    power, others = 1 / certainty.temperature, scores.classes - 1
    return _ROUNDING + others * ((scores.classes * certainty.floor) ** power - certainty.floor**power)


def _whole(values: np.ndarray) -> list[int]:
    return [int(value) for value in values]


def _rendered(name: str, files: tuple[str, ...], values: dict[str, Any]) -> dict[str, str]:
    environment = _environment()
    return {f"{name}_{file}": environment.get_template(f"{file}.j2").render(values) for file in files}
