"""Any picture of a glyph, or of several, to the 28x28 pixels that MNIST's makers would have made of each.

Composes `ink`, `glyphs` and `normalize`: pure functions of arrays, no files, no randomness, NumPy only, and simple enough to be
written again in JavaScript for the web page.
"""

from dataclasses import dataclass, replace

import numpy as np

from glyphlite.errors import DataError
from glyphlite.preprocessing.connected_components import Components
from glyphlite.preprocessing.glyphs import WEAK, Glyph, glyph_lines, ink_parts, main_glyph, other_glyphs, spots
from glyphlite.preprocessing.ink import Ink, find_ink
from glyphlite.preprocessing.normalize import BOX_PART, fit_to_box, nearest, set_into_field, stroke_width, trim
from glyphlite.preprocessing.pictures import read_picture
from glyphlite.preprocessing.reduction import largest_around

__all__ = ["Box", "PreparedGlyph", "find_glyph", "prepare_glyph", "prepare_glyphs", "prepare_lines", "read_picture"]

FIELD_SIDE = 28
_WIDEST_STROKE = 0.3
"""Of the glyph's longer side: the strokes of MNIST's digits stay below 0.25; a blot is all stroke."""
_THINNEST_STROKE = 0.03
"""What is frayed into strokes thinner than this and in more than three parts is texture."""
_LEAST_SIGNAL, _CERTAIN_CONTRAST = 5.3, 0.5
"""Ink that stands out by less than this many standard deviations of the paper may be the paper's own shade, unless it is dark."""
_MOST_PARTS = 12
"""A picture of one glyph that has more dark spots than this is of something else. Thresholds: benchmarks/real_pictures.py."""
_BAR = 0.4
"""Narrower than this part of its longer side is a bar, not a box."""
_SIDE_BAND, _SIDE_INKED = 0.08, 0.9
"""A box has ink in this part of its height and width, along so much of each side."""
_EDGE = 0.03
"""How far the blurred edge of a stroke reaches beyond its ink, as part of the glyph's longer side."""
_FAINT = 0.1


@dataclass(frozen=True)
class Box:
    """A rectangle in a picture's pixels; ``right`` and ``bottom`` are the first column and row outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Returns the number of columns inside."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Returns the number of rows inside."""
        return self.bottom - self.top


@dataclass(frozen=True)
class PreparedGlyph:
    """A glyph as a model sees it, and its place on the picture.

    ``pixels`` is uint8 ``(height, width)``, light on dark. ``inverted`` tells that the picture was dark on light; ``contrast``
    is how much the ink stands out from the paper, in [0, 1]. ``doubt`` says in words why this may be no glyph at all, else it
    is None; a model's answer to such pixels means nothing. ``others`` counts the further glyphs of the picture, where one was
    looked for.
    """

    pixels: np.ndarray
    box: Box
    inverted: bool
    contrast: float
    doubt: str | None = None
    others: int = 0


def prepare_glyph(picture: np.ndarray, height: int = FIELD_SIDE, width: int = FIELD_SIDE) -> PreparedGlyph:
    """Finds the glyph on a picture and makes of it what MNIST's makers would have made.

    Args:
        picture: grey, uint8 ``(rows, columns)``, dark on light or light on dark.
        height: rows of the result.
        width: columns of the result.

    Returns:
        The glyph with its strokes as wide as MNIST's, its longer side 20/28 of the result's shorter one, centred by mass.

    Raises:
        DataError: the picture is blank.

    Example:
        >>> import numpy as np
        >>> picture = np.full((90, 60), 220, np.uint8)
        >>> picture[20:70, 28:34] = 30
        >>> prepare_glyph(picture).box
        Box(left=28, top=20, right=34, bottom=70)
    """
    prepared = find_glyph(picture, height, width)
    if prepared is None:
        raise DataError("the picture is blank: no glyph stands out from its background")
    return prepared


def find_glyph(picture: np.ndarray, height: int = FIELD_SIDE, width: int = FIELD_SIDE) -> PreparedGlyph | None:
    """Returns what `prepare_glyph` does, and None for a blank picture."""
    ink = find_ink(picture)
    parts = ink_parts(ink.strength)
    glyph = main_glyph(ink.strength, parts, ink.on_paper)
    if glyph is None:
        return None
    prepared = _prepare(ink, parts, glyph, picture.shape, (height, width))
    prepared = replace(prepared, others=other_glyphs(glyph, ink.strength, parts))
    # What is left of printed lines, where they crossed or faded, is no sign of texture.
    count = spots(glyph, ink.strength, parts, dust=ink.rules == 0)
    if prepared.doubt is None and count > _MOST_PARTS:
        return replace(prepared, doubt=f"the picture has {count} dark spots, where a glyph has one or a few")
    return prepared


