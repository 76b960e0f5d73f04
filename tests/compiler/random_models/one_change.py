"""A sound model with one thing changed: a scale, a zero point, an extent, an option, an input. The damage is well-formed.

TFLite Micro runs what comes of it, and then generated C has to give its bytes; or one of them refuses it.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from glyphlite.tflite.writer import pack_model, unpack_model

SCALES: tuple[tuple[str, Callable[[float], float]], ...] = (
    ("halved", lambda scale: scale / 2),
    ("times 1.001", lambda scale: scale * 1.001),
    ("times 1000", lambda scale: scale * 1000),
    ("1e-30", lambda scale: 1e-30),
    ("1e30", lambda scale: 1e30),
)
ZERO_POINTS = (-128, -127, 3, 127)
OPTION_VALUES = (0, 1, 2, 3, 5, -1)


def changes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield every change of a model in a fixed order: what was changed, in words, and the file.

    Args:
        content: a sound .tflite file.
    """
    for words, change in _changes(unpack_model(content)):
        model = unpack_model(content)
        change(model)
        try:
            yield words, pack_model(model)
        except (TypeError, ValueError, OverflowError):  # the object API cannot write it: nothing to read
            continue


def _changes(model: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    graph = model.subgraphs[0]
    for index, tensor in enumerate(graph.tensors):
        yield from _quantization_changes(index, tensor)
        shape = [] if tensor.shape is None else [int(extent) for extent in tensor.shape]
        for axis, length in enumerate(shape):
            for extent in (1, length - 1, length + 1):
                if extent >= 1 and extent != length:
                    yield f"tensor {index}: extent {axis} is {extent}", _extent(index, axis, extent)
    for index, operator in enumerate(graph.operators):
        options = operator.builtinOptions
        for name, value in sorted(vars(options).items()) if options is not None else ():
            if isinstance(value, (bool, int)):
                for other in OPTION_VALUES:
                    if other != value:
                        yield f"op {index}: {name} is {other}", _option(index, name, other)
            elif isinstance(value, float):
                for real in (0.0, 0.5, 2.0, -1.0, float("inf")):
                    yield f"op {index}: {name} is {real}", _option(index, name, real)
        for position in range(len(operator.inputs)):
            for source in (-1, int(graph.inputs[0])):
                if source != operator.inputs[position]:
                    yield f"op {index}: input {position} is tensor {source}", _input(index, position, source)
    for index, buffer in enumerate(model.buffers):
        if buffer.data is not None and len(buffer.data):
            yield f"buffer {index} is empty", _emptied(index)


def _quantization_changes(index: int, tensor: Any) -> Iterator[tuple[str, Callable[[Any], None]]]:
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None or not len(quantization.scale):
        return
    for words, change in SCALES:
        yield f"tensor {index}: scale {words}", _scale(index, change)
    for zero_point in ZERO_POINTS:
        if zero_point != int(quantization.zeroPoint[0]):
            yield f"tensor {index}: zero point {zero_point}", _zero_point(index, zero_point)
    yield f"tensor {index}: not quantized", _unquantized(index)
    for axis in range(len(tensor.shape)):
        if len(quantization.scale) > 1 and axis != quantization.quantizedDimension:
            yield f"tensor {index}: quantized along {axis}", _axis(index, axis)


def _scale(index: int, change: Callable[[float], float]) -> Callable[[Any], None]:
    def apply(model: Any) -> None:
        quantization = model.subgraphs[0].tensors[index].quantization
        with np.errstate(over="ignore"):
            quantization.scale = np.array([change(float(scale)) for scale in quantization.scale], np.float32)

    return apply


def _zero_point(index: int, zero_point: int) -> Callable[[Any], None]:
    def apply(model: Any) -> None:
        quantization = model.subgraphs[0].tensors[index].quantization
        quantization.zeroPoint = np.full(len(quantization.zeroPoint), zero_point, np.int64)

    return apply


def _unquantized(index: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[0].tensors[index], "quantization", None)


def _axis(index: int, axis: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[0].tensors[index].quantization, "quantizedDimension", axis)


def _extent(index: int, axis: int, extent: int) -> Callable[[Any], None]:
    def apply(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[index]
        shape = np.array(tensor.shape, np.int32)
        shape[axis] = extent
        tensor.shape, tensor.shapeSignature = shape, None

    return apply


def _option(index: int, name: str, value: float) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[0].operators[index].builtinOptions, name, value)


def _input(index: int, position: int, source: int) -> Callable[[Any], None]:
    def apply(model: Any) -> None:
        operator = model.subgraphs[0].operators[index]
        inputs = np.array(operator.inputs, np.int32)
        inputs[position] = source
        operator.inputs = inputs

    return apply


def _emptied(index: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.buffers[index], "data", None)
