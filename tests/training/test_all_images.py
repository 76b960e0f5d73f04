"""Training on all images: the validation images with the others, nothing chosen, the last epoch kept, resumed bit for bit."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import ModelError
from glyphlite.models.recipe import Distillation, Schedule
from glyphlite.models.registry import resolve_model
from glyphlite.training.distillation import with_fitting_teachers
from glyphlite.training.history import read_history
from glyphlite.training.state import content_hash
from glyphlite.training.trainer import train

pytestmark = pytest.mark.slow


def _choice(**recipe):
    choice = resolve_model("mlp", (28, 28, 1), 10)
    return replace(choice, recipe=replace(choice.recipe, batch_size=64, ema=0.9, augmentation="affine", **recipe))


@pytest.fixture(scope="module")
def everything(few: Dataset) -> Dataset:
    """Fewer images than `few`, for speed."""
    part = replace(few, train=few.train.take(slice(600)), validation=few.validation.take(slice(100)))
    return part.with_all_images()


@pytest.fixture(scope="module")
def trained(everything, tmp_path_factory):
    """A learning rate that grows until it spoils the model: with validation images the best epoch would not be the last."""
    choice = _choice(epochs=4, schedule=Schedule("exponential_floor", peak=0.002, decay_epochs=-0.7))
    return train(choice, everything, tmp_path_factory.mktemp("all"))


def test_the_last_epoch_is_kept_and_no_validation_figure_is_given(trained, capsys):
    assert (trained.best_epoch, trained.validation_accuracy) == (4, None)
    assert [(each.validation_loss, each.validation_accuracy) for each in trained.history] == [(None, None)] * 4
    assert read_history(trained.folder / "history.csv") == trained.history


def test_every_image_is_trained_on_and_the_display_says_that_none_validates(everything, tmp_path, capfd):
    """The same images as one training split give the same weights: the validation images are trained on like the others."""
    result = train(_choice(epochs=1), everything, tmp_path / "all")
    assert "no validation images" in (words := capfd.readouterr().err)
    assert "best so far" not in words
    assert "validation accuracy" not in words
    held = replace(everything, joined=0, validation=everything.test.take(slice(50)))
    same = train(_choice(epochs=1), held, tmp_path / "same")
    assert len(everything.train) == 700
    assert all(np.array_equal(*both) for both in zip(result.model.get_weights(), same.model.get_weights(), strict=True))


def test_resumed_it_ends_with_the_same_weights(everything, tmp_path, stopped):
    whole = train(_choice(epochs=2), everything, tmp_path / "whole")
    with stopped(1), pytest.raises(KeyboardInterrupt):
        train(_choice(epochs=2), everything, tmp_path / "cut")
    resumed = train(_choice(epochs=2), everything, tmp_path / "cut", resume=True)
    assert all(np.array_equal(*both) for both in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True))
    with pytest.raises(ModelError, match="its images was all, 100 of validation with them, now it is None"):
        train(_choice(epochs=2), everything.as_split(), tmp_path / "cut", resume=True)


def test_early_stopping_has_nothing_to_judge_by(everything, tmp_path):
    with pytest.raises(ModelError, match="stops early, and there are no validation images to judge by"):
        train(_choice(epochs=2, early_stopping=1), everything, tmp_path / "run")


def test_quantized_epochs_class_weights_and_teachers_go_on_without_validation(everything, tmp_path):
    choice = resolve_model("glyph-50kmac", (28, 28, 1), 10)
    recipe = replace(choice.recipe.with_epochs(4), class_weights="balanced", beginnings=None)
    result = train(replace(choice, recipe=recipe), everything, tmp_path / "run")
    assert (result.best_epoch, result.recipe["class_weights"], result.validation_accuracy) == (4, "balanced", None)


def test_teachers_that_held_out_the_validation_images_teach_all_images(mnist, capfd):
    """They have not seen the last 5,000; those trained on another split do not teach."""
    recipe = replace(_choice().recipe, distillation=Distillation(("teacher-32k",)))
    joined = mnist.with_all_images()
    assert content_hash(joined) != content_hash(mnist) == content_hash(joined.as_split())
    assert with_fitting_teachers(recipe, "mlp", content_hash(joined.as_split())).distillation
    assert with_fitting_teachers(recipe, "mlp", content_hash(joined)).distillation is None
    assert "was trained on other images" in capfd.readouterr().err


def test_splits_join_and_part_again():
    split = Split(np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1), np.arange(6), np.arange(6) // 2)
    parts = [split.take(slice(*ends)) for ends in ((0, 3), (3, 5), (5, 6))]
    dataset = Dataset("few", ("a", "b"), *parts, source="here")
    joined = dataset.with_all_images()
    assert (joined.train.labels.tolist(), len(joined.validation), joined.joined) == ([0, 1, 2, 3, 4], 0, 2)
    assert joined.train.groups is not None
    assert joined.train.groups.tolist() == [0, 0, 1, 1, 2]
    assert joined.validation.images.shape == (0, 1, 1, 1)
    assert joined.with_all_images() is joined
    back = joined.as_split()
    assert (back.train.labels.tolist(), back.validation.labels.tolist(), back.joined) == ([0, 1, 2], [3, 4], 0)
    assert dataset.as_split() is dataset
