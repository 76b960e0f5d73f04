"""Of several initial weights the best begin; which ones is not forgotten by a stop."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, Pool
from glyphlite.models.choice import ModelChoice
from glyphlite.models.recipe import Recipe, Restarts, Schedule, describe_recipe
from glyphlite.training import trainer
from glyphlite.training.batches import Batches
from glyphlite.training.loop import TrainingLoop
from glyphlite.training.restarts import best_beginning, initial_seed, try_beginning
from glyphlite.training.trainer import train

pytestmark = pytest.mark.slow

ONE = Recipe("one", 2, 128, Schedule("constant", peak=0.01), augmentation="affine", photometric="faded_noisy", ema=0.9)
THREE = replace(ONE, beginnings=Restarts(3, 1))
ARCHITECTURE = Architecture("small", (FoldedConv("stem", 4, 5, 2), Pool("pool"), Flatten()))


def _choice(recipe: Recipe) -> ModelChoice:
    shape = (28, 28, 1)
    return ModelChoice("small", shape, 10, recipe, "a test", "0", lambda: ARCHITECTURE.build(shape, 10))


def _loop(few, recipe: Recipe) -> TrainingLoop:
    return TrainingLoop(_choice(recipe), few.train, few.validation, recipe, 5)


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    return train(_choice(THREE), few, tmp_path_factory.mktemp("whole") / "run", seed=5)


def test_the_first_beginning_has_the_trainings_seed_and_no_two_the_same():
    assert initial_seed(5, 0) == 5
    assert len({initial_seed(seed, number) for seed in range(5) for number in range(12)}) == 60


def test_the_lowest_loss_goes_on():
    assert best_beginning([0.3, float("inf"), 0.1, 0.1]) == 2


@pytest.mark.parametrize("rate", [0.01, float("nan")])
def test_restarted_a_loop_has_nothing_of_before(few, rate):
    recipe, other = replace(ONE, ema=None), _loop(few, replace(ONE, ema=None))
    before = other.weights()
    batches = Batches(len(few.train), (28, 28), 128, seed=5, augmentation="affine")
    for chunk in batches.epoch(0):
        other.run(chunk, np.full(len(chunk.order), rate))
    other.restart(5)
    other.synchronize()
    for name, array in _loop(few, recipe).state().items():
        np.testing.assert_array_equal(other.state()[name], array, err_msg=name)
    for mine, first in zip(other.weights(), before, strict=True):
        np.testing.assert_array_equal(mine, first)


def test_the_weights_that_did_best_are_trained_as_if_they_were_the_only_ones(few, folder, whole, monkeypatch):
    loop, batches = _loop(few, THREE), Batches(len(few.train), (28, 28), 128, seed=5, augmentation="affine")
    seeds = [initial_seed(5, number) for number in range(3)]
    losses = [try_beginning(loop, seed, 1, batches, lambda *_: None, lambda *_: None) for seed in seeds]
    assert len(set(losses)) == 3
    best = seeds[best_beginning(losses)]

    build = TrainingLoop.__init__

    def begun(self, *arguments):
        build(self, *arguments)
        self.restart(best)

    monkeypatch.setattr(trainer.TrainingLoop, "__init__", begun)
    alone = train(_choice(ONE), few, folder, seed=5)
    assert [record.loss for record in alone.history] == [record.loss for record in whole.history]
    assert whole.history[0].loss == min(losses)
    for mine, theirs in zip(alone.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_stopped_and_resumed_ends_with_the_same_weights(few, folder, whole, stopped, capsys):
    """Of three chunks an initialization: stopped within the first, behind it, behind the second, and within the third."""
    for chunks, resume in ((1, False), (3, True), (3, True), (2, True)):
        with stopped(chunks), pytest.raises(KeyboardInterrupt):
            train(_choice(THREE), few, folder, seed=5, resume=resume)
    resumed = train(_choice(THREE), few, folder, seed=5, resume=True)
    tried = sum(line.lstrip().startswith("restart ") and "/3" in line for line in capsys.readouterr().err.splitlines())
    for mine, theirs in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert tried == 3, "a beginning that was tried is not tried again"
    assert resumed.seconds > sum(record.seconds for record in resumed.history)


def test_losses_that_are_no_numbers_are_refused(few, folder):
    with pytest.raises(ModelError, match="the loss diverges in every restart; use a lower learning rate"):
        train(_choice(replace(THREE, schedule=Schedule("constant", peak=float("nan")))), few, folder, seed=5)


def test_other_numbers_of_epochs():
    recipe = replace(ONE, epochs=120, quantized_epochs=20, beginnings=Restarts(12, 6))
    assert recipe.with_epochs(40).beginnings == Restarts(12, 2)
    assert recipe.with_epochs(40).quantized_epochs == 7
    assert recipe.with_epochs(120) == recipe
    assert recipe.with_epochs(4).beginnings is None
    assert "the best of 12 initializations after 6 epochs" in describe_recipe(recipe)
