"""Inputs that find errors: the ends of the range, patterns that favour one sign, and plain random ones."""

import numpy as np

from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import Quantization, dequantize, quantize


def draw_inputs(seed: int, count: int, shape: tuple[int, ...], zero_point: int) -> np.ndarray:
    """``count`` inputs of a model, those at the extremes first; the same on every machine.

    Args:
        seed: the model's.
        count: how many.
        shape: one input's, without the batch.
        zero_point: the stored value of zero.

    Returns:
        int8 ``(count, *shape)``.
    """
    rng = np.random.default_rng([seed, 16])
    stored = rng.integers(-128, 128, (count, *shape))
    flat = stored.reshape(count, -1)
    elements = flat.shape[1]
    patterns = [np.full(elements, -128), np.full(elements, 127), np.full(elements, zero_point)]
    patterns += [np.where(np.arange(elements) % 2, 127, -128), np.where(np.arange(elements) % 2, -128, 127)]
    patterns += [np.where(np.arange(elements) == position, 127, -128) for position in rng.integers(0, elements, 3)]
    for row, pattern in zip(flat, patterns, strict=False):
        row[:] = pattern
    for row in flat[len(patterns) :: 3]:  # a third only takes the ends, so that accumulators reach theirs
        row[:] = rng.choice([-128, 127], elements, p=[share := float(rng.random()), 1 - share])
    return stored.astype(np.int8)


def edge_of(graph: Graph) -> tuple[Quantization, Quantization]:
    """The int8 quantization just inside a model's input and output, wherever its QUANTIZE and DEQUANTIZE stand."""
    inside = {operator.inputs[0]: operator.outputs[0] for operator in graph.operators if operator.name == "QUANTIZE"}
    outside = {operator.outputs[0]: operator.inputs[0] for operator in graph.operators if operator.name == "DEQUANTIZE"}
    first = graph.input if graph.input.quantization else graph.tensors[inside[graph.inputs[0]]]
    last = graph.output if graph.output.quantization else graph.tensors[outside[graph.outputs[0]]]
    assert first.quantization is not None
    assert last.quantization is not None
    return first.quantization, last.quantization


def to_model(graph: Graph, stored: np.ndarray) -> np.ndarray:
    """Generated code's inputs (always int8) as the model takes them: uint8 is int8 plus 128, a float what it stands for."""
    if graph.input.dtype == np.uint8:
        return (stored.astype(np.int16) + 128).astype(np.uint8)
    return dequantize(stored, edge_of(graph)[0]) if graph.input.dtype == np.float32 else stored


def from_model(graph: Graph, answers: np.ndarray) -> np.ndarray:
    """A model's answers as generated code gives them: int8."""
    if graph.output.dtype == np.uint8:
        return (answers.astype(np.int16) - 128).astype(np.int8)
    return quantize(answers, edge_of(graph)[1], np.dtype(np.int8)) if graph.output.dtype == np.float32 else answers
