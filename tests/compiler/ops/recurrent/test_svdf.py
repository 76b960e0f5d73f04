"""SVDF gives TFLite Micro's bytes over consecutive calls, with state and weights over time of 8 and of 16 bits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS, run_generated
from random_models.inputs import draw_inputs
from random_models.oracle import Oracle, RefusedError
from random_models.recurrent import draw_svdf

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.writer import pack_model, unpack_model


@pytest.mark.parametrize("seed", range(8))
def test_many_agree_over_consecutive_calls(seed: int, tmp_path: Path) -> None:
    model = draw_svdf(seed)
    graph = parse_graph(model)
    inputs = draw_inputs(seed, 80, graph.input.shape, 0)
    expected = Oracle(model).run(inputs)
    path, optimize = list(PATHS)[seed % len(PATHS)], OPTIMIZE[seed % 3]
    assert np.array_equal(run_generated(graph, inputs, tmp_path, optimize=optimize, path=path), expected)
    alone = np.concatenate([Oracle(model).run(each[np.newaxis]) for each in inputs[:20]])
    assert graph.tensors[graph.operators[0].inputs[2]].shape[1] == 1 or not np.array_equal(alone, expected[:20])


def test_the_models_have_both_widths() -> None:
    kept = [tensor.dtype.name for seed in range(8) for tensor in parse_graph(draw_svdf(seed)).tensors if tensor.is_variable]
    assert set(kept) == {"int8", "int16"}


def changed(change: Callable[[Any], None]) -> bytes:
    model = unpack_model(draw_svdf(3))
    change(model)
    return pack_model(model)


def wired(place: int, tensor: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        operator = model.subgraphs[0].operators[0]
        inputs = np.array(operator.inputs)
        inputs[place] = tensor
        operator.inputs = inputs

    return change


def tensor_of(place: int, **fields: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        tensor = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[place]]
        for name, value in fields.items():
            setattr(tensor.quantization if hasattr(tensor.quantization, name) else tensor, name, value)

    return change


def rank(value: int) -> Callable[[Any], None]:
    return lambda model: setattr(model.subgraphs[0].operators[0].builtinOptions, "rank", value)


READER = {
    "of the rank 0": rank(0),
    "of the rank 1000": rank(1000),
    "or lacks one": wired(4, -1),
    "which is no variable": wired(4, 0),
    "takes input 3 of shape": wired(3, 1),
    "keeps": tensor_of(4, shape=np.array([1, 777], np.int32)),
    "has weights of shape": tensor_of(0, shape=np.array([1, 777], np.int32)),
    "without a scale": tensor_of(2, quantization=None),
}
COMPILER = {
    "has no constant int32 bias": wired(3, -1),
    "its bias has the scale": tensor_of(3, scale=np.array([1.0], np.float32)),
    "or a zero point": tensor_of(1, zeroPoint=np.array([3], np.int64)),
}


@pytest.mark.parametrize("words", READER)
def test_what_does_not_fit_together_is_refused_by_the_reader(words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        parse_graph(changed(READER[words]))


@pytest.mark.parametrize("words", COMPILER)
def test_what_c_cannot_express_is_refused_by_name(words: str) -> None:
    graph = parse_graph(changed(COMPILER[words]))
    with pytest.raises(ArtifactError, match=f"SVDF .*{words}"):
        compile_graph(graph, "net")


def test_tflite_micro_refuses_the_scale_of_the_bias_too() -> None:
    with pytest.raises(RefusedError):
        Oracle(changed(COMPILER["its bias has the scale"]))
