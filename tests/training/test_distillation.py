"""What teachers answer, which may teach, and that a stop costs a taught training nothing."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.datasets.dataset import as_float
from glyphlite.models import pretrained
from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, Pool
from glyphlite.models.choice import ModelChoice
from glyphlite.models.recipe import Distillation, Recipe, Schedule
from glyphlite.training import distillation
from glyphlite.training.batches import Batches
from glyphlite.training.distillation import Teachers, teacher_hashes, with_fitting_teachers
from glyphlite.training.state import content_hash
from glyphlite.training.trainer import train

pytestmark = pytest.mark.slow

RECIPE = Recipe(
    "taught",
    3,
    128,
    Schedule("constant", peak=0.01),
    augmentation="affine",
    photometric="faded_noisy",
    augmentation_cycle=2,
    distillation=Distillation(("glyph-1k",)),
    quantized_epochs=1,
    quantized_schedule=Schedule("constant", peak=0.001),
)
ARCHITECTURE = Architecture("small", (FoldedConv("stem", 4, 5, 2), Pool("pool"), Flatten()))


def _choice(recipe: Recipe = RECIPE) -> ModelChoice:
    shape = (28, 28, 1)
    return ModelChoice("small", shape, 10, recipe, "a test", "0", lambda: ARCHITECTURE.build(shape, 10))


@pytest.fixture
def fitting(few, monkeypatch):
    """The shipped teacher, as if it had been trained on these few images."""
    card = replace(pretrained.pretrained_card("glyph-1k"), content=content_hash(few))
    monkeypatch.setattr(distillation, "pretrained_card", lambda name: card)
    return card


def test_a_teacher_of_other_images_does_not_teach(few, capsys):
    recipe = with_fitting_teachers(RECIPE, "small", content_hash(few))
    assert recipe == replace(RECIPE, distillation=None)
    assert teacher_hashes(recipe) == {}
    assert "learns from the labels alone: its teacher glyph-1k was trained on other images" in " ".join(
        capsys.readouterr().err.split()
    )


def test_a_teacher_that_is_not_shipped_does_not_teach(few, capsys):
    recipe = replace(RECIPE, distillation=Distillation(("glyph-0k",)))
    assert with_fitting_teachers(recipe, "small", "").distillation is None
    assert "glyph-0k is not pretrained" in " ".join(capsys.readouterr().err.split())


def test_the_teacher_of_these_images_teaches(few, fitting):
    assert with_fitting_teachers(RECIPE, "small", content_hash(few)) == RECIPE
    assert teacher_hashes(RECIPE) == {"glyph-1k": fitting.keras_sha256}


def test_answers_are_the_teachers_own_and_repeat_with_the_warps(few):
    batches = Batches(len(few.train), (28, 28), 100, seed=0, augmentation=None, cycle=2)
    asked = Teachers(Distillation(("glyph-1k", "glyph-2k")), few, batches)
    chunk = next(batches.epoch(1))
    answers = asked.answers(1, chunk)
    assert answers.shape == (*chunk.order.shape, 10)
    assert asked.answers(3, chunk) is answers
    from glyphlite.models.loading import load_keras_model
    from glyphlite.models.qat.state import in_float

    images = as_float(few.train.images[chunk.order[0]])
    expected = 0
    for name in ("glyph-1k", "glyph-2k"):
        with in_float(load_keras_model(pretrained.pretrained_keras(name))) as model:
            expected = expected + np.log(np.asarray(model(images)) + 1e-9) / 2
    np.testing.assert_allclose(answers[0], expected, atol=0.02)


def test_warps_repeat_after_a_cycle():
    batches = Batches(1000, (28, 28), 100, seed=0, augmentation="affine", cycle=2)
    first, second, third = (next(batches.epoch(epoch)) for epoch in range(3))
    np.testing.assert_array_equal(first.order, third.order)
    np.testing.assert_array_equal(first.transforms, third.transforms)
    assert not np.array_equal(first.order, second.order)


def test_answers_are_learned(few, folder, fitting, monkeypatch):
    """Teachers that always say "3" are believed: against them the labels weigh a hundredth."""
    said = np.log(np.where(np.arange(10) == 3, 1.0, 1e-9)).astype(np.float16)
    monkeypatch.setattr(Teachers, "answers", lambda self, epoch, chunk: np.broadcast_to(said, (*chunk.order.shape, 10)))
    recipe = replace(RECIPE, distillation=Distillation(("glyph-1k",), weight=0.99))
    model = train(_choice(recipe), few, folder, seed=1).model
    scores = np.asarray(model(as_float(few.validation.images)))
    assert np.mean(scores.argmax(axis=1) == 3) > 0.95


def test_stopped_and_resumed_ends_with_the_same_weights(few, tmp_path, fitting, stopped):
    whole = train(_choice(), few, tmp_path / "whole", seed=3)
    with stopped(4), pytest.raises(KeyboardInterrupt):
        train(_choice(), few, tmp_path / "stopped", seed=3)
    result = train(_choice(), few, tmp_path / "stopped", seed=3, resume=True)
    for found, expected in zip(result.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_answers_to_warps_that_every_training_has_are_kept_for_the_next(few, fitting, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one, other = (
        Batches(len(few.train), (28, 28), 100, seed=seed, augmentation="affine", cycle=2, warps_seed=7) for seed in (0, 1)
    )
    first = Teachers(Distillation(("glyph-1k",)), few, one, "these images")
    chunk = next(one.epoch(3))
    answers = first.answers(3, chunk)
    np.testing.assert_allclose(answers, first.ask(chunk), atol=2e-2)
    assert first.are_on_disk(3)
    assert not first.are_on_disk(2)
    (kept,) = (tmp_path / "glyphlite" / "answers").iterdir()

    second = Teachers(Distillation(("glyph-1k",)), few, other, "these images")
    monkeypatch.setattr(second, "ask_all", lambda epoch: pytest.fail("asked again"))
    np.testing.assert_array_equal(second.answers(1, chunk), answers)

    kept.write_bytes(kept.read_bytes()[:1000])
    third = Teachers(Distillation(("glyph-1k",)), few, one, "these images")
    np.testing.assert_array_equal(third.answers(1, chunk), answers)
    assert kept.stat().st_size > 1000

    Teachers(Distillation(("glyph-1k",)), few, one).answers(1, chunk)
    assert len(list(kept.parent.iterdir())) == 1  # images without a name are not kept
