"""The integer arithmetic of TensorFlow Lite Micro, in NumPy: what generated C must equal, and the source of its tables.

Knows numbers only, no graph and no C. Every function names the file of ``tensorflow/lite`` whose result it reproduces.
The reference rounds twice: once in the doubling high multiply, once in the division by a power of two.
"""

import math
from functools import cache

import numpy as np

INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Expresses a positive real number as ``multiplier * 2**(shift - 31)``, multiplier in [2**30, 2**31).

    Source: ``QuantizeMultiplier``, kernels/internal/quantization_util.cc.
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * 2.0**31)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    return (multiplier, shift) if shift >= -31 else (0, 0)


def round_half_away(value: float) -> int:
    """Rounds as C's ``round`` does: halves go away from zero."""
    return math.floor(abs(value) + 0.5) * (-1 if value < 0 else 1)


def wrap_int32(values: np.ndarray) -> np.ndarray:
    """Keeps the low 32 bits, as two's complement."""
    return ((np.asarray(values, np.int64) + 2**31) & 0xFFFFFFFF) - 2**31


def doubling_high_mul(a: np.ndarray | int, b: np.ndarray | int) -> np.ndarray:
    """Returns ``(2 * a * b + 2**31) >> 32``, saturated in its one overflow.

    Source: ``SaturatingRoundingDoublingHighMul``, gemmlowp fixedpoint/fixedpoint.h. Its truncating division after a nudge
    by the sign equals the arithmetic shift of the sum here, for both signs.
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.minimum((product + 2**30) >> 31, INT32_MAX)


def rounding_divide_by_pot(values: np.ndarray | int, exponent: int) -> np.ndarray:
    """Divides by ``2**exponent``, halves away from zero. Source: ``RoundingDivideByPOT``, gemmlowp fixedpoint/fixedpoint.h."""
    values = np.asarray(values, np.int64)
    mask = (1 << exponent) - 1
    return (values >> exponent) + ((values & mask) > (mask >> 1) + (values < 0))


def multiply_by_quantized_multiplier(values: np.ndarray | int, multiplier: int, shift: int) -> np.ndarray:
    """Returns ``values * multiplier * 2**(shift - 31)``, rounded twice.

    Source: ``MultiplyByQuantizedMultiplier`` with double rounding, kernels/internal/common.cc.
    """
    shifted = wrap_int32(np.asarray(values, np.int64) << max(shift, 0))
    return rounding_divide_by_pot(doubling_high_mul(shifted, multiplier), max(-shift, 0))


def activation_range(activation: str, scale: float, zero_point: int, bits: int = 8) -> tuple[int, int]:
    """Returns the clamp of a fused activation as stored integers of so many bits.

    Source: ``CalculateActivationRangeQuantized``, kernels/kernel_util.cc.
    """

    def stored(real: float) -> int:
        return zero_point + round_half_away(float(np.float32(real) / np.float32(scale)))

    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if activation in ("relu", "relu6"):
        low = max(low, stored(0.0))
    if activation == "relu6":
        high = min(high, stored(6.0))
    if activation == "relu_n1_to_1":
        low, high = max(low, stored(-1.0)), min(high, stored(1.0))
    return low, high


def _saturating_shift(values: np.ndarray, left: int) -> np.ndarray:
    """Rescales a fixed-point number to fewer integer bits, saturating."""
    return np.clip(np.asarray(values, np.int64) << left, INT32_MIN, INT32_MAX)


def exp_on_negative_values(values: np.ndarray, integer_bits: int) -> np.ndarray:
    """Returns the exponential of a non-positive fixed-point number with ``integer_bits`` integer bits, as Q0.31.

    Source: ``exp_on_negative_values``, gemmlowp fixedpoint/fixedpoint.h: a Taylor polynomial about -1/8 on [-1/4, 0),
    then one multiplication by a constant for each bit of what is left.
    """
    a = np.asarray(values, np.int64)
    fractional_bits = 31 - integer_bits
    quarter = 1 << (fractional_bits - 2)
    in_quarter = (a & (quarter - 1)) - quarter
    x = _saturating_shift(in_quarter, integer_bits) + (1 << 28)
    x2 = doubling_high_mul(x, x)
    x3 = doubling_high_mul(x2, x)
    x4 = doubling_high_mul(x2, x2)
    third = doubling_high_mul(rounding_divide_by_pot(x4, 2) + x3, 715827883)
    series = rounding_divide_by_pot(third + x2, 1)
    constant = 1895147668  # exp(-1/8)
    result = constant + doubling_high_mul(constant, x + series)
    remainder = in_quarter - a
    factors = {-2: 1672461947, -1: 1302514674, 0: 790015084, 1: 290630308, 2: 39332535, 3: 720401, 4: 242}  # exp(-2**key)
    for exponent, factor in factors.items():
        if integer_bits > exponent:
            has_bit = (remainder & (1 << (fractional_bits + exponent))) != 0
            result = np.where(has_bit, doubling_high_mul(result, factor), result)
    return np.where(a == 0, INT32_MAX, result)


def _newton_raphson(a: np.ndarray) -> np.ndarray:
    """Returns 2 / (1 + a) in Q2.29 for a in [0, 1] as Q0.31. Source: the division loops of gemmlowp fixedpoint/fixedpoint.h."""
    half_denominator = (np.asarray(a, np.int64) + INT32_MAX + 1) // 2
    x = 1515870810 + doubling_high_mul(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - doubling_high_mul(half_denominator, x)
        x = x + _saturating_shift(doubling_high_mul(x, error), 2)
    return x


def one_over_one_plus(a: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + a) as Q0.31. Source: ``one_over_one_plus_x_for_x_in_0_1``, gemmlowp fixedpoint/fixedpoint.h."""
    return _saturating_shift(_newton_raphson(a), 1)


