"""A glyph's ink into a field the way MNIST was made: a 20x20 box, aspect kept, antialiased, centred by mass in 28x28, strokes as
wide as MNIST's.

Pure functions of arrays; knows nothing of pictures, paper or files.
"""

import numpy as np

from glyphlite.preprocessing.reduction import LITTLE, in_steps

BOX_PART = 20 / 28
"""MNIST's glyphs fill a box of 20 in a field of 28."""
THINNEST, THICKEST = 2.0, 3.1
"""Widths of MNIST's strokes in a box of 20: the 15th and the 85th percentile of its training images, by `stroke_width`."""
_FINE = 4
"""Strokes are measured, widened and thinned on a grid this much finer than the result's."""
_LEAST_CHANGE = 0.25
"""A smaller change of the radius, in pixels of the fine grid, is not worth resampling for."""
_STEPS = 64
"""Steps of a radius for each pixel of the fine grid: with them, and with 256 of ink, integers compute the very same."""
_WIDTH_STEPS = 65536
_FAINT = 0.02
_BACK_PROJECTIONS = 4
"""How often an enlarged image is corrected by what its area averages miss. More changes no answer."""


def fit_to_box(glyph: np.ndarray, side: int, *, adjust_stroke: bool = True, by_area: bool = True) -> np.ndarray:
    """Returns a glyph at the size where its longer side is ``side``, with strokes no thinner and no thicker than MNIST's.

    Args:
        glyph: ink ``(rows, columns)`` from 0 to 1, cut out to its rectangle.
        side: of the box, in pixels.
        adjust_stroke: False leaves the strokes as they are.
        by_area: as of `resample`, for a glyph that has fewer pixels than the box; there is nothing to restore in others.

    Returns:
        Ink from 0 to 1, its longer side ``side``.
    """
    radius, by_area = 0.0, by_area and max(glyph.shape) < side
    if adjust_stroke:
        fine = _with_longer_side(glyph, _FINE * side, by_area)
        width = stroke_width(fine)
        thinnest, thickest = (nearest(each * side / 20 * _FINE * _WIDTH_STEPS) / _WIDTH_STEPS for each in (THINNEST, THICKEST))
        radius = (min(max(width, thinnest), thickest) - width) / 2
        radius = nearest(radius * _STEPS) / _STEPS
    if abs(radius) < _LEAST_CHANGE:
        return _with_longer_side(glyph, side, by_area)
    # Room for what is added, or for what is taken away, so that in the end the longer side is right.
    fine = _with_longer_side(glyph, max(side, nearest(_FINE * side - 2 * radius)), by_area)
    changed = widen(np.pad(fine, max(0, int(np.ceil(radius)))), radius)
    changed = changed / changed.max()
    return _with_longer_side(trim(changed, _FAINT), side, by_area)


def set_into_field(glyph: np.ndarray, height: int, width: int, *, by_mass: bool = True) -> np.ndarray:
    """Returns a glyph in a field of zeros, its centre of mass (or its middle) on the field's, to a whole pixel.

    MNIST's centres of mass lie on the pixel in row 14 and column 14 of 28, counted from 0, give or take half a pixel.
    """
    rows, columns = glyph.shape
    row, column = centre_of_mass(glyph) if by_mass else (rows / 2, columns / 2)
    top = min(max(nearest(height / 2 - row + LITTLE), 0), height - rows)
    left = min(max(nearest(width / 2 - column + LITTLE), 0), width - columns)
    field = np.zeros((height, width))
    field[top : top + rows, left : left + columns] = glyph
    return field


def trim(image: np.ndarray, faintest: float) -> np.ndarray:
    """Removes the rows and columns at the rim that hold nothing above ``faintest``."""
    ink = image > faintest
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def nearest(value: float) -> int:
    """Returns the nearest whole number, halves upwards, as JavaScript's Math.round."""
    return int(np.floor(value + 0.5))


