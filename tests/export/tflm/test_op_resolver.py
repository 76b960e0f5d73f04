"""The resolver's calls: exactly the ops a file uses, and a refusal that names what TFLite Micro lacks."""

from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.errors import ArtifactError
from glyphlite.export.tflm.op_resolver import TFLM_CUSTOM_OPS, TFLM_OPS, resolver_entries
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.ops import code_of
from glyphlite.tflite.reader import read_graph


@pytest.fixture
def graph(samples: Path) -> Graph:
    return read_graph(samples / "model_int8.tflite")


def with_op(graph: Graph, index: int, name: str, custom_code: str | None = None) -> Graph:
    operators = list(graph.operators)
    operators[index] = replace(operators[index], name=name, builtin_code=code_of(name), custom_code=custom_code)
    return replace(graph, operators=tuple(operators))


def test_every_op_of_the_table_is_one_of_the_schema() -> None:
    assert all(code_of(name) >= 0 for name in TFLM_OPS)
    methods = [*TFLM_OPS.values(), *TFLM_CUSTOM_OPS.values()]
    assert len(methods) == len(set(methods)) == 118
    assert all(method.startswith("Add") and method.isidentifier() for method in methods)


def test_each_op_once_in_the_order_of_first_use(graph: Graph) -> None:
    entries = resolver_entries(graph, "model.tflite")
    assert [(entry.builtin_code, entry.method) for entry in entries] == [
        (3, "AddConv2D"),
        (17, "AddMaxPool2D"),
        (22, "AddReshape"),
        (9, "AddFullyConnected"),
        (25, "AddSoftmax"),
    ]


def test_ops_past_127_and_tflite_micros_own_custom_ops_are_known(graph: Graph) -> None:
    changed = with_op(with_op(graph, 1, "BROADCAST_TO"), 2, "CUSTOM", "SignalRfft")
    entries = resolver_entries(changed, "model.tflite")
    assert [entry.method for entry in entries][1:3] == ["AddBroadcastTo", "AddRfft"]
    assert entries[1].builtin_code == 130


def test_every_op_that_tflite_micro_lacks_is_named(graph: Graph) -> None:
    changed = with_op(with_op(with_op(graph, 1, "GELU"), 2, "CUSTOM", "Flex\nErf*/"), 3, "TOPK_V2")
    with pytest.raises(ArtifactError, match=r"GELU, custom op 'Flex\\nErf\*/', TOPK_V2") as refusal:
        resolver_entries(changed, "model.tflite")
    assert "\n" not in str(refusal.value)