def quotient(dividends: np.ndarray, divisors: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """Returns ``dividends / divisors * multiplier * 2**(shift - 31)`` of centred int8 values, no divisor 0.

    Source: ``DivElementwise``, kernels/internal/reference/div.h, and ``GetReciprocal``, kernels/internal/common.h. The shift is
    such that no total shift leaves -31 to 0.
    """
    a, b = np.broadcast_arrays(np.asarray(dividends, np.int64), np.asarray(divisors, np.int64))
    a, b = np.where(b < 0, -a, a), np.where(b == 0, 1, np.abs(b))
    bits = np.frexp(b)[1] - 1
    inverse = one_over_one_plus((b << (31 - bits)) - 2**31)
    headroom = 31 - np.frexp(np.where(a < 0, -a - 1, a))[1]
    unscaled = doubling_high_mul(a << headroom, inverse)
    high = doubling_high_mul(unscaled, multiplier)
    exponents = bits + headroom - shift
    return np.select([exponents == each for each in range(32)], [rounding_divide_by_pot(high, each) for each in range(32)])


def logistic_q31(values: np.ndarray) -> np.ndarray:
    """Returns the logistic function of Q4.27, as Q0.31. Source: ``logistic``, gemmlowp fixedpoint/fixedpoint.h."""
    a = np.asarray(values, np.int64)
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(a), 4))
    return np.where(a == 0, 1 << 30, np.where(a > 0, positive, INT32_MAX - positive))


def tanh_q31(values: np.ndarray) -> np.ndarray:
    """Returns the hyperbolic tangent of Q4.27, as Q0.31. Source: ``tanh``, gemmlowp fixedpoint/fixedpoint.h."""
    a = np.asarray(values, np.int64)
    x = _newton_raphson(exp_on_negative_values(-np.abs(a), 5))
    magnitude = _saturating_shift(x - (1 << 29), 2)
    return np.where(a == 0, 0, np.sign(a) * magnitude)


def input_radius(integer_bits: int, left_shift: int) -> int:
    """Returns the largest input whose rescaled value still fits.

    Source: ``CalculateInputRadius``, kernels/internal/quantization_util.cc.
    """
    return math.floor(((1 << integer_bits) - 1) * 2.0 ** (31 - integer_bits) / 2.0**left_shift)


