"""MEAN and averages as one line: each sum gives the reference's byte, and sums of all rows lie in pairs where they fit."""

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, any_activation, one_op

from glyphlite.compiler.ops.reduction.sum_line import MOST_BYTES, SumLine, fit_sum_line

SIDES = ((1, 1), (1, 2), (2, 2), (3, 3), (5, 1), (7, 9), (8, 8), (16, 16), (257, 1), (1, 258), (2, 129), (25, 5))


def averages(count: int) -> np.ndarray:
    """What each sum of so many bytes is on average, halves away from 128."""
    centred = np.arange(255 * count + 1) - 128 * count
    return 128 + np.sign(centred) * ((np.abs(centred) + count // 2) // count)


def answered(line: SumLine, count: int, limits: tuple[int, int]) -> np.ndarray:
    """What the generated C computes of each sum."""
    products = np.arange(255 * count + 1) * line.factor
    assert products.max() + max(line.start, 0) < 2 ** (31 if line.signed else 32)
    values = products + line.start
    assert line.signed or line.start >= 0
    low, high = limits[0] if line.clamps_low else 0, limits[1] if line.clamps_high else 255
    return np.clip(values >> line.shift, low, high)


@pytest.mark.parametrize("limits", [(0, 255), (128, 255), (3, 140)])
def test_every_sum_has_its_answer(limits: tuple[int, int]):
    found = 0
    for count in (*range(1, 260, 3), 64, 256, 257, MOST_BYTES):
        answers = np.clip(averages(count), *limits)
        if line := fit_sum_line(answers.astype(np.uint8), 1 / count, limits):
            found += count <= 257
            np.testing.assert_array_equal(answered(line, count, limits), answers)
    assert found == 89  # every count up to 257


def test_no_line_is_found_for_answers_that_lie_on_none():
    answers = np.array([0, 40, 41, 200], np.uint8)
    assert fit_sum_line(answers, 50.0, (0, 255)) is None
    assert fit_sum_line(answers, 1e20, (0, 255)) is None
    assert fit_sum_line(answers, 1e-20, (0, 255)) is None


def models(seed: int) -> dict[str, bytes]:
    """Averages and means over whole maps, clamped or not, of channels that are groups of four and that are not."""
    rng = np.random.default_rng(seed)
    made: dict[str, bytes] = {}
    for height, width in SIDES:
        channels = int(rng.choice([1, 3, 4, 8, 12, 20, 37, 40]))
        source = any_activation(rng, (1, height, width, channels), 0.05)
        pooled = Activation((1, 1, 1, channels), source.scale, source.zero_point)
        activation = int(rng.choice([0, 1, 3]))
        ahead = None if rng.random() < 0.4 else any_activation(rng, source.shape, 0.05)  # rows of the arena, or the caller's
        made[f"average {height}x{width}x{channels} {activation}"] = one_op(
            "AVERAGE_POOL_2D", [source], pooled, "Pool2DOptions", padding=1, strideH=1, strideW=1, filterHeight=height,
            ahead=ahead, filterWidth=width, fusedActivationFunction=activation,
        )  # fmt: skip
        axes = Constant(np.array((1, 2), np.int32))
        mean = any_activation(rng, (1, channels), source.scale * float(rng.choice([0.1, 1, 1, 5])))
        made[f"mean {height}x{width}x{channels}"] = one_op(
            "MEAN", [source, axes], mean, "ReducerOptions", keepDims=False, ahead=ahead
        )
    return made


@pytest.mark.slow
@pytest.mark.parametrize("path", list(PATHS))
def test_averages_and_means_agree_on_every_path(path: str):
    number = list(PATHS).index(path)
    agree(models(number), seed=number, optimize=OPTIMIZE[number % len(OPTIMIZE)], path=path)
