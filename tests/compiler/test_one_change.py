"""A sound model with one scale, zero point, extent, option or input changed: the same bytes as TFLite Micro, or a refusal.

``campaigns/one_change.py`` takes thousands of them.
"""

import re
import struct
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import model_of
from random_models.differential import compare, examine
from random_models.one_change import changes
from support.altered import buffer, changed

from glyphlite.compiler import compile_graph
from glyphlite.tflite.ops import name_of
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.writer import pack_model, unpack_model

MOVERS = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "PAD", "RELU6")
"""Ops that only move or clamp bytes: their output's quantization is the reader's of it to apply."""
SEEDS = (7, 31, 1001, 1003, 1007)


@cache
def changes_of(seed: int) -> dict[str, bytes]:
    """Every change of a random model, by its words."""
    return dict(changes(model_of(seed)[1]))


def _moved(content: bytes) -> list[int]:
    graph = parse_graph(content, "model")
    return [operator.outputs[0] for operator in graph.operators if operator.name in MOVERS]


@pytest.mark.slow
def test_where_bytes_are_moved_the_quantization_may_change() -> None:
    verdicts: Counter[str] = Counter()
    for seed in SEEDS:
        every = changes_of(seed)
        wanted = [
            words
            for tensor in _moved(model_of(seed)[1])[:2]
            for words in (f"tensor {tensor}: scale halved", f"tensor {tensor}: zero point 3")
            if words in every
        ]
        verdicts += _sound_verdicts(seed, wanted, inputs=24)
    assert verdicts["equal"] >= 4


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_anything_else_changed_is_equal_or_refused(seed: int) -> None:
    every = list(changes_of(seed))
    chosen = np.random.default_rng(seed).choice(len(every), 8, replace=False)
    assert _sound_verdicts(seed, [every[index] for index in chosen], inputs=12).total() == 8


def _sound_verdicts(seed: int, words: Sequence[str], *, inputs: int) -> Counter[str]:
    """Counts what becomes of changes of a random model; none is a fault."""
    verdicts = examine([changes_of(seed)[each] for each in words], seed=seed, inputs=inputs)
    assert [(seed, *found) for found in zip(words, verdicts, strict=True) if found[1].is_fault] == []
    return Counter(verdict.outcome for verdict in verdicts)


def _with_op(name: str) -> tuple[bytes, Any, int]:
    """A model by hand that has an op, the same as objects, and where the op is."""
    for seed in range(1, 99, 2):
        content = model_of(seed)[1]
        model = unpack_model(content)
        for index, operator in enumerate(model.subgraphs[0].operators):
            if name_of(model.operatorCodes[operator.opcodeIndex].builtinCode) == name:
                return content, model, index
    raise AssertionError(name)


def test_a_pad_whose_paddings_are_no_constant_is_refused() -> None:
    _, model, index = _with_op("PAD")
    graph = model.subgraphs[0]
    operator = graph.operators[index]
    operator.inputs = np.array([operator.inputs[0], operator.inputs[0]], np.int32)
    verdict, why = compare(pack_model(model))
    assert verdict == "not compiled", why
    assert "its paddings are computed, not constant" in why


@pytest.mark.parametrize("name", ["RELU6", "CONV_2D", "AVERAGE_POOL_2D", "ADD"])
@pytest.mark.parametrize("scale", [1e-30, 1e-45])
def test_a_bound_that_leaves_32_bits_is_refused(name: str, scale: float) -> None:
    _, model, index = _with_op(name)
    operator = model.subgraphs[0].operators[index]
    for tensor in (operator.inputs[0], operator.outputs[0]):
        model.subgraphs[0].tensors[tensor].quantization.scale = np.array([scale], np.float32)
    if name != "RELU6":
        operator.builtinOptions.fusedActivationFunction = 3  # ReLU6
    verdict, why = compare(pack_model(model))
    assert verdict == "not compiled", why
    assert "scale" in why


def test_a_hard_swish_whose_output_is_far_coarser_than_its_input_is_equal() -> None:
    """TFLite Micro divides 16 bits by more than 2**15 there, and gets one or minus one."""
    content, model, index = _with_op("HARD_SWISH")
    output = model.subgraphs[0].operators[index].outputs[0]
    assert compare(dict(changes(content))[f"tensor {output}: scale times 1000"], seed=21) == ("equal", "")


