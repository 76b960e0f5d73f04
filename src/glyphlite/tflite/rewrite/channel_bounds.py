"""Bounds of every channel of an int8 model's activations, whatever comes in: by interval arithmetic through weights and clamps.

A bound may be wider than the truth, never narrower: sums are exact integers, and where a sum becomes a stored value by
fixed-point arithmetic, three quarters of a step are allowed on either side, as every runtime's rounding stays within them. So a
channel is known to be constant where the clamp of its activation makes it so: a RELU that never fires, or one that always
saturates.
"""

import math
from collections.abc import Mapping

import numpy as np

from glyphlite.tflite.graph import Graph, Operator, Tensor

LOWEST, HIGHEST = -128, 127
_ROUNDING = 0.75 + 1e-6
_INEXACT = 1e-6
"""Of a factor, as a fraction of it: as float32, or of 31 bits."""
_ACTIVATION_LIMITS: dict[str, tuple[float | None, float | None]] = {
    "none": (None, None),
    "relu": (0.0, None),
    "relu6": (0.0, 6.0),
    "relu_n1_to_1": (-1.0, 1.0),
}
"""Real values that a fused activation clamps to."""
Bounds = tuple[np.ndarray, np.ndarray]
"""Least and greatest stored value of each channel of a tensor, its last axis: int64 ``(channels,)`` each."""


def channel_bounds(graph: Graph) -> dict[int, Bounds]:
    """Returns the bounds of every int8 activation of which more is known than its type, by tensor index."""
    found: dict[int, Bounds] = {}
    for operator in graph.operators:
        if len(operator.outputs) == 1 and (bounds := _after(graph, operator, found)) is not None:
            found[operator.outputs[0]] = bounds
    return found


def _after(graph: Graph, operator: Operator, found: Mapping[int, Bounds]) -> Bounds | None:
    if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return _weighted(graph, operator, found)
    if operator.name in ("MAX_POOL_2D", "AVERAGE_POOL_2D") and operator.options["activation"] == "none":
        source, output = (graph.tensors[index] for index in (operator.inputs[0], operator.outputs[0]))
        return found.get(source.index) if source.quantization == output.quantization else None
    if operator.name == "RESHAPE":
        return _flattened(graph, operator, found)
    return None


def flattens(source: Tensor, output: Tensor) -> bool:
    """Returns whether a RESHAPE lays pixel after pixel in a row, ``(1, h, w, c)`` to ``(1, h * w * c)``, of the same scale."""
    shapes = len(source.shape) == 4 and source.shape[0] == 1 and output.shape == (1, source.elements)
    return shapes and source.quantization == output.quantization


