"""Ink parted from paper: polarity found, uneven light and the paper's shade removed, noise left behind.

Pure functions of arrays, deterministic, NumPy only. The steps, each
a function here or in `light` so that each can be measured alone and written again in another language:

0. `find_sheet`: where the picture shows a desk around the sheet, the sheet is cut out.
1. `reduce_picture`: whole blocks of pixels averaged until the longer side is at most ``WORK_SIDE``.
2. `is_dark_on_light`: a light-on-dark picture is turned over for all that follows.
3. `darkness_of`: ``1 - brightness / paper``, the paper's brightness known at every pixel.
4. `without_rules`: printed lines are taken off.
5. `separate`: measured against the paper's own noise, darkness becomes ink from 0 to 1.

From step 2 on all is whole numbers, the generated C's: both find the very same ink where no sheet and no lines are.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.preprocessing.light import ONE, SMALL_SIDE, darkness_of, is_dark_on_light
from glyphlite.preprocessing.reduction import reduce_picture
from glyphlite.preprocessing.rules import without_rules
from glyphlite.preprocessing.sheet import find_sheet

__all__ = ["Ink", "find_ink", "is_dark_on_light", "paper_level", "separate"]

WORK_SIDE = 800
"""A photo is averaged down to this before anything is looked for; a glyph of 28 pixels needs no more."""
FAINTEST = 3932
"""Ink is darker than its paper by more than this: six per cent of all light."""
_SMALL_PICTURE = 40
"""Rows or columns of a glyph cut out: there is little paper around it, and no room for a shadow."""
_STEPS = 255
"""Steps of ink."""


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
    grey = np.floor(small + 0.5).astype(np.int64)
    dark_on_light = is_dark_on_light(grey, on_paper)
    darkness = np.where(on_paper, darkness_of(grey, dark_on_light=dark_on_light), 0)
    darkness, rules = _without_rules(darkness)
    strength, contrast, noise = separate(darkness)
    left, top = (0, 0) if sheet is None else (sheet.left, sheet.top)
    return Ink(strength / _STEPS, reduction, dark_on_light, contrast / ONE, noise / ONE, left, top, rules, on_paper)


def _without_rules(darkness: np.ndarray) -> tuple[np.ndarray, int]:
    """Takes printed lines off; returns the darkness without them, and how many there were."""
    found, rules = without_rules(darkness / ONE, paper_level(darkness)[1] / ONE)
    return (np.floor(found * ONE + 0.5).astype(np.int64), rules) if rules else (darkness, 0)


def _on_paper_alone(picture: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Returns a picture with a quadratic surface through the paper in place of what is not paper."""
    small, _ = reduce_picture(picture, SMALL_SIDE)
    known, _ = reduce_picture(paper.astype(float), SMALL_SIDE)
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


def separate(darkness: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Darkness relative to the paper, brought to 0 for paper and 255 for ink.

    Args:
        darkness: int64 ``(rows, columns)`` from -`ONE` to `ONE`, as `darkness_of` gives it.

    Returns:
        The strength of the ink, int64, the ink's darkness, the paper's noise.
    """
    paper, noise = paper_level(darkness)
    # One pixel may be a fault of the camera; ink is wider, and what is half as dark as the darkest ink is ink.
    darkest = _darkest_spot(darkness) - paper
    candidates = darkness[darkness > paper + max(min(5 * noise, _half(darkest)), FAINTEST)]
    if not len(candidates):
        return np.zeros(darkness.shape, np.int64), 0, noise
    contrast = _quantile(np.minimum(candidates, ONE - 1), 80) - paper
    ground = min(noise * 5 // 2, contrast // 3)
    extent = contrast - ground
    strength = (np.clip(darkness - paper - ground, 0, extent) * 2 * _STEPS + extent) // (2 * extent)
    return strength, contrast, noise


def paper_level(darkness: np.ndarray) -> tuple[int, int]:
    """Returns the paper's own darkness and its standard deviation.

    By the median and the median absolute deviation. A small picture is a glyph cut out: there the smaller of these and of what
    the two lowest quantiles of a normal distribution say.
    """
    known = np.minimum(darkness, ONE - 1)
    paper = _quantile(known, 50)
    noise = _quantile(np.minimum(np.abs(darkness - paper), 2 * ONE - 1), 50) * 12145 // 8192  # 1.4826
    if max(darkness.shape) > _SMALL_PICTURE:
        return paper, noise
    quarter = _quantile(known, 25)
    lower_noise = (quarter - _quantile(known, 10)) * 13494 // 8192  # 1 / (1.2816 - 0.6745)
    return min(paper, quarter + lower_noise * 5526 // 8192), min(noise, lower_noise)  # 0.6745


def _quantile(values: np.ndarray, per_cent: int) -> int:
    """Returns a quantile, of many values the nearest one, of few between two."""
    values = values.ravel()
    whole, part = divmod((values.size - 1) * per_cent, 100)
    if values.size > _SMALL_PICTURE * _SMALL_PICTURE:
        rank = whole + (part >= 50)
        return int(np.partition(values, rank)[rank])
    ordered = np.sort(values)
    value = int(ordered[whole])
    return value if part == 0 else value + ((int(ordered[whole + 1]) - value) * part + 50) // 100


def _darkest_spot(darkness: np.ndarray) -> int:
    """Returns the darkest mean of 3x3 pixels, the rim's values repeated outside."""
    rows = np.pad(darkness, ((0, 0), (1, 1)), mode="edge")
    threes = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    threes = np.where(threes < 0, -(-threes // 16), threes // 16)
    columns = np.pad(threes, ((1, 1), (0, 0)), mode="edge")
    darkest = int((columns[:-2] + columns[1:-1] + columns[2:]).max()) * 16
    return darkest // 9 if darkest >= 0 else -(-darkest // 9)


def _half(number: int) -> int:
    return number // 2 if number >= 0 else -(-number // 2)


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