def softmax_exponentials(scale: float, beta: float) -> np.ndarray:
    """Returns the exponentials exp(-beta * scale * d) as Q0.31, for each difference d from a row's maximum that is not yet
    nothing.

    Source: ``PreprocessSoftmaxScaling`` in kernels/internal/quantization_util.cc and ``Softmax`` in
    kernels/internal/reference/softmax.h. Differences past the table count as nothing.
    """
    real = min(beta * scale * 2.0**26, 2.0**31 - 1.0)
    multiplier, shift = quantize_multiplier(real)
    radius = min(input_radius(5, shift), 255)
    differences = -np.arange(radius + 1, dtype=np.int64)
    return exp_on_negative_values(multiply_by_quantized_multiplier(differences, multiplier, shift), 5)


def log_softmax_scaling(scale: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Returns LOG_SOFTMAX's multiplier and shift from stored differences to Q5.26, and those of the way back.

    Source: ``PreprocessLogSoftmaxScalingExp``, kernels/internal/quantization_util.cc.
    """
    multiplier, shift = quantize_multiplier(min(scale * 2.0**26, 2.0**31 - 1.0))
    return (multiplier, shift), quantize_multiplier(2.0 ** (31 - shift) / multiplier)


@cache
def inverse_sqrt(value: int) -> tuple[int, int]:
    """Returns multiplier and shift of 1 / sqrt of a non-negative integer, of 1 for 0.

    Source: ``GetInvSqrtQuantizedMultiplierExp``, kernels/internal/common.h.
    """
    if value <= 1:
        return INT32_MAX, 0
    right = 11
    while value >= 1 << 29:
        value, right = value // 4, right + 1
    while value < 1 << 27:
        value, right = value * 4, right - 1
    x, half = 1 << 28, ((value >> 1) + 1) >> 1
    for _ in range(5):
        cube = _saturating_shift(doubling_high_mul(doubling_high_mul(x, x), x), 6)
        x = int(_saturating_shift(doubling_high_mul(3 << 27, x) - doubling_high_mul(half, cube), 3))
    x = int(doubling_high_mul(x, 1518500250))  # sqrt(2) / 2
    return (x << -right, 0) if right < 0 else (x, -right)


def abs_table(input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Returns the table of ABS. Source: ``AbsEvalQuantized``, micro/kernels/elementwise.cc.

    The ratio of the scales in double, as the released build takes it (tests/compiler/test_scales.py).
    """
    magnitudes = np.abs(_stored_values() - input_zero_point)
    if input_scale != output_scale:
        magnitudes = multiply_by_quantized_multiplier(magnitudes, *quantize_multiplier(input_scale / output_scale))
    return np.clip(magnitudes + output_zero_point, -128, 127).astype(np.int8)


def rsqrt_table(input_scale: float, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Returns the table of RSQRT; the input's zero point is -128.

    Source: ``RsqrtEvalQuantized`` and ``SetRsqrtOutputMultiplier``, micro/kernels/elementwise.cc, which is written in float32;
    the released build computes in double (tests/compiler/test_scales.py).
    """
    multiplier, shift = quantize_multiplier(1.0 / (math.sqrt(input_scale) * output_scale))
    outputs = multiply_by_quantized_multiplier(_inverse_roots(), multiplier, shift - 20) + output_zero_point
    return np.concatenate([[127], np.clip(outputs, -128, 127)]).astype(np.int8)


@cache
def _inverse_roots() -> np.ndarray:
    """Returns 1 / sqrt of 1 to 255 with 20 fractional bits, int64."""
    pairs = (inverse_sqrt(value) for value in range(1, 256))
    return np.array([multiply_by_quantized_multiplier(1, multiplier, shift + 20) for multiplier, shift in pairs])


def elu_table(input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Returns the table of ELU, computed in float32. Source: ``PopulateLookupTable``, micro/kernels/elu.cc."""
    one = np.float32(1)
    inverse_scale = one / np.float32(output_scale)
    real = np.float32(input_scale) * (_stored_values() - input_zero_point).astype(np.float32)
    below = np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32) - one
    scaled = (np.where(real < 0, below, real) * inverse_scale).astype(np.float64)
    rounded = (np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.float32) + np.float32(output_zero_point)).astype(np.float64)
    return np.clip(rounded, -128, 127).astype(np.int8)


