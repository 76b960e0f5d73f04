"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: sums of products, their biases and their scaling."""

from typing import Any

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Convolution, Dense, Depthwise, Requantization, Value, Window
from glyphlite.compiler.ops.window import window_of
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator, Tensor


def lower_convolution(context: Context, operator: Operator) -> None:
    """CONV_2D. Source: ``kernels/conv_common.cc``."""
    source, weights = context.value(operator), _filter(context, operator)
    assert weights.data is not None
    if weights.data.shape[3] != source.channels:
        raise context.refuse(
            operator,
            f"grouped convolution ({source.channels} channels, filters of {weights.data.shape[3]})",
            "use DEPTHWISE_CONV_2D or one convolution a group",
        )
    output = context.new_value(operator)
    bias = _bias(context, operator, output.channels)
    _check_sums(context, operator, weights.data, bias)
    window = window_of(operator, source, output, weights.data.shape[1], weights.data.shape[2])
    context.nodes.append(
        Convolution(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            filter_window=window,
            weights=weights.data,
            bias=bias,
            requantization=_sum_scaling(context, operator, source, output, output.channels),
            nibbles=weights.packed_bits == 4,
        )
    )


def lower_depthwise(context: Context, operator: Operator) -> None:
    """DEPTHWISE_CONV_2D. Source: ``kernels/depthwise_conv_common.cc``."""
    source, weights = context.value(operator), _filter(context, operator)
    assert weights.data is not None
    output = context.new_value(operator)
    bias = _bias(context, operator, output.channels)
    height, width = weights.data.shape[1], weights.data.shape[2]
    taps = weights.data.reshape(height, width, -1)
    _check_sums(context, operator, np.moveaxis(taps, 2, 0), bias)
    context.nodes.append(
        Depthwise(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            filter_window=window_of(operator, source, output, height, width),
            weights=taps,
            bias=bias,
            requantization=_sum_scaling(context, operator, source, output, output.channels),
            multiplier=output.channels // source.channels,
            nibbles=weights.packed_bits == 4,
        )
    )


def lower_dense(context: Context, operator: Operator) -> None:
    """FULLY_CONNECTED; a 1x1 convolution where it reads more than one row. Source: ``kernels/fully_connected_common.cc``."""
    source, weights = context.value(operator), _filter(context, operator)
    assert weights.data is not None
    if operator.options.get("weights_format", "default") != "default":
        raise context.refuse(operator, "its weights are shuffled", "convert without weight shuffling, the default")
    channels, depth = weights.data.shape
    rows = source.elements // depth
    output = context.new_value(operator)
    bias = _bias(context, operator, channels)
    _check_sums(context, operator, weights.data, bias)
    common: dict[str, Any] = {
        **context.facts(operator),
        "macs": operator_macs(context.graph, operator),
        "bias": bias,
        "requantization": _sum_scaling(context, operator, source, output, channels),
        "nibbles": weights.packed_bits == 4,
    }
    if rows == 1:
        flat = Value(source.index, source.name, 1, 1, source.elements, source.quantization)
        context.nodes.append(Dense(inputs=(flat,), output=output, weights=weights.data, **common))
        return
    flat = Value(source.index, source.name, 1, rows, depth, source.quantization)
    context.nodes.append(
        Convolution(
            inputs=(flat,),
            output=Value(output.index, output.name, 1, rows, channels, output.quantization),
            filter_window=Window(),
            weights=weights.data.reshape(channels, 1, 1, depth),
            **common,
        )
    )


def _filter(context: Context, operator: Operator) -> Tensor:
    tensor = context.tensor(operator.inputs[1])
    quantization = tensor.quantization
    if tensor.data is None:
        raise context.refuse(operator, "its weights are computed, not constant")
    if tensor.dtype != np.int8 or quantization is None:
        raise context.refuse(operator, f"its weights are {tensor.dtype}, not int8", "convert with --to int8")
    if any(quantization.zero_points):
        raise context.refuse(operator, "its weights have a zero point", "convert with symmetric weights, the default")
    return tensor


def _bias(context: Context, operator: Operator, channels: int) -> np.ndarray:
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return np.zeros(channels, np.int64)
    tensor = context.tensor(operator.inputs[2])
    if tensor.data is None or tensor.dtype != np.int32 or tensor.elements != channels:
        raise context.refuse(operator, f"its bias is {tensor.dtype}, not {channels} constant int32")
    return tensor.data.reshape(-1).astype(np.int64)


def _sum_scaling(context: Context, operator: Operator, source: Value, output: Value, channels: int) -> Requantization:
    """The scaling of sums of products. Source: ``PopulateConvolutionQuantizationParams``, kernels/kernel_util.cc.

    ``GetQuantizedConvolutionMultipler``, of a FULLY_CONNECTED with one weight scale, is written to multiply the scales in
    float32; the released build multiplies them in double there too (tests/compiler/test_scales.py).
    """
    quantization = context.tensor(operator.inputs[1]).quantization
    assert quantization is not None
    scales = quantization.scales
    scales = scales * channels if len(scales) == 1 else scales
    for scale in scales:
        context.check_ratio(operator, source.scale * scale / output.scale)
    pairs = [arithmetic.quantize_multiplier(source.scale * scale / output.scale) for scale in scales]
    low, high = context.clamp(operator, output)
    multipliers, shifts = zip(*pairs, strict=True)
    return Requantization(multipliers, shifts, output.zero_point, low + 128, high + 128)


def _check_sums(context: Context, operator: Operator, weights: np.ndarray, bias: np.ndarray) -> None:
    """Refuse sums that could leave int32: weights are (out, ...)."""
    bound = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(axis=1) * 255 + np.abs(bias)
    if bound.max(initial=0) >= 2**31:
        raise context.refuse(operator, f"a sum of up to {int(bound.max())} does not fit int32", "use fewer inputs")
    inputs = weights[0].size
    if inputs * 255 * 255 >= 2**31:
        raise context.refuse(operator, f"{inputs} inputs to one sum; int32 holds {(2**31 - 1) // 255**2}")