def prepare_glyphs(picture: np.ndarray, height: int = FIELD_SIDE, width: int = FIELD_SIDE) -> list[PreparedGlyph]:
    """Returns every glyph of a page, line after line, each line from left to right; none for a blank page.

    Args:
        picture: grey, uint8 ``(rows, columns)``.
        height: rows of each result.
        width: columns of each result.
    """
    return [glyph for line in prepare_lines(picture, height, width) for glyph in line]


def prepare_lines(picture: np.ndarray, height: int = FIELD_SIDE, width: int = FIELD_SIDE) -> list[list[PreparedGlyph]]:
    """Returns the glyphs of `prepare_glyphs` by lines, from top to bottom."""
    ink = find_ink(picture)
    parts = ink_parts(ink.strength)
    lines = glyph_lines(ink.strength, parts)
    return [[_prepare(ink, parts, glyph, picture.shape, (height, width)) for glyph in line] for line in lines]


def cut_out(strength: np.ndarray, parts: Components, glyph: Glyph) -> np.ndarray:
    """Returns a glyph's ink alone, in its rectangle: its parts with their soft edges, nothing of its neighbours."""
    reach = max(1, nearest(_EDGE * glyph.side))
    area = (
        slice(max(0, glyph.top - reach), glyph.bottom + reach),
        slice(max(0, glyph.left - reach), glyph.right + reach),
    )
    labels = parts.labels[area]
    own = np.isin(labels, glyph.parts)
    around = largest_around(own.astype(float), reach) > 0
    return trim(np.where(around & (own | (labels == 0)), strength[area], 0), _FAINT)


def _prepare(ink: Ink, parts: Components, glyph: Glyph, shape: tuple[int, ...], size: tuple[int, int]) -> PreparedGlyph:
    """Returns one glyph, cut out, fitted and centred."""
    cut = cut_out(ink.strength, parts, glyph)
    fitted = fit_to_box(cut, nearest(min(size) * BOX_PART))
    pixels = np.floor(set_into_field(fitted, *size) * 255 + 0.5).astype(np.uint8)
    return PreparedGlyph(pixels, _box(glyph, ink, shape), ink.dark_on_light, ink.contrast, _doubt(ink, glyph, cut))


def _doubt(ink: Ink, glyph: Glyph, cut: np.ndarray) -> str | None:
    """Returns why a glyph's ink looks like no glyph, in words, or None."""
    width = stroke_width(cut) / max(cut.shape)
    if ink.contrast < _LEAST_SIGNAL * ink.noise and ink.contrast < _CERTAIN_CONTRAST:
        return f"it hardly stands out: {ink.contrast:.0%} from paper that varies by {ink.noise:.0%}"
    if width > _WIDEST_STROKE:
        return f"it is a blot, not strokes: {width:.0%} of its size wide, where a glyph's strokes are below {_WIDEST_STROKE:.0%}"
    if _is_boxed(cut):
        return "it fills a rectangle on all four sides: a printed box touches it, or it is one"
    if width < _THINNEST_STROKE and len(glyph.parts) > 3:
        return f"it is texture, not strokes: {len(glyph.parts)} parts with strokes {width:.1%} of its size wide"
    return None


def _is_boxed(cut: np.ndarray) -> bool:
    """Returns whether ink runs along all four sides of a glyph's rectangle; a bar, which is all stroke, does not count."""
    rows, columns = cut.shape
    if min(rows, columns) < _BAR * max(rows, columns):
        return False
    down, across = max(1, nearest(_SIDE_BAND * rows)), max(1, nearest(_SIDE_BAND * columns))
    ink = cut >= WEAK
    sides = (ink[:down].any(axis=0), ink[-down:].any(axis=0), ink[:, :across].any(axis=1), ink[:, -across:].any(axis=1))
    return all(side.mean() >= _SIDE_INKED for side in sides)


def _box(glyph: Glyph, ink: Ink, shape: tuple[int, ...]) -> Box:
    """Returns a glyph's rectangle in the picture's own pixels."""
    return Box(
        ink.left + glyph.left * ink.reduction,
        ink.top + glyph.top * ink.reduction,
        min(ink.left + glyph.right * ink.reduction, shape[1]),
        min(ink.top + glyph.bottom * ink.reduction, shape[0]),
    )
