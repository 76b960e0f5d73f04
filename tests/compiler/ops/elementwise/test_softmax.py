"""SOFTMAX from int8 to int16: shapes, betas, scales and what follows it, on every path."""

from pathlib import Path

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS, run_generated
from random_models.one_op import Activation, agree, any_activation, one_op, outcomes

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

FINEST = 2.0**-16


def wide(source: Activation, *, beta: float = 1.0, scale: float = FINEST, zero_point: int = -32768, then: str = "") -> bytes:
    """A softmax of 16 bits, and perhaps what brings them to another type."""
    scores = Activation(source.shape, scale, zero_point, "int16")
    behind = {
        "": [],
        "int8": [("QUANTIZE", Activation(source.shape, 1 / 256, -128))],
        "int16": [("QUANTIZE", Activation(source.shape, 2.0**-15, 0, "int16"))],
        "int32": [("QUANTIZE", Activation(source.shape, 2.0**-15, 0, "int32"))],
        "finer int32": [("QUANTIZE", Activation(source.shape, 2.0**-33, 0, "int32"))],
        "float32": [("DEQUANTIZE", Activation(source.shape, 0, 0, "float32"))],
        "RELU": [("RELU", Activation(source.shape, 2.0**-15, 0, "int16"))],
    }
    return one_op("SOFTMAX", [source], scores, "SoftmaxOptions", beta=beta, behind=behind[then])


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_any_shapes_scales_and_betas_agree(path: str):
    seed = list(PATHS).index(path)
    rng, models = np.random.default_rng(seed), {}
    for number in range(24):
        shape = (1, *(int(extent) for extent in rng.integers(1, 12, int(rng.integers(1, 4)))))
        shape = (1, 1000) if rng.random() < 0.1 else shape
        source, beta = any_activation(rng, shape, 10 ** rng.uniform(-4, 1)), float(rng.choice([1.0, 0.5, 3.0]))
        then = str(rng.choice(["", "int8", "int16", "int32", "finer int32", "float32"]))
        models[f"{number} {shape} {then}"] = wide(source, beta=beta, scale=FINEST * rng.uniform(0.9991, 1.0009), then=then)
    agree(models, seed=seed, optimize=OPTIMIZE[seed % 3], path=path)


def test_scales_far_apart_agree_or_are_refused():
    scales = (1e-30, 1.5e-8, 1e-7, 1e-5, 0.9, 31.0, 1e3, 1e12)
    models = {str(scale): wide(Activation((1, 3, 5), float(np.float32(scale)), 3)) for scale in scales}
    assert outcomes(models)["equal"] >= 6


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"scale": 2.0**-15}, "not 1/65536 and -32768"),
        ({"zero_point": 0}, "not 1/65536 and -32768"),
        ({"then": "RELU"}, "reads int16 with the zero point -32768"),
    ],
)
def test_what_tflite_micro_refuses_or_no_kernel_computes_is_refused(changed: dict[str, object], words: str):
    model = wide(Activation((1, 4), 0.1, 0), **changed)  # type: ignore[arg-type]
    with pytest.raises(ArtifactError, match=words):
        compile_graph(parse_graph(model), "net")


def test_many_classes_that_are_alike_have_shares_of_nothing_and_undefine_nothing(tmp_path: Path):
    """TFLite Micro's assertion ends the program there: from 512 alike on it would shift by 32 bits."""
    source = Activation((1, 600), 0.05, 0)
    graph = parse_graph(one_op("SOFTMAX", [source], Activation(source.shape, 1 / 256, -128), "SoftmaxOptions", beta=1.0))
    inputs = np.full((2, 600), -128, np.int8)
    inputs[1, 77] = 127
    alike, peaked = run_generated(graph, inputs, tmp_path)
    assert set(alike) == {-128}
    assert peaked[77] == 127
    assert set(np.delete(peaked, 77)) == {-128}


def test_vectors_whose_exponentials_overflow_their_sum_are_refused():
    model = one_op("SOFTMAX", [Activation((1, 4096), 0.05, 0)], Activation((1, 4096), 1 / 256, -128), "SoftmaxOptions", beta=1.0)
    with pytest.raises(ArtifactError, match="4096 channels; its sums hold 4095"):
        compile_graph(parse_graph(model), "net")
