"""Answers that come with glyphlite: they are the teachers', every one that the family's common recipe asks for, and no others."""

import numpy as np
import pytest

from glyphlite.models.pretrained import ROOT, TEACHERS
from glyphlite.models.recipe import Recipe
from glyphlite.models.registry import resolve_model
from glyphlite.training import answers
from glyphlite.training.answers import FOLDER, LEAST, STEP, are_kept, decoded, encoded, kept_answers, key_of
from glyphlite.training.batches import Batches
from glyphlite.training.distillation import Teachers
from glyphlite.training.state import content_hash

NAMED = {"content": "these images", "warps": {"epoch": 0}}


@pytest.fixture(autouse=True)
def no_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _recipe(model: str) -> Recipe:
    return resolve_model(model, (28, 28, 1), 10).recipe


def _teachers(recipe: Recipe, mnist) -> Teachers:
    assert recipe.distillation
    batches = Batches.of_recipe(recipe, len(mnist.train), (28, 28), seed=5)
    return Teachers(recipe.distillation, mnist, batches, content_hash(mnist))


def test_answers_are_rounded_to_steps_below_the_largest():
    given = np.array([[-0.1, -3.0, -3.3, -30.0], [0.0, -0.2, -0.3, -20.7]], np.float16)
    content = encoded(given)
    expected = np.clip(given - given.max(axis=1, keepdims=True), LEAST, 0)
    back = decoded(content)
    assert back.dtype == np.float16
    np.testing.assert_allclose(back, expected, atol=STEP / 2 + 0.01)
    assert encoded(back) == content


@pytest.mark.parametrize("damage", [lambda content: content[:-20], lambda content: b"", lambda content: content[::-1]])
def test_damaged_answers_are_asked_for_again(damage, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "ROOT", tmp_path)
    folder = tmp_path / TEACHERS / FOLDER
    folder.mkdir(parents=True)
    shipped = np.full((4, 10), -1.5, np.float16)
    path = folder / f"{key_of(NAMED)}.xz"
    path.write_bytes(encoded(shipped))
    assert are_kept(NAMED)
    np.testing.assert_array_equal(kept_answers(NAMED, lambda: pytest.fail("asked")), np.zeros((4, 10)))
    path.write_bytes(damage(path.read_bytes()))
    np.testing.assert_array_equal(kept_answers(NAMED, lambda: shipped), shipped)


def test_the_main_job_asks_no_teacher(mnist, monkeypatch):
    """Its model's recipe, all epochs; and the members of the same augmentation, whatever the seed of their training."""
    for model in ("glyph-2k", "glyph-4k", "glyph-8k", "glyph-16kflash", "glyph-4kram"):
        recipe = _recipe(model)
        teachers = _teachers(recipe, mnist)
        monkeypatch.setattr(teachers, "ask_all", lambda epoch: pytest.fail("asked"))
        assert all(teachers.are_on_disk(epoch) for epoch in range(recipe.epochs)), model
    assert teachers.answers(1, next(teachers._batches.epoch(1))).shape == (16, 256, 10)


def test_no_file_is_of_former_teachers_or_warps(mnist):
    recipe = _recipe("glyph-4k")
    teachers = _teachers(recipe, mnist)
    expected = {f"{key_of(teachers.named_in(epoch))}.xz" for epoch in range(recipe.augmentation_cycle or 0)}
    assert {path.name for path in (ROOT / TEACHERS / FOLDER).iterdir()} == expected


@pytest.mark.slow
def test_shipped_answers_are_what_the_teachers_say(mnist):
    teachers = _teachers(_recipe("glyph-4k"), mnist)
    chunk = next(teachers._batches.epoch(6))
    assert chunk.transforms is not None
    shipped = teachers.answers(6, chunk)[0].astype(np.float32)
    asked = teachers._ask(chunk.order[0], chunk.transforms[0]).numpy()
    assert np.mean(shipped.argmax(axis=1) == asked.argmax(axis=1)) > 0.99
    np.testing.assert_allclose(shipped, np.clip(asked - asked.max(axis=1, keepdims=True), LEAST, 0), atol=STEP / 2 + 0.05)
