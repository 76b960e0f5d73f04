"""Shipping a training: the sample as a run's folder, its accuracy measured on validation images, the package's folder written."""

import importlib
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tomli_w

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ModelError
from glyphlite.evaluation.recorded_accuracy import accuracy_words
from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.models.pretrained import pretrained_artifact, pretrained_card, pretrained_keras
from glyphlite.models.registry import resolve_model
from glyphlite.training.augmentation.parameters import AUGMENTATIONS
from glyphlite.training.checkpoint import CheckpointStore
from glyphlite.training.history import EpochRecord
from glyphlite.training.state import Session, content_hash, recorded_recipe

RECIPE = recorded_recipe(resolve_model("micro-cnn", (28, 28, 1), 10).recipe)
EPOCHS = RECIPE["epochs"]
RECORD = {
    "model": "micro-cnn",
    "settings": {"seed": 0, "epochs": EPOCHS, "best_epoch": 2},
    "dataset": {"name": "mnist"},
    "recipe": {name: value for name, value in RECIPE.items() if value is not None},
    "versions": {"keras": "3.15.1"},
    "engine": "tensorflow",
}
HISTORY = (
    "epoch,learning_rate,loss,accuracy,validation_loss,validation_accuracy,seconds\n"
    "1,0.1,0.2,0.9,0.3,0.91,2\n2,0.1,0.2,0.9,0.2,0.95,3\n"
)