def _stored_values() -> np.ndarray:
    return np.arange(-128, 128, dtype=np.int64)


def _sigmoid_like(scale: float, zero_point: int, function: str) -> np.ndarray:
    """Returns the int8 tables of LOGISTIC and TANH. Source: kernels/internal/reference/integer_ops/{logistic,tanh}.h."""
    real = scale * 2.0**27
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * 2.0**31)
    radius = input_radius(4, shift)
    centered = _stored_values() - zero_point
    inside = np.clip(centered, -radius + 1, radius - 1) if radius > 0 else np.zeros_like(centered)
    rescaled = multiply_by_quantized_multiplier(inside, multiplier, shift)
    if function == "logistic":
        output = rounding_divide_by_pot(logistic_q31(rescaled), 23) - 128
    else:
        output = rounding_divide_by_pot(tanh_q31(rescaled), 24)
    output = np.clip(output, -128, 127)
    return np.where(centered <= -radius, -128, np.where(centered >= radius, 127, output)).astype(np.int8)


def logistic_table(scale: float, zero_point: int) -> np.ndarray:
    """Returns LOGISTIC of every stored int8, from -128 up; the output's scale is 1/256 and its zero point -128."""
    return _sigmoid_like(scale, zero_point, "logistic")


def tanh_table(scale: float, zero_point: int) -> np.ndarray:
    """Returns TANH of every stored int8, from -128 up; the output's scale is 1/128 and its zero point 0."""
    return _sigmoid_like(scale, zero_point, "tanh")


def requantize_table(
    input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int, low: int = -128, high: int = 127
) -> np.ndarray:
    """Returns QUANTIZE from int8 to int8 of every stored value. Source: ``Requantize``,
    kernels/internal/reference/requantize.h.
    """
    multiplier, shift = quantize_multiplier(input_scale / output_scale)
    output = multiply_by_quantized_multiplier(_stored_values() - input_zero_point, multiplier, shift) + output_zero_point
    return np.clip(output, low, high).astype(np.int8)


def relu_table(
    input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int, activation: str
) -> np.ndarray:
    """Returns the table of RELU or RELU_N1_TO_1 as an op of its own. Source: ``CalculateReluOpData``,
    micro/kernels/activations_common.cc.

    The ratio of the scales is written in float32 there; the released build takes it in double (tests/compiler/test_scales.py).
    """
    multiplier, shift = quantize_multiplier(input_scale / output_scale)
    output = multiply_by_quantized_multiplier(_stored_values() - input_zero_point, multiplier, shift) + output_zero_point
    low, high = activation_range(activation, output_scale, output_zero_point)
    return np.clip(output, low, high).astype(np.int8)


def relu6_table(scale: float, zero_point: int) -> np.ndarray:
    """Returns the table of RELU6 as an op of its own: a clamp in the input's own scale. Source: ``Relu6Quantized``,
    micro/kernels/activations.h.
    """
    six = zero_point + round_half_away(float(np.float32(6.0) / np.float32(scale)))
    values = _stored_values()
    return np.where(values > six, six, np.maximum(values, zero_point)).astype(np.int8)


