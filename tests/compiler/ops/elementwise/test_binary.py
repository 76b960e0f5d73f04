"""Ops of two maps besides ADD, SUB and MUL: shapes, broadcasts, constants, scales and zero points, on every path."""

from typing import Any

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, any_activation, any_constant, one_op, outcomes

from glyphlite.compiler import compile_graph
from glyphlite.compiler.lower import lower
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

KINDS = ("MAXIMUM", "MINIMUM", "PRELU", "SQUARED_DIFFERENCE", "DIV")
OPTIONS: dict[str, tuple[str | None, dict[str, Any]]] = {"DIV": ("DivOptions", {"fusedActivationFunction": 1})}


def binary(name: str, first: Activation | Constant, second: Activation | Constant, output: Activation) -> bytes:
    options, fields = OPTIONS.get(name, (None, {}))
    return one_op(name, [first, second], output, options, **fields)


def result_scale(name: str, first: float, second: float) -> float:
    return {"DIV": first / second / 50, "SQUARED_DIFFERENCE": max(first, second) ** 2 * 150}.get(name, first)


def shapes(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A shape of any rank, and one that broadcasts to it."""
    whole = (1, *(int(extent) for extent in rng.integers(1, 7, int(rng.integers(1, 4)))))
    part = tuple(extent if rng.random() < 0.6 else 1 for extent in whole)
    return whole, (part, whole, (1,) * len(whole), whole[-1:])[int(rng.integers(4))]


def draw(name: str, rng: np.random.Generator) -> bytes:
    """A constant on either side, or another value of the same shape; a DIV's divisors within an octave, none of them 0."""
    whole, part = shapes(rng)
    source = any_activation(rng, whole)
    constant = any_constant(rng, part, 10 ** rng.uniform(-3, 0))
    if name == "DIV":
        values = (rng.integers(64, 128, part) * rng.choice([-1, 1], part)).astype(np.int8)
        constant = Constant(values, constant.scales)
        ratio = source.scale / (np.array(constant.scales)[0] * 96)
        return binary(name, source, constant, any_activation(rng, whole, float(ratio) / 2))
    output = any_activation(rng, whole, result_scale(name, source.scale, float(np.array(constant.scales)[0])))
    if rng.random() < 0.3:
        return binary(name, source, any_activation(rng, whole, source.scale), output)
    pair = (constant, source) if rng.random() < 0.4 else (source, constant)
    return binary(name, *pair, output)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_any_shapes_and_scales_agree(name: str):
    seed = KINDS.index(name)
    rng = np.random.default_rng(seed)
    models = {f"{name} {number}": draw(name, rng) for number in range(45)}
    agree(models, seed=seed, optimize=OPTIMIZE[seed % 3], path=list(PATHS)[seed % len(PATHS)])


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_scales_far_apart_agree_or_are_refused(name: str):
    rng, models = np.random.default_rng(9), {}
    for scale in (1e-30, 1e-12, 1e-3, 1.0, 1e6, 1e12, 1e30):
        for place in range(3):
            parameters = [0.02, 0.03, result_scale(name, 0.02, 0.03)]
            parameters[place] = float(np.float32(scale))
            zero_point = int(rng.choice([-128, 127, 5]))
            values = rng.integers(64, 128, (4, 3)).astype(np.int8)
            second = Constant(values, [parameters[1]], 0 if name == "DIV" else zero_point)
            source, output = Activation((1, 4, 3), parameters[0], zero_point), Activation((1, 4, 3), parameters[2], zero_point)
            models[f"{name} {parameters} {zero_point}"] = binary(name, source, second, output)
    assert outcomes(models)["equal"] >= (3 if name == "DIV" else 7)


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (Constant(np.array([3, 0, 5], np.int8), [0.1]), "one of its divisors is 0"),
        (Constant(np.array([1, 127, 64], np.int8), [0.1]), "its output's scale is far from that of its quotients"),
        (Activation((1, 3), 0.2, 1), "it divides by a computed value, which may be 0"),
    ],
)
def test_a_division_that_is_undefined_is_refused(second: Constant | Activation, words: str):
    model = binary("DIV", Activation((1, 3), 0.1, 0), second, Activation((1, 3), 0.1, 0))
    with pytest.raises(ArtifactError, match=words):
        compile_graph(parse_graph(model), "net")


@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB", "PRELU", "MAXIMUM"])
def test_a_constant_of_one_number_is_a_table(name: str):
    """A bias or a scale that is the same in every channel: one stored byte decides."""
    source = Activation((1, 3, 4, 5), 0.05, -7)
    constant = Constant(np.full((1, 1, 5), 41, np.int8), [0.03], 3)
    model = one_op(name, [source, constant], Activation((1, 3, 4, 5), 0.05, -7), OPTIONS.get(name, (None, {}))[0])
    agree({name: model})
    assert "_constant[" not in compile_graph(parse_graph(model), "net").files["net_weights.h"]


def test_a_product_with_nothing_may_have_the_scale_0():
    """An unrolled LSTM's first state: TFLite Micro multiplies by it."""
    source, nothing = Activation((1, 3, 5), 0.05, -7), Constant(np.full((1, 5), 4, np.int8), [0.0], 4)
    product = one_op("MUL", [source, nothing], Activation((1, 3, 5), 1e-40, -7), "MulOptions")
    agree({"MUL": product})
    with pytest.raises(ArtifactError, match="has the scale 0"):
        lower(parse_graph(one_op("ADD", [source, nothing], source, "AddOptions")))
    something = Constant(np.arange(5, dtype=np.int8).reshape(1, 5), [0.0], 4)
    with pytest.raises(ArtifactError, match="not a finite number above 0"):
        parse_graph(one_op("MUL", [source, something], Activation((1, 3, 5), 0.05, -7), "MulOptions"))


@pytest.mark.parametrize("path", PATHS)
def test_products_of_any_scale_agree(path: str):
    """Products are scaled as a layer's sums: from far below one step of the output to far beyond its range, every clamp."""
    rng = np.random.default_rng([3, list(PATHS).index(path)])
    models: dict[str, bytes] = {}
    for number in range(12):
        first, second = any_activation(rng, (1, 8, 32, 8)), any_activation(rng, (1, 8, 32, 8))
        scale = first.scale * second.scale * 10 ** rng.uniform(-0.5, 5)
        output = any_activation(rng, (1, 8, 32, 8), float(np.float32(scale)))
        fused: dict[str, Any] = {"fusedActivationFunction": int(rng.choice([0, 1, 3]))}
        models[f"product {number}"] = one_op("MUL", [first, second], output, "MulOptions", **fused)
    agree(models, path=path)
