"""Differences tensor by tensor against arrays whose differences are known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glyphlite.evaluation.verification.tensor_comparison import LARGEST_FLOAT, TensorComparison, differences
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph


@pytest.fixture
def graph(samples: Path) -> Graph:
    return read_graph(samples / "model_int8.tflite")


@given(hnp.arrays(np.int8, 20), hnp.arrays(np.int8, 20))
def test_integers_differ_by_their_distance_without_wrapping(first: np.ndarray, second: np.ndarray) -> None:
    assert differences(first, second).tolist() == [abs(int(one) - int(other)) for one, other in zip(first, second, strict=True)]


@given(hnp.arrays(np.float32, 20), hnp.arrays(np.float32, 20))
def test_floats_never_differ_by_what_json_cannot_say(first: np.ndarray, second: np.ndarray) -> None:
    apart = differences(first, second)
    assert np.isfinite(apart).all()
    assert (apart >= 0).all()
    assert not differences(first, first).any()


def test_not_a_number_is_as_far_from_a_number_as_can_be() -> None:
    first, second = np.array([np.nan, np.nan, np.inf, 1.0]), np.array([np.nan, 1.0, np.inf, 1.5])
    assert differences(first, second).tolist() == [0.0, LARGEST_FLOAT, 0.0, 0.5]


@given(st.integers(1, 5), st.integers(1, 5))
def test_chunks_add_up(first: int, second: int) -> None:
    graph = read_graph(Path(__file__).parents[2] / "samples" / "micro-cnn" / "model_int8.tflite")
    written = graph.operators[3].outputs[0]
    comparison = TensorComparison(graph)
    for images, step in ((first, 1), (second, 3)):
        reference = np.zeros((images, 16), np.int8)
        other = reference.copy()
        other[0, 5] = step
        comparison.add({written: reference}, {written: other}, images)
    (found,) = comparison.report()
    assert (found.op, found.op_index, found.largest_difference, found.differing_images) == ("FULLY_CONNECTED", 3, 3.0, 2)
    assert comparison.images == first + second


def test_tensors_are_reported_in_the_order_of_execution_and_equal_ones_not_at_all(graph: Graph) -> None:
    outputs = [operator.outputs[0] for operator in graph.operators]
    comparison = TensorComparison(graph)
    zeros = {index: np.zeros((2, 4), np.int8) for index in [graph.inputs[0], *outputs]}
    ones = {**zeros, **{index: np.ones((2, 4), np.int8) for index in (outputs[5], outputs[1], outputs[3])}}
    comparison.add(zeros, ones, 2)
    assert [found.op_index for found in comparison.report()] == [1, 3, 5]
    assert len(comparison.compared) == 7


def test_a_tensor_that_a_runtime_keeps_in_another_form_is_not_compared(graph: Graph) -> None:
    written = graph.operators[0].outputs[0]
    comparison = TensorComparison(graph)
    comparison.add({written: np.zeros((1, 4), np.int8)}, {written: np.ones((1, 8), np.int8)}, 1)
    comparison.add({written: np.zeros((1, 4), np.int8)}, {written: np.ones((1, 4), np.float32)}, 1)
    assert comparison.compared == set()
    assert comparison.report() == []


def test_a_tensor_that_a_fusing_runtime_never_wrote_is_not_compared(graph: Graph) -> None:
    written = graph.operators[0].outputs[0]
    following, still = np.arange(8, dtype=np.int8).reshape(4, 2), np.full((4, 2), 77, np.int8)
    for fuses, compared in ((True, set()), (False, {written})):
        comparison = TensorComparison(graph, fuses=fuses)
        comparison.add({written: following}, {written: still}, 4)
        assert comparison.compared == compared


def test_dequantized_weights_are_not_compared(samples: Path) -> None:
    graph = read_graph(samples / "model_float16.tflite")
    weights, activation = graph.operators[0].outputs[0], graph.operators[-1].outputs[0]
    assert graph.operators[0].name == "DEQUANTIZE"
    comparison = TensorComparison(graph)
    zeros, ones = np.zeros((1, 4), np.float32), np.ones((1, 4), np.float32)
    comparison.add({weights: zeros, activation: zeros}, {weights: ones, activation: ones}, 1)
    assert comparison.compared == {activation}


@pytest.mark.parametrize(("variant", "unit"), [("int8", "steps"), ("float32", "value")])
def test_a_difference_of_floats_is_no_number_of_steps(samples: Path, variant: str, unit: str) -> None:
    graph = read_graph(samples / f"model_{variant}.tflite")
    written = graph.operators[0].outputs[0]
    comparison = TensorComparison(graph)
    zeros = np.zeros((1, 4), graph.tensors[written].dtype)
    comparison.add({written: zeros}, {written: zeros + 1}, 1)
    [found] = comparison.report()
    assert (found.largest_difference, found.difference_unit) == (1.0, unit)
