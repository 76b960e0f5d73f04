"""The recipe that a dataset asks for: class weights where its classes are unequal, said aloud."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.pipeline.runs.training_plan import with_class_weights

RECIPE = Recipe("plain", 1, 8, Schedule("constant", 0.001))


def _with_counts(mnist: Dataset, *counts: int) -> Dataset:
    labels = np.repeat(np.arange(10), counts)
    return replace(mnist, train=Split(mnist.train.images[: len(labels)], labels))


def test_unequal_classes_are_weighed_and_that_is_said(mnist: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert with_class_weights(RECIPE, _with_counts(mnist, *[5] * 9, 15)).class_weights == "balanced"
    said = " ".join(capsys.readouterr().err.split())
    assert "9 has 15 training images, 0 5; so one of 0 counts 3 times as much" in said
    assert "--class-weights none" in said


def test_about_equal_classes_and_chosen_weights_are_left(mnist: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    assert with_class_weights(RECIPE, mnist) is RECIPE
    assert with_class_weights(RECIPE, _with_counts(mnist, *[5] * 9, 14)) is RECIPE
    assert with_class_weights(RECIPE, _with_counts(mnist, *[5] * 8, 0, 5)) is RECIPE, "a class without images is said elsewhere"
    chosen = replace(RECIPE, class_weights="balanced")
    assert with_class_weights(chosen, _with_counts(mnist, *[5] * 9, 50)) is chosen
    assert not capsys.readouterr().err
