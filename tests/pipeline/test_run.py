"""The main job, whole, on the real MNIST: one epoch of the smallest model to train, and everything that a run leaves."""

import json
import tomllib
from pathlib import Path

import pytest

from glyphlite.files.manifest import MANIFEST
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.report import write_reports
from glyphlite.pipeline.run import RunOptions, run_pipeline
from glyphlite.pipeline.runs.folder import RUN_FILES
from glyphlite.results import Results

VARIANTS = ["float32", "float16", "dynamic", "int8", "int16x8"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "micro"
    run_pipeline(RunOptions(model="micro-cnn", out=folder, training=TrainingOptions(epochs=1), verify_images=100))
    return folder


@pytest.mark.slow
def test_every_file_of_a_run_is_there(run: Path) -> None:
    names = {path.relative_to(run).as_posix() for path in run.rglob("*")}
    files = {name for name in names if (run / name).is_file() and not name.endswith(MANIFEST)}
    assert {name for name in files if not name.startswith(("c/", "tflm/", "checkpoints/"))} == set(RUN_FILES)
    assert {f"model_{variant}.tflite" for variant in VARIANTS} <= names
    assert {"model.keras", "model.weights.h5", "history.csv", "labels.txt", "run.toml", "results.json", "report.html"} <= names
    assert {"c/model.c", "c/model.h", "tflm/model_inference.cc", "figures/accuracy.png", "figures/training.png"} <= names


@pytest.mark.slow
def test_results_hold_what_was_measured(run: Path) -> None:
    results = Results.load(run / "results.json")
    assert json.loads((run / "results.json").read_text())["schema"] == 1
    assert [each.variant for each in results.artifacts] == VARIANTS
    for artifact in results.artifacts:
        assert artifact.accuracy.n == 10_000
        assert artifact.accuracy.low < artifact.accuracy.value < artifact.accuracy.high
        assert artifact.bytes == (run / artifact.path).stat().st_size
        assert abs(artifact.accuracy.value - results.keras.accuracy.value) < 0.01
    taken = {each.variant: each.runtimes["tflm"].accepts for each in results.artifacts}
    assert taken == {"float32": True, "float16": False, "dynamic": False, "int8": True, "int16x8": True}
    assert {each.runtime: each.identical for each in results.verify}["generated_c"] == 1
    assert {each.cpu for each in results.firmware} == {"cortex-m4", "cortex-m0"}
    assert set(results.cpu_seconds) == set(results.seconds)
    assert results.cpu_seconds["train"] > 0
    assert results.training
    assert (len(results.training.validation_accuracy), results.training.validation_images) == (1, 5000)


@pytest.mark.slow
def test_a_run_says_how_to_repeat_it(run: Path) -> None:
    record = tomllib.loads((run / "run.toml").read_text())
    assert "--epochs 1" in record["repeat"]
    assert record["dataset"]["sha256"]["t10k-images-idx3-ubyte"].startswith("0fa7898d")
    assert set(record["sha256"]) >= {f"model_{variant}.tflite" for variant in VARIANTS}


@pytest.mark.slow
def test_the_page_can_be_written_again_from_the_folder_alone(run: Path, tmp_path: Path) -> None:
    page = write_reports([run], tmp_path / "page.html")
    assert page.read_text() == (run / "report.html").read_text()
    assert "micro-cnn" in write_reports([run, run], tmp_path / "both.html").read_text()
