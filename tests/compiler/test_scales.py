"""How the released TFLite Micro combines scales: in double, where its source says float32.

``static_cast<double>(a * b)`` of two float32 scales comes out as the product of two doubles in the tflite-micro wheel's build.
One sum in a hundred thousand then rounds the other way. Each test makes models in which the two ways give different bytes,
asks TFLite Micro, and holds generated C to its answer.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import Oracle
from random_models.by_hand import Parameters, _Writer
from random_models.drafts import Draft, Step
from random_models.harness import run_generated
from random_models.one_op import Activation, Constant, agree, one_op

from glyphlite.compiler.arithmetic import inverse_sqrt, multiply_by_quantized_multiplier, quantize_multiplier, quotient
from glyphlite.tflite.reader import parse_graph

EVERY = np.arange(-128, 128)


class Given(_Writer):
    """A model with the quantization parameters that it is given, in the order of its values."""

    def __init__(self, draft: Draft, parameters: list[Parameters]) -> None:
        super().__init__(draft)
        self.given = list(parameters)

    def any_parameters(self, scale: float) -> Parameters:
        return self.given.pop(0)


class Dense(Given):
    """One dense layer whose biases are the sums on which the two ways differ; its input is zero, so nothing else counts."""

    def weights(self, step: Step, source: Parameters) -> tuple[Parameters, list[int]]:
        scale, out = self.given.pop(0)[0], self.given.pop(0)
        double = source[0] * scale / out[0]
        single = float(np.float32(source[0]) * np.float32(scale)) / out[0]
        sums = np.arange(int(-100 / double), int(100 / double))
        self.differing = sums[scaled(sums, single) != scaled(sums, double)][: step.shape[0]]
        bias = np.zeros(step.shape[0], np.int32)
        bias[: len(self.differing)] = self.differing
        ones = self.constant(np.ones((step.shape[0], 4), np.int8), [scale], [0])
        return out, [ones, self.constant(bias, [scale * source[0]], [0])]


def scaled(values: np.ndarray, real: float) -> np.ndarray:
    return multiply_by_quantized_multiplier(values, *quantize_multiplier(real))


def scale(value: float) -> float:
    return float(np.float32(value))


def check(model: bytes, inputs: np.ndarray, folder: Path) -> np.ndarray:
    """TFLite Micro's answers, which generated C must give."""
    folder.mkdir()
    expected = Oracle(model).run(inputs)
    assert np.array_equal(run_generated(parse_graph(model), inputs, folder), expected)
    return expected


@pytest.mark.slow
def test_a_dense_layer_with_one_weight_scale(tmp_path: Path):
    rng = np.random.default_rng(1)
    seen = 0
    for index in range(30):
        source, weights = scale(10 ** rng.uniform(-3, -1)), scale(10 ** rng.uniform(-3, -2))
        out = scale(source * weights * rng.uniform(2000, 20000))
        step = Step("dense", (0,), (64,), {"units": 64, "bias": True, "fused": "none"})
        writer = Dense(Draft(index, (4,), (step,), "int8"), [(source, 3), (weights, 0), (out, 0)])
        model = writer.finish()
        if len(writer.differing) and seen < 12:
            answer = check(model, np.full((1, 4), 3, np.int8), tmp_path / str(index))[0, : len(writer.differing)]
            assert np.array_equal(answer, scaled(writer.differing, source * weights / out)), "the build changed: float32 again?"
            seen += len(writer.differing)
    assert seen >= 12


@pytest.mark.parametrize("kind", ["relu", "relu6", "hard_swish", "quantize"])
def test_ops_of_one_value(kind: str, tmp_path: Path):
    """Scales near a tie: the whole table of 256 values, each model in which float32 and double could differ."""
    rng = np.random.default_rng(2)
    found = 0
    while found < 6:
        value, half = int(rng.integers(1, 128)), int(rng.integers(0, 100))
        source = scale(6 / (half + 0.5)) if kind == "relu6" else scale(10 ** rng.uniform(-2, -0.5))
        out = scale(10 ** rng.uniform(-2, -0.5)) if kind == "hard_swish" else scale(source * value / (min(half, value) + 0.5))
        ratios: tuple[Any, Any] = (np.float32(source) / np.float32(out), source / out)
        multipliers = {quantize_multiplier(float(ratio)) for ratio in ratios}
        tables = {tuple(scaled(EVERY + 128, float(ratio))) for ratio in ratios}
        if len({"relu": tables, "quantize": tables, "hard_swish": multipliers}.get(kind, {0, 1})) == 1:
            continue
        found += 1
        zeros = [int(rng.integers(-60, 60)), int(rng.integers(-60, 60))] if kind == "hard_swish" else [-128, -128]
        given = [(source, zeros[0]), (out, zeros[1])]
        model = Given(Draft(found, (256,), (Step(kind, (0,), (256,)),), "int8"), given).finish()
        check(model, EVERY.astype(np.int8)[None], tmp_path / f"{kind}{found}")


class Difference(Given):
    """A SUB of every stored value and a constant of the same shape."""

    def __init__(self, draft: Draft, parameters: list[Parameters], other: np.ndarray) -> None:
        super().__init__(draft, parameters)
        self.other = other

    def constant(self, values: np.ndarray, *arguments: Any, **keywords: Any) -> int:
        return super().constant(self.other, *arguments, **keywords)


def difference(first: np.ndarray, second: np.ndarray, ratios: tuple[float, float, float]) -> np.ndarray:
    """SUB of centred values, by what scales either operand and the result."""
    raw = scaled(first << 20, ratios[0]) - scaled(second << 20, ratios[1])
    return np.clip(scaled(raw, ratios[2]), -128, 127)


