"""The paper's brightness at every pixel of a picture, and whether strokes are darker than it, in whole numbers alone.

Pure functions of arrays. The steps and every rounding are those of the generated C (``light.c.j2`` among the templates of
`glyphlite.compiler.picture`) and of the page's ``light.js``, so that all three compute the same darkness. Powers of two
as scales keep each product of the C within 32 or 64 bits; `_divided` is C's division, which drops what is behind the point.

1. `is_dark_on_light`: strokes are narrow, so that on a small copy their difference from the mean around them is skewed to their
   side; the edge of a shadow is not skewed at all.
2. `paper_surface`: a quadratic surface fitted to the paper's brightness; what is far from it has no say.
3. `closed_paper`: by how much the paper is brighter than that surface, under and around the strokes, by a morphological closing
   on a smaller copy; it follows the edge of a shadow, which a smooth surface cannot.
4. `darkness_of`: how much of the paper's light is missing at each pixel.
"""

import numpy as np

from glyphlite.preprocessing.reduction import largest_around, smallest_around

ONE = 65536
"""Steps of darkness: all of the paper's light is missing."""
SMALL_SIDE = 64
"""The paper's brightness is fitted on a copy this small: it has no detail, and noise averages out."""
_CLOSED_SIDE = 32
"""Strokes are closed on a smaller one, which a microcontroller has room for."""
_UNIT = 4096
"""Steps of a place on the picture, from the middle to a rim."""
_LARGEST_TERM = 131071
"""Largest of a surface's terms, in 1/256 of a grey level."""
_POWERS = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
"""Powers of x and y in the terms of a surface."""
_FARTHEST = 4095
"""Distances from a surface are counted up to this, in 1/16 of a grey level."""
_RATIO = 8192
"""Steps of the paper's brightness beside the surface's."""


def is_dark_on_light(picture: np.ndarray, on_paper: np.ndarray | None = None) -> bool:
    """Returns whether the strokes are darker than what is around them.

    Args:
        picture: grey levels ``(rows, columns)``.
        on_paper: bool, the pixels that have a say; all when left out.
    """
    small, reach = small_copy(np.floor(picture + 0.5).astype(np.int64)), SMALL_SIDE // 8
    sums = small
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        sums = np.lib.stride_tricks.sliding_window_view(np.pad(sums, padding, mode="edge"), 2 * reach + 1, axis).sum(axis=-1)
    difference = (2 * reach + 1) ** 2 * small - sums
    if on_paper is not None:
        known, pixels = _block_sums(on_paper, SMALL_SIDE)
        difference = np.where(known == pixels, difference, 0)
    return int((difference**3).sum()) <= 0


