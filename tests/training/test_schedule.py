"""Learning rates against the formulas of the specification."""

import math

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.recipe import Schedule
from glyphlite.models.registry import resolve_model
from glyphlite.training.schedule import learning_rates


@pytest.mark.parametrize("epoch", range(20))
def test_decay_cnn(epoch):
    recipe = resolve_model("decay-cnn", (28, 28, 1), 10).recipe
    rates = learning_rates(recipe.schedule, epoch=epoch, epochs=recipe.epochs, steps=5)
    assert rates == pytest.approx([0.0001 + 0.02 * math.exp(-epoch / 3)] * 5, rel=1e-12)


def test_constant():
    assert (learning_rates(Schedule("constant", peak=0.001), epoch=3, epochs=5, steps=4) == 0.001).all()


def test_one_cycle_rises_to_the_peak_and_falls_to_the_floor():
    schedule = Schedule("one_cycle", peak=0.01, floor=0.0001, warmup=0.25)
    rates = np.concatenate([learning_rates(schedule, epoch=epoch, epochs=4, steps=25) for epoch in range(4)])
    assert rates[0] == pytest.approx(0.01 / 25)
    assert np.argmax(rates) == 24
    assert rates[24] == pytest.approx(0.01)
    assert rates[-1] == pytest.approx(0.0001)
    assert (np.diff(rates[:25]) > 0).all()
    assert (np.diff(rates[24:]) < 0).all()


def test_one_cycle_without_warmup_starts_at_its_peak():
    rates = learning_rates(Schedule("one_cycle", peak=0.01), epoch=0, epochs=1, steps=100)
    assert rates[0] == pytest.approx(0.01, rel=1e-3)
    assert np.isfinite(rates).all()


def test_unknown():
    with pytest.raises(ModelError, match="unknown schedule 'zigzag'"):
        learning_rates(Schedule("zigzag", peak=1), epoch=0, epochs=1, steps=1)
