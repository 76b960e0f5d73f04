"""Inputs that find errors: the ends of the range, patterns that favour one sign, and plain random ones."""

from collections.abc import Iterable, Sequence

import numpy as np

from glyphlite.tflite.graph import Graph
from glyphlite.tflite.quantization import Quantization, dequantize, quantize


def draw_inputs(seed: int, count: int, shape: tuple[int, ...], zero_point: int, dtype: type = np.int8) -> np.ndarray:
    """``count`` inputs of a model, those at the extremes first; the same on every machine.

    Args:
        seed: the model's.
        count: how many.
        shape: one input's, without the batch.
        zero_point: the stored value of zero.
        dtype: int8, int16 or int32.

    Returns:
        ``(count, *shape)`` of that type.
    """
    rng = np.random.default_rng([seed, 16])
    low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    stored = rng.integers(low, high + 1, (count, *shape))
    flat = stored.reshape(count, -1)
    elements = flat.shape[1]
    patterns = [np.full(elements, low), np.full(elements, high), np.full(elements, zero_point)]
    patterns += [np.where(np.arange(elements) % 2, high, low), np.where(np.arange(elements) % 2, low, high)]
    patterns += [np.where(np.arange(elements) == position, high, low) for position in rng.integers(0, elements, 3)]
    for row, pattern in zip(flat, patterns, strict=False):
        row[:] = pattern
    for row in flat[len(patterns) :: 3]:  # a third only takes the ends, so that accumulators reach theirs
        row[:] = rng.choice([low, high], elements, p=[share := float(rng.random()), 1 - share])
    return stored.astype(dtype)


def stored_inputs(seed: int, count: int, graph: Graph) -> np.ndarray:
    """``count`` inputs of a model as the bytes that generated C takes, one input after the other: int8 ``(count, bytes)``."""
    edges = zip(graph.inputs, edges_of(graph)[0], held_types(graph)[0], strict=True)
    return _as_bytes(
        draw_inputs(seed + place * 1_000_003, count, (graph.tensors[index].elements,), quantization.zero_point, dtype.type)
        for place, (index, quantization, dtype) in enumerate(edges)
    )


def _as_bytes(parts: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ascontiguousarray(part).view(np.int8) for part in parts], axis=1)


def _around(graph: Graph) -> tuple[dict[int, int], dict[int, int]]:
    """What every QUANTIZE makes of its input, and what every DEQUANTIZE makes its output of."""
    inside = {operator.inputs[0]: operator.outputs[0] for operator in graph.operators if operator.name == "QUANTIZE"}
    outside = {operator.outputs[0]: operator.inputs[0] for operator in graph.operators if operator.name == "DEQUANTIZE"}
    return inside, outside


def held_types(graph: Graph) -> tuple[list[np.dtype], list[np.dtype]]:
    """The types, int8, int16 or int32, in which generated C takes every input and gives every output."""

    def held(index: int, beyond: dict[int, int]) -> np.dtype:
        dtype = graph.tensors[index].dtype
        if dtype == np.float32:
            dtype = graph.tensors[beyond[index]].dtype if index in beyond else np.dtype(np.int8)
        return dtype if dtype.name in ("int16", "int32") else np.dtype(np.int8)

    inside, outside = _around(graph)
    return [held(index, inside) for index in graph.inputs], [held(index, outside) for index in graph.outputs]


def edges_of(graph: Graph) -> tuple[list[Quantization], list[Quantization]]:
    """The quantization just inside every input and output, wherever its QUANTIZE and DEQUANTIZE stand."""
    inside, outside = _around(graph)

    def found(index: int, beyond: dict[int, int]) -> Quantization:
        own = graph.tensors[index].quantization
        other = graph.tensors[beyond[index]].quantization if index in beyond else None
        return own or other or Quantization((1.0,), (0,))  # of an input that nothing reads

    return [found(index, inside) for index in graph.inputs], [found(index, outside) for index in graph.outputs]


def edge_of(graph: Graph) -> tuple[Quantization, Quantization]:
    """The quantization just inside the first input and output."""
    inputs, outputs = edges_of(graph)
    return inputs[0], outputs[0]


def split_inputs(graph: Graph, stored: np.ndarray) -> list[np.ndarray]:
    """Every input of the bytes that generated C takes, int8, int16 or int32 ``(n, elements)``."""
    types = held_types(graph)[0]
    sizes = [graph.tensors[index].elements * dtype.itemsize for index, dtype in zip(graph.inputs, types, strict=True)]
    parts = np.split(stored.reshape(len(stored), -1).view(np.int8), np.cumsum(sizes)[:-1], axis=1)
    return [np.ascontiguousarray(part).view(dtype) for part, dtype in zip(parts, types, strict=True)]


def to_model(graph: Graph, stored: np.ndarray) -> tuple[np.ndarray, ...]:
    """Generated code's inputs as the model takes them: uint8 is int8 plus 128, a float what it stands for."""
    parts = split_inputs(graph, stored)
    return tuple(
        (part.astype(np.int16) + 128).astype(np.uint8)
        if graph.tensors[index].dtype == np.uint8
        else dequantize(part, quantization)
        if graph.tensors[index].dtype == np.float32
        else part
        for part, index, quantization in zip(parts, graph.inputs, edges_of(graph)[0], strict=True)
    )


def from_model(graph: Graph, answers: Sequence[np.ndarray]) -> np.ndarray:
    """A model's answers as the bytes that generated code gives, one output after the other: int8 ``(n, bytes)``."""
    return _as_bytes(
        (answer.astype(np.int16) - 128).astype(np.int8)
        if answer.dtype == np.uint8
        else quantize(answer, quantization, dtype)
        if answer.dtype == np.float32
        else answer
        for answer, quantization, dtype in zip(answers, edges_of(graph)[1], held_types(graph)[1], strict=True)
    )