@pytest.fixture
def ship(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("ship")


@pytest.fixture
def run(samples: Path, tmp_path: Path) -> Path:
    """A run's folder without its checkpoint."""
    folder = tmp_path / "micro-seed0"
    folder.mkdir()
    for name in ("model.keras", "model_int8.tflite"):
        shutil.copyfile(samples / name, folder / name)
    (folder / "run.toml").write_text(tomli_w.dumps(RECORD))
    (folder / "history.csv").write_text(HISTORY)
    return folder


def another(run: Path, seed: int, *, folder: str | None = None, all_images: bool = False, **changes) -> Path:
    place = run.with_name(folder or f"micro-seed{seed}")
    shutil.copytree(run, place)
    record = tomllib.loads((run / "run.toml").read_text()) | changes
    record["settings"] |= {"seed": seed, **({"all_images": True} if all_images else {})}
    (place / "run.toml").write_text(tomli_w.dumps(record))
    return place


def leave_checkpoint(
    run: Path, settings: dict, losses: Sequence[float] = (0.1,), *, seconds: float = 0.0, finished: bool = True
) -> None:
    """What a training leaves that took 4 s an epoch, after beginnings that took so many seconds."""
    history = [EpochRecord(epoch, 0.1, 0.2, 0.9, loss, 0.9, 4.0) for epoch, loss in enumerate(losses, 1)]
    session = Session(epoch=len(history), history=history, finished=finished, beginning_seconds=seconds)
    shutil.rmtree(run / "checkpoints", ignore_errors=True)
    (run / "checkpoints").mkdir()
    CheckpointStore(run / "checkpoints").save(1, session.checkpoint(settings, {}))


@pytest.mark.slow
def test_both_files_are_measured_on_validation_and_the_package_can_use_them(
    ship: ModuleType, run: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("glyphlite.models.pretrained.ROOT", tmp_path / "package")
    (card,) = ship.ship([another(run, 1), run], tmp_path / "package", split_seed=0)
    assert card == pretrained_card("micro-cnn")
    assert card.recipe["epochs"] == EPOCHS
    assert card.engine == "tensorflow"
    assert [each.seed for each in card.seeds] == [0, 1]
    assert card.chosen == 0, "of equals the lower seed"
    best = card.best
    assert (best.best_epoch, best.seconds, best.weight_bytes, best.macs) == (2, 5.0, 22_000, 70_464)
    assert 0.97 < best.validation_accuracy < 1
    assert abs(best.validation_accuracy - best.float_validation_accuracy) < 0.005
    assert pretrained_artifact("micro-cnn", 1).read_bytes() == (run / "model_int8.tflite").read_bytes()
    assert pretrained_keras("micro-cnn").read_bytes() == (run / "model.keras").read_bytes()
    assert "<- chosen" in ship.describe(card)
    certainty = certainty_of(pretrained_artifact("micro-cnn", 1))
    assert certainty is not None
    assert certainty.model_dump(mode="json") == best.certainty
    assert (certainty.images, certainty.test) == (5000, None)


def test_a_checkpoint_says_it_first(ship: ModuleType, run: Path) -> None:
    settings = {
        "model": "glyph-9k",
        "dataset": "mnist",
        "seed": 5,
        "epochs": 2,
        "recipe": {"name": "glyph"},
        "dataset content": "x",
    }
    leave_checkpoint(run, settings, (0.1, 0.2), seconds=3.0)
    training = ship.read_training(run)
    assert (training.model, training.seed, training.best_epoch, training.seconds) == ("glyph-9k", 5, 1, 11.0)
    assert training.recipe == {"name": "glyph", "epochs": 2}
    assert (training.engine, "engine" in training.versions) == ("tensorflow", False)
    leave_checkpoint(run, settings | {"recipe": {"name": "glyph", "quantized_epochs": 1}}, (0.1, 0.2))
    assert ship.read_training(run).best_epoch == 2, "of a quantization-aware training only the last epochs could be kept"
    leave_checkpoint(run, settings, finished=False)
    with pytest.raises(ModelError, match="is not finished"):
        ship.read_training(run)


def settings_of(model: str, **changes) -> dict:
    """What the checkpoint of a finished training of one of the package's models says."""
    recipe = recorded_recipe(resolve_model(model, (28, 28, 1), 10).recipe)
    known = {"model": model, "dataset": "mnist", "seed": 0, "epochs": recipe["epochs"], "recipe": recipe}
    return known | changes


def test_what_was_trained_on_another_split_is_refused(ship: ModuleType, run: Path, tmp_path: Path) -> None:
    leave_checkpoint(run, settings_of("micro-cnn", **{"dataset content": "of another split"}))
    with pytest.raises(ModelError, match="not trained on the split of seed 0"):
        ship.ship([run], tmp_path / "package")
    assert not (tmp_path / "package").exists()


@pytest.mark.slow
def test_a_recipe_that_fixes_the_split_says_which_images_were_held_out(
    ship: ModuleType, run: Path, tmp_path: Path, mnist: Dataset
) -> None:
    """The card keeps the hash of what was trained on: a teacher is taken by it."""
    content = content_hash(mnist)
    leave_checkpoint(run, settings_of("glyph-110kmac", seed=7, **{"dataset content": content}), (0.1,) * 96)
    (card,) = ship.ship([run], tmp_path / "package")
    assert (card.chosen, card.split_seed, card.content) == (7, 0, content)
    assert card.recipe["augmentation_ranges"] == asdict(AUGMENTATIONS["elastic_wide"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"augmentation_ranges": {"shift_pixels": 3.5}},
            "its augmentation_ranges's shift_pixels was 3.5, glyph-110kmac's is 2.4",
        ),
        ({"photometric_ranges": {"coarse": 0.06}}, "its photometric_ranges's coarse was 0.06, glyph-110kmac's is 0.0"),
        ({"augmentation": "elastic"}, "its augmentation was elastic, glyph-110kmac's is elastic_wide"),
        ({"quantized_schedule": {"peak": 0.002}}, "its quantized_schedule's peak was 0.002, glyph-110kmac's is 0.001"),
        ({"distillation": None}, "its distillation's teachers was None, glyph-110kmac's is .'teacher-32k', 'teacher-64k'."),
        ({"beginnings": {"count": 8, "epochs": 12}}, "its beginnings's count was 8, glyph-110kmac's is None"),
        ({"epochs": 95}, "its epochs was 95, glyph-110kmac's is 144"),
    ],
)
def test_a_training_by_another_recipe_is_refused(ship: ModuleType, run: Path, tmp_path: Path, changes: dict, words: str) -> None:
    settings = settings_of("glyph-110kmac")
    for name, value in changes.items():
        before = settings["recipe"][name]
        settings["recipe"][name] = before | value if isinstance(before, dict) and value else value
    settings["epochs"] = settings["recipe"]["epochs"]
    leave_checkpoint(run, settings)
    with pytest.raises(ModelError, match=f"is not what the package's recipe makes: {words}$"):
        ship.ship([run], tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_a_training_from_before_the_numbers_were_recorded_is_refused(ship: ModuleType, run: Path, tmp_path: Path) -> None:
    settings = settings_of("glyph-110kmac")
    del settings["recipe"]["augmentation_ranges"]
    leave_checkpoint(run, settings)
    with pytest.raises(ModelError, match="does not say which numbers its augmentation elastic_wide stood for"):
        ship.ship([run], tmp_path / "package")


def test_a_setting_that_was_not_there_yet_and_is_not_used_is_no_difference(ship: ModuleType) -> None:
    recipe = {name: value for name, value in RECIPE.items() if value}
    ship.require_own_recipe("runs/a", "micro-cnn", recipe)
    assert len(recipe) < len(RECIPE)


@pytest.mark.parametrize("model", ["models/mine.toml", "mine"])
def test_a_model_that_is_none_of_the_package_is_refused(ship: ModuleType, model: str) -> None:
    with pytest.raises(ModelError, match="which is none of the package's models"):
        ship.require_own_recipe("runs/a", model, RECIPE)


def test_another_architecture_under_the_name_is_refused(ship: ModuleType, run: Path, tmp_path: Path) -> None:
    leave_checkpoint(run, settings_of("glyph-110kmac", **{"model definition": "of another"}))
    with pytest.raises(ModelError, match="another architecture than the package's glyph-110kmac"):
        ship.ship([run], tmp_path / "package")
    fingerprint = resolve_model("glyph-110kmac", (28, 28, 1), 10).fingerprint
    leave_checkpoint(run, settings_of("glyph-110kmac", **{"model definition": fingerprint}))
    ship.require_own_architecture(ship.read_training(run))


@pytest.mark.parametrize("missing", ["model.keras", "model_int8.tflite", "run.toml"])
def test_a_folder_that_is_no_finished_training_is_refused(ship: ModuleType, run: Path, missing: str) -> None:
    (run / missing).unlink()
    with pytest.raises(ModelError, match=missing):
        ship.read_training(run)


def test_trainings_that_do_not_belong_together_are_refused(ship: ModuleType, run: Path) -> None:
    trainings = [ship.read_training(each) for each in (run, another(run, 1, recipe={"name": "other"}))]
    with pytest.raises(ModelError, match="another recipe"):
        ship.check_together(trainings)
    with pytest.raises(ModelError, match="both seed 0"):
        ship.check_together([trainings[0], trainings[0]])


@pytest.fixture
def twins(run: Path) -> tuple[Path, Path]:
    """A run of all images and its twin: the same files, as what trained them is not looked at here."""
    return another(run, 0, folder="micro-all-seed0", all_images=True), run


@pytest.mark.slow
def test_a_training_of_all_images_is_measured_by_its_twin(
    ship: ModuleType, twins: tuple[Path, Path], tmp_path: Path, monkeypatch
) -> None:
    """The card has the twin's accuracies and certainty, and says so; the files are those of the training of all images."""
    monkeypatch.setattr("glyphlite.models.pretrained.ROOT", tmp_path / "package")
    everything, twin = twins
    measured, answers = [], ship.answers

    def noted(path: Path, dataset: Dataset) -> np.ndarray:
        measured.append(path)
        return answers(path, dataset)

    monkeypatch.setattr(ship, "answers", noted)
    (card,) = ship.ship([everything], tmp_path / "package", twins=[twin], split_seed=0)
    assert measured == [twin / "model_int8.tflite", twin / "model.keras"]
    assert card.all_images
    assert "the validation images with them" in str(card.note)
    assert card == pretrained_card("micro-cnn")
    assert card.best.best_epoch == 2
    certainty = certainty_of(pretrained_artifact("micro-cnn"))
    assert certainty is not None
    assert (certainty.twin, certainty.images) == (True, 5000)
    assert "twins that were trained without these" in ship.describe(card)
    assert accuracy_words(pretrained_artifact("micro-cnn")).endswith("right, before it was trained on these, too")
    assert card.validation_words.endswith("before it was trained on these, too")


@pytest.mark.slow
def test_what_is_shipped_until_now_is_the_twin(ship: ModuleType, twins: tuple[Path, Path], tmp_path: Path, monkeypatch) -> None:
    """Its card says what was measured; a model of all images is no twin, and none is where nothing is shipped."""
    root = tmp_path / "package"
    monkeypatch.setattr("glyphlite.models.pretrained.ROOT", root)
    everything, twin = twins
    with pytest.raises(ModelError, match="no trained micro-cnn comes with glyphlite"):
        ship.ship([everything], root, shipped_twins=True, split_seed=0)
    (before,) = ship.ship([twin], root, split_seed=0)
    with pytest.raises(ModelError, match="held out images; only a training of all images"):
        ship.ship([twin], root, shipped_twins=True, split_seed=0)
    monkeypatch.setattr(ship, "answers", None)  # nothing is measured again
    (card,) = ship.ship([everything], root, shipped_twins=True, split_seed=0)
    assert card.all_images
    assert card.mean_validation_accuracy == before.mean_validation_accuracy
    certainty, of_twin = certainty_of(pretrained_artifact("micro-cnn")), before.best.certainty
    assert certainty is not None
    assert of_twin is not None
    assert (certainty.twin, certainty.temperature) == (True, of_twin["temperature"])
    with pytest.raises(ModelError, match="that is shipped was trained on all images, too"):
        ship.ship([everything], root, shipped_twins=True, split_seed=0)


@pytest.mark.parametrize(
    ("runs", "twins_of", "words"),
    [
        (["all"], [], "was trained on all images, which cannot measure it; name its twins with --twins"),
        (["all"], ["all"], "was trained on all images, too; a twin held out"),
        (["twin"], ["twin"], "held out images; only a training of all images"),
        (["all"], ["twin", "seed1"], "their twins are of different seeds: 0 and 0, 1"),
        (["all", "seed1"], ["twin"], "were trained on other data or by another recipe"),
    ],
)
def test_twins_that_do_not_belong_to_trainings_of_all_images_are_refused(
    ship: ModuleType, twins: tuple[Path, Path], tmp_path: Path, runs: list[str], twins_of: list[str], words: str
) -> None:
    folders = {"all": twins[0], "twin": twins[1], "seed1": another(twins[1], 1)}
    with pytest.raises(ModelError, match=words):
        ship.ship([folders[each] for each in runs], tmp_path / "package", twins=[folders[each] for each in twins_of])
    assert not (tmp_path / "package").exists()


def test_twins_of_no_training_are_refused(ship: ModuleType, twins: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there are twins of micro-cnn, and no trainings"):
        ship.ship([], tmp_path / "package", twins=[twins[1]])


@pytest.mark.slow
def test_the_images_of_both_are_checked_by_their_hashes(ship: ModuleType, run: Path, tmp_path: Path, mnist: Dataset) -> None:
    everything = another(run, 0, folder="micro-all-seed0")
    joined = {"dataset content": content_hash(mnist.with_all_images()), "images": "all, 5000 of validation with them"}
    leave_checkpoint(run, settings_of("micro-cnn", **{"dataset content": content_hash(mnist)}))
    leave_checkpoint(everything, settings_of("micro-cnn", **joined | {"dataset content": content_hash(mnist)}))
    with pytest.raises(ModelError, match="micro-all-seed0 was not trained on the split of seed 0"):
        ship.ship([everything], tmp_path / "package", twins=[run])
    leave_checkpoint(everything, settings_of("micro-cnn", **joined))
    (card,) = ship.ship([everything], tmp_path / "package", twins=[run])
    assert (card.all_images, card.content) == (True, joined["dataset content"])
