"""Printed lines taken off a sheet: rules, margin lines and squares, so that what is left is what was written.

Pure functions of arrays, NumPy only; written again in JavaScript. A line is thin, nearly horizontal or vertical, and runs from
one side of the sheet to the other, or lies parallel to others that do. A stroke that crosses a line is kept whole.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

_LEAST_SIDE = 150
"""Smaller pictures are cuttings of a glyph; lines on them are strokes."""
_STRIPS = 24
"""A line has to be seen in most of so many strips across the sheet."""
_THICKEST = 1 / 90
"""Half the thickness of the thickest line, as part of the longer side."""
_STEEPEST, _SLOPES = 0.1, 41
"""Rise over run of the steepest line (six degrees), and how many slopes are tried."""
_LEAST_DARKNESS = 0.012
_ACROSS, _PARALLEL, _ALONE = 0.65, 0.4, 0.85
"""The part of the strips that a line is seen in: of one of at least three, of one parallel to them, of a single one."""
_FAMILY, _LIKE_SLOPE = 3, 0.02
_MOST_LINES = 100
_FOOT = 0.2
"""A line is as thick as it has this part of its own darkness."""
_MORE, _MORE_AT_LEAST = 0.5, 0.12
"""Ink is writing on a line if it is darker than the line by this fraction of its darkness, and by at least the second value."""
_BEND = 2
"""Rows by which a line may lie off the straight."""
_LEFT_OVER = 0.35
"""Fraction of the strongest darkness that must remain without the lines; with less, they are all there was and are kept."""


@dataclass(frozen=True)
class _Line:
    """A line by the row of its middle, its slope, the part of the strips that it is seen in, and whether both its ends are."""

    row: float
    slope: float
    seen: float
    ends: bool

    def at(self, columns: np.ndarray, width: int) -> np.ndarray:
        """Returns its row, a fraction, at each of the columns."""
        return self.row + self.slope * (columns - width / 2)


def without_rules(darkness: np.ndarray, noise: float) -> tuple[np.ndarray, int]:
    """Takes printed lines off.

    Args:
        darkness: relative to the paper, float64 ``(rows, columns)``, 0 paper.
        noise: the paper's standard deviation.

    Returns:
        The darkness without them, and how many there were.
    """
    if max(darkness.shape) < _LEAST_SIDE:
        return darkness, 0
    level, count = darkness, 0
    for turned in (False, True):
        sheet = level.T if turned else level
        lines = _find(darkness.T if turned else darkness, noise)
        count += len(lines)
        for line in lines:
            sheet = _without(sheet, line)
        level = sheet.T if turned else sheet
    if not count:
        return darkness, 0
    return (level, count) if _strongest(level) >= _LEFT_OVER * _strongest(darkness) else (darkness, 0)


def _strongest(darkness: np.ndarray) -> float:
    """Returns the darkest spot of 3x3 pixels."""
    rows, columns = darkness.shape
    total = sum(darkness[y : rows - 2 + y, x : columns - 2 + x] for y in range(3) for x in range(3))
    return float(np.max(total)) / 9


def _find(darkness: np.ndarray, noise: float) -> list[_Line]:
    """Returns the nearly horizontal lines."""
    rows, columns = darkness.shape
    reach = _reach(darkness.shape)
    if rows < 4 * reach or columns < 4 * _STRIPS:
        return []
    edges = np.arange(_STRIPS + 1) * columns // _STRIPS
    profiles = np.stack([darkness[:, a:b].mean(axis=1) for a, b in pairwise(edges)])
    thin = _thin(profiles, reach)
    least = max(_LEAST_DARKNESS, 3 * noise / np.sqrt(columns / _STRIPS))
    middles = (edges[:-1] + edges[1:]) / 2 - columns / 2
    # One row of tolerance: lines of a photographed sheet bend a little.
    near = np.maximum(thin, np.maximum(np.pad(thin[:, 1:], ((0, 0), (0, 1))), np.pad(thin[:, :-1], ((0, 0), (1, 0)))))
    found = [_votes(near, middles, _STEEPEST * (2 * index / (_SLOPES - 1) - 1), least) for index in range(_SLOPES)]
    lines = _apart(np.concatenate(found, axis=1), columns, reach)
    across = [line for line in lines if line.seen >= _ACROSS]
    if len(across) < _FAMILY:
        return [line for line in across if line.seen >= _ALONE and line.ends]
    slope = float(np.median([line.slope for line in across]))
    return [line for line in lines if line in across or abs(line.slope - slope) <= _LIKE_SLOPE]


def _votes(thin: np.ndarray, middles: np.ndarray, slope: float, least: float) -> np.ndarray:
    """Finds possible lines of a slope, ``(5, n)``: row, slope, fraction of strips with it, whether both ends show, strength."""
    strips, rows = thin.shape
    moved: np.ndarray = np.zeros((strips, rows))
    for strip in range(strips):
        shift = int(np.floor(slope * middles[strip] + 0.5))
        if shift >= 0:
            moved[strip, : rows - shift] = thin[strip, shift:]
        else:
            moved[strip, -shift:] = thin[strip, : rows + shift]
    hits = np.greater(moved, least)
    seen = hits.mean(axis=0)
    ends = np.logical_and(hits[:3].any(axis=0), hits[-3:].any(axis=0))
    row = np.flatnonzero(seen >= _PARALLEL)
    # Rounded, so that the order of equally strong lines is not a matter of the last digit.
    strength: np.ndarray = np.floor(1e6 * np.minimum(moved, 4 * least).sum(axis=0) + 0.5)
    return np.stack([row, np.full(len(row), slope), seen[row], ends[row], strength[row]])


def _reach(shape: tuple[int, ...]) -> int:
    return max(2, int(np.floor(_THICKEST * max(shape) + 0.5)))


def _apart(candidates: np.ndarray, columns: int, reach: int) -> list[_Line]:
    """Returns the best of lines that cross or come near to one another: seen in most strips, then strongest."""
    row, slope, seen, ends, strength = candidates
    order = np.lexsort((slope, row, -strength, -seen))
    row, slope, seen, ends = (each[order] for each in (row, slope, seen, ends))
    kept: list[_Line] = []
    while len(row) and len(kept) < _MOST_LINES:
        kept.append(_Line(float(row[0]), float(slope[0]), float(seen[0]), bool(ends[0])))
        left, right = (row - row[0] + (slope - slope[0]) * side for side in (-columns / 2, columns / 2))
        apart = (left * right > 0) & (np.minimum(np.abs(left), np.abs(right)) > reach)
        row, slope, seen, ends = (each[apart] for each in (row, slope, seen, ends))
    return kept


def _thin(profiles: np.ndarray, reach: int) -> np.ndarray:
    """Computes how much darker each row is than any structure ``2 * reach + 1`` rows wide or wider around it (a top-hat)."""
    smallest = _window(profiles, reach, np.min)
    return profiles - _window(smallest, reach, np.max)


def _window(profiles: np.ndarray, reach: int, reduce) -> np.ndarray:
    padded = np.pad(profiles, ((0, 0), (reach, reach)), mode="edge")
    return reduce(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1), axis=-1)


def _without(darkness: np.ndarray, line: _Line) -> np.ndarray:
    """Returns the sheet without one line; what crosses it, or is darker than it, stays."""
    rows, columns = darkness.shape
    reach = _reach(darkness.shape)
    columns_at = np.arange(columns)
    middle = _traced(darkness, line)
    offsets = np.arange(-2 * reach, 2 * reach + 1)
    places = np.clip(middle[None, :] + offsets[:, None], 0, rows - 1)
    values = darkness[places, columns_at]
    usual = np.median(values, axis=1)
    usual = usual - min(float(usual[0]), float(usual[-1]))
    most = float(usual[reach:-reach].max())
    dark = np.flatnonzero(usual > _FOOT * most)
    inside = dark[(dark >= reach) & (dark < len(offsets) - reach)]
    if not len(inside) or most <= 0:
        return darkness
    top, bottom = int(inside[0]) - 1, int(inside[-1]) + 1
    above, below = values[max(top - 1, 0)], values[min(bottom + 1, len(offsets) - 1)]
    half = (bottom - top) // 2
    above, below = _largest(above, half), _largest(below, half)
    result = darkness.copy()
    # A line that bends is now and then a row off.
    expected = np.maximum(usual, np.maximum(np.append(usual[1:], 0), np.append(0, usual[:-1])))
    for index in range(top, bottom + 1):
        part = (index - top + 1) / (bottom - top + 2)
        between = above * (1 - part) + below * part
        value = values[index]
        own = value > expected[index] + max(_MORE * most, _MORE_AT_LEAST)
        result[places[index], columns_at] = np.where(own, value, np.minimum(value, between))
    return result


def _traced(darkness: np.ndarray, line: _Line) -> np.ndarray:
    """Returns the line's row at each column: in each strip the darkest near where it should be, between them straight."""
    rows, columns = darkness.shape
    edges = np.arange(_STRIPS + 1) * columns // _STRIPS
    middles = (edges[:-1] + edges[1:]) / 2
    expected = np.floor(line.at(middles, columns) + 0.5).astype(int)
    shifts = []
    for strip, row in enumerate(expected):
        places = np.clip(np.arange(row - _BEND, row + _BEND + 1), 0, rows - 1)
        profile = darkness[places, edges[strip] : edges[strip + 1]].mean(axis=1)
        shifts.append(int(profile.argmax()) - _BEND)
    # A stroke on the line pulls a strip away: the median of three strips.
    padded = [shifts[0], *shifts, shifts[-1]]
    smooth = [sorted(padded[i : i + 3])[1] for i in range(_STRIPS)]
    exact = line.at(np.arange(columns) + 0.5, columns) + np.interp(np.arange(columns) + 0.5, middles, smooth)
    return np.floor(exact + 0.5).astype(int)


def _largest(values: np.ndarray, reach: int) -> np.ndarray:
    padded = np.pad(values, reach, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=-1)