def _with_longer_side(image: np.ndarray, side: int, by_area: bool) -> np.ndarray:
    """Resamples an image and keeps its aspect."""
    rows, columns = (max(1, nearest(size * side / max(image.shape))) for size in image.shape)
    return resample(image, rows, columns, by_area=by_area)


def resample(image: np.ndarray, rows: int, columns: int, *, by_area: bool = True) -> np.ndarray:
    """Returns ink from 0 to 1 at another size: area averaging where it shrinks, what averages to the image where it grows.

    A pixel is the mean of what lay on its area. Linear interpolation takes it for a point, and averaged back it is fainter than
    the image it was made from: holes of one pixel close, strokes of one pixel fade. So what the averages miss is added, several
    times (iterative back-projection: M. Irani and S. Peleg, "Improving resolution by image registration", CVGIP 1991). Each
    result is rounded to one of 256 steps.

    Args:
        image: ``(rows, columns)``.
        rows: of the result.
        columns: of the result.
        by_area: False leaves it at linear interpolation.
    """
    down, across = _weights(image.shape[0], rows), _weights(image.shape[1], columns).T
    result = in_steps(down @ image @ across)
    if not by_area or rows <= image.shape[0] or columns <= image.shape[1]:
        return result
    up, back = _weights(rows, image.shape[0]), _weights(columns, image.shape[1]).T
    for _ in range(_BACK_PROJECTIONS):
        missed = image - in_steps(up @ result @ back)
        result = np.clip(in_steps(result + down @ missed @ across), 0, 1)
    return result


def stroke_width(image: np.ndarray) -> float:
    """Returns the mean width of the strokes in pixels: twice the ink by the length of its outline.

    A stroke of length L and width w has the area L * w and an outline of about 2 * L. The outline's length is the total
    variation of the image, which needs no threshold and does not care for the stroke's direction. Ink counts in 255 steps, each
    slope in 1/128 of them, the width in 1/65536 of a pixel, as in the generated C.
    """
    padded = np.pad(np.floor(image * 255 + 0.5).astype(np.int64), 1)
    down = padded[1:, :-1] - padded[:-1, :-1]
    right = padded[:-1, 1:] - padded[:-1, :-1]
    outline = int(np.floor(np.sqrt((down * down + right * right) << 14) + 0.5).sum())
    return (int(padded.sum()) << 24) // outline / _WIDTH_STEPS if outline else 0.0


def widen(image: np.ndarray, radius: float) -> np.ndarray:
    """Strokes widened by ``radius`` pixels on each side (thinned where it is negative), at the same size.

    The largest value within a disc; between whole radii the results are mixed.
    """
    if radius < 0:
        return 1 - widen(1 - image, -radius)
    whole = int(radius)
    part = radius - whole
    lower = _largest_in_disc(image, whole)
    return lower if part == 0 else lower * (1 - part) + _largest_in_disc(image, whole + 1) * part


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    """Returns row and column of the centre of mass, in pixel centres."""
    mass = float(image.sum())
    row = float((image.sum(axis=1) * np.arange(image.shape[0])).sum()) / mass
    column = float((image.sum(axis=0) * np.arange(image.shape[1])).sum()) / mass
    return row, column


def _largest_in_disc(image: np.ndarray, radius: int) -> np.ndarray:
    """Returns the largest value within a disc around each pixel."""
    if radius == 0:
        return image
    rows, columns = image.shape
    padded = np.pad(image, radius)
    result = image
    for down in range(-radius, radius + 1):
        for right in range(-radius, radius + 1):
            if down * down + right * right <= radius * (radius + 1):
                top, left = radius + down, radius + right
                result = np.maximum(result, padded[top : top + rows, left : left + columns])
    return result


def _weights(size: int, target: int) -> np.ndarray:
    """Returns ``(target, size)``: the part of each source pixel under each target pixel; when growing, linear interpolation."""
    scale = size / target
    if scale >= 1:
        edges = np.arange(target + 1) * scale
        pixels = np.arange(size)
        overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        return np.maximum(overlap, 0) / scale
    places = np.clip((np.arange(target) + 0.5) * scale - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(np.arange(size) - places[:, None]))
