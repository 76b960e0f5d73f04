"""The sheet of paper on a picture that shows the desk, too: its rectangle, and which of its pixels are paper.

Pure functions of arrays, deterministic, NumPy only; written again in JavaScript. On a small copy from which strokes were closed,
the sheet is an even region with straight sides and with ink on it. What lies around it or reaches over its edge is not paper.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.preprocessing.connected_components import connected_components
from glyphlite.preprocessing.reduction import largest_around, reduce_picture, smallest_around

_SIDE = 160
_LEAST_SIDE = 120
"""A picture smaller than this is a glyph cut out, not a desk."""
_CLOSING = 4
"""Strokes thinner than twice this, on the small copy, are closed before the sheet is looked for."""
_LEAST_STEP = 6.0
"""Grey levels between neighbours at the edge of the sheet; on a grainy picture ``_STEP_BY_GRAIN`` times the usual one."""
_STEP_BY_GRAIN = 4.0
_LEAST_AREA, _LEAST_DESK = 0.06, 0.08
"""The sheet's least part of the picture, and the desk's of the picture's rim."""
_FOUR_SIDED, _FILLED, _FILLED_ALONE = 0.8, 0.7, 0.88
"""A sheet is filled by the largest quadrilateral in it (an ellipse to 2 / pi) and fills its hull, more if it meets no rim."""
_EDGE = 3
"""Width of a sheet's edge on the small copy, in pixels."""
_LIKE = (0.4, 1.6)
"""Ink outside is a glyph like the one inside where its longer side is in this range of that one's."""
_AS_BRIGHT = 0.5
"""Paper is at least this part as bright as the brightest of the picture."""
_LEAST_INK = 0.12
"""Ink is darker than the paper by at least this part of its brightness."""
_CLEARLY_MORE = 0.3
"""Fraction of the first region's ink from which a second region's is a rival: both are one sheet, or there is none."""


