"""The order of a schedule, and how far the output of a chain may lie over what the chain reads."""

import numpy as np
import pytest
from random_models.one_op import Activation, Constant, one_op

from glyphlite.compiler.lower import lower
from glyphlite.compiler.passes import optimize
from glyphlite.compiler.schedule import overlays, schedule
from glyphlite.tflite.reader import parse_graph

VALID, SAME = 1, 0


def filtered(size: int, stride: int, padding: int, filters: int) -> bytes:
    """A convolution of 12x12x8 bytes, whose row has 96."""
    taps = Constant(np.ones((filters, size, size, 8), np.int8), [0.01] * filters)
    extent = -(-12 // stride) if padding == SAME else (12 - size) // stride + 1
    return one_op(
        "CONV_2D",
        [Activation((1, 12, 12, 8), 0.1, 0), taps, None],
        Activation((1, extent, extent, filters), 0.1, 0),
        "Conv2DOptions",
        padding=padding,
        strideH=stride,
        strideW=stride,
    )


@pytest.mark.parametrize(
    ("size", "stride", "padding", "filters", "distance"),
    [
        (1, 1, SAME, 8, 96),  # a row of the output is written while the same one of the input is read
        (3, 1, SAME, 8, 2 * 96),  # and while the one before it is
        (3, 1, VALID, 8, 80),
        (2, 2, VALID, 8, 48),
        (2, 2, VALID, 16, 96),
        (1, 1, SAME, 16, None),  # rows are written faster than they are read: the last one would lie over all that comes
    ],
)
def test_rows_are_written_over_those_that_are_read(size: int, stride: int, padding: int, filters: int, distance: int | None):
    program = optimize(lower(parse_graph(filtered(size, stride, padding, filters))))
    (segment,) = schedule(program)
    found = overlays(segment).get(program.input.index)
    if distance is None:
        assert found is None or found > 12 * 96
    else:
        assert found == distance
