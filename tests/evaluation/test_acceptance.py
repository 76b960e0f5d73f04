"""Every command asks the runtimes alike whether they accept a file; running it is not yet classifying images with it."""

from pathlib import Path

import pytest

from glyphlite.errors import ArtifactError, GlyphliteError, ToolError
from glyphlite.evaluation.acceptance import ask_runtimes
from glyphlite.evaluation.inspection import inspect_artifact
from glyphlite.report.terminal.inspection import render_inspection
from glyphlite.runtimes.registry import INTERPRETERS
from glyphlite.tflite.reader import read_graph
from glyphlite.tflite.writer import pack_model, unpack_model


@pytest.fixture(scope="module")
def two_outputs(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model with its logits as a second output: every runtime runs it, and no image classifier has two."""
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    graph.outputs = [*graph.outputs, graph.operators[-1].inputs[0]]
    path = tmp_path_factory.mktemp("two") / "two_outputs.tflite"
    path.write_bytes(pack_model(model))
    return path


def test_a_runtime_that_runs_a_file_says_so_though_it_is_no_classifier(two_outputs: Path):
    reports = ask_runtimes(two_outputs)
    assert set(INTERPRETERS) <= set(reports)
    for name in INTERPRETERS:
        assert (reports[name].runs, reports[name].accepts) == (True, False), name
        assert "2 outputs" in str(reports[name].reason)
    assert reports["tflm"].arena_bytes is not None
    assert reports["tflm"].recommended_arena_bytes is not None


def test_a_runtime_that_refuses_a_file_does_not_run_it(samples: Path):
    reports = ask_runtimes(samples / "model_dynamic.tflite", arena=False)
    assert (reports["tflm"].runs, reports["tflm"].accepts) == (False, False)
    assert (reports["litert"].runs, reports["litert"].accepts) == (True, True)


def test_inspect_gives_the_two_answers(two_outputs: Path, samples: Path):
    from rich.console import Console

    inspection = inspect_artifact(two_outputs)
    assert not inspection.is_image_classifier
    assert "2 outputs" in str(inspection.no_image_classifier_because)
    console = Console(width=100)
    with console.capture() as capture:
        console.print(render_inspection(inspection))
    line = next(line for line in capture.get().splitlines() if line.strip().startswith("TFLite Micro"))
    assert line.split()[2:4] == ["yes", "no"]
    assert inspect_artifact(samples / "model_int8.tflite", runtimes=False).is_image_classifier


def test_a_regression_of_a_few_numbers_runs_and_is_no_image_classifier(samples: Path, tmp_path: Path):
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    dense = graph.operators[-2]  # from features to logits; a softmax follows
    graph.inputs, graph.outputs, graph.operators = [dense.inputs[0]], [dense.outputs[0]], [dense]
    model.signatureDefs = []
    path = tmp_path / "regression.tflite"
    path.write_bytes(pack_model(model))
    [_, numbers] = read_graph(path).input.shape
    assert numbers < 64
    inspection = inspect_artifact(path, arena=False)
    assert not inspection.is_image_classifier
    assert inspection.input is None
    assert f"a row of {numbers} numbers" in str(inspection.no_image_classifier_because)
    for name in INTERPRETERS:
        report = inspection.runtimes[name]
        assert (report.runs, report.accepts, report.reason) == (True, False, inspection.no_image_classifier_because), name


@pytest.mark.parametrize("error", [ArtifactError, ToolError])
def test_every_command_goes_on_where_the_arena_is_not_found(
    samples: Path, monkeypatch: pytest.MonkeyPatch, error: type[GlyphliteError]
):
    def fail(_: Path) -> None:
        raise error("no arena")

    monkeypatch.setattr("glyphlite.runtimes.tflm_arena.measure_arena", fail)
    report = inspect_artifact(samples / "model_int8.tflite", arena=True).runtimes["tflm"]
    assert report.accepts
    assert report.arena_bytes is None
    assert ask_runtimes(samples / "model_int8.tflite")["tflm"].accepts
