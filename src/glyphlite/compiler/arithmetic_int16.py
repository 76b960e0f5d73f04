"""The arithmetic of TensorFlow Lite Micro on int16 activations, in NumPy: what its tables hold and how sums are scaled.

Knows numbers only, no graph and no C. Every function names the file of ``tensorflow/lite`` whose result it reproduces.
"""

from collections.abc import Callable

import numpy as np

from glyphlite.compiler.arithmetic import quantize_multiplier

LUT_STEPS = 512
"""Intervals of an interpolated table over all int16; a value's upper nine bits choose one."""


def reduced_multiplier(multiplier: int) -> int:
    """Returns a quantized multiplier with 15 bits, as sums of 64 bits are scaled by it.

    Source: ``MultiplyByQuantizedMultiplier`` of an int64, kernels/internal/common.cc.
    """
    return (multiplier + (1 << 15)) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF


def sigmoid_multiplier(scale: float, *, shifts: tuple[int, ...]) -> tuple[int, int]:
    """Returns the multiplier and the right shift that bring an input to steps of 1 / (3 * 4096).

    Source: ``CalculateArithmeticOpDataLogistic``, micro/kernels/logistic_common.cc, and ``CalculateArithmeticOpData``,
    micro/kernels/tanh.cc.

    Args:
        scale: of the input.
        shifts: the powers of two above 1/4096 that take no rounding: (0,) for LOGISTIC, (0, 1) for TANH.
    """
    for shift in shifts:
        if is_power_of_two(scale, shift - 12):
            return 3 << shift, 0
    real, shift = scale * 4096.0 * 3.0, 0
    while real <= 32767.0 / 2.0 and shift <= 30:
        real, shift = real * 2.0, shift + 1
    return int(real), shift


def is_power_of_two(scale: float, exponent: int) -> bool:
    """Returns whether a scale is so near to a power of two that the reference takes it for one.

    Source: ``CheckedLog2``, kernels/kernel_util.cc: the float32 logarithm, 0.001 off at most.
    """
    logarithm = float(np.float32(np.log(np.float32(scale))) * np.float32(1.0 / np.log(2.0)))
    return round(logarithm) == exponent and abs(logarithm - exponent) < 1e-3


def softmax_multiplier(scale: float, beta: float) -> tuple[int, int]:
    """Returns what scales a difference to the exponential's table, where 65535 stands for 10.

    Source: ``CalculateSoftmaxParams``, micro/kernels/softmax_common.cc.
    """
    return quantize_multiplier(scale * beta / (10.0 / 65535.0))


def exponential_lut() -> np.ndarray:
    """Returns exp(x) of x from -10 to 0 as Q0.15, int16 ``(513,)``. Source: as :func:`softmax_multiplier`."""
    return _lut(10.0 / 65535, 32767, np.exp)


def reciprocal_lut() -> np.ndarray:
    """Returns 1 / (1 + x) of x from 0 to 1 as Q0.15, int16 ``(513,)``. Source: as :func:`softmax_multiplier`."""
    return _lut(1.0 / 65535, -32768, _one_over_one_plus)


def _one_over_one_plus(values: np.ndarray) -> np.ndarray:
    return np.float32(1) / (np.float32(1) + values)


def _lut(input_scale: float, input_zero_point: int, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Returns a table with its midpoints' error halved, in float32. Source: ``LUTPopulateInt16``, kernels/internal/common.h."""
    one, scale = np.float32(1), np.float32(input_scale)
    input_min, input_max = scale * np.float32(-32768 - input_zero_point), scale * np.float32(32767 - input_zero_point)
    output_scale = np.float32(2.0 / 65535)
    inverse = np.float32(65536) / (output_scale * np.float32(32767) - output_scale * np.float32(-32768))
    step = (input_max - input_min) / np.float32(LUT_STEPS)
    starts = input_min + np.arange(LUT_STEPS + 1, dtype=np.float32) * step
    values = function(starts) * inverse
    halfway = _round(function(starts[:-1] + step / np.float32(2)) * inverse)
    interpolated = _round((values[1:] + _round(values[:-1])) / np.float32(2))
    bias = _round((interpolated - halfway) / np.float32(2))
    last = _round(function(np.array([input_max], np.float32)) * inverse)
    table = np.concatenate([_round(values[:-1]) - bias, last])
    return np.clip(table, -32768 * one, 32767 * one).astype(np.int16)


def _round(values: np.ndarray) -> np.ndarray:
    """Rounds as C's ``roundf`` does: halves go away from zero."""
    return (np.trunc(values + np.copysign(np.float32(0.5), values))).astype(np.float32)
