"""Training with int8 simulated at its end: only those epochs are kept, and a stop anywhere costs nothing."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, FoldedDepthwise, Pool
from glyphlite.models.choice import ModelChoice
from glyphlite.models.loading import load_keras_model
from glyphlite.models.qat.state import is_quantized
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.registry import resolve_model
from glyphlite.training import trainer
from glyphlite.training.loop import TrainingLoop
from glyphlite.training.schedule import frozen_share, recipe_rates
from glyphlite.training.trainer import train

pytestmark = pytest.mark.slow

RECIPE = Recipe(
    "small",
    4,
    128,
    Schedule("one_cycle", peak=0.02, warmup=0.2),
    augmentation="affine_gentle",
    ema=0.9,
    quantized_epochs=2,
    quantized_schedule=Schedule("constant", peak=0.001),
)
ARCHITECTURE = Architecture(
    "small", (FoldedConv("stem", 4, 5, 2), FoldedDepthwise("depth", 3), FoldedConv("point", 6, 1), Pool("pool"), Flatten())
)


def _choice(recipe: Recipe = RECIPE, *, bits: int = 8) -> ModelChoice:
    shape, architecture = (28, 28, 1), replace(ARCHITECTURE, weight_bits=bits)
    return ModelChoice("small", shape, 10, recipe, "a test", "0", lambda: architecture.build(shape, 10))


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    return train(_choice(), few, folder, seed=3)


def test_what_is_kept_simulates_int8_and_was_trained_so(whole):
    assert is_quantized(whole.model)
    assert is_quantized(load_keras_model(whole.folder / "model.keras"))
    assert whole.best_epoch > RECIPE.float_epochs
    assert whole.validation_accuracy is not None
    assert whole.validation_accuracy > 0.7
    ranges = [float(layer.ranges[0][1]) for layer in whole.model.layers if getattr(layer, "learns_range", False)]
    assert len(set(ranges)) == len(ranges)


def test_an_earlier_float_epoch_is_never_kept(few, folder, monkeypatch):
    accuracies = iter([(0.1, 0.99, None), (0.1, 0.98, None), (0.5, 0.3, None), (0.5, 0.4, None)])
    monkeypatch.setattr(trainer.TrainingLoop, "validate", lambda _: next(accuracies))
    assert train(_choice(), few, folder, seed=3).best_epoch == 4


def test_stopped_and_resumed_ends_with_the_same_weights(few, folder, whole, stopped):
    """Of three chunks an epoch: within a float epoch, before and after the first quantized chunk, later, and past the end."""
    for calls, resume in ((2, False), (4, True), (1, True), (3, True)):
        with stopped(calls), pytest.raises(KeyboardInterrupt):
            train(_choice(), few, folder, seed=3, resume=resume)
    for _ in ("the last chunks", "nothing left to do"):
        result = train(_choice(), few, folder, seed=3, resume=True)
        assert is_quantized(result.model)
        for found, expected in zip(result.model.get_weights(), whole.model.get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_narrow_weights_learn_their_steps_and_survive_a_stop(few, folder, tmp_path, stopped):
    whole = train(_choice(bits=4), few, tmp_path / "whole", seed=3)
    assert whole.validation_accuracy is not None
    assert whole.validation_accuracy > 0.7
    assert all(layer.stepped for layer in whole.model.layers if hasattr(layer, "stepped"))
    with stopped(10), pytest.raises(KeyboardInterrupt):  # within the second epoch with int8 simulated
        train(_choice(bits=4), few, folder, seed=3)
    result = train(_choice(bits=4), few, folder, seed=3, resume=True)
    for found, expected in zip(result.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_frozen_one_after_the_other_survive_a_stop(few, folder, tmp_path, stopped, monkeypatch):
    choice, shares = _choice(replace(RECIPE, freezing=0.3), bits=4), []
    freeze = TrainingLoop.freeze
    monkeypatch.setattr(TrainingLoop, "freeze", lambda loop, share: (shares.append(share), freeze(loop, share))[1])
    whole = train(choice, few, tmp_path / "whole", seed=3)
    assert whole.validation_accuracy is not None
    assert whole.validation_accuracy > 0.7
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] == 1
    for layer in whole.model.layers:
        if hasattr(layer, "codes"):
            np.testing.assert_allclose(layer.codes(), np.round(layer.codes()), atol=1e-3)
    with stopped(8), pytest.raises(KeyboardInterrupt):  # within the first epoch with int8 simulated
        train(choice, few, folder, seed=3)
    result = train(choice, few, folder, seed=3, resume=True)
    for found, expected in zip(result.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_ever_fewer_weights_freeze_at_a_time():
    recipe = replace(RECIPE, epochs=12, quantized_epochs=10, freezing=0.8)
    shares = [frozen_share(recipe, epoch, step, 10) for epoch in range(12) for step in (0, 5)]
    assert shares[:5] == [0] * 5
    assert shares[-4:] == [1] * 4
    assert shares[12] == pytest.approx(1 - (1 - 4 / 8) ** 2)
    more = np.diff(shares[4:-3])
    assert all(more[:-1] > more[1:])
    assert frozen_share(replace(recipe, freezing=None), 11, 0, 10) == 0


def test_a_recipe_of_other_length_keeps_its_shape():
    assert [RECIPE.with_epochs(epochs).quantized_epochs for epochs in (2, 3, 8, 40)] == [1, 2, 4, 20]
    assert resolve_model("mlp", (28, 28, 1), 10).recipe.with_epochs(2).quantized_epochs == 0


def test_a_shorter_training_asks_teachers_for_fewer_epochs():
    recipe = resolve_model("glyph-4k", (28, 28, 1), 10).recipe
    cycles = {epochs: recipe.with_epochs(epochs).augmentation_cycle for epochs in (1, 12, recipe.epochs, 3 * recipe.epochs)}
    assert cycles == {1: 1, 12: 2, recipe.epochs: recipe.augmentation_cycle, 3 * recipe.epochs: recipe.augmentation_cycle}
    assert RECIPE.with_epochs(8).augmentation_cycle is None


def test_each_part_has_its_own_schedule():
    recipe = replace(RECIPE, quantized_schedule=Schedule("one_cycle", peak=0.001, warmup=0.5))
    rates = [recipe_rates(recipe, epoch, 10) for epoch in range(4)]
    assert max(rates[0].max(), rates[1].max()) == pytest.approx(0.02, rel=0.1)
    assert rates[1][-1] == pytest.approx(0, abs=1e-9)
    assert max(rates[2].max(), rates[3].max()) == pytest.approx(0.001)
    assert rates[3][-1] == pytest.approx(0, abs=1e-9)


def test_other_models_are_refused(few, folder):
    choice = resolve_model("mlp", (28, 28, 1), 10)
    with pytest.raises(ModelError, match="asks for quantization-aware layers, mlp has none"):
        train(replace(choice, recipe=RECIPE), few, folder)
    with pytest.raises(ModelError, match="asks for weights of fewer than eight bits, small has none"):
        train(_choice(replace(RECIPE, freezing=0.8)), few, folder)
    with pytest.raises(ModelError, match="no schedule for its 2 quantized epochs"):
        recipe_rates(replace(RECIPE, quantized_schedule=None), 3, 10)
