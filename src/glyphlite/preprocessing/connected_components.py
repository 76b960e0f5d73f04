"""Connected components of a mask: which pixels hang together, and the rectangle each part fills.

Pure functions of arrays. The mask is cut into horizontal runs; runs that touch (also at a corner) are joined.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Components:
    """Parts of a mask.

    ``labels`` is int32 ``(rows, columns)``, 0 where the mask is not set, else the part's number from 1; of part ``k``, at
    position ``k - 1``: ``boxes`` holds left, top, right, bottom (the last two outside) and ``areas`` the number of pixels.
    """

    labels: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray

    def __len__(self) -> int:
        return len(self.areas)


def connected_components(mask: np.ndarray) -> Components:
    """Finds the 8-connected parts of a mask, numbered in the order in which their first pixels are read.

    Args:
        mask: bool ``(rows, columns)``.
    """
    rows, columns = mask.shape
    edges = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1]  # the first column outside, in the same order
    if not len(row):
        return Components(np.zeros(mask.shape, np.int32), np.zeros((0, 4), int), np.zeros(0, int))
    part = _join(row, start, end, columns)
    _, part = np.unique(part, return_inverse=True)
    count = part.max() + 1
    boxes = np.empty((count, 4), int)
    for column, (ufunc, values, begin) in enumerate(
        ((np.minimum, start, columns), (np.minimum, row, rows), (np.maximum, end, 0), (np.maximum, row + 1, 0))
    ):
        extreme = np.full(count, begin)
        ufunc.at(extreme, part, values)
        boxes[:, column] = extreme
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(part + 1, end - start)
    return Components(labels, boxes, np.bincount(part, weights=end - start).astype(int))


def _join(row: np.ndarray, start: np.ndarray, end: np.ndarray, columns: int) -> np.ndarray:
    """Returns for each run the number of the first run of its part."""
    # Runs are in reading order: on a line as long as all rows, with a gap between, the runs above a run are one stretch.
    stride = columns + 2
    first = np.searchsorted(row * stride + end, (row - 1) * stride + start, side="left")
    last = np.searchsorted(row * stride + start, (row - 1) * stride + end, side="right")
    counts = np.maximum(last - first, 0)
    lower = np.repeat(np.arange(len(row)), counts)
    upper = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    part = np.arange(len(row))
    while True:
        smallest = np.minimum(part[lower], part[upper])
        joined = part.copy()
        np.minimum.at(joined, part[lower], smallest)
        np.minimum.at(joined, part[upper], smallest)
        joined = joined[joined[joined]]
        if np.array_equal(joined, part):
            return part
        part = joined
