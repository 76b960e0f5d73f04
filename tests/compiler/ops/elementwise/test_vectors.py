"""Ops over the last axis: LOG_SOFTMAX and L2_NORMALIZATION of vectors of any length, on every path."""

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, agree, any_activation, one_op, outcomes

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

OUTPUTS = {"LOG_SOFTMAX": (1 / 16, 127), "L2_NORMALIZATION": (1 / 128, 0)}


def vectors(name: str, source: Activation) -> bytes:
    options = {"L2_NORMALIZATION": "L2NormOptions"}.get(name)
    return one_op(name, [source], Activation(source.shape, *OUTPUTS[name]), options)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", OUTPUTS)
def test_any_shapes_and_scales_agree(name: str, path: str):
    seed = list(PATHS).index(path)
    rng, models = np.random.default_rng(seed), {}
    for number in range(24):
        shape = (1, *(int(extent) for extent in rng.integers(1, 12, int(rng.integers(1, 4)))))
        shape = (1, 1000) if rng.random() < 0.1 else shape
        models[f"{name} {number} {shape}"] = vectors(name, any_activation(rng, shape, 10 ** rng.uniform(-4, 1)))
    agree(models, seed=seed, optimize=OPTIMIZE[seed % 3], path=path)


@pytest.mark.slow
@pytest.mark.parametrize("name", OUTPUTS)
def test_scales_far_apart_agree_or_are_refused(name: str):
    scales = (1e-30, 1.5e-8, 1e-7, 1e-5, 0.9, 31.0, 1e3, 1e12, 1e30)
    models = {str(scale): vectors(name, Activation((1, 3, 5), float(np.float32(scale)), 3)) for scale in scales}
    assert outcomes(models)["equal"] >= 7


@pytest.mark.parametrize(
    ("name", "channels", "words"),
    [("LOG_SOFTMAX", 4096, "its sums hold 4095"), ("L2_NORMALIZATION", 33026, "a sum of 33026 squares does not fit int32")],
)
def test_a_sum_that_may_leave_its_bits_is_refused(name: str, channels: int, words: str):
    with pytest.raises(ArtifactError, match=words):
        compile_graph(parse_graph(vectors(name, Activation((1, channels), 0.1, 0))), "net")


def test_another_output_scale_than_the_kernels_is_refused():
    model = one_op("LOG_SOFTMAX", [Activation((1, 4), 0.1, 0)], Activation((1, 4), 0.06, 127))
    with pytest.raises(ArtifactError, match="not 1/16 and 127"):
        compile_graph(parse_graph(model), "net")
