"""The smallest model: one FULLY_CONNECTED of two inputs and outputs. Every byte of its file can be given every other value."""

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema


def smallest_model() -> bytes:
    """Returns the file: int8, with a bias and a fused RELU, names of one letter, no metadata."""
    model: Any = schema.ModelT()
    model.version = 3
    graph: Any = schema.SubGraphT()
    graph.tensors = [
        _tensor("x", (1, 2), schema.TensorType.INT8, 0, 0.5, -3),
        _tensor("w", (2, 2), schema.TensorType.INT8, 1, 0.01, 0),
        _tensor("b", (2,), schema.TensorType.INT32, 2, 0.005, 0),
        _tensor("y", (1, 2), schema.TensorType.INT8, 0, 0.02, -100),
    ]
    operator: Any = schema.OperatorT()
    operator.inputs, operator.outputs = np.array([0, 1, 2], np.int32), np.array([3], np.int32)
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.RELU
    graph.operators, graph.inputs, graph.outputs = [operator], np.array([0], np.int32), np.array([3], np.int32)
    code: Any = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 4
    model.operatorCodes, model.subgraphs = [code], [graph]
    model.buffers = [_buffer(values) for values in (None, np.array([5, -7, 100, -128], np.int8), np.array([40, -50], np.int32))]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(name: str, shape: tuple[int, ...], kind: int, buffer: int, scale: float, zero_point: int) -> Any:
    tensor: Any = schema.TensorT()
    tensor.name = name
    tensor.shape, tensor.type, tensor.buffer = np.array(shape, np.int32), kind, buffer
    quantization: Any = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = np.array([scale], np.float32), np.array([zero_point], np.int64)
    tensor.quantization = quantization
    return tensor


def _buffer(values: np.ndarray | None) -> Any:
    buffer: Any = schema.BufferT()
    buffer.data = None if values is None else np.frombuffer(values.tobytes(), np.uint8)
    return buffer


def with_byte(content: bytes, place: int, value: int) -> bytes:
    """Returns the file with one byte of another value."""
    return content[:place] + bytes([value]) + content[place + 1 :]