def darkness_of(picture: np.ndarray, *, dark_on_light: bool) -> np.ndarray:
    """Returns how much of the paper's light is missing at each pixel, int64 from -`ONE` to `ONE`, 0 on paper.

    Args:
        picture: grey levels, int64 ``(rows, columns)``.
        dark_on_light: of `is_dark_on_light`; a light-on-dark picture is turned over.
    """
    small = small_copy(picture)
    grey, small = (picture, small) if dark_on_light else (255 - picture, 255 - small)
    surface = paper_surface(small)
    light = paper_light(surface, closed_paper(grey, surface), *grey.shape)
    return np.clip(ONE - ((grey << 24) + light // 2) // light, -ONE, ONE)


def small_copy(picture: np.ndarray) -> np.ndarray:
    """Returns the picture averaged to at most `SMALL_SIDE` rows and columns, whole grey levels, int64."""
    return (_block_means(picture, SMALL_SIDE) + 128) // 256


def paper_surface(small: np.ndarray) -> list[int]:
    """Returns a quadratic surface through the paper's brightness: its six terms, in 1/256 of a grey level.

    Least squares on a small copy, first through its rim, then six times through what lies near the surface found before
    (Tukey's biweight), so that ink loses its say.

    Args:
        small: of `small_copy`, ink dark.
    """
    rows, columns = small.shape
    y, x = _middles(rows)[:, np.newaxis], _middles(columns)[np.newaxis]
    rim = np.ones(small.shape, bool)
    rim[1:-1, 1:-1] = False
    voters, surface = rim, [0] * 6
    base = (_median_distance(small * 256, voters) + 128) // 256
    surface[0] = base * 256
    for step in range(8):
        difference = small * 256 - _levels(surface, y, x)
        scale = max(_median_distance(difference, voters) * 1519 // 1024, 512)
        reach = scale * 4797 // 1024
        weights = _biweights(difference, reach) * (rim if step < 2 else 1)
        if step:
            voters = np.abs(difference) < reach
        if weights.any():
            surface = _fitted(weights, small - base, 3 if step < 2 else 6, base)
    return surface


def closed_paper(picture: np.ndarray, surface: list[int]) -> np.ndarray:
    """Returns on a small grid how bright the paper is beside the surface, in 1/8192, under the strokes too.

    Args:
        picture: grey levels ``(rows, columns)``, ink dark.
        surface: of `paper_surface`.
    """
    means = _block_means(picture, _CLOSED_SIDE)
    block = -(-max(picture.shape) // _CLOSED_SIDE)
    y, x = (
        (2 * np.arange(count) + 1) * min(block, size) * _UNIT // size - _UNIT
        for count, size in zip(means.shape, picture.shape, strict=True)
    )
    levels = np.clip(_levels(surface, y[:, np.newaxis], x[np.newaxis]), 256, _LARGEST_TERM)
    ratios = np.clip((means * _RATIO + levels // 2) // levels, 0, 32767)
    longer = max(ratios.shape)
    reach = 1 if longer < 5 else (2 * longer + 5) // 10
    closed = smallest_around(largest_around(ratios.astype(float), reach), reach).astype(np.int64)
    for axis in (1, 0):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (2, 2)
        closed = (np.lib.stride_tricks.sliding_window_view(np.pad(closed, padding, mode="edge"), 5, axis).sum(axis=-1) + 2) // 5
    return closed


def paper_light(surface: list[int], closed: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Returns the paper's brightness at each pixel, int64 ``(rows, columns)``, in 1/256 of a grey level and no less than one.

    Args:
        surface: of `paper_surface`.
        closed: of `closed_paper`.
        rows: of the picture.
        columns: of the picture.
    """
    for axis, size in ((0, rows), (1, columns)):
        step = (closed.shape[axis] << 16) // size
        places = np.clip(step // 2 - 32768 + np.arange(size) * step, 0, (closed.shape[axis] - 1) << 16)
        part = (places % 65536).reshape([-1 if each == axis else 1 for each in (0, 1)])
        lower = places >> 16
        upper = np.minimum(lower + 1, closed.shape[axis] - 1)
        closed = (closed.take(lower, axis) * (65536 - part) + closed.take(upper, axis) * part) >> 16
    step = 2 * _UNIT * 256 // columns
    x = _divided(step // 2 - _UNIT * 256 + np.arange(columns) * step, 256)
    levels = np.clip(_levels(surface, _middles(rows)[:, np.newaxis], x[np.newaxis]), 256, _LARGEST_TERM)
    return np.maximum((levels * closed) >> 13, 256)


def _block_sums(picture: np.ndarray, side: int) -> tuple[np.ndarray, int]:
    """Returns sums of whole blocks of pixels, so many that at most ``side`` are side by side, and a block's pixels."""
    block = -(-max(picture.shape) // side)
    rows, columns = (max(1, size // block) for size in picture.shape)
    down, across = (min(block, size) for size in picture.shape)
    blocks = picture[: rows * down, : columns * across].reshape(rows, down, columns, across)
    return blocks.sum(axis=(1, 3), dtype=np.int64), down * across


def _block_means(picture: np.ndarray, side: int) -> np.ndarray:
    """Returns the means of these blocks, in 1/256 of a grey level."""
    sums, count = _block_sums(picture, side)
    return (sums * 256 + count // 2) // count


def _divided(numbers: np.ndarray, by: int) -> np.ndarray:
    """Returns quotients as C has them: without what is behind the point."""
    return np.where(numbers < 0, -(-numbers // by), numbers // by)


def _divided_number(number: int, by: int) -> int:
    """Returns the same of a single number, however large, by a positive one."""
    return -(-number // by) if number < 0 else number // by


def _middles(size: int) -> np.ndarray:
    """Returns the middles of so many pixels, from -`_UNIT` to `_UNIT`."""
    return (2 * np.arange(size) + 1) * _UNIT // size - _UNIT


def _levels(surface: list[int], y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Returns a surface's levels at places, in 1/256 of a grey level."""
    constant = surface[0] + _divided(y * (surface[2] + _divided(surface[5] * y, _UNIT)), _UNIT)
    linear = surface[1] + _divided(surface[4] * y, _UNIT)
    return constant + _divided(x * (linear + _divided(surface[3] * x, _UNIT)), _UNIT)


def _median_distance(difference: np.ndarray, voters: np.ndarray) -> int:
    """Returns the median distance of voters from a surface, in 1/256 of a grey level."""
    distances = np.minimum(np.abs(difference[voters]) // 16, _FARTHEST)
    rank = (distances.size - 1) // 2
    return 16 * (int(np.partition(distances, rank)[rank]) if distances.size else _FARTHEST) + 8


def _biweights(difference: np.ndarray, reach: int) -> np.ndarray:
    """Returns Tukey's biweight of values so far from the surface, from 0 to 1024."""
    part = _divided(difference * 1024, reach) * 4
    near = 4096 - part * part // 4096
    return np.where(np.abs(difference) < reach, near * near // 16384, 0)


def _fitted(weights: np.ndarray, values: np.ndarray, count: int, base: int) -> list[int]:
    """Returns the first terms of a weighted least-squares surface through values, ``base`` added, by the normal equations."""
    rows, columns = weights.shape
    y, x = 2 * np.arange(rows) + 1 - rows, 2 * np.arange(columns) + 1 - columns
    shift = 0
    while int(weights.sum()) << shift < 1 << 23:
        shift += 1

    def moment(of: np.ndarray, a: int, b: int) -> int:
        return _divided_number(int(y**b @ of @ x**a) << shift, columns**a * rows**b)

    weighted = weights * values
    right = [moment(weighted, a, b) for a, b in _POWERS]
    normal = [[moment(weights, a + c, b + d) for c, d in _POWERS] for a, b in _POWERS]
    for i in range(6):
        normal[i][i] += 16  # the smallest ridge keeps the equations solvable
    return _solved(normal, right, count, base)


def _solved(normal: list[list[int]], right: list[int], count: int, base: int) -> list[int]:
    """Returns the surface that the first terms of normal equations give; both are used up."""
    for i in range(count):
        normal[i][i] = max(normal[i][i], 1)
        for j in range(i + 1, count):
            for k in range(j, count):
                normal[j][k] -= _divided_number(normal[i][j] * normal[i][k], normal[i][i])
            right[j] -= _divided_number(normal[i][j] * right[i], normal[i][i])
    surface = [0] * 6
    for i in reversed(range(count)):
        rest = right[i] * 256 - sum(normal[i][j] * surface[j] for j in range(i + 1, count))
        surface[i] = _within(_divided_number(rest, normal[i][i]))
    surface[0] = _within(surface[0] + base * 256)
    return surface


def _within(term: int) -> int:
    return max(-_LARGEST_TERM, min(term, _LARGEST_TERM))