@dataclass(frozen=True)
class Sheet:
    """Holds the place of a sheet in a picture.

    ``left``, ``top``, ``right``, ``bottom`` in the picture's pixels (the last two outside); ``paper`` is bool ``(rows, columns)``
    on the small copy, of which a pixel stands for ``reduction`` of the picture's.
    """

    left: int
    top: int
    right: int
    bottom: int
    paper: np.ndarray
    reduction: int

    def paper_at(self, rows: int, columns: int, reduction: int) -> np.ndarray:
        """Returns which pixels are paper, of the cut-out sheet reduced by ``reduction`` to ``(rows, columns)``."""
        row = (self.top + (2 * np.arange(rows) + 1) * reduction // 2) // self.reduction
        column = (self.left + (2 * np.arange(columns) + 1) * reduction // 2) // self.reduction
        row, column = (np.minimum(each, size - 1) for each, size in zip((row, column), self.paper.shape, strict=True))
        return self.paper[np.ix_(row, column)]


def find_sheet(picture: np.ndarray) -> Sheet | None:
    """Finds the sheet on a picture; None where the whole picture is one, or nothing on it looks like one.

    Args:
        picture: grey, uint8 ``(rows, columns)``.
    """
    if min(picture.shape) < _LEAST_SIDE:
        return None
    small, reduction = reduce_picture(picture, _SIDE)
    closed = _closed(small, _CLOSING)
    ink = closed - small
    dim = _AS_BRIGHT * float(np.quantile(closed, 0.95))
    sheets = [each for each in _even_regions(closed) if each.level >= dim and _is_sheet(each.filled)]
    # A desk all around holds the sheet within it.
    sheets = [
        each for each in sheets if not any(other is not each and not (other.filled & ~each.filled).any() for other in sheets)
    ]
    if not sheets:
        return None
    darkest = max(float(ink[_shrunk(each.filled)].max(initial=0)) for each in sheets)
    least = max(darkest / 2, _LEAST_INK * max(each.level for each in sheets))
    inked = [_amount_of_ink(ink, closed, each, least) for each in sheets]
    best = max(range(len(sheets)), key=lambda i: inked[i])
    if inked[best] == 0:
        return None
    paper = sheets[best].filled
    rivals = [i for i in range(len(sheets)) if i != best and inked[i] >= _CLEARLY_MORE * inked[best]]
    if rivals or _leaves_glyphs_out(ink >= least, paper):
        # The edge of a shadow parts one sheet in two.
        both = [_joined(paper, each.filled) for i, each in enumerate(sheets) if i != best]
        whole = [each for each in both if _is_sheet(each) and not _leaves_glyphs_out(ink >= least, each)]
        if not whole or len(rivals) > 1:
            return None
        paper = max(whole, key=lambda each: int(each.sum()))
    rows, columns = np.flatnonzero(paper.any(axis=1)), np.flatnonzero(paper.any(axis=0))
    return Sheet(
        int(columns[0]) * reduction,
        int(rows[0]) * reduction,
        min((int(columns[-1]) + 1) * reduction, picture.shape[1]),
        min((int(rows[-1]) + 1) * reduction, picture.shape[0]),
        paper,
        reduction,
    )


@dataclass(frozen=True)
class _Region:
    """An even region, the same with its holes, and its brightness."""

    own: np.ndarray
    filled: np.ndarray
    level: float


def _even_regions(closed: np.ndarray) -> list[_Region]:
    """Returns the large parts of the picture without an edge inside."""
    down, right = np.abs(np.diff(closed, axis=0)), np.abs(np.diff(closed, axis=1))
    step = max(_LEAST_STEP, _STEP_BY_GRAIN * float(np.median(np.concatenate([down.ravel(), right.ravel()]))))
    edge = np.zeros(closed.shape, bool)
    edge[1:] |= down > step
    edge[:-1] |= down > step
    edge[:, 1:] |= right > step
    edge[:, :-1] |= right > step
    parts = connected_components(~edge)
    large = np.flatnonzero(parts.areas >= _LEAST_AREA * closed.size)
    regions = [parts.labels == number + 1 for number in large]
    return [_Region(region, _filled(region), float(np.median(closed[region]))) for region in regions]


def _joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns two regions and what lies between them."""
    reach = _EDGE
    padded = np.pad((first | second).astype(float), 2 * reach, mode="edge")
    closed = smallest_around(largest_around(padded, reach), reach)[2 * reach : -2 * reach, 2 * reach : -2 * reach]
    return _filled(closed > 0)


def _amount_of_ink(ink: np.ndarray, closed: np.ndarray, region: _Region, least: float) -> int:
    """Counts the ink pixels of a sheet: strokes that were closed, and thick ones that make holes in it."""
    thick = ~region.own & (region.level - closed >= least)
    return int((_shrunk(region.filled) & ((ink >= least) | thick)).sum())


def _closed(image: np.ndarray, reach: int) -> np.ndarray:
    """Returns a region without dark strokes that are thinner than ``2 * reach + 1``; what touches the rim is taken to go on
    beyond it.
    """
    padded = np.pad(image, 2 * reach, mode="edge")
    return smallest_around(largest_around(padded, reach), reach)[2 * reach : -2 * reach, 2 * reach : -2 * reach]


def _filled(region: np.ndarray) -> np.ndarray:
    """Returns a region with its holes: what is not the region and does not reach the picture's rim."""
    rows, columns = region.shape
    rest = connected_components(~region)
    left, top, right, bottom = rest.boxes.T
    hole = np.concatenate([[False], (left > 0) & (top > 0) & (right < columns) & (bottom < rows)])
    return region | hole[rest.labels]


def _shrunk(mask: np.ndarray) -> np.ndarray:
    """Returns a region without its outermost two pixels; the picture's rim is no edge of it."""
    return smallest_around(mask.astype(float), 2) > 0


def _is_sheet(filled: np.ndarray) -> bool:
    """Returns whether the desk is visible along the picture's rim and the outline has few, straight sides."""
    rim = np.concatenate([filled[0], filled[-1], filled[1:-1, 0], filled[1:-1, -1]])
    if float((~rim).mean()) < _LEAST_DESK:
        return False
    hull = _convex_hull(filled)
    area = _area(hull)
    least = _FILLED if rim.any() else _FILLED_ALONE
    return bool(area > 0 and filled.sum() >= least * area and _area(_largest_quadrilateral(hull)) >= _FOUR_SIDED * area)


def _convex_hull(mask: np.ndarray) -> np.ndarray:
    """Returns the corners ``(n, 2)`` of the convex hull of the pixels' corners, in turn (Andrew's monotone chain)."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - mask[rows][:, ::-1].argmax(axis=1)
    points = sorted(
        {(int(x), int(y) + side) for ends in (first, last) for x, y in zip(ends, rows, strict=True) for side in (0, 1)}
    )

    def half(ordered: list[tuple[int, int]]) -> list[tuple[int, int]]:
        chain: list[tuple[int, int]] = []
        for point in ordered:
            while len(chain) > 1 and _cross(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        return chain[:-1]

    return np.array(half(points) + half(points[::-1]))


def _cross(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _area(polygon: np.ndarray) -> float:
    x, y = polygon[:, 0], polygon[:, 1]
    return abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum())) / 2


def _largest_quadrilateral(hull: np.ndarray) -> np.ndarray:
    """Returns the hull's longest diagonal and the corners farthest from it on both sides."""
    apart = ((hull[:, None] - hull[None, :]) ** 2).sum(axis=2)
    first, second = sorted(divmod(int(apart.argmax()), len(hull)))
    a, b = hull[first], hull[second]
    side = (b[0] - a[0]) * (hull[:, 1] - a[1]) - (b[1] - a[1]) * (hull[:, 0] - a[0])
    return hull[[first, int(side.argmin()), second, int(side.argmax())]]


def _leaves_glyphs_out(ink: np.ndarray, paper: np.ndarray) -> bool:
    """Returns whether ink as large as the largest piece on the paper lies outside, or this piece itself continues there.

    Then the edge is rather a shadow's. A pen or a finger reaches over the edge, too, and on to the picture's rim.
    """
    parts = connected_components(ink)
    left, top, right, bottom = parts.boxes.T
    clear = (left > 0) & (top > 0) & (right < ink.shape[1]) & (bottom < ink.shape[0])
    within = np.bincount(parts.labels[_shrunk(paper)], minlength=len(parts) + 1)[1:] * clear
    if not within.any():
        return False
    sides = np.maximum(right - left, bottom - top)
    main = sides[int(within.argmax())]
    outside = parts.labels[largest_around(paper.astype(float), _EDGE) == 0]
    beyond = np.bincount(outside, minlength=len(parts) + 1)[1:] > 0
    return bool((beyond & clear & (sides >= _LIKE[0] * main) & (sides <= _LIKE[1] * main)).any())
