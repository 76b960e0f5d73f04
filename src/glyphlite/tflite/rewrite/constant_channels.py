"""Channels that hold one value whatever comes in, removed: the layer that makes them gets narrower, so do those that read them.

What a constant channel adds to a sum of the next layer goes into that layer's bias, where the sum stays the same integer: no
byte changes in any runtime. In place, on the object model and the graph that the reader made of it, whose indices are the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphlite.tflite.graph import Graph, Operator
from glyphlite.tflite.rewrite.channel_bounds import Bounds, channel_bounds, constant_channels, flattens
from glyphlite.tflite.rewrite.folding import of_one_image

_PER_CHANNEL = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class _Chain:
    """A layer, the ops behind it that keep its channels apart, perhaps a RESHAPE into a row, and the layer that sums them up."""

    maker: Operator
    between: tuple[Operator, ...]
    flatten: Operator | None
    reader: Operator


def remove_constant_channels(model: Any, graph: Graph) -> int:
    """Removes constant channels between layers of an object model; returns how many.

    Args:
        model: the object model of a file of one subgraph.
        graph: what the reader made of the same file.
    """
    graph = of_one_image(graph)
    bounds = channel_bounds(graph)
    removed = 0
    taken: set[int] = set()
    for chain in _chains(graph):
        ops = {chain.maker.index, chain.reader.index}
        if ops & taken:  # its weights were changed already, of which the graph knows nothing
            continue
        gone = _removable(graph, chain, bounds)
        if len(gone):
            _remove(model, graph, chain, gone, bounds)
            taken |= ops
            removed += len(gone)
    return removed


def _chains(graph: Graph) -> list[_Chain]:
    readers: dict[int, list[Operator]] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            readers.setdefault(index, []).append(operator)

    def only_reader(operator: Operator) -> Operator | None:
        index = operator.outputs[0]
        found = readers.get(index, [])
        return found[0] if len(found) == 1 and found[0].inputs[0] == index and index not in graph.outputs else None

    def constants_are_its_own(operator: Operator) -> bool:
        constants = [index for index in operator.inputs[1:] if index != -1]
        return all(len(readers[index]) == 1 and graph.tensors[index].is_constant for index in constants)

    chains = []
    for maker in graph.operators:
        if maker.name not in ("CONV_2D", "FULLY_CONNECTED"):
            continue
        between: list[Operator] = []
        reader = only_reader(maker)
        while reader is not None and reader.name in _PER_CHANNEL:
            between.append(reader)
            reader = only_reader(reader)
        flatten = reader if reader is not None and reader.name == "RESHAPE" else None
        reader = only_reader(flatten) if flatten is not None else reader
        if reader is None or reader.name not in ("CONV_2D", "FULLY_CONNECTED"):
            continue
        if all(constants_are_its_own(each) for each in (maker, *between, *([flatten] if flatten else []), reader)):
            chains.append(_Chain(maker, tuple(between), flatten, reader))
    return chains


def _removable(graph: Graph, chain: _Chain, bounds: dict[int, Bounds]) -> np.ndarray:
    """Returns the channels whose value is known where the reader sums them up, if it may do without them; never all of them."""
    nothing = np.zeros(0, np.int64)
    last = (chain.between or (chain.maker,))[-1]
    tensor = graph.tensors[last.outputs[0]]
    if last.outputs[0] not in bounds or tensor.quantization is None:
        return nothing
    for operator in (chain.maker, chain.reader, *chain.between):
        if operator.name in _PER_CHANNEL[:2]:
            continue
        weights = graph.tensors[operator.inputs[1]]
        depthwise = operator.name == "DEPTHWISE_CONV_2D"
        if operator.outputs[0] not in bounds and operator is not chain.reader:
            return nothing
        if weights.data is None or weights.dtype != np.int8 or weights.packed_bits or weights.quantization is None:
            return nothing
        if any(weights.quantization.zero_points) or (depthwise and operator.options["depth_multiplier"] != 1):
            return nothing
    if chain.flatten is not None and not flattens(tensor, graph.tensors[chain.flatten.outputs[0]]):
        return nothing
    read = graph.tensors[chain.reader.inputs[0]]
    if graph.tensors[chain.reader.inputs[1]].shape[-1] != read.shape[-1]:
        return nothing  # a grouped convolution, or a dense layer over other rows than the last axis
    gone = constant_channels(bounds[tensor.index])
    zero = bounds[tensor.index][0][gone] == tensor.quantization.zero_point
    if chain.reader.options.get("padding") == "same":  # what is beside the image is the zero point, not the constant
        gone, zero = gone[zero], zero[zero]
    has_bias = len(chain.reader.inputs) > 2 and chain.reader.inputs[2] != -1
    gone = gone if has_bias else gone[zero]
    return gone if len(gone) < tensor.shape[-1] else gone[1:]


def _remove(model: Any, graph: Graph, chain: _Chain, gone: np.ndarray, bounds: dict[int, Bounds]) -> None:
    last = graph.tensors[(chain.between or (chain.maker,))[-1].outputs[0]]
    channels = last.shape[-1]
    assert last.quantization is not None
    values = bounds[last.index][0][gone] - last.quantization.zero_point
    edit = _Edit(model, graph)
    edit.without(chain.maker.inputs[1], 0, gone)
    for index in chain.maker.inputs[2:3]:
        edit.without(index, -1, gone)
    edit.narrower(chain.maker.outputs[0], len(gone))
    for operator in chain.between:
        if operator.name == "DEPTHWISE_CONV_2D":
            edit.without(operator.inputs[1], 3, gone)
            for index in operator.inputs[2:3]:
                edit.without(index, -1, gone)
        edit.narrower(operator.outputs[0], len(gone))
    pixels = 1
    if chain.flatten is not None:
        pixels = last.elements // channels
        edit.narrower(chain.flatten.outputs[0], len(gone) * pixels)
        edit.reshapes(chain.flatten)
    places = (np.arange(pixels)[:, None] * channels + gone).reshape(-1)
    weights = graph.tensors[chain.reader.inputs[1]].data
    assert weights is not None
    if values.any():
        sums = weights[..., places].astype(np.int64).reshape(len(weights), -1, len(gone)) @ values
        edit.add(chain.reader.inputs[2], sums.sum(1))
    edit.without(chain.reader.inputs[1], -1, places)


class _Edit:
    """Changes constants and shapes of an object model; every changed constant gets a buffer of its own."""

    def __init__(self, model: Any, graph: Graph) -> None:
        self._model, self._graph, self._tensors = model, graph, model.subgraphs[0].tensors

    def without(self, index: int, axis: int, gone: np.ndarray) -> None:
        """Deletes places along an axis of a constant, and their scales where each has one."""
        if index == -1:
            return
        constant = self._graph.tensors[index]
        assert constant.data is not None
        axis %= constant.data.ndim
        self._store(index, np.delete(self._data(index), gone, axis))
        quantization = self._tensors[index].quantization
        if constant.quantization is not None and len(constant.quantization.scales) > 1 and constant.quantization.axis == axis:
            quantization.scale = np.delete(np.array(constant.quantization.scales, np.float32), gone)
            quantization.zeroPoint = np.delete(np.array(constant.quantization.zero_points, np.int64), gone)

    def add(self, index: int, sums: np.ndarray) -> None:
        """Adds to a bias."""
        data = self._data(index)
        self._store(index, (data.astype(np.int64) + sums.reshape(data.shape)).astype(data.dtype))

    def narrower(self, index: int, count: int) -> None:
        """Takes so many from the last extent of an activation."""
        tensor = self._tensors[index]
        for field in ("shape", "shapeSignature"):
            if getattr(tensor, field) is not None and len(getattr(tensor, field)):
                shape = np.array(getattr(tensor, field), np.int32)
                shape[-1] -= count
                setattr(tensor, field, shape)

    def reshapes(self, operator: Operator) -> None:
        """Lets a RESHAPE ask for a row of the length that its output has now; a length left open stays so."""
        length = int(self._tensors[operator.outputs[0]].shape[-1])
        stored = self._model.subgraphs[0].operators[operator.index]
        if len(operator.inputs) > 1:
            self._store(operator.inputs[1], _ending_in(self._data(operator.inputs[1]), length))
        if getattr(stored.builtinOptions, "newShape", None) is not None:
            stored.builtinOptions.newShape = _ending_in(np.array(stored.builtinOptions.newShape, np.int32), length)

    def _data(self, index: int) -> np.ndarray:
        tensor = self._tensors[index]
        dtype = self._graph.tensors[index].dtype
        return np.frombuffer(bytes(self._model.buffers[tensor.buffer].data), dtype).reshape(tensor.shape)

    def _store(self, index: int, values: np.ndarray) -> None:
        from ai_edge_litert import schema_py_generated as schema

        buffer: Any = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._tensors[index].buffer = len(self._model.buffers)
        self._tensors[index].shape = np.array(values.shape, np.int32)
        self._model.buffers.append(buffer)


def _ending_in(shape: np.ndarray, length: int) -> np.ndarray:
    found = shape.copy()
    if found.size and found[-1] != -1:
        found[-1] = length
    return found
