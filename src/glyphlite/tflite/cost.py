"""Cost of a graph: multiply-accumulates, parameters and bytes, an op at a time and in all. Pure arithmetic on shapes.

A multiply-accumulate is one product added to a sum in a convolution, a dense layer or a matrix product; bias, pooling,
activation and softmax count none, as is usual. A free batch counts as one image.
"""

from collections.abc import Iterable

from glyphlite.tflite.graph import Graph, Operator, Tensor


def operator_macs(graph: Graph, operator: Operator) -> int:
    """Returns the multiply-accumulates of one op for one inference."""
    if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
        return _lstm_macs(graph, operator)
    if operator.name == "SVDF":
        return sum(tensor.elements for tensor in (_tensor(graph, operator, 1), _tensor(graph, operator, 2)) if tensor is not None)
    if operator.name not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"):
        return 0
    output = graph.tensors[operator.outputs[0]]
    if operator.name == "TRANSPOSE_CONV":
        weights, image = _tensor(graph, operator, 1), _tensor(graph, operator, 2)
        if weights is None or image is None or len(weights.shape) != 4:
            return 0
        return image.elements * abs(weights.shape[0] * weights.shape[1] * weights.shape[2])
    weights = _tensor(graph, operator, 1)
    if weights is None or not weights.shape:
        return 0
    if operator.name == "CONV_2D":
        return output.elements * weights.elements // abs(weights.shape[0])
    if operator.name == "DEPTHWISE_CONV_2D":
        return output.elements * abs(weights.shape[1] * weights.shape[2])
    if operator.name == "FULLY_CONNECTED":
        return output.elements * abs(weights.shape[-1])
    image = _tensor(graph, operator, 0)
    if image is None or len(image.shape) < 2:
        return 0
    return output.elements * abs(image.shape[-2] if operator.options.get("adjoint_x") else image.shape[-1])


def _lstm_macs(graph: Graph, operator: Operator) -> int:
    """Returns the multiply-accumulates of a sequence: each step takes every weight once."""
    source = _tensor(graph, operator, 0)
    matrices = [_tensor(graph, operator, place) for place in (*range(1, 9), 16)]
    steps = abs(source.shape[0] * source.shape[1]) if source is not None and len(source.shape) == 3 else 0
    return steps * sum(tensor.elements for tensor in matrices if tensor is not None)


def total_macs(graph: Graph) -> int:
    """Returns the multiply-accumulates of one inference."""
    return sum(operator_macs(graph, operator) for operator in graph.operators)


def is_parameter(tensor: Tensor) -> bool:
    """Returns whether a constant is a weight or a bias. Integers without a scale are shapes, axes, paddings or indices, and
    are not.
    """
    return tensor.is_constant and (tensor.dtype.kind in "fc" or tensor.quantization is not None)


def operator_parameters(graph: Graph, operator: Operator) -> int:
    """Returns the number of  weights and biases that an op reads from the file."""
    return sum(tensor.elements for tensor in _each_buffer_once(_read_by(graph, operator)))


def operator_bytes(graph: Graph, operator: Operator) -> int:
    """Returns the bytes  of the weights and biases that an op reads from the file, as stored."""
    return sum(tensor.bytes for tensor in _each_buffer_once(_read_by(graph, operator)))


def total_parameters(graph: Graph) -> int:
    """Returns the number of  weights and biases in the file, each buffer counted once."""
    return sum(tensor.elements for tensor in _each_buffer_once(_used(graph)))


def weight_bytes(graph: Graph) -> int:
    """Returns the bytes  of all weights and biases as stored, each buffer counted once; shapes and axes are not weights."""
    return sum(tensor.bytes for tensor in _each_buffer_once(_used(graph)))


def weight_bits(graph: Graph) -> int:
    """Returns bits of the narrowest weight as stored; 0 in a file without weights."""
    return min((tensor.packed_bits or 8 * tensor.dtype.itemsize for tensor in _used(graph) if is_parameter(tensor)), default=0)


def _tensor(graph: Graph, operator: Operator, position: int) -> Tensor | None:
    if len(operator.inputs) <= position or operator.inputs[position] == -1:
        return None
    return graph.tensors[operator.inputs[position]]


def _read_by(graph: Graph, operator: Operator) -> list[Tensor]:
    return [graph.tensors[index] for index in operator.inputs if index != -1]


def _used(graph: Graph) -> Iterable[Tensor]:
    return (tensor for operator in graph.operators for tensor in _read_by(graph, operator))


def _each_buffer_once(tensors: Iterable[Tensor]) -> Iterable[Tensor]:
    return {tensor.buffer: tensor for tensor in tensors if is_parameter(tensor)}.values()
