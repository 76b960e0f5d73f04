"""Weights for wide vectors: where each lies, and how rows are cut into strips."""

import numpy as np
import pytest

from glyphlite.compiler.ops.matrix.vectors import BLOCK, GROUP, firsts_of, in_blocks, walk_of
from glyphlite.compiler.values import Window


@pytest.mark.parametrize(("outputs", "segments", "inputs"), [(1, 1, 1), (16, 1, 4), (17, 3, 6), (40, 2, 9)])
def test_each_weight_lies_at_its_block_segment_group_and_place(outputs: int, segments: int, inputs: int):
    rng = np.random.default_rng(outputs)
    rows = rng.integers(-128, 128, (outputs, segments, inputs), np.int8)
    packed = in_blocks(rows)
    assert packed.shape == (-(-outputs // BLOCK), segments, -(-inputs // GROUP), BLOCK, GROUP)
    for output, segment, place in np.ndindex(rows.shape):
        found = packed[output // BLOCK, segment, place // GROUP, output % BLOCK, place % GROUP]
        assert found == rows[output, segment, place]
    assert np.abs(packed.astype(int)).sum() == np.abs(rows.astype(int)).sum(), "all else is 0"


@pytest.mark.parametrize("channels", [1, 8, 15, 16, 17, 31, 32, 100])
def test_sixteens_cover_every_channel(channels: int):
    firsts = firsts_of(channels)
    assert {channel for first in firsts for channel in range(first, first + BLOCK)} >= set(range(channels))
    assert firsts[-1] + BLOCK <= max(channels, BLOCK)


@pytest.mark.parametrize("width", [1, 3, 28, 500, 16000])
@pytest.mark.parametrize("lanes", [1, 64, 3000, 30000])
def test_a_strip_is_small_or_holds_the_least(width: int, lanes: int):
    walk = walk_of(Window(width=3, stride_x=2), width, lanes)
    assert 1 <= walk.chunk <= width
    assert walk.columns == 2 * (walk.chunk - 1) + 3
    assert walk.columns * lanes <= 16384 or walk.chunk == 1
