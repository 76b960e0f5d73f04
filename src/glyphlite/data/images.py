"""Any picture of a glyph to the 28x28 pixels that MNIST's makers would have made of it.

Pure functions of arrays: no files, no randomness, NumPy only, and simple enough to be written again in JavaScript for the web
page.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.data.pictures import read_picture
from glyphlite.errors import DataError

__all__ = ["Box", "PreparedGlyph", "prepare_glyph", "read_picture"]

BOX_SIDE = 20
"""Of 28: MNIST's glyphs were fitted into a 20x20 box, aspect kept, and set into 28x28 by their centre of mass."""
FIELD_SIDE = 28


@dataclass(frozen=True)
class Box:
    """A rectangle in a picture's pixels; ``right`` and ``bottom`` are the first column and row outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns inside."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows inside."""
        return self.bottom - self.top


@dataclass(frozen=True)
class PreparedGlyph:
    """What a model sees of a picture, and where it was in it.

    ``pixels`` is uint8 ``(height, width)``, light on dark; ``box`` is where the glyph was found; ``inverted`` tells that the
    picture was dark on light; ``contrast`` is that between glyph and background, in [0, 1].
    """

    pixels: np.ndarray
    box: Box
    inverted: bool
    contrast: float


def prepare_glyph(picture: np.ndarray, height: int = FIELD_SIDE, width: int = FIELD_SIDE) -> PreparedGlyph:
    """Find the glyph on a picture and make of it what MNIST's makers would have made.

    Args:
        picture: grey, uint8 ``(rows, columns)``, dark on light or light on dark.
        height: rows of the result.
        width: columns of the result.

    Returns:
        The glyph, scaled with its aspect kept into a box of 20/28 of the result, centred by mass.

    Raises:
        DataError: the picture is blank.
    """
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    paper = float(np.median(border))
    deviation = picture.astype(np.float64) - paper
    inverted = -deviation[deviation < 0].sum() > deviation[deviation > 0].sum()
    ink = np.maximum(-deviation if inverted else deviation, 0)
    threshold = otsu_threshold(ink)
    mask = ink > threshold
    if ink.max() < 16 or not mask.any():
        raise DataError("the picture is blank: no glyph stands out from its background")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    contrast = float(np.percentile(ink[mask], 90))
    glyph = np.clip(ink[box.top : box.bottom, box.left : box.right] / contrast, 0, 1)
    scale = min(height, width) * BOX_SIDE / FIELD_SIDE / max(box.width, box.height)
    small = resample(glyph, max(1, round(box.height * scale)), max(1, round(box.width * scale)))
    pixels = np.rint(centre_by_mass(small, height, width) * 255).astype(np.uint8)
    return PreparedGlyph(pixels, box, bool(inverted), contrast / 255)


def otsu_threshold(values: np.ndarray) -> float:
    """The threshold that parts values in [0, 255] into two classes of least variance (Otsu, 1979)."""
    histogram = np.bincount(np.rint(values).astype(int).ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(histogram)
    moment = np.cumsum(histogram * np.arange(256))
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (moment / below - (moment[-1] - moment) / above) ** 2
    return float(np.nanargmax(between[:-1])) if np.isfinite(between[:-1]).any() else 255.0


def resample(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Scale a grey image by area averaging where it shrinks and linear interpolation where it grows, each axis on its own."""
    return _resample_matrix(image.shape[0], rows) @ image @ _resample_matrix(image.shape[1], columns).T


def centre_by_mass(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Set an image into a field of zeros so that its centre of mass falls on the field's centre, to a whole pixel."""
    mass = image.sum()
    row = float((image.sum(axis=1) * np.arange(image.shape[0])).sum() / mass)
    column = float((image.sum(axis=0) * np.arange(image.shape[1])).sum() / mass)
    top = min(max(round((height - 1) / 2 - row), 0), height - image.shape[0])
    left = min(max(round((width - 1) / 2 - column), 0), width - image.shape[1])
    field = np.zeros((height, width))
    field[top : top + image.shape[0], left : left + image.shape[1]] = image
    return field


def _resample_matrix(size: int, target: int) -> np.ndarray:
    """Weights ``(target, size)`` of a triangle filter as wide as one target pixel, at least one source pixel."""
    scale = size / target
    support = max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale - 0.5
    weights = np.maximum(0, 1 - np.abs(np.arange(size) - centres[:, None]) / support)
    return weights / weights.sum(axis=1, keepdims=True)
