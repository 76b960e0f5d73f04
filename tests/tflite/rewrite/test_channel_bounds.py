"""Bounds of channels that a clamp makes constant: the value that is held is the clamp's end, whichever activation it is."""

import numpy as np
import pytest
from random_models.differential import examine
from support.assembled import FUSED, Assembly

from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.channel_bounds import channel_bounds

BIASES = (-2_000_000, 2_000_000, -3_000, 900)


def saturating(activation: str, scale: float) -> bytes:
    """A dense layer whose first two sums lie far beyond what they are clamped to, and one behind it."""
    rng = np.random.default_rng(3)
    assembly = Assembly()
    part = assembly.subgraph()
    source, middle, output = part.tensor((1, 6), (0.02, -5)), part.tensor((1, 4), (scale, -111)), part.tensor((1, 3), (0.9, 7))
    for before, after, units, name in ((source, middle, 4, activation), (middle, output, 3, "none")):
        count = 6 if before == source else 4
        of_source = 0.02 if before == source else scale
        weights = part.constant(rng.integers(-90, 91, (units, count)).astype(np.int8), [(0.03, 0)])
        bias = np.array(BIASES if units == 4 else (40, -7, 0), np.int32)
        biases = part.constant(bias, [(float(np.float32(of_source) * np.float32(0.03)), 0)])
        part.op(
            "FULLY_CONNECTED", [before, weights, biases], [after], "FullyConnectedOptions", fusedActivationFunction=FUSED[name]
        )
    part.edges([source], [output])
    return assembly.pack()


@pytest.mark.parametrize("activation", ["none", "relu", "relu6", "relu_n1_to_1"])
def test_a_constant_channel_holds_what_the_activation_clamps_to(activation: str) -> None:
    contents = [saturating(activation, scale) for scale in (1.4375353, 0.4, 0.02, 2.0)]
    assert [verdict.outcome for verdict in examine(contents, inputs=40)] == ["equal"] * 4
    low, high = channel_bounds(parse_graph(contents[0]))[1]
    ends = {"none": (-128, 127), "relu": (-111, 127), "relu6": (-111, -107), "relu_n1_to_1": (-112, -110)}[activation]
    assert (low[0], high[0], low[1], high[1]) == (ends[0], ends[0], ends[1], ends[1])


def test_nothing_is_known_behind_an_activation_that_is_not_followed() -> None:
    graph = parse_graph(saturating("none", 0.4))
    for operator in graph.operators:
        operator.options["activation"] = "tanh"
    assert channel_bounds(graph) == {}
