"""Connected components against a flood fill that is too slow and too simple to be wrong."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glyphlite.preprocessing.connected_components import connected_components


def _flood(mask: np.ndarray) -> np.ndarray:
    labels = np.zeros(mask.shape, int)
    for seed in np.argwhere(mask):
        if labels[tuple(seed)]:
            continue
        number = labels.max() + 1
        waiting = [tuple(seed)]
        while waiting:
            row, column = waiting.pop()
            if 0 <= row < mask.shape[0] and 0 <= column < mask.shape[1] and mask[row, column] and not labels[row, column]:
                labels[row, column] = number
                waiting += [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return labels


@given(hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)))
def test_components_are_those_of_a_flood_fill(mask: np.ndarray) -> None:
    found = connected_components(mask)
    expected = _flood(mask)
    np.testing.assert_array_equal(found.labels, expected)
    assert len(found) == expected.max(initial=0)
    for number, (box, area) in enumerate(zip(found.boxes, found.areas, strict=True), start=1):
        places = np.argwhere(expected == number)
        assert tuple(box) == (*places.min(axis=0)[::-1], *(places.max(axis=0)[::-1] + 1))
        assert area == len(places)


@given(st.integers(2, 60))
def test_a_spiral_is_one_part(side: int) -> None:
    mask = np.zeros((side, side), bool)
    top, left, bottom, right = 0, 0, side - 1, side - 1
    while top <= bottom and left <= right:
        mask[top, left : right + 1] = mask[top : bottom + 1, right] = True
        mask[bottom, left + 1 : right + 1] = True
        mask[top + 2 : bottom + 1, min(left + 1, side - 1)] = True
        top, left, bottom, right = top + 2, left + 1, bottom - 2, right - 2
    assert len(connected_components(mask)) == _flood(mask).max()
