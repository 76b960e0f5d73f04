"""ADD and SUB as one line: each pair of bytes gives the reference's answer, and nearly always there is a line."""

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, agree, any_activation, one_op

from glyphlite.compiler import arithmetic
from glyphlite.compiler.ops.elementwise.line import Line, fit_line


def reference(
    scales: tuple[float, float, float], zero_points: tuple[int, int, int], sign: int, limits: tuple[int, int]
) -> np.ndarray:
    """The bytes of all pairs (``AddFunc`` of the reference), uint8 ``(256, 256)``."""
    twice = 2.0 * max(scales[:2])
    left, right = (
        arithmetic.multiply_by_quantized_multiplier(
            (np.arange(256) - zero_point) << 20, *arithmetic.quantize_multiplier(scale / twice)
        )
        for scale, zero_point in zip(scales[:2], zero_points[:2], strict=True)
    )
    total = left[:, np.newaxis] + sign * right[np.newaxis]
    scaled = arithmetic.multiply_by_quantized_multiplier(total, *arithmetic.quantize_multiplier(twice / (2.0**20 * scales[2])))
    return np.clip(scaled + zero_points[2], *limits).astype(np.uint8)


def answered(line: Line, limits: tuple[int, int]) -> np.ndarray:
    """What the generated C computes for all pairs."""
    x1, x2 = np.arange(256)[:, np.newaxis], np.arange(256)[np.newaxis]
    value = arithmetic.wrap_int32(x1 * line.factors[0] + x2 * line.factors[1] + line.start)
    value = value + (value >> 31) + line.addend if line.away else value
    assert np.abs(value).max() < 2**31
    return np.clip(value >> line.shift, *limits)


def test_every_pair_of_bytes_has_its_answer():
    rng = np.random.default_rng(0)
    found = 0
    for number in range(60):
        first, second, third = (float(scale) for scale in 10 ** rng.uniform(-2, -1, 3))
        # in each fourth, sums may fall between two bytes: halves go away from zero
        scales = (first, first, 2 * first) if number % 4 == 0 else (first, second, third)
        left, right, point = (int(each) for each in rng.integers(0, 256, 3))
        zero_points = (left, right, point)
        limits = (point, 255) if number % 3 == 0 else (0, 255)
        sign = 1 if number % 2 else -1
        answers = reference(scales, zero_points, sign, limits)
        if line := fit_line(answers, (scales[0] / scales[2], sign * scales[1] / scales[2]), (left, right), limits):
            found += 1
            np.testing.assert_array_equal(answered(line, limits), answers)
    assert found > 45


@pytest.mark.parametrize("name", ["ADD", "SUB"])
def test_lines_agree_on_every_path(name: str):
    rng = np.random.default_rng(3)
    models: dict[str, bytes] = {}
    for number in range(8):
        shape = (1, *(int(extent) for extent in rng.integers(1, 6, 3)))
        first, second = any_activation(rng, shape), any_activation(rng, shape)
        output = Activation(shape, 2 * max(first.scale, second.scale), int(rng.integers(-128, 128)))
        models[f"{name} {number}"] = one_op(
            name, [first, second], output, f"{name.title()}Options", fusedActivationFunction=number % 2
        )
    place = int(name == "SUB")
    agree(models, seed=place, optimize=OPTIMIZE[place], path=list(PATHS)[place])
