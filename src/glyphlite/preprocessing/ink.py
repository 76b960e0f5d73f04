"""Ink parted from paper: polarity found, uneven light and the paper's shade removed, noise left behind.

Pure functions of arrays, deterministic, NumPy only. The steps, each
a function here so that each can be measured alone and written again in another language:

0. `find_sheet`: where the picture shows a desk around the sheet, the sheet is cut out.
1. `reduce_picture`: whole blocks of pixels averaged until the longer side is at most ``WORK_SIDE``.
2. `is_dark_on_light`: strokes are narrow, so that on a small copy their difference from the mean around them is skewed to their
   side; the edge of a shadow is not skewed at all. A light-on-dark picture is turned over for all that follows.
3. `paper_surface`: a quadratic surface fitted to the paper's brightness; what is far from it has no say.
4. `closed_paper`: the paper's brightness under and around the strokes, by a morphological closing on a small copy of the picture
   divided by that surface; it follows the edge of a shadow, which a smooth surface cannot.
5. `without_rules`: darkness is ``1 - brightness / paper``; printed lines are taken off.
6. `separate`: measured against the paper's own noise, darkness becomes ink from 0 to 1.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.preprocessing.reduction import in_steps, largest_around, reduce_picture, smallest_around
from glyphlite.preprocessing.rules import without_rules
from glyphlite.preprocessing.sheet import find_sheet

WORK_SIDE = 800
"""A photo is averaged down to this before anything is looked for; a glyph of 28 pixels needs no more."""
FAINTEST = 0.06
"""Ink is darker than its paper by more than this fraction."""
_SMALL_SIDE = 40
_PAPER_SIDE = 64
"""The paper's brightness is estimated on a copy this small: it has no detail, and noise averages out."""
_CLOSED_SIDE = 32
"""Strokes are closed on a smaller one, which a microcontroller has room for."""
_STEPS = 65536
"""Steps of darkness, from paper to the darkest ink there can be: what a microcontroller computes with."""
_CLOSING = 0.4
"""Strokes thinner than this part of the longer side do not pass for paper."""


@dataclass(frozen=True)
class Ink:
    """The ink of a picture.

    ``strength`` is float64 ``(rows, columns)``, 0 paper and 1 ink, at ``1 / reduction`` of the picture's size. ``contrast``
    is how much darker (or lighter) than the paper the ink is, ``noise`` the paper's own standard deviation, both in [0, 1]. The
    first pixel lies at ``left`` and ``top`` of the picture, where a sheet was cut out, and ``on_paper`` is bool, False on what
    lies around the sheet; ``rules`` counts the printed lines taken off.
    """

    strength: np.ndarray
    reduction: int
    dark_on_light: bool
    contrast: float
    noise: float
    left: int = 0
    top: int = 0
    rules: int = 0
    on_paper: np.ndarray | None = None


def find_ink(picture: np.ndarray) -> Ink:
    """Separates ink from paper.

    Args:
        picture: grey, uint8 ``(rows, columns)``.
    """
    sheet = find_sheet(picture)
    cut = picture if sheet is None else picture[sheet.top : sheet.bottom, sheet.left : sheet.right]
    small, reduction = reduce_picture(cut, WORK_SIDE)
    rows, columns = small.shape
    on_paper = np.ones(small.shape, bool) if sheet is None else sheet.paper_at(rows, columns, reduction)
    if sheet is not None:
        small = _on_paper_alone(small, on_paper)
    dark_on_light = is_dark_on_light(small, on_paper)
    turned = small if dark_on_light else 255 - small
    paper = closed_paper(turned, paper_surface(turned))
    darkness = np.where(on_paper, in_steps(1 - turned / paper, _STEPS), 0)
    darkness, rules = without_rules(darkness, paper_level(darkness)[1])
    strength, contrast, noise = separate(darkness)
    left, top = (0, 0) if sheet is None else (sheet.left, sheet.top)
    return Ink(strength, reduction, dark_on_light, contrast, noise, left, top, rules, on_paper)


