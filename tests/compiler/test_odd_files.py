"""Odd but sound files, and files near them: each gives TFLite Micro's bytes or is refused."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models.differential import examine
from random_models.structured import changed_models
from support.altered import changed
from support.lenient import (
    ODDITIES,
    VECTORS_OF_FOUR,
    odd_files,
    with_one_output_twice,
    with_scalar_output,
    with_scratch_of_a_custom_op,
)
from support.mutants import make_mutant

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite import flatbuffer
from glyphlite.tflite.description import describe_operator
from glyphlite.tflite.reader import parse_graph

INT8 = "model_int8.tflite"
SEED = 23


@pytest.fixture(scope="module")
def odd(samples: Path) -> dict[str, bytes]:
    return odd_files(samples / INT8)


@pytest.mark.parametrize("name", [*ODDITIES, VECTORS_OF_FOUR])
def test_an_odd_file_is_read(odd: dict[str, bytes], name: str) -> None:
    graph = parse_graph(odd[name], name)
    assert [operator.name for operator in graph.operators] == [
        *("CONV_2D", "MAX_POOL_2D", "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX")
    ]
    assert all(describe_operator(graph, operator).outputs for operator in graph.operators)


@pytest.mark.slow
def test_odd_files_give_the_bytes_of_tflite_micro(odd: dict[str, bytes]) -> None:
    verdicts = examine(list(odd.values()), inputs=8)
    assert {name: verdict for name, verdict in zip(odd, verdicts, strict=True) if verdict.outcome != "equal"} == {}


def test_vectors_of_wider_numbers_were_refused_where_they_are_not_aligned(
    odd: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flatbuffer, "VECTOR_ALIGNMENT", 8)
    with pytest.raises(Exception, match="not aligned to 8"):
        parse_graph(odd[VECTORS_OF_FOUR], "some")


@pytest.mark.slow
def test_any_damage_to_an_odd_file_is_equal_or_refused(odd: dict[str, bytes]) -> None:
    verdicts = examine([make_mutant(odd, SEED, number).content for number in range(400)], inputs=8)
    assert [(number, verdict) for number, verdict in enumerate(verdicts) if verdict.is_fault] == []
    counts = Counter(verdict.outcome for verdict in verdicts)
    assert counts["equal"] > 40
    assert counts["not read"] > 150


@pytest.mark.slow
def test_several_changes_of_an_odd_file_are_equal_or_refused(odd: dict[str, bytes]) -> None:
    models = changed_models(odd, SEED, range(0, 2000, 16), from_files=1)
    verdicts = examine([model.content for model in models], inputs=8)
    faults = [(model.source, model.changes, verdict) for model, verdict in zip(models, verdicts, strict=True) if verdict.is_fault]
    assert faults == []
    assert len({model.source for model in models}) > 30
    assert Counter(verdict.outcome for verdict in verdicts)["equal"] > 20


def test_extents_of_tensors_that_nothing_reads_are_of_any_size(odd: dict[str, bytes]) -> None:
    shapes = {name: parse_graph(odd[name], name).tensors[-1].shape for name in ODDITIES if "unused tensor" in name}
    assert shapes["an unused tensor of extent 0"] == (0,)
    assert shapes["an unused tensor of extent 0 among others"] == (4, 0, 3)
    assert shapes["an unused tensor of free extents"] == shapes["an unused tensor of many dimensions"] == (0,)
    assert max(int(np.prod(shape)) for shape in shapes.values()) < 100


def test_a_custom_op_may_take_memory_that_no_op_writes(samples: Path) -> None:
    graph = parse_graph(changed(samples / INT8, with_scratch_of_a_custom_op))
    assert graph.operators[-1].custom_code == "ethos-u"
    with pytest.raises(ArtifactError, match="cannot express CUSTOM"):
        compile_graph(graph, "model")


@pytest.mark.parametrize("change", [with_scalar_output, with_one_output_twice])
def test_odd_outputs_are_read_and_equal_or_refused(samples: Path, change: Callable[[Any], None]) -> None:
    content = changed(samples / INT8, change)
    assert parse_graph(content).output.quantization is not None
    verdict = examine([content], inputs=8)[0]
    assert not verdict.is_fault
    assert verdict.outcome in ("equal", "not compiled"), verdict
