"""What ops ask of their tensors: a sound branched file with one thing changed, and output sizes against a window slid by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.altered import buffer, changed, operator, option, quantization, tensor

from glyphlite.errors import ArtifactError
from glyphlite.tflite.checked_op import convolved
from glyphlite.tflite.graph import Graph, Operator
from glyphlite.tflite.reader import parse_graph, read_graph


@pytest.fixture(scope="module")
def path(samples: Path) -> Path:
    return samples.parent / "branches" / "model_int8.tflite"


@pytest.fixture(scope="module")
def sound(path: Path) -> Graph:
    return read_graph(path)


def find(graph: Graph, name: str) -> Operator:
    return next(operator for operator in graph.operators if operator.name == name)


def values(graph: Graph, op: Operator, *numbers: int) -> Callable[[Any], None]:
    """Other numbers in an op's second, constant input."""
    return buffer(graph.tensors[op.inputs[1]].buffer, data=np.frombuffer(np.array(numbers, np.int32).tobytes(), np.uint8))


Change = Callable[[Graph], Callable[[Any], None]]

LIES: dict[str, tuple[Change, str]] = {
    "depth multiplier": (lambda g: option(find(g, "DEPTHWISE_CONV_2D").index, depthMultiplier=3), "depth multiplier 3"),
    "no depth multiplier": (lambda g: option(find(g, "DEPTHWISE_CONV_2D").index, depthMultiplier=0), "depth multiplier 0"),
    "depthwise axis": (
        lambda g: quantization(find(g, "DEPTHWISE_CONV_2D").inputs[1], quantizedDimension=1, scale=[0.1] * 3, zeroPoint=[0] * 3),
        "weight scales along axis 1",
    ),
    "add": (lambda g: tensor(find(g, "ADD").outputs[0], shape=[1, 14, 14, 9]), "computes the shape"),
    "add of three": (lambda g: operator(find(g, "ADD").index, inputs=[0, 0, 0]), "3 inputs"),
    "add of what does not fit": (
        lambda g: operator(find(g, "ADD").index, inputs=[g.inputs[0], find(g, "ADD").inputs[0]]),
        "do not broadcast",
    ),
    "mul of what does not fit": (
        lambda g: operator(find(g, "MUL").index, inputs=[g.inputs[0], find(g, "MUL").inputs[1]]),
        "does not|broadcast|computes",
    ),
    "concatenation axis": (lambda g: option(find(g, "CONCATENATION").index, axis=4), "axis 4"),
    "concatenation along another": (lambda g: option(find(g, "CONCATENATION").index, axis=1), "differ off the axis 1"),
    "concatenation of one": (
        lambda g: operator(find(g, "CONCATENATION").index, inputs=list(find(g, "CONCATENATION").inputs[:1])),
        "computes the shape",
    ),
    "concatenation of none": (lambda g: operator(find(g, "CONCATENATION").index, inputs=[]), "0 inputs"),
    "negative padding": (lambda g: values(g, find(g, "PAD"), 0, 0, -1, 1, 1, 1, 0, 0), "paddings"),
    "endless padding": (lambda g: values(g, find(g, "PAD"), 0, 0, 2**31 - 1, 1, 1, 1, 0, 0), "paddings"),
    "other padding": (lambda g: values(g, find(g, "PAD"), 0, 0, 2, 1, 1, 1, 0, 0), "computes the shape"),
    "padding shape": (lambda g: tensor(find(g, "PAD").inputs[1], shape=[8]), "paddings from a int32"),
    "mean axis": (lambda g: values(g, find(g, "MEAN"), 1, 4), "axis 4"),
    "mean axes": (lambda g: values(g, find(g, "MEAN"), 1, 3), "computes the shape"),
    "mean keeps its dimensions": (lambda g: option(find(g, "MEAN").index, keepDims=False), "computes the shape"),
    "average without a scale": (
        lambda g: quantization(find(g, "AVERAGE_POOL_2D").outputs[0], scale=None, zeroPoint=None),
        "without a scale",
    ),
    "logistic": (lambda g: tensor(find(g, "LOGISTIC").outputs[0], shape=[1, 1, 20]), "computes the shape|4 dimensions"),
    "dense depth": (lambda g: tensor(find(g, "FULLY_CONNECTED").inputs[1], shape=[20, 10]), "do not fit|scales|rows"),
    "same window": (lambda g: option(find(g, "CONV_2D").index, padding=1), "computes the shape"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_named(path: Path, sound: Graph, lie: str) -> None:
    change, words = LIES[lie]
    content = changed(path, change(sound))
    with pytest.raises(ArtifactError, match=words):
        parse_graph(content)


def test_one_scale_for_all_channels_is_enough(path: Path, sound: Graph) -> None:
    weights = find(sound, "DEPTHWISE_CONV_2D").inputs[1]
    graph = parse_graph(changed(path, quantization(weights, scale=[0.1], zeroPoint=[0])))
    assert graph.tensors[weights].quantization is not None


def test_a_free_batch_fits_anything(path: Path, sound: Graph) -> None:
    """Every activation with a free batch, as the converter writes it: shape 1, signature -1."""

    def free(model: Any) -> None:
        for stored in model.subgraphs[0].tensors:
            if model.buffers[stored.buffer].data is None and stored.shape is not None:
                stored.shapeSignature = [-1, *stored.shape[1:]]

    graph = parse_graph(changed(path, free))
    assert graph.input.shape == (-1, 28, 28, 1)
    assert graph.output.shape == (-1, 10)
    assert [operator.name for operator in graph.operators] == [operator.name for operator in sound.operators]


@given(extent=st.integers(1, 40), kernel=st.integers(1, 9), stride=st.integers(1, 5), dilation=st.integers(1, 4))
def test_output_sizes_are_those_of_a_sliding_window(extent: int, kernel: int, stride: int, dilation: int) -> None:
    reach = (kernel - 1) * dilation + 1
    assert max(convolved(extent, kernel, stride, dilation, "valid"), 0) == len(range(0, extent - reach + 1, stride))
    assert convolved(extent, kernel, stride, dilation, "same") == len(range(0, extent, stride))
    assert convolved(-1, kernel, stride, dilation, "same") == -1
