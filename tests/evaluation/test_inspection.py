"""Inspect: what it says of a real file, of a hostile one, and that all of it becomes JSON."""

import hashlib
import json
from pathlib import Path

import pytest

from glyphlite.errors import ArtifactError
from glyphlite.evaluation.inspection import describe, inspect_artifact
from glyphlite.tflite.metadata import ModelMetadata, add_metadata
from glyphlite.tflite.reader import parse_graph, read_graph


def test_micro_cnn_int8_op_by_op(samples: Path) -> None:
    path = samples / "model_int8.tflite"
    inspection = inspect_artifact(path, runtimes=False)
    assert inspection.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert inspection.bytes == path.stat().st_size
    assert [(op.builtin_code, op.macs, op.parameters, op.parameter_bytes) for op in inspection.operators] == [
        (3, 48_672, 80, 104),
        (17, 0, 0, 0),
        (22, 0, 0, 0),
        (9, 21_632, 21_648, 21_696),
        (9, 160, 170, 200),
        (25, 0, 0, 0),
    ]
    assert (inspection.macs, inspection.parameters, inspection.weight_bytes) == (70_464, 21_898, 22_000)
    conv = inspection.operators[0]
    assert (conv.inputs[0].shape, conv.outputs[0].shape, conv.output_bytes) == ([1, 28, 28, 1], [1, 26, 26, 8], 5408)
    assert (len(conv.constants[0].scales), conv.constants[0].axis) == (8, 0)
    assert inspection.inputs[0].zero_points == [-128]


def test_activations_alive_at_once(samples: Path) -> None:
    inspection = inspect_artifact(samples / "model_int8.tflite", runtimes=False)
    assert (inspection.live_bytes, inspection.live_op) == (5408 + 1352, 1)
    assert inspection.activation_bytes == 784 + 5408 + 1352 + 1352 + 16 + 10 + 10


def test_what_a_file_says_of_itself(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "named.tflite"
    digits = tuple("0123456789")
    metadata = ModelMetadata(name="micro", description="Classifies digits.", version="2", labels=digits)
    path.write_bytes(add_metadata((samples / "model_int8.tflite").read_bytes(), metadata))
    inspection = inspect_artifact(path, runtimes=False)
    assert (inspection.name, inspection.version, inspection.description) == ("micro", "2", "Classifies digits.")
    assert inspection.labels == list(digits)
    assert read_graph(path).labels == digits
    assert inspection.macs == 70_464


def test_it_becomes_json_and_back(samples: Path) -> None:
    inspection = inspect_artifact(samples / "model_int16x8.tflite", runtimes=False)
    document = json.loads(json.dumps(inspection.model_dump(mode="json"), allow_nan=False))
    assert type(inspection).model_validate(document).operators[0].name == "CONV_2D"
    assert document["operators"][0]["options"]["strides"] == [1, 1]


def test_what_each_runtime_says(samples: Path) -> None:
    int8 = inspect_artifact(samples / "model_int8.tflite").runtimes
    assert {name for name, report in int8.items() if report.accepts} >= {"litert", "litert_builtin", "litert_reference", "tflm"}
    assert int8["generated_c"].arena_bytes is not None
    assert int8["generated_c"].arena_bytes < 10_000
    float16 = inspect_artifact(samples / "model_float16.tflite").runtimes
    assert not float16["tflm"].accepts
    assert float16["tflm"].reason
    assert not float16["generated_c"].accepts
    assert float16["generated_c"].reason
    assert float16["litert"].accepts


def test_the_arena_of_tflite_micro_is_searched_when_asked_for(samples: Path) -> None:
    report = inspect_artifact(samples / "model_int8.tflite", arena=True).runtimes["tflm"]
    assert report.arena_bytes is not None
    assert 7_000 < report.arena_bytes < 10_000
    assert report.recommended_arena_bytes is not None
    assert report.recommended_arena_bytes > report.arena_bytes


def test_a_tensor_is_described_once_for_all_that_use_it(samples: Path) -> None:
    operators = inspect_artifact(samples / "model_int8.tflite", runtimes=False).operators
    assert operators[0].outputs[0] is operators[1].inputs[0]


def test_custom_and_tensorflow_ops_are_told_apart(samples: Path) -> None:
    from dataclasses import replace

    graph = read_graph(samples / "model_float32.tflite")
    operators = list(graph.operators)
    operators[0] = replace(operators[0], builtin_code=32, name="CUSTOM", custom_code="FlexErf")
    operators[1] = replace(operators[1], builtin_code=32, name="CUSTOM", custom_code="MyOp")
    inspection = describe(replace(graph, operators=tuple(operators)), b"", "model")
    assert (inspection.select_tf_ops, inspection.custom_ops) == (["FlexErf"], ["MyOp"])


def test_a_damaged_file_is_one_line(samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes((samples / "model_int8.tflite").read_bytes()[:3000])
    with pytest.raises(ArtifactError, match=r"cut\.tflite"):
        inspect_artifact(path)


@pytest.mark.slow
def test_a_long_chain_is_described_in_linear_time(samples: Path) -> None:
    """Five thousand ops whose outputs all stay alive: hostile to anything quadratic."""
    from dataclasses import replace

    graph = parse_graph((samples / "model_int8.tflite").read_bytes())
    relu, tensor = replace(graph.operators[5], name="RELU", builtin_code=19, options={}), graph.tensors[12]
    count = 5_000
    tensors = tuple(replace(tensor, index=index) for index in range(count + 1))
    operators = tuple(replace(relu, index=index, inputs=(index,), outputs=(index + 1,)) for index in range(count))
    last = replace(operators[-1], inputs=tuple(range(count)))
    inspection = describe(
        replace(graph, tensors=tensors, operators=(*operators[:-1], last), inputs=(0,), outputs=(count,)), b"", "m"
    )
    assert inspection.live_bytes == 10 * (count + 1)
    assert inspection.live_op == count - 1


def test_state_is_shown_with_its_size(tmp_path: Path) -> None:
    from support.streaming import running_sum

    (tmp_path / "sum.tflite").write_bytes(running_sum())
    inspection = inspect_artifact(tmp_path / "sum.tflite", runtimes=False)
    (state,) = inspection.state
    assert (state.name, state.shape, state.dtype, state.bytes, inspection.subgraphs) == ("sum", [1, 4], "int8", 4, 2)
