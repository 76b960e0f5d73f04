"""A file declares exactly what its tensors need: op versions by TensorFlow's own table, the oldest runtime, nothing unused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite.models.pretrained import ROOT
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_graph
from glyphlite.tflite.rewrite.declarations import MINIMUM_RUNTIME, with_true_declarations
from glyphlite.tflite.rewrite.float_io import with_float_edges
from glyphlite.tflite.rewrite.int4_weights import with_narrow_weights
from glyphlite.tflite.writer import pack_model, unpack_model

ASKED_FOR = {
    ("CONV_2D", "int8"): 3,
    ("CONV_2D", "int4"): 7,
    ("DEPTHWISE_CONV_2D", "int8"): 3,
    ("DEPTHWISE_CONV_2D", "int4"): 7,
    ("FULLY_CONNECTED", "int8"): 4,
    ("FULLY_CONNECTED", "int4"): 10,
}
"""GetBuiltinOperatorVersion for int8 activations, by the type of the weights."""

SHIPPED = sorted(ROOT.rglob("*.tflite"))


def minimum_runtime(content: bytes) -> str:
    model = unpack_model(content)
    (entry,) = [entry for entry in model.metadata if entry.name == MINIMUM_RUNTIME.encode()]
    stored = bytes(model.buffers[entry.buffer].data)
    assert len(stored) == 16
    return stored.rstrip(b"\0").decode()


def unused_codes(content: bytes) -> set[int]:
    model = unpack_model(content)
    used = {operator.opcodeIndex for graph in model.subgraphs for operator in graph.operators}
    return set(range(len(model.operatorCodes))) - used


def declared(graph: Graph) -> list[tuple[str, str, int]]:
    """Each weighted op with the type of its weights and the version that the file declares."""
    weighted = [operator for operator in graph.operators if (operator.name, "int8") in ASKED_FOR]
    return [(operator.name, graph.tensors[operator.inputs[1]].stored_type, operator.version) for operator in weighted]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT).parent))
def test_shipped_files_declare_what_their_weights_ask_for(path: Path):
    content, graph = path.read_bytes(), read_graph(path)
    found = declared(graph)
    assert found
    assert all(version == ASKED_FOR[kind, weights] for kind, weights, version in found)
    assert minimum_runtime(content) == ("2.11.0" if any(weights == "int4" for _, weights, _ in found) else "1.14.0")
    assert not unused_codes(content)
    assert len(graph.labels) == 10


def test_shipped_files_hold_both_kinds_of_weights():
    kinds = {weights for path in SHIPPED for _, weights, _ in declared(read_graph(path))}
    assert kinds == {"int4", "int8"}


def with_first_filter_on_few_values(content: bytes) -> bytes:
    """The model with filters of the first layer that four bits hold."""
    model: Any = unpack_model(content)
    weights = model.subgraphs[0].tensors[model.subgraphs[0].operators[0].inputs[1]]
    codes = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8)
    model.buffers[weights.buffer].data = (np.round(codes / 18).astype(np.int8) * 18).view(np.uint8)
    return with_narrow_weights(pack_model(model))


def test_one_op_in_two_versions_gets_two_codes_and_the_answers_stay(samples: Path, tmp_path: Path):
    before = with_first_filter_on_few_values((samples / "model_int8.tflite").read_bytes())
    after = with_true_declarations(before)
    found = declared(parse_graph(after, "after"))
    assert [(kind, weights) for kind, weights, _ in found][:2] == [("CONV_2D", "int4"), ("FULLY_CONNECTED", "int8")]
    assert [version for *_, version in found][:2] == [7, 4]
    assert minimum_runtime(after) == "2.11.0"
    assert with_true_declarations(after) == after
    images = np.random.default_rng(0).integers(-128, 128, (20, 28, 28, 1), np.int8)
    answers = []
    for name, content in (("before", before), ("after", after)):
        (tmp_path / f"{name}.tflite").write_bytes(content)
        for runtime in ("litert", "litert_builtin", "tflm", "generated_c"):
            with get_runtime(runtime).load(tmp_path / f"{name}.tflite") as model:
                answers.append(model.predict(images))
    assert answers[0].std() > 0
    for first, second in zip(answers[:4], answers[4:], strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int8", "int16x8"])
def test_no_variant_keeps_codes_that_nothing_uses(variant: str, samples: Path):
    content = (samples / f"model_{variant}.tflite").read_bytes()
    after = with_true_declarations(content)
    assert not unused_codes(after)
    assert [operator.name for operator in parse_graph(after, "").operators] == [
        operator.name for operator in parse_graph(content, "").operators
    ]
    assert minimum_runtime(after) == minimum_runtime(content)


def test_float_edges_say_which_runtime_has_their_ops(samples: Path):
    content = with_float_edges(with_true_declarations((samples / "model_int8.tflite").read_bytes()))
    assert not unused_codes(content)
    assert minimum_runtime(content) == "1.14.0"
    narrow = with_float_edges((ROOT / "glyph-4k" / "seed-0" / "model_int8.tflite").read_bytes())
    assert minimum_runtime(narrow) == "2.11.0"
    codes = [(operator.name, operator.version) for operator in parse_graph(narrow, "").operators]
    assert (codes[0], codes[-1]) == (("QUANTIZE", 1), ("DEQUANTIZE", 2))
