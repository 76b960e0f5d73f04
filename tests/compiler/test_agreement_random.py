"""Random models, random and extreme inputs: generated C gives TFLite Micro's bytes. ``make campaign`` takes two thousand.

Built with the address and undefined-behaviour sanitizers, its arena full of rubbish, guard zones around it. A failure names the
seed; ``random_models.model_of(seed)`` gives the model again.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from random_models import Oracle, draw, draw_inputs, from_model, model_of, stored_inputs, to_model
from random_models.by_hand import op_name
from random_models.findings import FOUND
from random_models.harness import OPTIMIZE, PATHS, run_generated

from glyphlite.compiler.ops import OPS
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph

BY_HAND = (*range(1, 49, 2), *range(1001, 1025, 2))
FROM_KERAS = (4, 6, 20, 24, 1002, 1010)
FOUND_BY_CAMPAIGNS = (50, 56, 177, 189, 941)
"""A lone RESHAPE; a bias of 2**30; multipliers above one; a LOGISTIC after a pool that was fused into its convolution."""


def answers(seed: int, inputs: int) -> tuple[Graph, np.ndarray, np.ndarray]:
    _, model = model_of(seed)
    graph = parse_graph(model, f"seed {seed}")
    stored = stored_inputs(seed, inputs, graph)
    return graph, stored, from_model(graph, Oracle(model).run_all(to_model(graph, stored)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", BY_HAND)
def test_models_written_by_hand_agree(seed: int, tmp_path: Path):
    graph, stored, expected = answers(seed, 300)
    path = list(PATHS)[seed // 6 % len(PATHS)]
    got = run_generated(graph, stored, tmp_path, optimize=OPTIMIZE[seed % 3], path=path)
    assert np.array_equal(got, expected), (
        f"{path}: {(got != expected).sum()} bytes of {expected.size} differ\n{draw(seed, for_keras=False)}"
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", FOUND_BY_CAMPAIGNS)
def test_what_campaigns_found_stays_mended(seed: int, tmp_path: Path):
    graph, stored, expected = answers(seed, 300)
    assert np.array_equal(run_generated(graph, stored, tmp_path, optimize=OPTIMIZE[seed % 3]), expected)


@pytest.mark.slow
@pytest.mark.parametrize("seed", FROM_KERAS)
def test_models_converted_from_keras_agree_on_every_path(seed: int, tmp_path: Path):
    graph, stored, expected = answers(seed, 300)
    for path in PATHS:
        folder = tmp_path / path
        folder.mkdir()
        got = run_generated(graph, stored, folder, optimize=OPTIMIZE[seed % 3], path=path)
        assert np.array_equal(got, expected), f"{path}: {(got != expected).sum()} bytes differ\n{draw(seed, for_keras=True)}"


def test_the_models_cover_the_op_list():
    """Both kinds of drafts, over the seeds of a campaign: every op, and the corners that the specification names."""
    kinds: Counter[str] = Counter()
    corners: set[str] = set()
    for seed in (*range(400), *range(1000, 1400)):
        draft = draw(seed, for_keras=seed % 2 == 0)
        shapes = draft.shapes
        for step in draft.steps:
            kinds[step.kind] += 1
            settings = step.settings
            source = shapes[step.sources[0]]
            if "kernel" in settings and step.kind in ("conv", "depthwise"):
                corners |= {f"stride {stride}" for stride in settings["strides"]}
                corners |= {f"dilation {dilation}" for dilation in settings["dilation"]}
                corners |= {settings["padding"], f"{step.kind} bias {settings['bias']}", settings["fused"]}
                corners |= {"one wide"} if source[1] == 1 and source[0] > 1 else set()
                corners |= {"odd"} if source[0] % 2 and source[1] % 2 else set()
            if step.kind == "depthwise":
                corners.add(f"multiplier {settings['multiplier']}")
            if len(set(step.sources)) > 1:
                corners.add(f"branch {step.kind}")
    edges = {"EXPAND_DIMS", "DEQUANTIZE", "RELU_N1_TO_1"}  # views as RESHAPE, outputs of "float32" drafts, fused alone
    edges |= {"TILE"}  # which TFLite Micro has no kernel of
    edges |= {"CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF"}  # states.py
    edges |= set(FOUND)  # findings.py
    assert {op_name(kind) for kind in kinds} == set(OPS) - edges
    assert min(kinds.values()) >= 5
    wanted = {"stride 1", "stride 2", "stride 3", "dilation 1", "dilation 2", "dilation 3", "SAME", "VALID", "one wide", "odd"}
    wanted |= {"multiplier 1", "multiplier 2", "multiplier 3", "conv bias False", "depthwise bias False", "none", "relu", "relu6"}
    assert corners >= wanted | {"relu_n1_to_1", "branch add", "branch mul", "branch concatenation"}


def test_models_and_inputs_are_the_same_each_time():
    first, second = model_of(7)[1], model_of(7)[1]
    assert first == second
    assert model_of(9)[1] != first
    inputs = draw_inputs(7, 50, (3, 4), -128)
    assert np.array_equal(inputs, draw_inputs(7, 50, (3, 4), -128))
    assert {-128, 127} <= set(inputs[0].reshape(-1)) | set(inputs[1].reshape(-1))


def test_a_wrong_weight_is_seen(tmp_path: Path):
    """The proof can fail: one layer's weights negated, and bytes differ."""
    graph, stored, expected = answers(11, 50)
    weights = max(
        (tensor for tensor in graph.tensors if tensor.is_constant and tensor.dtype == np.int8), key=lambda it: it.elements
    )
    assert weights.data is not None
    negated = replace(weights, data=np.clip(-weights.data.astype(np.int16), -128, 127).astype(np.int8))
    mutant = replace(graph, tensors=tuple(negated if tensor is weights else tensor for tensor in graph.tensors))
    assert not np.array_equal(run_generated(mutant, stored, tmp_path), expected)