def hard_swish_table(input_scale: float, input_zero_point: int, output_scale: float, output_zero_point: int) -> np.ndarray:
    """Returns HARD_SWISH of every stored int8.

    16-bit fixed point throughout. Source: ``HardSwishPrepare`` in micro/kernels/hard_swish_common.cc and ``HardSwish`` in
    kernels/internal/reference/hard_swish.h. The ratios of the scales in double, as the released build takes them.
    """
    hires_scale = input_scale / 128.0
    output_multiplier, output_exponent = _multiplier_int16(hires_scale / output_scale)
    relu_multiplier, relu_exponent = _multiplier_int16(hires_scale / (3.0 / 32768.0))
    table: list[int] = []
    for stored in range(-128, 128):
        hires = _wrap_int16((stored - input_zero_point) * 128)
        preshift = _doubling_high_mul_int16(hires, output_multiplier)
        relu = hires
        if relu_exponent > 0:
            relu = _clip_int16(relu << (relu_exponent - 1))
        relu = _doubling_high_mul_int16(relu, relu_multiplier)
        if relu_exponent > 0:
            relu = _clip_int16(relu << 1)
        if relu_exponent < 0:
            relu = _rounding_divide_int16(relu, -relu_exponent)
        relu = (relu + 32768) >> 1
        product = relu * preshift
        truncated = abs(product) >> 15
        output = _rounding_divide_int16(-truncated if product < 0 else truncated, -output_exponent) + output_zero_point
        table.append(min(max(output, -128), 127))
    return np.array(table, np.int8)


def _multiplier_int16(real: float) -> tuple[int, int]:
    """Returns a quantized multiplier with 16 bits. Source: ``DownScaleInt32ToInt16Multiplier``, kernels/internal/common.h."""
    multiplier, shift = quantize_multiplier(real)
    return (32767 if multiplier >= INT32_MAX - (1 << 15) else (multiplier + (1 << 15)) >> 16), shift


_ABOVE = (
    *(4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41, 43, 44, 45, 46, 49, 50, 54),
    *(62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255),
)
"""Entries of the reference's table of the logistic function that are one above the nearest integer."""


def sigmoid_table_16() -> np.ndarray:
    """Returns the table behind LOGISTIC and TANH of 16 bits: the logistic function of ``index / 24``, uint16 in 16 fractional
    bits.

    Source: ``sigmoid_table_uint16``, kernels/internal/common.h.
    """
    exact = 65536 / (1 + np.exp(-np.arange(256) / 24))
    table = np.floor(exact + 0.5).astype(np.uint16)
    table[list(_ABOVE)] += 1
    return table


def _clip_int16(value: int) -> int:
    return min(max(value, -32768), 32767)


def _wrap_int16(value: int) -> int:
    return ((value + 32768) & 0xFFFF) - 32768


def _rounding_divide_int16(value: int, exponent: int) -> int:
    """Computes the 16-bit ``RoundingDivideByPOT``, gemmlowp fixedpoint/fixedpoint.h.

    Its mask is -1 from an exponent of 16 on, where nothing rounds to zero.
    """
    mask = _wrap_int16((1 << exponent) - 1)
    return (value >> exponent) + ((value & mask) > (mask >> 1) + (value < 0))


def _doubling_high_mul_int16(a: int, b: int) -> int:
    """Computes the 16-bit ``SaturatingRoundingDoublingHighMul``, gemmlowp fixedpoint/fixedpoint.h."""
    return min((a * b + (1 << 14)) >> 15, 32767)


def mean_multiplier(input_scale: float, output_scale: float, elements: int) -> tuple[int, int]:
    """Returns MEAN's multiplier with the division by the number of elements folded in.

    Source: ``QuantizedMeanOrSum``, kernels/internal/reference/reduce.h.
    """
    multiplier, shift = quantize_multiplier(input_scale / output_scale)
    extra = min(elements.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // elements, shift - extra


def nearest_neighbors(extent: int, size: int, *, align_corners: bool, half_pixel_centers: bool) -> list[int]:
    """Returns which of ``extent`` elements each of ``size`` takes.

    Source: ``GetNearestNeighbor``, kernels/internal/reference/resize_nearest_neighbor.h, which computes in float32.
    """
    aligned = align_corners and size > 1
    scale = np.float32(extent - 1) / np.float32(size - 1) if aligned else np.float32(extent) / np.float32(size)
    places = (np.arange(size, dtype=np.float32) + np.float32(0.5 if half_pixel_centers else 0.0)) * scale
    exact = places.astype(np.float64)
    return np.minimum(np.floor(exact + 0.5 if align_corners else exact), extent - 1).astype(int).tolist()
