"""LSTMs give TFLite Micro's bytes over consecutive calls, whose state goes on from one to the next."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models.differential import examine
from random_models.harness import OPTIMIZE, PATHS, run_generated
from random_models.inputs import draw_inputs
from random_models.one_change import changes
from random_models.oracle import Oracle, RefusedError
from random_models.recurrent import draw_lstm, draw_svdf
from support.slow import rest_slow
from support.streaming import diffusion

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.writer import pack_model, unpack_model

LSTM = 0
"""The op of a model that :func:`draw_lstm` makes, and a seed of one LSTM on one sequence."""


@pytest.mark.parametrize("seed", rest_slow(range(10), fast=3))
def test_many_lstms_agree_over_consecutive_calls(seed: int, tmp_path: Path) -> None:
    model = draw_lstm(seed)
    graph = parse_graph(model)
    assert graph.input.quantization is not None
    inputs = draw_inputs(seed, 60, graph.input.shape, graph.input.quantization.zero_point)
    expected = Oracle(model).run(inputs)
    path, optimize = list(PATHS)[seed % len(PATHS)], OPTIMIZE[seed % 3]
    assert np.array_equal(run_generated(graph, inputs, tmp_path, optimize=optimize, path=path), expected)


@pytest.mark.parametrize("features", [63, 300])
def test_long_rows_agree_with_and_without_lanes(features: int, tmp_path: Path) -> None:
    """Of 300 inputs whose weights are at their limits, the sums would leave the 24 bits that lanes hold."""
    model = unpack_model(draw_lstm(12, layers=1, dense=False, features=features))
    weights = model.buffers[model.subgraphs[0].tensors[model.subgraphs[0].operators[LSTM].inputs[1]].buffer]
    weights.data = np.full(len(weights.data), 127, np.uint8)
    content = pack_model(model)
    graph = parse_graph(content)
    inputs = draw_inputs(features, 30, graph.input.shape, 0)
    assert ("lane_weights" in compile_graph(graph, "net").files["net.c"]) == (features == 63)
    assert np.array_equal(run_generated(graph, inputs, tmp_path, path="dsp"), Oracle(content).run(inputs))


@pytest.mark.parametrize(
    "content", [draw_lstm(12, layers=1, dense=False), draw_svdf(3), diffusion()], ids=["lstm", "svdf", "map"]
)
def test_one_thing_changed_is_equal_or_refused(content: bytes) -> None:
    """A scale, a zero point, an extent, an option or an input."""
    every = list(changes(content))
    chosen = [every[index] for index in np.random.default_rng(5).choice(len(every), 12, replace=False)]
    for (words, _), verdict in zip(chosen, examine([altered for _, altered in chosen], inputs=12), strict=True):
        assert not verdict.is_fault, f"{words}: {verdict.outcome}, {verdict.why}"


def test_state_goes_on_from_call_to_call(tmp_path: Path) -> None:
    """The proof can fail: each input alone gives another answer than behind the others."""
    model = draw_lstm(12, layers=1, dense=False)
    graph = parse_graph(model)
    inputs = draw_inputs(12, 20, graph.input.shape, 0)
    together = run_generated(graph, inputs, tmp_path)
    alone = np.concatenate([Oracle(model).run(each[np.newaxis]) for each in inputs])
    assert np.array_equal(together[0], alone[0])
    assert not np.array_equal(together[1:], alone[1:])


def changed(change: Callable[[Any], None]) -> bytes:
    model = unpack_model(draw_lstm(12, layers=1, dense=False))
    change(model)
    return pack_model(model)


def graph_of(model: Any) -> Any:
    return model.subgraphs[0]


def wired(place: int, tensor: int) -> Callable[[Any], None]:
    """Another tensor as an input of the LSTM."""

    def change(model: Any) -> None:
        inputs = np.array(graph_of(model).operators[LSTM].inputs)
        inputs[place] = tensor
        graph_of(model).operators[LSTM].inputs = inputs

    return change


def input_of(place: int, **fields: Any) -> Callable[[Any], None]:
    """Other fields of an input of the LSTM."""

    def change(model: Any) -> None:
        tensor = graph_of(model).tensors[graph_of(model).operators[LSTM].inputs[place]]
        for name, value in fields.items():
            setattr(tensor.quantization if hasattr(tensor.quantization, name) else tensor, name, value)

    return change


def option(**fields: Any) -> Callable[[Any], None]:
    return lambda model: graph_of(model).operators[LSTM].builtinOptions.__dict__.update(fields)


def per_channel(model: Any) -> None:
    tensor = graph_of(model).tensors[graph_of(model).operators[LSTM].inputs[1]]
    count = int(tensor.shape[0])
    tensor.quantization.scale = np.full(count, 0.01, np.float32)
    tensor.quantization.zeroPoint = np.zeros(count, np.int64)


COMPILER = {
    "its activation is relu": option(fusedActivationFunction=1),
    "it has peepholes": wired(9, 9),
    "layer normalization": wired(20, 9),
    "it has no input gate": wired(1, -1),
    "scales or a zero point": per_channel,
    "its cell state has the scale": input_of(19, scale=np.array([8.0], np.float32)),
}
READER = {
    "keeps its state in tensor 0, which is no variable": wired(18, 0),
    "takes input 3 of shape": wired(3, 9),
    "keeps \\d+ values": input_of(19, shape=np.array([1, 77], np.int32)),
    "lacks an input": wired(18, -1),
    "without a scale": input_of(19, quantization=None),
    "computes the shape": lambda model: setattr(
        graph_of(model).tensors[graph_of(model).operators[LSTM].outputs[0]], "shape", np.array([1, 77, 5], np.int32)
    ),
    "keeps 25 values": option(timeMajor=True),
}


@pytest.mark.parametrize("words", COMPILER)
def test_what_c_cannot_express_is_refused_by_name(words: str) -> None:
    graph = parse_graph(changed(COMPILER[words]))
    with pytest.raises(ArtifactError, match=rf"UNIDIRECTIONAL_SEQUENCE_LSTM .*{words}"):
        compile_graph(graph, "net")


@pytest.mark.parametrize("words", READER)
def test_what_does_not_fit_together_is_refused_by_the_reader(words: str) -> None:
    with pytest.raises(ArtifactError, match=words):
        parse_graph(changed(READER[words]))


def test_tflite_micro_refuses_peepholes_too() -> None:
    with pytest.raises(RefusedError):
        Oracle(changed(wired(9, 9)))
