"""``train``: what it settles before it reads, what it leaves, and models of one's own on pictures at their own size."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ConversionError, DataError, GlyphliteError, ModelError, OutputError
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.files.single import sha256_of
from glyphlite.models.training_options import TrainingOptions
from glyphlite.pipeline.convert import convert_model
from glyphlite.pipeline.evaluate import evaluate_files
from glyphlite.pipeline.inputs.datasets import data_of
from glyphlite.pipeline.report import write_reports
from glyphlite.pipeline.runs import training_plan
from glyphlite.pipeline.runs.folder import Wish
from glyphlite.pipeline.runs.training_plan import plan_training
from glyphlite.pipeline.train import train_model
from glyphlite.results import Results
from glyphlite.training.tracking.trackers import Tracking

pytestmark = pytest.mark.slow

OWN = """
import keras

def build():
    inputs = keras.Input((20, 24, 3))
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs)))

def wants_shape(input_shape, classes):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(keras.layers.Flatten()(inputs)))
"""


@pytest.fixture(scope="module")
def pictures(mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ones and sevens, 40 pictures of each, 56 pixels high and wide."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    for label, name in ((1, "one"), (7, "seven")):
        (folder / name).mkdir(parents=True)
        for number in np.flatnonzero(mnist.train.labels == label)[:40]:
            Image.fromarray(mnist.train.images[number, ..., 0]).resize((56, 56)).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "own.py"
    path.write_text(OWN)
    return path


@pytest.fixture(scope="module")
def trained(pictures: Path, own: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "own"
    options = TrainingOptions(epochs=3, batch_size=8, rate=0.01, augmentation="light", class_weights="balanced", early_stopping=3)
    train_model(f"{own}:build", str(pictures), Wish(folder), options=options)
    return folder


def test_an_own_model_in_colour_is_trained_on_pictures_at_its_own_size(trained: Path) -> None:
    record = tomllib.loads((trained / "run.toml").read_text())
    assert record["dataset"]["input_shape"] == [20, 24, 3]
    assert "--batch-size 8 --augmentation light --class-weights balanced --early-stopping 3" in record["repeat"]
    assert record["settings"]["rate"] == "0.01"
    assert record["recipe"]["augmentation"] == "affine_gentle"
    assert data_of(trained / "model.keras", None).load().input_shape == (20, 24, 3)


def test_it_leaves_a_results_json_that_report_and_predict_can_use(trained: Path) -> None:
    results = Results.load(trained / "results.json")
    assert results.keras.validation_accuracy is not None
    assert results.training is not None
    assert len(results.training.accuracy) == 3
    assert set(results.cpu_seconds) == set(results.seconds) == {"data", "train", "evaluate"}
    assert certainty_of(trained / "model.keras") is not None
    assert "own-build" in write_reports([trained], None).read_text()


def test_a_training_on_all_images_leaves_no_validation_figure_and_is_repeated_so(
    pictures: Path, own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = TrainingOptions(epochs=2, batch_size=8, all_images=True)
    trained = train_model(f"{own}:build", str(pictures), Wish(tmp_path / "run"), options=options)
    assert (trained.best_epoch, trained.validation_accuracy) == (2, None)
    assert "so there is no validation accuracy; epoch 2, the last" in trained.words
    record, results = tomllib.loads((tmp_path / "run" / "run.toml").read_text()), Results.load(tmp_path / "run" / "results.json")
    assert record["settings"]["all_images"] is True
    assert record["dataset"]["validation"] == 0
    assert record["repeat"].endswith(" --all-images")
    assert (results.keras.validation_accuracy, results.keras.certainty) == (None, None)
    assert results.training is not None
    assert (results.training.all_images, results.training.validation_images, results.training.validation_accuracy) == (
        True,
        0,
        [],
    )
    assert "All images were trained on and none chose an epoch" in write_reports([tmp_path / "run"], None).read_text()
    model, settings = tmp_path / "run" / "model.keras", {"samples": 20, "seed": 0, "data_dir": None, "dataset": None}
    assert not len(data_of(model, None).load().validation)
    with pytest.raises(ConversionError, match="this model was trained on all images"):
        convert_model(model, None, variants="int8", batch="1", show_calibration=True, **settings)
    assert (tmp_path / "run" / "model_int8.tflite").is_file()
    assert "best so far" not in capsys.readouterr().err


def test_a_function_that_takes_the_shape_gets_the_size_asked_for(pictures: Path, own: Path, tmp_path: Path) -> None:
    options = TrainingOptions(input_size=(16, 18))
    plan = plan_training(f"{own}:wants_shape", str(pictures), Wish(tmp_path / "run"), options=options)
    dataset, choice = plan.load()
    assert dataset.input_shape == choice.build().input_shape[1:] == (16, 18, 1)


@pytest.mark.parametrize(
    ("model", "dataset", "options", "kind", "words"),
    [
        ("microcnn", "mnist", {}, ModelError, "did you mean micro-cnn"),
        ("mlp", "mnits", {}, DataError, "did you mean mnist"),
        ("missing.keras", "mnist", {}, ModelError, "missing.keras"),
        ("OWN:nothing", "mnist", {}, ModelError, "no function nothing"),
        ("OWN:build", "mnist", {"input_size": (28, 28)}, ModelError, "takes images of 20x24, --input-size asks for 28x28"),
        ("edge-cnn", "mnist", {"input_size": (5, 5)}, ModelError, "needs larger images than 5x5"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(
    own: Path, tmp_path: Path, monkeypatch, model: str, dataset: str, options: dict, kind: type[GlyphliteError], words: str
) -> None:
    def read(*_, **__):
        raise AssertionError("data was read")

    monkeypatch.setattr(training_plan, "load_for_model", read)
    with pytest.raises(kind, match=words):
        train_model(model.replace("OWN", str(own)), dataset, Wish(tmp_path / "out"), options=TrainingOptions(**options))
    assert not (tmp_path / "out").exists()


def test_a_finished_folder_is_refused_before_anything_is_read(trained: Path, own: Path, monkeypatch) -> None:
    monkeypatch.setattr(training_plan, "load_for_model", None)
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match="--overwrite"):
        train_model(f"{own}:build", "mnist", Wish(trained))
    assert before == {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}


def test_evaluate_keeps_what_is_known_of_the_same_bytes(trained: Path) -> None:
    before = json.loads((trained / "results.json").read_text())
    evaluate_files([trained / "model.keras"], None, keras=None, latency=False, seed=0, data_dir=None)
    assert json.loads((trained / "results.json").read_text()) == before


DEFINED = """
name = "tiny"
input_size = [14, 14]
layers = [
    { kind = "FoldedConv", name = "stem", filters = 4, kernel = 3, stride = 2 },
    { kind = "FoldedDepthwise", kernel = 3 },
    { kind = "FoldedConv", filters = 6, kernel = 1 },
    { kind = "Dropout", rate = 0.1 },
    { kind = "GlobalMean" },
]
recipe = { epochs = 3, batch_size = 16, quantized_epochs = 1, schedule = { kind = "constant", peak = 0.01 } }
"""


def test_a_model_file_is_trained_kept_and_gone_on_with(pictures: Path, tmp_path: Path) -> None:
    """Comments may change before ``--resume``, layers may not; the folder keeps the file, results.json and run.toml name it."""
    path, folder = tmp_path / "my.toml", tmp_path / "run"
    path.write_text(DEFINED)
    trained = train_model(str(path), str(pictures), Wish(folder), tracking=Tracking(tmp_path / "logs"))
    assert {each.name for each in (tmp_path / "logs" / "run").iterdir() if each.is_dir()} == {"train", "validation"}
    assert (trained.model, trained.epochs, trained.best_epoch) == ("tiny", 3, 3)
    assert (folder / "model.toml").read_text() == DEFINED
    named = {"file": str(path), "sha256": sha256_of(path)}
    record = tomllib.loads((folder / "run.toml").read_text())
    assert record["definition"] == named
    assert record["dataset"]["input_shape"] == [14, 14, 1]
    assert record["recipe"]["quantized_epochs"] == 1
    results = Results.load(folder / "results.json")
    assert results.definition is not None
    assert results.definition.model_dump() == named
    assert named["sha256"] in write_reports([folder], None).read_text()

    (folder / "results.json").unlink()
    path.write_text(f"# now with a comment{DEFINED}")
    again = train_model(str(path), str(pictures), Wish(folder, resume=True), tracking=Tracking(tmp_path / "logs"))
    assert again.best_epoch == 3
    assert {each.name for each in (tmp_path / "logs").iterdir()} == {"run"}
    assert (folder / "model.toml").read_text() == path.read_text()
    (folder / "results.json").unlink()
    path.write_text(DEFINED.replace("filters = 6", "filters = 8"))
    with pytest.raises(ModelError, match="its model definition was"):
        train_model(str(path), str(pictures), Wish(folder, resume=True))


def test_a_model_file_in_the_run_s_own_folder_stays_the_user_s(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(DEFINED)
    for _ in range(2):
        train_model(str(path), str(pictures), Wish(tmp_path, overwrite=True), options=TrainingOptions(epochs=2))
        assert path.read_text() == DEFINED
    other = tmp_path / "other.toml"
    other.write_text(DEFINED)
    with pytest.raises(OutputError, match=r"model\.toml"):
        train_model(str(other), str(pictures), Wish(tmp_path, overwrite=True))