def _flattened(graph: Graph, operator: Operator, found: Mapping[int, Bounds]) -> Bounds | None:
    source, output = (graph.tensors[index] for index in (operator.inputs[0], operator.outputs[0]))
    if source.index not in found or not flattens(source, output):
        return None
    low, high = found[source.index]
    return np.tile(low, output.elements // len(low)), np.tile(high, output.elements // len(high))


def _weighted(graph: Graph, operator: Operator, found: Mapping[int, Bounds]) -> Bounds | None:
    """Returns bounds of sums of products, scaled and clamped; None for other types than int8, weights of four bits among it."""
    source, weights, output = (graph.tensors[index] for index in (*operator.inputs[:2], operator.outputs[0]))
    if not _is_plain(source, weights, output):
        return None
    assert source.quantization is not None
    low, high = found.get(source.index) or (np.full(source.shape[-1], LOWEST), np.full(source.shape[-1], HIGHEST))
    low, high = low - source.quantization.zero_point, high - source.quantization.zero_point
    if is_padded(graph, operator):  # beside the image there are zeros
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    assert weights.data is not None
    data = weights.data.astype(np.int64)
    if operator.name == "DEPTHWISE_CONV_2D":
        multiplier = data.shape[3] // len(low)
        taps = data.reshape(-1, data.shape[3])
        low, high = np.repeat(low, multiplier), np.repeat(high, multiplier)
        least = (np.maximum(taps, 0) * low + np.minimum(taps, 0) * high).sum(0)
        most = (np.maximum(taps, 0) * high + np.minimum(taps, 0) * low).sum(0)
    elif data.shape[-1] != len(low):
        return None
    else:
        positive, negative = (part.reshape(len(data), -1, len(low)).sum(1) for part in (np.maximum(data, 0), np.minimum(data, 0)))
        least, most = positive @ low + negative @ high, positive @ high + negative @ low
    bias = _bias(graph, operator, len(least))
    return None if bias is None else _stored(least + bias, most + bias, source, weights, output, operator)


def _is_plain(source: Tensor, weights: Tensor, output: Tensor) -> bool:
    activations = all(each.dtype == np.int8 and each.quantization is not None for each in (source, output))
    constant = weights.data is not None and weights.dtype == np.int8
    symmetric = weights.quantization is not None and not any(weights.quantization.zero_points)
    return activations and constant and symmetric and bool(source.shape)


def _bias(graph: Graph, operator: Operator, channels: int) -> np.ndarray | None:
    if len(operator.inputs) < 3 or operator.inputs[2] == -1:
        return np.zeros(channels, np.int64)
    tensor = graph.tensors[operator.inputs[2]]
    return None if tensor.data is None or tensor.elements != channels else tensor.data.reshape(-1).astype(np.int64)


def _stored(
    least: np.ndarray, most: np.ndarray, source: Tensor, weights: Tensor, output: Tensor, operator: Operator
) -> Bounds | None:
    """Returns bounds of the stored values that sums become; None where a sum might leave int32, scaled up or not.

    A sum is multiplied with a rounding of at most a half of a step, and shifted to the right with one of a half: before the
    shift a step was no more than half as large. Runtimes that multiply floating-point numbers round once.
    Source: ``MultiplyByQuantizedMultiplier``, kernels/internal/common.cc.
    """
    assert source.quantization is not None
    assert weights.quantization is not None
    assert output.quantization is not None
    ratios = source.quantization.scale * np.array(weights.quantization.scales, np.float64) / output.quantization.scale
    if (np.maximum(np.abs(least), np.abs(most)) * np.maximum(2 * ratios, 1) >= 2**31).any():
        return None
    zero_point = output.quantization.zero_point
    if (ends := clamp(operator, output)) is None:
        return None
    lowest, highest = ends
    low = np.ceil(least * ratios * (1 - _INEXACT * np.sign(least)) - _ROUNDING) + zero_point
    high = np.floor(most * ratios * (1 + _INEXACT * np.sign(most)) + _ROUNDING) + zero_point
    return np.clip(low, lowest, highest).astype(np.int64), np.clip(high, lowest, highest).astype(np.int64)


def is_padded(graph: Graph, operator: Operator) -> bool:
    """Returns whether a convolution's window ever lies beyond the map; False for a dense layer."""
    if operator.options.get("padding") != "same":
        return False
    source, weights, output = (graph.tensors[index] for index in (*operator.inputs[:2], operator.outputs[0]))
    extents = (each.shape[1:3] for each in (source, weights, output))
    axes = zip(*extents, operator.options["strides"], operator.options["dilations"], strict=True)
    return any(
        extent < 1 or (steps - 1) * stride + (taps - 1) * dilation + 1 > extent for extent, taps, steps, stride, dilation in axes
    )


def clamp(operator: Operator, output: Tensor) -> tuple[int, int] | None:
    """Returns the stored values that a fused activation clamps to; None for one that is not known.

    Where the ends are not known, a sum that leaves them says nothing of the value: the type's own end would be wrong.
    Source: ``CalculateActivationRangeQuantized``, kernels/kernel_util.cc, which divides in float32.
    """
    assert output.quantization is not None
    limits = _ACTIVATION_LIMITS.get(operator.options.get("activation", "none"))
    if limits is None:
        return None
    scale, zero_point = output.quantization.scale, output.quantization.zero_point

    def stored(real: float) -> int:
        steps = float(np.float32(min(max(real / scale, -1e6), 1e6)))  # far beyond the type's ends
        return zero_point + math.floor(abs(steps) + 0.5) * (1 if steps >= 0 else -1)

    low, high = limits
    least = LOWEST if low is None else max(LOWEST, stored(low))
    return least, HIGHEST if high is None else min(HIGHEST, stored(high))