def test_sub(tmp_path: Path):
    """Its source takes twice the larger scale, and every ratio, in float32."""
    rng = np.random.default_rng(3)
    first, second = np.repeat(EVERY, 8), np.tile(rng.integers(-128, 128, 8), 256)
    step = Step("sub", (0,), (2048,), {"constant": (2048,), "fused": "none"})
    found = 0
    for index in range(600):
        one, two = scale(10 ** rng.uniform(-3, 0)), scale(10 ** rng.uniform(-3, 0))
        out = scale(max(one, two) * rng.uniform(1, 2.2))
        twice = 2 * max(one, two)
        double = (one / twice, two / twice, twice / (2**20 * out))
        single = tuple(
            float(np.float32(above) / np.float32(below)) for above, below in ((one, twice), (two, twice), (twice, 2**20 * out))
        )
        differs = difference(first, second, double) != difference(first, second, (single[0], single[1], single[2]))
        if not differs.any():
            continue
        found += 1
        given: list[Parameters] = [(one, 0), (two, 0), (out, 0)]
        model = Difference(Draft(index, (2048,), (step,), "int8"), given, second.astype(np.int8)).finish()
        answer = check(model, first.astype(np.int8)[None], tmp_path / str(index))
        assert np.array_equal(answer[0], difference(first, second, double)), "the build changed: float32 again?"
        if found == 2:
            return
    pytest.fail("no scales told float32 and double apart")


def test_leaky_relu(tmp_path: Path):
    """A slope near a tie: the product of input scale, alpha and output scale in float32 and in double give different bytes."""
    rng = np.random.default_rng(4)
    for index in range(20_000):
        value, alpha = -int(rng.integers(1, 128)), scale(rng.uniform(0.01, 1.5))
        source = scale(10 ** rng.uniform(-2, -0.5))
        out = scale(source * alpha * -value / (int(rng.integers(0, 40)) + 0.5))
        single = float(np.float32(source) * np.float32(alpha) / np.float32(out))
        if (scaled(EVERY, single)[EVERY < 0] == scaled(EVERY, source * alpha / out)[EVERY < 0]).all():
            continue
        draft = Draft(index, (256,), (Step("leaky_relu", (0,), (256,), {"alpha": alpha}),), "int8")
        answer = check(Given(draft, [(source, 0), (out, 0)]).finish(), EVERY.astype(np.int8)[None], tmp_path / str(index))
        expected = np.where(EVERY >= 0, scaled(EVERY, source / out), scaled(EVERY, source * alpha / out))
        assert np.array_equal(answer[0], np.clip(expected, -128, 127)), "the build changed: float32 again?"
        return
    pytest.fail("no scales told float32 and double apart")


def near_a_tie(name: str, rng: np.random.Generator) -> bytes | None:
    """A model whose answer to one value float32 and double ratios round to different sides; None where they do not."""
    value, half, other = int(rng.integers(1, 128)), int(rng.integers(0, 90)) + 0.5, int(rng.integers(64, 128))
    source, second = scale(10 ** rng.uniform(-2, -0.5)), scale(10 ** rng.uniform(-2, -0.5))
    single, operands, options = np.float32(source), list[Constant](), None
    if name == "ABS":
        out = scale(source * value / half)
        ratios = single / np.float32(out), source / out
        answers = [scaled(np.array([value]), float(ratio))[0] for ratio in ratios]
    elif name == "RSQRT":
        out = scale(1 / (np.sqrt(source * value) * half))
        ratios = 1 / float(np.sqrt(single) * np.float32(out)), 1 / (np.sqrt(source) * out)
        multiplier, shift = inverse_sqrt(value)
        data = multiply_by_quantized_multiplier(1, multiplier, shift + 20)
        pairs = [quantize_multiplier(float(ratio)) for ratio in ratios]
        answers = [multiply_by_quantized_multiplier(data, factor, shift - 20) for factor, shift in pairs]
    elif name == "DIV":
        out = scale(value * source / (second * other * half))
        ratios = single / (np.float32(second) * np.float32(out)), source / (second * out)
        pairs = [quantize_multiplier(float(ratio)) for ratio in ratios]
        if not all(6 <= shift <= 23 for _, shift in pairs):
            return None
        answers = [quotient(np.array([value]), np.array([other]), *pair)[0] for pair in pairs]
        operands, options = [Constant(np.array([[other]], np.int8), [second])], "DivOptions"
    else:
        out = scale(source * second * other * value / half)
        ratios = single * np.float32(second) / np.float32(out), source * second / out
        answers = [scaled(np.array([-value * other]), float(ratio))[0] for ratio in ratios]
        operands = [Constant(np.array([[other]], np.int8), [second])]
    if answers[0] == answers[1]:
        return None
    zero_point = -128 if name == "RSQRT" else 0
    return one_op(name, [Activation((1, 256), source, zero_point), *operands], Activation((1, 256), out, zero_point), options)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ABS", "RSQRT", "DIV", "PRELU"])
def test_scales_near_a_tie_of_ops_that_came_later(name: str):
    """Their sources take the ratios in float32 (PRELU's in double); 24 inputs of 256 values meet every one of them."""
    rng = np.random.default_rng(5)
    drawn = (near_a_tie(name, rng) for _ in range(200_000))
    found = [model for model, _ in zip(filter(None, drawn), range(4), strict=False)]
    assert len(found) == 4, "no scales told float32 and double apart"
    agree({f"{name} {number}": model for number, model in enumerate(found)})