def test_a_uint8_edge_whose_ratio_of_scales_leaves_31_bits_is_refused() -> None:
    by_words = changes_of(7)
    for words in ("tensor 1: scale 1e30", "tensor 7: scale 1e-30"):
        verdict, why = compare(by_words[words], seed=7)
        assert verdict == "not compiled", why
        assert "times too fine" in why


def test_constants_behind_the_flatbuffer_are_refused(samples: Path) -> None:
    """TFLite Micro does not look there: it would compute with what its memory happens to hold."""
    int8 = samples / "model_int8.tflite"
    graph = parse_graph(int8.read_bytes(), "model")
    weights = next(t for t in graph.tensors if t.is_constant and t.elements > 1000)
    assert weights.data is not None
    moved = changed(int8, buffer(weights.buffer, data=None, offset=(mark := 0x5EA1ED << 20), size=weights.data.nbytes))
    place, start = moved.index(struct.pack("<Q", mark)), len(moved)
    behind = moved[:place] + struct.pack("<Q", start) + moved[place + 8 :] + weights.data.tobytes()
    assert parse_graph(behind, "model").tensors[weights.index].is_behind
    verdict, why = compare(behind)
    assert verdict == "not compiled", why
    assert "behind the FlatBuffer" in why


def test_a_free_batch_hides_no_shape_that_does_not_fit() -> None:
    """Where an extent is free the reader cannot compare sizes; generated code has a batch of one and must."""
    _, model, index = _with_op("RESHAPE")
    graph = model.subgraphs[0]
    operator = graph.operators[index]
    output = graph.tensors[operator.outputs[0]]
    output.shape = np.array([*output.shape[:-1], output.shape[-1] + 1], np.int32)
    output.shapeSignature = np.array([-1, *output.shape[1:]], np.int32)
    graph.operators, graph.outputs = graph.operators[: index + 1], operator.outputs
    operator.inputs = operator.inputs[:1]
    operator.builtinOptions.newShape = np.array([-1, *output.shape[1:]], np.int32)
    verdict, why = compare(pack_model(model))
    assert verdict == "not compiled", why
    assert "another number of values" in why


@pytest.mark.parametrize("name", ["a" * 10_000, "\n\r\033[2J", "x/" + "b_" * 5_000 + "/y"])
def test_a_refusal_stays_one_short_line_whatever_a_tensor_is_called(name: str) -> None:
    """``compare`` counts as a fault what is not one printable line of at most 1,000 characters."""
    refused: Counter[str] = Counter()
    for change in ("tensor 1: scale 1e30", "tensor 4: scale 1e-30", "tensor 4: not quantized", "tensor 2: zero point 3"):
        model = unpack_model(changes_of(7)[change])
        for tensor in model.subgraphs[0].tensors:
            tensor.name = name
        verdict, why = compare(pack_model(model))
        assert verdict in ("not compiled", "not read"), why
        refused[verdict] += 1
    assert refused["not compiled"] >= 2


def test_a_long_layer_name_makes_no_endless_identifier() -> None:
    model = unpack_model(model_of(7)[1])
    for tensor in model.subgraphs[0].tensors:
        tensor.name = "layer_" * 2_000
    files = compile_graph(parse_graph(pack_model(model), "model"), "net").files
    assert max(len(word) for word in re.findall(r"\w+", files["net.c"])) < 127
    assert compare(pack_model(model)) == ("equal", "")


def test_a_step_that_16_bits_do_not_hold_is_refused(samples: Path) -> None:
    """The kernels hold strides, dilations and paddings in 16 bits, and would compute with what is left of them."""
    model = unpack_model((samples.parent / "branches" / "model_int8.tflite").read_bytes())
    dilated = next(each for each in model.subgraphs[0].operators if getattr(each.builtinOptions, "strideW", 0) == 2)
    for dilation, expected in ((1 << 16, "not read"), (32_767, "equal")):
        dilated.builtinOptions.dilationWFactor = dilation
        verdict, why = compare(pack_model(model))
        assert verdict == expected, why


def test_a_pool_over_sums_that_wrap_as_they_are_scaled_is_equal(samples: Path) -> None:
    """The largest sum then has not the largest output: the pool must not be taken over the sums."""
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    first = model.subgraphs[0].operators[0]
    weights = model.subgraphs[0].tensors[first.inputs[1]].quantization
    weights.scale = np.full(len(weights.scale), 484_900.25, np.float32)
    assert compare(pack_model(model)) == ("equal", "")
