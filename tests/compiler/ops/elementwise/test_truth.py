"""Comparisons, LOGICAL ops, SELECT_V2, ADD_N and ARG_MAX: shapes, broadcasts, constants, scales, on every path."""

from typing import Any

import numpy as np
import pytest
from random_models import draw
from random_models.by_hand import write
from random_models.by_hand_int16 import write as write_int16
from random_models.differential import examine
from random_models.findings import COMPARISONS, FOUND, with_findings
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, any_activation, any_constant, one_op, outcomes

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph


def shapes(rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A shape of any rank, images below one another now and then, and one that broadcasts to it."""
    whole = (1, *(int(extent) for extent in rng.integers(1, 6, int(rng.integers(1, 4)))))
    return whole, tuple(extent if rng.random() < 0.6 else 1 for extent in whole)


def compared(rng: np.random.Generator, name: str) -> bytes:
    whole, part = shapes(rng)
    source = any_activation(rng, whole, 10 ** rng.uniform(-4, -0.7))
    constant = any_constant(rng, part, source.scale * 10 ** rng.uniform(-0.3, 0))
    pair = [source, constant] if rng.random() < 0.5 else [constant, source]
    return one_op(name, pair, Activation(whole, 1.0, 0, "bool"))


def chosen(rng: np.random.Generator, element_type: str) -> bytes:
    whole, part = shapes(rng)
    wide = element_type == "int16"
    source = Activation(whole, 0.1, 0 if wide else 5, element_type)
    other = Constant((rng.integers(-128, 128, part) * (257 if wide else 1)).astype(element_type), [0.1], source.zero_point)
    pair = [source, other] if rng.random() < 0.5 else [other, source]
    condition = Constant(rng.random(tuple(1 if rng.random() < 0.4 else e for e in whole)) < 0.5)
    return one_op("SELECT_V2", [condition, *pair], Activation(whole, 0.2, source.zero_point, element_type))


def added(rng: np.random.Generator) -> bytes:
    whole, _ = shapes(rng)
    source = any_activation(rng, whole, 0.1)
    count = int(rng.integers(2, 16))
    values = [rng.integers(-128, 128, whole).astype(np.int8) for _ in range(count - 1)]
    others = [source if rng.random() < 0.5 else Constant(each, [source.scale], source.zero_point) for each in values]
    return one_op("ADD_N", [source, *others], any_activation(rng, whole, source.scale * count**0.5))


def placed(rng: np.random.Generator, name: str) -> bytes:
    whole, _ = shapes(rng)
    axis = int(rng.integers(-len(whole), len(whole)))
    rest = tuple(extent for place, extent in enumerate(whole) if place != axis % len(whole))
    options: dict[str, Any] = {"outputType": 2}
    operands = [any_activation(rng, whole), Constant(np.array(axis, np.int32))]
    return one_op(name, operands, Activation(rest, 1.0, 0, "int32"), f"Arg{name[4:].title()}Options", **options)


def test_any_shapes_and_scales_agree():
    rng = np.random.default_rng(0)
    models = {f"{name} {number}": compared(rng, name) for name in COMPARISONS for number in range(4)}
    models |= {f"SELECT_V2 {number}": chosen(rng, ("int8", "int16")[number % 2]) for number in range(12)}
    models |= {f"ADD_N {number}": added(rng) for number in range(8)}
    models |= {f"{name} {number}": placed(rng, name) for name in ("ARG_MAX", "ARG_MIN") for number in range(6)}
    agree(models, inputs=12)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_findings_of_random_models_agree(path: str):
    place = list(PATHS).index(path)
    rng = np.random.default_rng(place)
    drafts = [draw(1000 + 20 * place + number, for_keras=False) for number in range(20)]
    contents = [with_findings((write_int16 if number % 5 == 0 else write)(each), rng) for number, each in enumerate(drafts)]
    verdicts = examine(contents, inputs=12, seed=place, optimize=OPTIMIZE[place % 3], path=path)
    assert [verdict for verdict in verdicts if verdict.is_fault] == []
    assert sum(verdict.outcome == "equal" for verdict in verdicts) >= 17


def test_every_finding_is_drawn():
    rng, drawn = np.random.default_rng(2), set[str]()
    for seed in range(60):
        graph = parse_graph(with_findings(write(draw(seed, for_keras=False)), rng))
        drawn |= {operator.name for operator in graph.operators}
    assert set(FOUND) <= drawn


@pytest.mark.slow
def test_scales_far_apart_agree_or_are_refused():
    models: dict[str, bytes] = {}
    for scale in (1e-30, 1e-12, 1e-6, 0.5, 0.999, 1.0, 1e6):
        source, constant = Activation((1, 4, 3), scale, 3), Constant(np.arange(-6, 6, dtype=np.int8).reshape(1, 4, 3), [0.02], -1)
        models[f"GREATER {scale}"] = one_op("GREATER", [source, constant], Activation((1, 4, 3), 1.0, 0, "bool"))
        models[f"ADD_N {scale}"] = one_op("ADD_N", [source, source], Activation((1, 4, 3), 0.02, 3))
    assert outcomes(models)["equal"] >= 7


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (one_op("ADD_N", [Activation((1, 3), 0.1, 0)] * 16, Activation((1, 3), 1.0, 0)), "it adds 16 maps; 32 bits hold"),
        (
            one_op("GREATER", [Activation((1, 3), 1.5, 0)] * 2, Activation((1, 3), 1.0, 0, "bool")),
            "it compares in a scale of 1.5, not below 1",
        ),
        (
            one_op("GREATER", [Activation((1, 3), 0.1, 0, "int16")] * 2, Activation((1, 3), 1.0, 0, "bool")),
            "the op is not supported on int16",
        ),
        (
            one_op("ARG_MAX", [Activation((1, 3), 0.1, 0), Constant(np.array(1, np.int64))], Activation((1,), 1.0, 0, "int64")),
            "it gives int64, TFLite Micro int32",
        ),
    ],
)
def test_what_tflite_micro_leaves_undefined_is_refused(model: bytes, words: str):
    with pytest.raises(ArtifactError, match=words):
        compile_graph(parse_graph(model), "net")