def _on_paper_alone(picture: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Returns a picture with a quadratic surface through the paper in place of what is not paper."""
    small, _ = reduce_picture(picture, _PAPER_SIDE)
    known, _ = reduce_picture(paper.astype(float), _PAPER_SIDE)
    terms, values = _quadratic_terms(*small.shape), small.ravel()
    whole = known.ravel() == 1
    if not whole.any():
        return picture
    weights = whole.astype(float)
    coefficients = np.zeros(6)
    for _ in range(4):
        coefficients = _least_squares(terms, values, weights)
        difference = values - terms @ coefficients
        scale = max(1.4826 * float(np.median(np.abs(difference[whole]))), 2.0)
        weights = whole * np.clip(1 - (difference / (4.685 * scale)) ** 2, 0, None) ** 2
    surface = (_quadratic_terms(*picture.shape) @ coefficients).reshape(picture.shape)
    # A surface through a narrow sheet says little of what lies far from it.
    darkest, brightest = (float(each) for each in np.quantile(values[whole], [0.1, 1]))
    return np.where(paper, picture, np.clip(surface, darkest, brightest))


def is_dark_on_light(picture: np.ndarray, on_paper: np.ndarray | None = None) -> bool:
    """Returns whether the strokes are darker than what is around them.

    Args:
        picture: float64 ``(rows, columns)``.
        on_paper: bool, the pixels that have a say; all when left out.
    """
    small, _ = reduce_picture(picture, _PAPER_SIDE)
    difference = small - _mean_around(small, _PAPER_SIDE // 8)
    if on_paper is not None:
        difference = np.where(reduce_picture(on_paper.astype(float), _PAPER_SIDE)[0] == 1, difference, 0)
    return float((difference**3).sum()) <= 0


def paper_surface(picture: np.ndarray) -> np.ndarray:
    """Returns a quadratic surface through the paper's brightness, never below 1.

    Least squares on a small copy, first through its rim, then six times through what lies near the surface found before
    (Tukey's biweight), so that ink loses its say.

    Args:
        picture: float64 ``(rows, columns)``.
    """
    small, _ = reduce_picture(picture, _PAPER_SIDE)
    terms, values = _quadratic_terms(*small.shape), small.ravel()
    rim = np.ones(small.shape, bool)
    rim[1:-1, 1:-1] = False
    considered = rim.ravel()
    fitted = np.full(values.shape, np.median(values[considered]))
    coefficients = np.zeros(terms.shape[1])
    for step in range(8):
        on_the_rim = step < 2
        difference = values - fitted
        scale = max(1.4826 * float(np.median(np.abs(difference[considered]))), 2.0)
        biweight = np.clip(1 - (difference / (4.685 * scale)) ** 2, 0, None) ** 2
        coefficients = _least_squares(terms[:, : 3 if on_the_rim else 6], values, biweight * (considered if on_the_rim else 1))
        fitted = terms[:, : len(coefficients)] @ coefficients
        if not on_the_rim or step == 1:
            considered = biweight > 0
    return np.clip(_quadratic_terms(*picture.shape) @ coefficients, 1, None).reshape(picture.shape)


def closed_paper(picture: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Returns the paper's brightness everywhere, under the strokes too, for ink darker than paper.

    Args:
        picture: float64 ``(rows, columns)``, ink dark.
        surface: of `paper_surface`.
    """
    small, _ = reduce_picture(picture / surface, _CLOSED_SIDE)
    reach = max(1, round(max(small.shape) * _CLOSING / 2))
    closed = smallest_around(largest_around(small, reach), reach)
    smooth = _mean_around(closed, 2)
    return np.maximum(surface * enlarge(smooth, *picture.shape), 1)


def separate(darkness: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Darkness relative to the paper, brought to 0 for paper and 1 for ink.

    Returns:
        The strength of the ink, the ink's darkness, the paper's noise.
    """
    paper, noise = paper_level(darkness)
    # One pixel may be a fault of the camera; ink is wider, and what is half as dark as the darkest ink is ink.
    darkest = float(_mean_around(darkness, 1).max()) - paper
    candidates = darkness[darkness > paper + max(min(5 * noise, darkest / 2), FAINTEST)]
    if not len(candidates):
        return np.zeros(darkness.shape), 0.0, noise
    contrast = float(in_steps(np.quantile(candidates, 0.8) - paper, _STEPS))
    floor = min(2.5 * noise, contrast / 3)
    strength = np.clip((darkness - paper - floor) / (contrast - floor), 0, 1)
    return in_steps(strength), contrast, noise


def paper_level(darkness: np.ndarray) -> tuple[float, float]:
    """Returns the paper's own darkness and its standard deviation.

    By the median and the median absolute deviation. A small picture is a glyph cut out, with little paper around it and no room
    for a shadow: there the smaller of these and of what the two lowest quantiles of a normal distribution say.
    """
    tenth, quarter, paper = (float(value) for value in np.quantile(darkness, [0.1, 0.25, 0.5]))
    noise = 1.4826 * float(np.median(np.abs(darkness - paper)))
    if max(darkness.shape) > _SMALL_SIDE:
        return paper, noise
    lower_noise = (quarter - tenth) / (1.2816 - 0.6745)
    return min(paper, quarter + 0.6745 * lower_noise), min(noise, lower_noise)


def enlarge(image: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Interpolates linearly between pixel centres, the rim's values kept outside them."""
    for axis, target in ((0, rows), (1, columns)):
        size = image.shape[axis]
        places = np.clip((np.arange(target) + 0.5) * size / target - 0.5, 0, size - 1)
        left = np.minimum(places.astype(int), max(size - 2, 0))
        part = (places - left).reshape([-1 if a == axis else 1 for a in (0, 1)])
        image = image.take(left, axis) * (1 - part) + image.take(np.minimum(left + 1, size - 1), axis) * part
    return image


def _mean_around(image: np.ndarray, reach: int) -> np.ndarray:
    """Returns the mean within ``reach`` rows and columns, the rim's values repeated outside."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded = np.pad(image, padding, mode="edge")
        image = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis).mean(axis=-1)
    return image


def _least_squares(terms: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients of a weighted fit by the normal equations; the smallest ridge keeps them solvable when few values count."""
    normal = terms.T @ (terms * weights[:, None]) + 1e-6 * np.eye(terms.shape[1])
    return np.linalg.solve(normal, terms.T @ (weights * values))


def _quadratic_terms(rows: int, columns: int) -> np.ndarray:
    """Returns ``(rows * columns, 6)``: 1, x, y, x*x, x*y, y*y of the pixel centres, both in [-1, 1]."""
    y = (2 * np.arange(rows) + 1) / rows - 1
    x = (2 * np.arange(columns) + 1) / columns - 1
    x, y = np.broadcast_to(x, (rows, columns)).ravel(), np.repeat(y, columns)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
