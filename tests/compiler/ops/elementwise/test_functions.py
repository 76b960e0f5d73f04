"""Ops of one value, by a table of 256: ABS, RSQRT and ELU under any scales and zero points."""

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, agree, any_activation, one_op, outcomes

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

KINDS = ("ABS", "RSQRT", "ELU")
SHAPE = (1, 2, 256)


def draw(name: str, rng: np.random.Generator) -> bytes:
    source = any_activation(rng, SHAPE, 10 ** rng.uniform(-4, 1))
    if name != "RSQRT":
        return one_op(name, [source], any_activation(rng, SHAPE, source.scale))
    return one_op(name, [Activation(SHAPE, source.scale, -128)], any_activation(rng, SHAPE, source.scale**-0.5 / 100))


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_value_agrees(name: str):
    seed = KINDS.index(name)
    rng = np.random.default_rng(seed)
    models = {f"{name} {number}": draw(name, rng) for number in range(50)}
    agree(models, seed=seed, optimize=OPTIMIZE[seed], path=list(PATHS)[seed])


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_scales_far_apart_agree_or_are_refused(name: str):
    models = {}
    for one in (1e-30, 1e-9, 1e-3, 1.0, 1e9, 1e30):
        for ratio in (1e-30, 1e-6, 1.0, 1e6, 1e30):
            for zero_point in (-128, 127):
                source = Activation(SHAPE, float(np.float32(one)), -128 if name == "RSQRT" else zero_point)
                with np.errstate(over="ignore", under="ignore"):
                    scale = float(np.float32(one * ratio))
                if 0 < scale < 1e37:
                    models[f"{one} {ratio} {zero_point}"] = one_op(name, [source], Activation(SHAPE, scale, zero_point))
    assert outcomes(models)["equal"] >= 8


def test_the_root_of_what_may_be_negative_is_refused():
    model = one_op("RSQRT", [Activation(SHAPE, 0.1, -127)], Activation(SHAPE, 0.1, 0))
    with pytest.raises(ArtifactError, match="its input may be below 0, where TFLite Micro stops; quantize its input from 0 up"):
        compile_graph(parse_graph(model), "net")
