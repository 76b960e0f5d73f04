"""``glyphlite run --pretrained``: the shipped model goes through every stage but training, on a small dataset of real digits."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support.pretrained import ship_sample, use_shipped

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError, OutputError
from glyphlite.evaluation.model_evaluation import evaluate_artifact
from glyphlite.files.single import sha256_of
from glyphlite.models.pretrained import pretrained_card
from glyphlite.pipeline.run import RunOptions, run_all, run_pipeline
from glyphlite.pipeline.runs.pretrained import (
    check_pretrained,
    pretrained_record,
    pretrained_report,
    take_pretrained,
    with_certainty_of_twin,
)
from glyphlite.results import Results


@pytest.mark.slow
def test_a_pretrained_run_measures_and_exports_the_shipped_model(
    samples: Path, mnist: Dataset, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(
        tmp_path / "few.npz",
        x_train=mnist.train.images[:600],
        y_train=mnist.train.labels[:600],
        x_test=mnist.test.images[:200],
        y_test=mnist.test.labels[:200],
    )
    ship_sample(tmp_path / "package", samples, "micro-cnn", {0: 0.98, 3: 0.985}, chosen=3, dataset=str(tmp_path / "few.npz"))
    use_shipped(tmp_path / "package", monkeypatch)
    folder = tmp_path / "run"
    options = RunOptions(
        model="micro-cnn",
        dataset=str(tmp_path / "few.npz"),
        out=folder,
        pretrained=True,
        calibration_samples=100,
        verify_images=20,
    )
    run_pipeline(options)
    results, record = Results.load(folder / "results.json"), tomllib.loads((folder / "run.toml").read_text())
    assert sha256_of(folder / "model.keras") == sha256_of(samples / "model.keras")
    assert results.pretrained is not None
    assert (results.pretrained.seed, results.pretrained.seeds) == (3, 2)
    assert not results.pretrained.int8_is_the_shipped_one, "it was calibrated with other images"
    assert list(results.seconds) == ["data", "pretrained", "convert", "evaluate", "firmware", "verify"]
    assert results.keras.accuracy.value > 0.97
    assert len(results.artifacts) == 5
    assert record["repeat"].split().count("--pretrained") == 1
    assert record["pretrained"]["seed"] == 3
    assert record["recipe"] == {"name": "micro", "epochs": 30}
    assert "A pretrained model that comes with glyphlite: seed" in (folder / "report.html").read_text()
    said = " ".join(capsys.readouterr().err.split())
    assert "seed 3, among 2 seeds the one whose int8 file is right most often on validation images (98.50 %)" in said
    assert "Nothing is trained" in said
    assert json.loads((folder / "results.json").read_text())["pretrained"]["keras_sha256"] == sha256_of(folder / "model.keras")


@pytest.mark.slow
def test_the_released_file_of_a_training_on_all_images_has_its_twins_certainty(
    samples: Path, mnist: Dataset, tmp_path: Path, monkeypatch
) -> None:
    """That of its card, for that very file; other files of the model have none."""
    certainty = {"temperature": 1.5, "least_certainty": 0.9, "floor": 0.001, "images": 5000, "twin": True}
    ship_sample(tmp_path, samples, "micro-cnn", {0: 0.98}, chosen=0, all_images=True, certainty=certainty)
    use_shipped(tmp_path, monkeypatch)
    card, few = pretrained_card("micro-cnn"), mnist.with_all_images().with_test(slice(100))
    evaluations = {
        name: with_certainty_of_twin(evaluate_artifact(samples / name, few, latency=False, runtimes=False), card, few.test.labels)
        for name in ("model_int8.tflite", "model_float32.tflite")
    }
    fitted = evaluations["model_int8.tflite"].report.certainty
    assert fitted is not None
    assert fitted.test is not None
    assert (fitted.temperature, fitted.twin) == (1.5, True)
    assert evaluations["model_float32.tflite"].report.certainty is None
    trained = take_pretrained(card, mnist, tmp_path / "run")
    assert trained.validation_accuracy is None
    report = pretrained_report(card, None)
    assert (report.all_images, report.validation_accuracy) == (True, 0.98)
    assert pretrained_record(card)["all_images"] is True


@pytest.mark.parametrize(
    ("model", "dataset", "options", "words"),
    [
        ("glyph-9k", "mnist", {}, "no trained glyph-9k comes with glyphlite"),
        ("micro-cnn", "fashion-mnist", {}, "trained on mnist; leave out --pretrained"),
        ("micro-cnn", "mnist", {"changes": ["--epochs", "3", "--rate", "0.1"]}, "trains nothing; leave out --epochs, --rate, or"),
        ("micro-cnn", "mnist", {"resume": True}, "--pretrained trains nothing; leave out --resume, or"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_done(shipped: Path, model, dataset, options, words) -> None:
    with pytest.raises(ModelError, match=words):
        check_pretrained(model, dataset, **{"changes": [], "resume": False, **options})


def test_all_of_them_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="takes one model"):
        run_all(RunOptions(pretrained=True, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_training_of_ones_own_is_not_overwritten(shipped: Path, mnist: Dataset, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("")
    with pytest.raises(OutputError, match="holds a training of its own"):
        take_pretrained(pretrained_card("micro-cnn"), mnist, tmp_path)
    assert not (tmp_path / "model.keras").exists()
