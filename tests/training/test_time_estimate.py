"""The estimate of a training's duration: arithmetic on one step's time, and words no more exact than that."""

from dataclasses import replace

import pytest

from glyphlite.models.recipe import Distillation, Recipe, Restarts, Schedule
from glyphlite.training.time_estimate import SIMULATED_INT8, SIMULATED_INT8_COMPILED, remaining_seconds, roughly, roughly_between

PLAIN = Recipe("plain", 10, 100, Schedule("constant", peak=0.001))


def _seconds(recipe: Recipe = PLAIN, **changed) -> float:
    return remaining_seconds(recipe, **{"steps": 100, "done": 0, "validation_images": 0, "step_seconds": 0.1, **changed})


def test_every_step_counts_and_those_behind_do_not() -> None:
    assert _seconds() == pytest.approx(100)
    assert _seconds(done=950) == pytest.approx(5)


def test_validation_is_a_forward_pass_after_every_epoch() -> None:
    assert _seconds(validation_images=3000) == pytest.approx(100 + 10 * 30 * 0.1 / 3)
    assert _seconds(validation_images=3000, done=950) == pytest.approx(5 + 30 * 0.1 / 3)


def test_epochs_with_int8_simulated_take_longer_unless_such_a_step_was_timed() -> None:
    recipe = replace(PLAIN, quantized_epochs=4)
    assert _seconds(recipe) == pytest.approx(60 + SIMULATED_INT8 * 40)
    assert _seconds(recipe, is_compiled=True) == pytest.approx(60 + SIMULATED_INT8_COMPILED * 40)
    assert _seconds(recipe, done=800, simulates_int8=True) == pytest.approx(20)


def test_every_initialization_tried_counts() -> None:
    assert _seconds(replace(PLAIN, beginnings=Restarts(4, 2)), untried=3) == pytest.approx(100 + 60)


def test_teachers_are_asked_once_a_cycle() -> None:
    taught = replace(PLAIN, distillation=Distillation(("teacher",)), augmentation_cycle=4)
    assert _seconds(taught, chunk_answer_seconds=2.0) == pytest.approx(100 + 4 * 7 * 2)
    assert _seconds(taught, chunk_answer_seconds=2.0, done=800) == pytest.approx(20 + 2 * 7 * 2)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "a few seconds"),
        (33.2, "35 s"),
        (58, "1 min"),
        (81, "1 min 20 s"),
        (596, "10 min"),
        (1276, "21 min"),
        (3590, "1 h"),
        (9000, "2 h 30 min"),
    ],
)
def test_words(seconds: float, words: str) -> None:
    assert roughly(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (3, 4, "a few seconds"),
        (3, 21, "a few seconds to 20 s"),
        (33.2, 34.9, "35 s"),
        (33.2, 46, "35 to 45 s"),
        (52, 81, "50 s to 1 min 20 s"),
        (81, 120, "1 min 20 s to 2 min"),
        (610, 850, "10 to 14 min"),
        (3590, 9000, "1 h to 2 h 30 min"),
    ],
)
def test_a_range_in_words(low: float, high: float, words: str) -> None:
    assert roughly_between(low, high) == words
