"""What a graph costs, against counts made by hand and by Keras's own parameter count."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.tflite import cost
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.reader import read_graph


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int8", "int16x8"])
def test_multiply_accumulates_and_parameters_do_not_depend_on_the_variant(samples: Path, variant: str) -> None:
    graph = read_graph(samples / f"model_{variant}.tflite")
    macs = [cost.operator_macs(graph, operator) for operator in graph.operators if operator.name != "DEQUANTIZE"]
    assert macs == [26 * 26 * 8 * 9, 0, 0, 1352 * 16, 16 * 10, 0]
    assert cost.total_macs(graph) == 70_464
    assert cost.total_parameters(graph) == 21_898


def test_weight_bytes_as_stored(samples: Path) -> None:
    weights, biases = 8 * 9 + 1352 * 16 + 16 * 10, 8 + 16 + 10
    stored = {
        variant: cost.weight_bytes(read_graph(samples / f"model_{variant}.tflite"))
        for variant in ("float32", "float16", "int8", "int16x8")
    }
    assert stored == {
        "float32": 4 * (weights + biases),
        "float16": 2 * (weights + biases),
        "int8": weights + 4 * biases,
        "int16x8": weights + 8 * biases,
    }


def test_parameter_bytes_of_each_op(samples: Path) -> None:
    graph = read_graph(samples / "model_int8.tflite")
    assert [cost.operator_bytes(graph, operator) for operator in graph.operators] == [104, 0, 0, 21_696, 200, 0]
    assert [cost.operator_parameters(graph, operator) for operator in graph.operators] == [80, 0, 0, 21_648, 170, 0]


def test_bits_of_the_narrowest_weight(samples: Path) -> None:
    found = {
        name: cost.weight_bits(read_graph(samples / f"model_{name}.tflite")) for name in ("float32", "float16", "dynamic", "int8")
    }
    assert found == {"float32": 32, "float16": 16, "dynamic": 8, "int8": 8}
    packed = Tensor(1, "t1", (3, 3), np.dtype(np.int8), Quantization((0.1,), (0,)), np.zeros((3, 3), np.int8), 1, packed_bits=4)
    graph = one_op("FULLY_CONNECTED", [tensor(0, 1, 3), packed, tensor(2, 1, 3)], (0, 1))
    assert (cost.weight_bits(graph), cost.weight_bytes(graph), cost.total_parameters(graph)) == (4, 5, 9)
    assert cost.weight_bits(one_op("RELU", [tensor(0, 1, 3), tensor(1, 1, 3)], (0,))) == 0


def tensor(index: int, *shape: int, data: bool = False, buffer: int = 0) -> Tensor:
    values = np.zeros(shape, np.float32) if data else None
    return Tensor(index, f"t{index}", shape, np.dtype(np.float32), None, values, buffer)


def one_op(name: str, tensors: list[Tensor], inputs: tuple[int, ...], options: dict[str, object] | None = None) -> Graph:
    operator = Operator(0, 0, name, inputs, (len(tensors) - 1,), options or {})
    return Graph(tuple(tensors), (operator,), (0,), (len(tensors) - 1,))


def test_depthwise_grouped_transposed_and_matrix_products() -> None:
    depthwise = one_op(
        "DEPTHWISE_CONV_2D", [tensor(0, 1, 9, 9, 4), tensor(1, 1, 3, 3, 8, data=True), tensor(2, 1, 7, 7, 8)], (0, 1, -1)
    )
    assert cost.total_macs(depthwise) == 7 * 7 * 8 * 9
    grouped = one_op("CONV_2D", [tensor(0, 1, 8, 8, 8), tensor(1, 6, 3, 3, 4, data=True), tensor(2, 1, 6, 6, 6)], (0, 1))
    assert cost.total_macs(grouped) == 6 * 6 * 6 * 3 * 3 * 4
    transposed = one_op(
        "TRANSPOSE_CONV",
        [tensor(0, 1, 4, 4, 3), tensor(1, 5, 2, 2, 3, data=True), tensor(2, 4), tensor(3, 1, 8, 8, 5)],
        (2, 1, 0),
    )
    assert cost.total_macs(transposed) == 4 * 4 * 3 * 2 * 2 * 5
    product = one_op("BATCH_MATMUL", [tensor(0, 2, 3, 5), tensor(1, 2, 5, 7), tensor(2, 2, 3, 7)], (0, 1), {"adjoint_x": False})
    assert cost.total_macs(product) == 2 * 3 * 7 * 5


def test_a_free_batch_counts_as_one_image() -> None:
    graph = one_op("FULLY_CONNECTED", [tensor(0, -1, 20), tensor(1, 10, 20, data=True), tensor(2, -1, 10)], (0, 1, -1))
    assert cost.total_macs(graph) == 200


def test_a_buffer_that_two_tensors_share_is_counted_once() -> None:
    tensors = [tensor(0, 1, 4), tensor(1, 4, 4, data=True, buffer=7), tensor(2, 4, 4, data=True, buffer=7), tensor(3, 1, 4)]
    graph = one_op("FULLY_CONNECTED", tensors, (0, 1, 2))
    assert cost.weight_bytes(graph) == 64
    assert cost.total_parameters(graph) == 16
