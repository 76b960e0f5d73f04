"""Options change their part of a recipe, refuse values out of range, and can be restored from the command line's words."""

from dataclasses import replace

import pytest

from glyphlite.errors import ModelError
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.training_options import AUGMENTATION_CHOICES, TrainingOptions, parse_size
from glyphlite.training.augmentation.parameters import AUGMENTATIONS

RECIPE = Recipe("r", 10, 128, Schedule("one_cycle", peak=0.01, floor=0.001), augmentation="affine", photometric="faded_noisy")


def test_nothing_asked_changes_nothing() -> None:
    assert TrainingOptions().apply(RECIPE) == RECIPE
    assert TrainingOptions().words() == []


def test_each_option_changes_its_part() -> None:
    def changed(**options) -> Recipe:
        return TrainingOptions(**options).apply(RECIPE)

    assert changed(epochs=3) == replace(RECIPE, epochs=3)
    assert changed(rate=0.002).schedule == Schedule("one_cycle", peak=0.002, floor=pytest.approx(0.0002))  # type: ignore[arg-type]
    assert changed(batch_size=32) == replace(RECIPE, batch_size=32)
    assert changed(augmentation="none") == replace(RECIPE, augmentation=None, photometric=None)
    assert changed(augmentation="light") == replace(RECIPE, augmentation="affine_gentle", photometric=None)
    assert TrainingOptions(augmentation="none").apply(replace(RECIPE, warps_seed=3)).warps_seed is None
    assert TrainingOptions(augmentation="light").apply(replace(RECIPE, warps_seed=3)).warps_seed == 3
    assert changed(class_weights="balanced").class_weights == "balanced"
    assert changed(early_stopping=4).early_stopping == 4


def test_every_augmentation_is_known() -> None:
    assert {name for name in AUGMENTATION_CHOICES.values() if name} <= set(AUGMENTATIONS)


def test_the_words_give_the_options_again() -> None:
    options = TrainingOptions(5, 0.01, 64, "light", "balanced", 3, (32, 48))
    assert " ".join(options.words()) == (
        "--epochs 5 --rate 0.01 --batch-size 64 --augmentation light --class-weights balanced --early-stopping 3 "
        "--input-size 32x48"
    )
    assert options.settings()["input_size"] == "32x48"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "--epochs takes 1 or more"),
        ({"rate": 0.0}, "--rate takes a number above 0"),
        ({"rate": float("nan")}, "--rate takes"),
        ({"batch_size": -1}, "--batch-size"),
        ({"augmentation": "lihgt"}, "did you mean light"),
        ({"class_weights": "ballanced"}, "did you mean balanced"),
        ({"early_stopping": 0}, "--early-stopping"),
    ],
)
def test_what_is_out_of_range_is_refused(options, words) -> None:
    with pytest.raises(ModelError) as caught:
        TrainingOptions(**options)
    assert words in str(caught.value)


def test_sizes() -> None:
    assert parse_size(None) is None
    assert parse_size("32x48") == (32, 48)
    assert parse_size(" 32 X 48 ") == (32, 48)
    for wrong in ("32", "0x32", "32x", "axb", "99999x1", "32x32x3", "-1x5"):
        with pytest.raises(ModelError, match="height x width in pixels"):
            parse_size(wrong)


def test_all_images_are_kept_and_repeated_and_nothing_stops_early():
    options = TrainingOptions(epochs=3, all_images=True)
    assert options.words() == ["--epochs", "3", "--all-images"]
    assert options.settings() == {"epochs": "3", "all_images": True}
    with pytest.raises(ModelError, match="--all-images leaves no validation images that --early-stopping could look at"):
        TrainingOptions(all_images=True, early_stopping=2)
