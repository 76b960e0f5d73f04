"""``glyphlite run --pretrained``: the shipped model goes through every stage but training, on a small dataset of real digits."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from support.pretrained import ship_sample, use_shipped

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError, OutputError
from glyphlite.files.single import sha256_of
from glyphlite.models.pretrained import pretrained_card
from glyphlite.pipeline.run import RunOptions, run_all, run_pipeline
from glyphlite.pipeline.runs.pretrained import check_pretrained, take_pretrained
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
