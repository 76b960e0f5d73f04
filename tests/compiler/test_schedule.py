"""The order of a schedule, and how far the output of a chain may lie over what the chain reads."""

import numpy as np
import pytest
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.harness import run_generated
from random_models.one_op import Activation, Constant, one_op

from glyphlite.compiler.lower import lower
from glyphlite.compiler.passes import optimize
from glyphlite.compiler.schedule import Segment, overlays, schedule
from glyphlite.files.single import make_folder
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
    found = overlays(segment, dsp=False).get(program.input.index)
    if distance is None:
        assert found is None or found > 12 * 96
    else:
        assert found == distance


def chain(*strides: int) -> bytes:
    """Depthwise layers of 3x3 on 12x12x8 bytes, each padded, between 1x1 convolutions."""
    settings = {"bias": True, "fused": "none", "dilation": (1, 1), "padding": "SAME"}
    shapes, steps = [(12, 12, 8)], []
    for stride in strides:
        steps.append(Step("conv", (len(steps),), shapes[-1], {**settings, "kernel": (1, 1), "strides": (1, 1), "filters": 8}))
        shapes += [shapes[-1], (-(-shapes[-1][0] // stride), -(-shapes[-1][1] // stride), 8)]
        window = {"kernel": (3, 3), "strides": (stride, stride), "multiplier": 1}
        steps.append(Step("depthwise", (len(steps),), shapes[-1], {**settings, **window}))
    return write(Draft(1, shapes[0], tuple(steps), "int8"), narrow=0.0)


def coarse_then_depthwise() -> bytes:
    """A convolution of 4x4 with stride 2 on 28x28 bytes, and a depthwise one of 3x3 that leaves 11 rows of 176 bytes."""
    settings = {"bias": True, "fused": "none", "dilation": (1, 1), "padding": "VALID"}
    stem = Step("conv", (0,), (13, 13, 16), {**settings, "kernel": (4, 4), "strides": (2, 2), "filters": 16})
    depthwise = Step("depthwise", (1,), (11, 11, 16), {**settings, "kernel": (3, 3), "strides": (1, 1), "multiplier": 1})
    return write(Draft(1, (28, 28, 1), (stem, depthwise), "int8"), narrow=0.0)


def test_layers_that_make_two_rows_a_call_read_one_more():
    program = optimize(lower(parse_graph(chain(1, 2, 1))))
    (segment,) = schedule(program, pairs=True)
    depthwise = [node for node in segment.nodes if node.op == "DEPTHWISE_CONV_2D"]
    assert segment.paired == {node.name for node in depthwise}
    assert [segment.span(node, dsp=True) for node in depthwise] == [4, 5, 4]
    assert {segment.span(node, dsp=False) for node in depthwise} == {3}
    assert {segment.rows_at_once(node, dsp=False) for node in segment.nodes} == {1}
    (alone,) = schedule(program)
    assert not alone.paired


def test_two_rows_are_written_over_rows_that_neither_needs():
    program = optimize(lower(parse_graph(chain(1))))
    point, depth = (Segment((node,), None, frozenset({node.name} if at else ())) for at, node in enumerate(program.nodes))
    assert set(overlays(point, dsp=True).values()) == {96}
    assert list(overlays(depth, dsp=False).values()) == [2 * 96]
    assert list(overlays(depth, dsp=True).values()) == [3 * 96]


def test_the_last_pair_of_an_odd_number_of_rows_is_made_when_all_but_one_are_written():
    """Its call needs row 12 of the convolution, which reads from row 24 on: 10 rows are written by then, not 9."""
    program = optimize(lower(parse_graph(coarse_then_depthwise())))
    (segment,) = schedule(program, pairs=True)
    assert len(segment.paired) == 1
    assert overlays(segment, dsp=True)[program.input.index] == 10 * 176 - 24 * 28
    assert overlays(segment, dsp=False)[program.input.index] == 10 * 176 - 24 * 28


def test_an_odd_number_of_rows_is_written_over_an_input_in_the_arena(tmp_path):
    """The harness calls with inputs and outputs apart and in the arena, and wants the same answers."""
    inputs = np.random.default_rng(0).integers(-128, 128, (20, 28 * 28), np.int8)
    graph = parse_graph(coarse_then_depthwise())
    plain, dsp = (run_generated(graph, inputs, make_folder(tmp_path / path), path=path) for path in ("plain", "dsp"))
    assert np.array_equal(plain, dsp)
