"""``glyphlite optimize``: what is written, and when nothing is."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from support.signatures import several

from glyphlite.errors import ArtifactError, OutputError
from glyphlite.evaluation.verification import same_answers as module
from glyphlite.pipeline import optimize
from glyphlite.pipeline.optimize import optimize_artifact
from glyphlite.report.terminal.command_output import optimization_words
from glyphlite.tflite.reader import read_graph
from glyphlite.tflite.rewrite.optimization import Optimized, optimize_file


@pytest.fixture
def artifact(samples: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(samples / "model_int8.tflite", tmp_path / "model.tflite"))


@pytest.mark.slow
def test_a_file_is_written_that_answers_alike_in_every_runtime(artifact: Path, tmp_path: Path) -> None:
    out = tmp_path / "small.tflite"
    report = optimize_artifact(artifact, out, strip_names=True, seed=0, overwrite=False)
    assert report.bytes == out.stat().st_size < report.bytes_before == artifact.stat().st_size
    assert report.identical_in == list(module.COMPARED)
    assert report.arena_bytes == report.arena_bytes_before
    assert len(read_graph(out).operators) == 6
    words = optimization_words(report)
    assert "% less" in words
    assert "Every output byte is the same on 64 random inputs in LiteRT with XNNPACK" in words
    again = optimize_artifact(out, tmp_path / "again.tflite", strip_names=True, seed=0, overwrite=False)
    assert again.steps == []
    assert (tmp_path / "again.tflite").read_bytes() == out.read_bytes()
    assert "nothing that the file does not need" in optimization_words(again)


@pytest.mark.slow
def test_no_file_of_the_users_is_replaced(artifact: Path, tmp_path: Path) -> None:
    before = artifact.read_bytes()
    with pytest.raises(OutputError, match="is the file that is read"):
        optimize_artifact(artifact, artifact, strip_names=False, seed=0, overwrite=True)
    with pytest.raises(OutputError, match="is a folder"):
        optimize_artifact(artifact, tmp_path, strip_names=False, seed=0, overwrite=True)
    mine = tmp_path / "mine.tflite"
    mine.write_text("mine")
    with pytest.raises(OutputError, match="would be replaced"):
        optimize_artifact(artifact, mine, strip_names=False, seed=0, overwrite=False)
    assert (artifact.read_bytes(), mine.read_text()) == (before, "mine")
    optimize_artifact(artifact, mine, strip_names=True, seed=0, overwrite=True)
    optimize_artifact(artifact, mine, strip_names=True, seed=1, overwrite=False)  # the same bytes again


def test_nothing_is_written_where_a_runtime_answers_otherwise(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimize, "same_answers", lambda *_: (("tflm",), ("litert",)))
    with pytest.raises(RuntimeError, match="answers otherwise in litert"):
        optimize_artifact(artifact, tmp_path / "out.tflite", strip_names=False, seed=0, overwrite=False)
    assert list(tmp_path.iterdir()) == [artifact]


@pytest.mark.slow
def test_every_model_of_a_file_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, out = tmp_path / "several.tflite", tmp_path / "out.tflite"
    path.write_bytes(several("LOGISTIC", "ABS", "RELU"))
    report = optimize_artifact(path, out, strip_names=False, seed=0, overwrite=False)
    assert report.models == 3
    assert "Every output byte of each of its 3 models is the same on 64 random inputs" in optimization_words(report)

    def altered(content: bytes, name: str, **options: bool) -> Optimized:
        return replace(optimize_file(content, name, **options), content=several("LOGISTIC", "ABS", "RELU6"))

    monkeypatch.setattr(optimize, "optimize_file", altered)
    with pytest.raises(RuntimeError, match=r"several\.tflite .* answers otherwise in"):
        optimize_artifact(path, tmp_path / "other.tflite", strip_names=False, seed=0, overwrite=False)


@pytest.mark.slow
def test_other_answers_and_refusals_are_seen(artifact: Path, samples: Path, tmp_path: Path) -> None:
    from glyphlite.evaluation.input_sets.random_inputs import random_set
    from glyphlite.evaluation.input_sets.value_ranges import inputs_of

    inputs = random_set(inputs_of(read_graph(artifact)), 4)
    other = samples.parent / "converter" / "model_int8.tflite"
    assert module.same_answers(artifact, other, inputs)[1]
    nothing = tmp_path / "nothing.tflite"
    nothing.write_bytes(b"\x1c\0\0\0TFL3")
    assert module.same_answers(artifact, nothing, inputs) == ((), module.COMPARED)
    with pytest.raises(ArtifactError, match="runs in none"):
        module.same_answers(nothing, artifact, inputs)
