"""Channels that nothing depends on, removed: the layer that makes them gets narrower, so do those that read them.

A channel that holds one value whatever comes in goes, and what it adds to a sum of the next layer goes into that layer's bias,
where the sum stays the same integer; a channel that the next layer reads with weights of 0 goes as it is. No byte changes in any
runtime. On the graph that the reader made; :mod:`glyphlite.tflite.rewrite.written_back` brings a file's object model along.
"""

from dataclasses import dataclass, replace

import numpy as np

from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.rewrite.channel_bounds import Bounds, channel_bounds, flattens, is_padded
from glyphlite.tflite.rewrite.folding import of_one_image

_PER_CHANNEL = ("MAX_POOL_2D", "AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class _Chain:
    """A layer, the ops behind it that keep its channels apart, perhaps a RESHAPE into a row, and the layer that sums them up."""

    maker: Operator
    between: tuple[Operator, ...]
    flatten: Operator | None
    reader: Operator

    @property
    def last(self) -> int:
        """Returns the tensor whose channels the reader sums up."""
        return (self.between or (self.maker,))[-1].outputs[0]


def without_constant_channels(graph: Graph, *, int4: bool) -> tuple[Graph, int]:
    """Removes constant channels between layers; returns what is left, of one image, and how many went.

    Goes over the layers again as long as one gets narrower: what reads a layer may make one of the next.

    Args:
        graph: the reader's.
        int4: whether layers with weights of four bits may get narrower: a runtime may take no odd number of those.
    """
    total = 0
    graph = of_one_image(graph)
    while True:
        graph, count = _narrowed(graph, int4=int4)
        total += count
        if not count:
            return graph, total


def _narrowed(graph: Graph, *, int4: bool) -> tuple[Graph, int]:
    """Removes channels, each layer's once."""
    bounds = channel_bounds(graph)
    edit = _Edit(graph)
    removed = 0
    taken: set[int] = set()
    for chain in _chains(graph):
        ops = {chain.maker.index, chain.reader.index}
        if ops & taken:  # its weights were changed already, of which the bounds know nothing
            continue
        gone = _removable(graph, chain, bounds, int4=int4)
        if len(gone):
            _remove(edit, chain, gone, bounds)
            taken |= ops
            removed += len(gone)
    return edit.graph if removed else graph, removed


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


def _removable(graph: Graph, chain: _Chain, bounds: dict[int, Bounds], *, int4: bool) -> np.ndarray:
    """Returns the channels that the layer which sums them up may do without; never all of them."""
    nothing = np.zeros(0, np.int64)
    tensor = graph.tensors[chain.last]
    if tensor.index not in bounds or tensor.quantization is None:
        return nothing
    for operator in (chain.maker, chain.reader, *chain.between):
        if operator.name in _PER_CHANNEL[:2]:
            continue
        weights = graph.tensors[operator.inputs[1]]
        depthwise = operator.name == "DEPTHWISE_CONV_2D"
        if operator.outputs[0] not in bounds and operator is not chain.reader:
            return nothing
        if weights.data is None or weights.dtype != np.int8 or (weights.packed_bits and not int4) or weights.quantization is None:
            return nothing
        if any(weights.quantization.zero_points) or (depthwise and operator.options["depth_multiplier"] != 1):
            return nothing
    if chain.flatten is not None and not flattens(tensor, graph.tensors[chain.flatten.outputs[0]]):
        return nothing
    read = graph.tensors[chain.reader.inputs[0]]
    weights = graph.tensors[chain.reader.inputs[1]]
    if weights.data is None or weights.shape[-1] != read.shape[-1]:
        return nothing  # a grouped convolution, or a dense layer over other rows than the last axis
    channels = tensor.shape[-1]
    low, high = bounds[tensor.index]
    known = low == high
    zero = known & (low == tensor.quantization.zero_point)
    has_bias = len(chain.reader.inputs) > 2 and chain.reader.inputs[2] != -1
    if is_padded(graph, chain.reader) or not has_bias:  # what is beside the image is the zero point, not the constant
        known = zero
    unread = ~weights.data.reshape(-1, channels).any(0)
    gone = np.flatnonzero(known | unread)
    return gone if len(gone) < channels else gone[1:]


def _remove(edit: "_Edit", chain: _Chain, gone: np.ndarray, bounds: dict[int, Bounds]) -> None:
    last = edit.graph.tensors[chain.last]
    channels = last.shape[-1]
    assert last.quantization is not None
    low, high = (each[gone] for each in bounds[last.index])
    values = np.where(low == high, low - last.quantization.zero_point, 0)  # of the others the weights are 0
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
    weights = edit.graph.tensors[chain.reader.inputs[1]].data
    assert weights is not None
    sums = (weights[..., places].astype(np.int64).reshape(len(weights), -1, len(gone)) @ values).sum(1)
    if sums.any():  # a channel that is read with weights of 0 alone adds nothing, whatever it holds, and needs no bias
        edit.add(chain.reader.inputs[2], sums)
    edit.without(chain.reader.inputs[1], -1, places)


class _Edit:
    """Changes constants and shapes of a graph, which is another one after each change."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._tensors = list(graph.tensors)
        self._operators = {operator.index: operator for operator in graph.operators}

    @property
    def graph(self) -> Graph:
        """Returns the graph as it is now."""
        return replace(self._graph, tensors=tuple(self._tensors), operators=tuple(self._operators.values()))

    def without(self, index: int, axis: int, gone: np.ndarray) -> None:
        """Deletes places along an axis of a constant, and their scales where each has one."""
        if index == -1:
            return
        constant = self._constant(index)
        assert constant.data is not None
        axis %= constant.data.ndim
        quantization = constant.quantization
        if quantization is not None and len(quantization.scales) > 1 and quantization.axis == axis:
            kept = np.delete(np.arange(len(quantization.scales)), gone)
            quantization = replace(
                quantization,
                scales=tuple(quantization.scales[place] for place in kept),
                zero_points=tuple(quantization.zero_points[place] for place in kept),
            )
        self._store(replace(constant, quantization=quantization), np.delete(constant.data, gone, axis))

    def add(self, index: int, sums: np.ndarray) -> None:
        """Adds to a bias, whose sums wrap as TensorFlow Lite's do."""
        constant = self._constant(index)
        assert constant.data is not None
        self._store(constant, (constant.data.astype(np.int64) + sums.reshape(constant.shape)).astype(constant.dtype))

    def narrower(self, index: int, count: int) -> None:
        """Takes so many from the last extent of an activation."""
        tensor = self._tensors[index]
        self._tensors[index] = replace(tensor, shape=(*tensor.shape[:-1], tensor.shape[-1] - count))

    def reshapes(self, operator: Operator) -> None:
        """Lets a RESHAPE ask for a row of the length that its output has now; a length left open stays so."""
        length = self._tensors[operator.outputs[0]].shape[-1]
        if len(operator.inputs) > 1 and operator.inputs[1] != -1:  # which may be left out
            constant = self._constant(operator.inputs[1])
            assert constant.data is not None
            self._store(constant, _ending_in(constant.data, length))
        if operator.options.get("new_shape") is not None:
            asked = _ending_in(np.array(operator.options["new_shape"], np.int64), length)
            options = operator.options | {"new_shape": tuple(asked.tolist())}
            self._operators[operator.index] = replace(operator, options=options)

    def _constant(self, index: int) -> Tensor:
        """Returns a tensor as it is now; an input that was left out is none, and not the last one."""
        assert index >= 0, f"tensor {index}"
        return self._tensors[index]

    def _store(self, tensor: Tensor, values: np.ndarray) -> None:
        self._tensors[tensor.index] = replace(tensor, shape=values.shape, data=values)


def _ending_in(shape: np.ndarray, length: int) -> np.ndarray:
    """Returns a shape with another last extent; some files hold it in a tensor of any rank."""
    found = shape.copy()
    if found.size and found.flat[-1] != -1:
        found.flat[-1] = length
    return found
