"""The values that may enter a model, input by input, as its file says: type, quantization, and the op that reads each."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from glyphlite.runtimes.ports import Port, of_graph
from glyphlite.tflite.cost import total_macs
from glyphlite.tflite.graph import Graph, Operator
from glyphlite.tflite.quantization import Quantization, dequantize, quantize

_PASSING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "CAST", "TRANSPOSE")
"""Ops that hand every value on as it is."""

UNKNOWN_LARGEST = 127
"""Assumed of integers without a scale that no table bounds."""


@dataclass(frozen=True)
class ValueRange:
    """The values that one input may hold, as stored.

    Attributes:
        low: the least value.
        high: the largest.
        zero: the value that stands for 0, or the nearest to it.
        words: the same for a reader.
        assumed: whether the file does not say it.
        codes: how a float input becomes integers inside the model, with their type; None where it does not.
    """

    low: float
    high: float
    zero: float
    words: str
    assumed: bool = False
    codes: tuple[Quantization, np.dtype] | None = None

    def codes_of(self, values: np.ndarray) -> np.ndarray | None:
        """Returns the integers of at most 8 bits that stored values are inside the model; None where they are no such."""
        if self.codes is not None:
            quantization, dtype = self.codes
            return quantize(values, quantization, dtype) if dtype.itemsize == 1 else None
        return values if values.dtype.kind in "iu" and values.dtype.itemsize == 1 else None


@dataclass(frozen=True)
class ModelInput:
    """One input of a model: what it is called, what its tensor is, and what that may hold.

    Attributes:
        fixed: all that it may hold: the shape of an output that is fixed; None where it may differ.
    """

    name: str
    port: Port
    range: ValueRange
    fixed: tuple[int, ...] | None = None


@dataclass(frozen=True)
class ModelInputs:
    """Every input of a model, and what running it takes.

    Attributes:
        each: the inputs, in the file's order.
        macs: multiply-accumulates of one inference.
        keeps_state: whether a call leaves something behind for the next.
        bytes: of all inputs and outputs of one sample.
    """

    each: tuple[ModelInput, ...]
    macs: int = 0
    keeps_state: bool = False
    bytes: int = 0


def inputs_of(graph: Graph) -> ModelInputs:
    """Returns what a model of a file takes.

    Raises:
        ArtifactError: an input is none.
    """
    ports = of_graph(graph)
    found = tuple(_input(graph, index, port) for index, port in zip(graph.inputs, ports.inputs, strict=True))
    size = sum(port.elements * port.dtype.itemsize for port in (*ports.inputs, *ports.outputs))
    return ModelInputs(found, total_macs(graph), graph.is_stateful, size)


def _input(graph: Graph, index: int, port: Port) -> ModelInput:
    name, shape = input_name(graph.tensors[index].name), _shape_asked_for(graph, index, port)
    if shape is None:
        return ModelInput(name, port, _range_in(graph, index, port))
    words = f"{'x'.join(map(str, shape))}, the shape that a TRANSPOSE_CONV makes"
    return ModelInput(name, port, ValueRange(min(shape), max(shape), min(shape), words), fixed=shape)


def _shape_asked_for(graph: Graph, index: int, port: Port) -> tuple[int, ...] | None:
    """Returns the shape that an input has to hold, as it is the shape of an output; None where it is none.

    TFLite Micro does not look at it, LiteRT makes its output of it, and fails on another one.
    """
    for operator in graph.operators:
        if operator.name == "TRANSPOSE_CONV" and operator.inputs[0] == index:
            shape = graph.tensors[operator.outputs[0]].shape
            return shape if len(shape) == port.elements and min(shape) > 0 else None
    return None


def input_name(tensor: str) -> str:
    """Returns what an input is called by whoever made the model: its tensor's name without what the converter added."""
    return re.sub(r"^serving_default_|:\d+$", "", tensor)


def integer_range(port: Port) -> ValueRange:
    """Returns the range of an integer input that nothing but its type bounds."""
    limits = np.iinfo(port.dtype)
    if port.quantization is None and port.dtype.itemsize > 2:
        assumed = f"{port.dtype} whose range the file does not say, 0 to {UNKNOWN_LARGEST} assumed"
        return ValueRange(0, UNKNOWN_LARGEST, 0, assumed, assumed=True)
    zero = port.quantization.zero_point if port.quantization else max(limits.min, 0)
    return ValueRange(limits.min, limits.max, zero, f"the whole range of {port.dtype}")


def quantized_range(quantization: Quantization, dtype: np.dtype) -> ValueRange:
    """Returns the range of a float input that the model makes integers of."""
    limits = np.iinfo(dtype)
    low, high = dequantize(np.array([limits.min, limits.max], dtype), quantization).tolist()
    words = f"{low:.4g} to {high:.4g}, what its QUANTIZE can hold"
    return ValueRange(low, high, min(max(0.0, low), high), words, codes=(quantization, dtype))


def _range_in(graph: Graph, index: int, port: Port) -> ValueRange:
    if port.dtype.kind == "b":
        return ValueRange(0, 1, 0, "false and true")
    if port.dtype.kind == "f":
        return _float_range(graph, index)
    if (rows := _rows(graph, index)) is not None:
        return ValueRange(0, rows - 1, 0, f"the {rows:,} rows of the table that it indexes")
    return integer_range(port)


def _float_range(graph: Graph, index: int) -> ValueRange:
    for reader in _readers(graph, index):
        output = graph.tensors[reader.outputs[0]]
        if reader.name == "QUANTIZE" and output.quantization is not None:
            return quantized_range(output.quantization, output.dtype)
    return ValueRange(-1, 1, 0, "float32 whose range the file does not say, -1 to 1 assumed", assumed=True)


def _rows(graph: Graph, index: int) -> int | None:
    """Returns the number of rows of the smallest table that an input is an index into; None where it is none."""
    found = []
    for reader in _readers(graph, index):
        at = _indexes_table(graph, reader)
        if at is not None:
            found.append(at)
    return min(found, default=None)


def _indexes_table(graph: Graph, reader: Operator) -> int | None:
    """Returns the extent that an op looks up in, where its indexes are not a constant."""
    table, indexes, axis = {"GATHER": (0, 1, int(reader.options.get("axis", 0) or 0)), "EMBEDDING_LOOKUP": (1, 0, 0)}.get(
        reader.name, (0, 0, 0)
    )
    if table == indexes or graph.tensors[reader.inputs[indexes]].is_constant:
        return None
    shape = graph.tensors[reader.inputs[table]].shape
    return abs(shape[axis]) if -len(shape) <= axis < len(shape) else None


def _readers(graph: Graph, index: int) -> Iterator[Operator]:
    """Yields the ops that read an input, through those that only pass it on."""
    waiting, seen = [index], set[int]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for operator in graph.operators:
            if current in operator.inputs and operator.outputs:
                if operator.name in _PASSING and operator.inputs[0] == current:
                    waiting.append(operator.outputs[0])
                else:
                    yield operator


def constants(found: ValueRange, dtype: np.dtype) -> list[float]:
    """Returns the values that a whole input is set to at least once: the ends, zero, a step beside it, and some between."""
    step = 1.0 if dtype.kind != "f" else (found.high - found.low) / 255
    between = [found.low + share * (found.high - found.low) for share in (0.25, 0.5, 0.75)]
    wanted = [found.low, found.high, found.zero, found.zero + step, found.zero - step, *between]
    if dtype.kind != "f":
        wanted = [float(math.floor(value)) for value in wanted]
    return [value for value in dict.fromkeys(wanted) if found.low <= value <= found.high]
