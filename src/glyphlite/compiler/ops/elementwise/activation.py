"""RELU, RELU6, RELU_N1_TO_1, LEAKY_RELU, ELU, HARD_SWISH, LOGISTIC, TANH, ABS and RSQRT as ops of their own: 256 answers each."""

import math

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.elementwise.lookup import add_lookup
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator


def lower_relu(context: Context, operator: Operator) -> None:
    """Lowers RELU and RELU_N1_TO_1. Source: ``CalculateReluOpData``, micro/kernels/activations_common.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    context.check_ratio(operator, source.scale / output.scale)
    if operator.name == "RELU_N1_TO_1":
        context.check_fits(operator, 6.0, output)
    answers = arithmetic.relu_table(*_parameters(source, output), operator.name.lower())
    add_lookup(context, operator, source, output, answers)


def lower_relu6(context: Context, operator: Operator) -> None:
    """Lowers RELU6. Source: ``Relu6Quantized``, micro/kernels/activations.h."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    context.check_fits(operator, 6.0, source)
    add_lookup(context, operator, source, output, arithmetic.relu6_table(*_parameters(source, output)[:2]))


def lower_leaky_relu(context: Context, operator: Operator) -> None:
    """Lowers LEAKY_RELU. Source: ``CalculateOpDataLeakyRelu``, micro/kernels/leaky_relu_common.cc.

    ``alpha`` times the ratio of the scales is written in float32 there; the released build takes it in double
    (tests/compiler/test_scales.py). A negative ``alpha`` would be a negative multiplier, which the kernels do not define.
    """
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    alpha = operator.options.get("alpha", 0.0)
    if not (math.isfinite(alpha) and alpha >= 0):
        raise context.refuse(operator, f"an alpha of {alpha:g}", "use zero or more")
    for slope in (1.0, alpha):
        context.check_ratio(operator, source.scale * slope / output.scale)
    add_lookup(context, operator, source, output, leaky_relu_table(*_parameters(source, output), alpha))


def leaky_relu_table(
    input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int, alpha: float
) -> np.ndarray:
    """Returns LEAKY_RELU of every stored int8, from -128 up. Source: ``QuantizeLeakyRelu``, reference/leaky_relu.h."""
    centred = np.arange(-128, 128) - input_zero_point
    identity, leak = (
        arithmetic.multiply_by_quantized_multiplier(centred, *arithmetic.quantize_multiplier(real))
        for real in (input_scale / output_scale, input_scale * alpha / output_scale)
    )
    return np.clip(np.where(centred >= 0, identity, leak) + output_zero_point, -128, 127).astype(np.int8)


def lower_elu(context: Context, operator: Operator) -> None:
    """Lowers ELU. Source: ``PopulateLookupTable``, micro/kernels/elu.cc; what it clamps must fit 32 bits."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    context.check_fits(operator, 255 * source.scale, output)
    context.check_fits(operator, 1.0, output)
    add_lookup(context, operator, source, output, arithmetic.elu_table(*_parameters(source, output)))


def lower_abs(context: Context, operator: Operator) -> None:
    """Lowers ABS. Source: ``PrepareAbsRsqrt``, micro/kernels/elementwise.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    context.check_ratio(operator, source.scale / output.scale)
    add_lookup(context, operator, source, output, arithmetic.abs_table(*_parameters(source, output)))


def lower_rsqrt(context: Context, operator: Operator) -> None:
    """Lowers RSQRT of what cannot be negative. Source: ``PrepareAbsRsqrt``, micro/kernels/elementwise.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    if source.quantization.zero_point != -128:
        raise context.refuse(operator, "its input may be below 0, where TFLite Micro stops", "quantize its input from 0 up")
    ratio = 1.0 / (math.sqrt(source.scale) * output.scale)
    if not 2.0**-11 < ratio < 2.0**30:
        raise context.refuse(operator, f"its scales are far apart, by a factor of {ratio:.3g}", "quantize the model again")
    table = arithmetic.rsqrt_table(source.scale, output.scale, output.quantization.zero_point)
    add_lookup(context, operator, source, output, table)


def lower_hard_swish(context: Context, operator: Operator) -> None:
    """Lowers HARD_SWISH. Source: ``HardSwishPrepare``, micro/kernels/hard_swish_common.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    context.check_ratio(operator, source.scale / output.scale)
    if not (source.scale < 128 * output.scale and source.scale < 2.0**20):
        raise context.refuse(operator, "its output's scale is too fine for its input's", "as TFLite Micro does")
    add_lookup(context, operator, source, output, arithmetic.hard_swish_table(*_parameters(source, output)))


def lower_logistic(context: Context, operator: Operator) -> None:
    """Lowers LOGISTIC. Source: kernels/internal/reference/integer_ops/logistic.h."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    _check_fixed_point(context, operator, source)
    if output.quantization.zero_point != -128:
        raise context.refuse(operator, f"output zero point {output.quantization.zero_point}, not -128")
    add_lookup(context, operator, source, output, arithmetic.logistic_table(*_parameters(source, output)[:2]))


def lower_tanh(context: Context, operator: Operator) -> None:
    """Lowers TANH. Source: kernels/internal/reference/integer_ops/tanh.h."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    _check_fixed_point(context, operator, source)
    add_lookup(context, operator, source, output, arithmetic.tanh_table(*_parameters(source, output)[:2]))


def _parameters(source: Value, output: Value) -> tuple[float, int, float, int]:
    """Returns scale and zero point of input and output."""
    return source.scale, source.quantization.zero_point, output.scale, output.quantization.zero_point


def _check_fixed_point(context: Context, operator: Operator, source: Value) -> None:
    if not 2.0**-27 <= source.scale < 2.0**35:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
