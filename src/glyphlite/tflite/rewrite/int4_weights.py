"""INT4 weights, stored as such: TensorFlow's converter writes a byte for each, however few values they can take.

What was trained to lie on 15 steps comes out of the converter as int8 codes of which only 15 occur in a channel. They are read
back, each channel (of dense weights: all of them) by the largest scale that expresses it, and stored as INT4; the bias, whose
scale hangs on that of the weights, is brought along. What the ops compute with stays what it was. For files of our own making.

FULLY_CONNECTED gets one scale, as TensorFlow Lite Micro refuses more at four bits (``kernels/fully_connected_common.cc``).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from glyphlite.tflite.int4 import HIGHEST, pack_int4
from glyphlite.tflite.ops import name_of
from glyphlite.tflite.writer import pack_model, unpack_model

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_HALF_A_CODE = 0.5
"""How far rounding to int8 may have moved a weight, in steps of int8."""


def with_narrow_weights(content: bytes) -> bytes:
    """Returns the same model with every filter of at most 15 evenly spaced values stored in four bits.

    Args:
        content: a .tflite file, just converted to int8.

    Returns:
        The file; weights that need all eight bits stay as they are.
    """
    model = unpack_model(content)
    graph = model.subgraphs[0]
    _unshare(model)
    changed = False
    for operator, kind in _weighted(model):
        weights = graph.tensors[operator.inputs[1]]
        bias = graph.tensors[operator.inputs[2]] if len(operator.inputs) > 2 and operator.inputs[2] >= 0 else None
        changed = _narrow(model, weights, bias, together=kind == "FULLY_CONNECTED") or changed
    return pack_model(model) if changed else content


def _unshare(model: Any) -> None:
    """Gives weights and biases a buffer each, but for zeros of 32 bits: those of a layer that is used twice come sharing one."""
    from ai_edge_litert import schema_py_generated as schema

    tensors, taken = model.subgraphs[0].tensors, set()
    for tensor in (tensors[index] for operator, _ in _weighted(model) for index in operator.inputs[1:] if index >= 0):
        data = model.buffers[tensor.buffer].data
        if tensor.buffer in taken and (tensor.type == schema.TensorType.INT8 or np.any(data)):
            own = schema.BufferT()
            own.data = data
            tensor.buffer = len(model.buffers)
            model.buffers.append(own)
        taken.add(tensor.buffer)


def _weighted(model: Any) -> Iterator[tuple[Any, str]]:
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = name_of(max(code.builtinCode, code.deprecatedBuiltinCode))
        if kind in _WEIGHTED:
            yield operator, kind


def _narrow(model: Any, weights: Any, bias: Any, *, together: bool) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    if weights.type != schema.TensorType.INT8 or weights.quantization is None:
        return False
    scales = np.asarray(weights.quantization.scale, np.float64)
    axis = weights.quantization.quantizedDimension
    codes = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8).reshape(weights.shape)
    by_channel = np.moveaxis(codes, axis, 0)
    channels = by_channel.reshape(len(scales), -1).astype(np.float64)
    reals, rounding = channels * scales[:, None], _HALF_A_CODE * scales[:, None]
    parts = [slice(None)] if together else [slice(index, index + 1) for index in range(len(scales))]
    steps = [_step(reals[part], rounding[part]) for part in parts]
    if None in steps:
        return False
    each = np.array(steps * len(scales) if together else steps, np.float64)
    narrow = np.round(reals / each[:, None]).astype(np.int8)
    model.buffers[weights.buffer].data = pack_int4(np.moveaxis(narrow.reshape(by_channel.shape), 0, axis))
    weights.type = schema.TensorType.INT4
    _set_scales(weights, each[:1] if together else each)
    if bias is not None:
        _rescale(model, bias, scales, each, together=together)
    return True


def _step(reals: np.ndarray, rounding: np.ndarray) -> float | None:
    """Returns the largest step of which all values are multiples from -7 to 7, up to the rounding; None where there is none."""
    largest = np.abs(reals).max()
    if not largest:
        return float(rounding.max()) * 2
    for highest in range(1, HIGHEST + 1):
        step = largest / highest
        if (np.abs(np.round(reals / step) * step - reals) <= rounding * 1.001).all():
            return float(step)
    return None


def _rescale(model: Any, bias: Any, before: np.ndarray, after: np.ndarray, *, together: bool) -> None:
    """Express a bias by its new scale, the input's times the weights'."""
    ratio = after / before
    scales = np.asarray(bias.quantization.scale, np.float64) * ratio
    values = np.frombuffer(bytes(model.buffers[bias.buffer].data), np.int32)
    model.buffers[bias.buffer].data = np.frombuffer(np.round(values / ratio).astype(np.int32).tobytes(), np.uint8)
    _set_scales(bias, scales[:1] if together else scales)


def _set_scales(tensor: Any, scales: np.ndarray) -> None:
    tensor.quantization.scale = scales.astype(np.float32)
    tensor.quantization.zeroPoint = np.zeros(len(scales), np.int64)
