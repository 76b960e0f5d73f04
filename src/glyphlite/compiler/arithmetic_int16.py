"""The arithmetic of TensorFlow Lite Micro on int16 activations, in NumPy: what its tables hold and how sums are scaled.

Knows numbers only, no graph and no C. Every function names the file of ``tensorflow/lite`` whose result it reproduces.
"""

from collections.abc import Callable

import numpy as np

from glyphlite.compiler.arithmetic import quantize_multiplier

LUT_STEPS = 512
"""Intervals of an interpolated table over all int16; a value's upper nine bits choose one."""

# fmt: off
SIGMOID = np.array([
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688, 43304,
    43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409, 51865, 52311,
    52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433, 57724, 58007, 58280,
    58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279, 61441, 61599, 61750,
    61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186, 63279, 63368, 63454, 63536, 63615,
    63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450, 64494, 64536, 64576,
    64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900, 64926, 64950, 64974, 64997, 65019, 65039, 65060,
    65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301,
    65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420,
    65425, 65429, 65433, 65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479,
    65481, 65483, 65485, 65488, 65489, 65491, 65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508,
    65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522,
    65523, 65523, 65524, 65524, 65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529,
    65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533,
    65533, 65533, 65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
    65535,
], np.uint16)
# fmt: on
"""The logistic function of i / 24 as Q0.16, rounded as the reference has it. Source: ``sigmoid_table_uint16``,
kernels/internal/common.h.
"""


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
