"""The formulas behind a recipe: which learning rate every step takes, how many weights are frozen by then. Pure arithmetic."""

import numpy as np

from glyphlite.errors import ModelError
from glyphlite.models.recipe import Recipe, Schedule


def recipe_rates(recipe: Recipe, epoch: int, steps: int) -> np.ndarray:
    """Returns the learning rate of each of the ``steps`` of one epoch (from 0) of a recipe: float64 ``(steps,)``.

    Raises:
        ModelError: the kind of a schedule is unknown, or there is none for the epochs with int8 simulated.
    """
    if epoch < recipe.float_epochs:
        return learning_rates(recipe.schedule, epoch=epoch, epochs=recipe.float_epochs, steps=steps)
    if recipe.quantized_schedule is None:
        raise ModelError(f"the recipe {recipe.name} has no schedule for its {recipe.quantized_epochs} quantized epochs")
    done = epoch - recipe.float_epochs
    return learning_rates(recipe.quantized_schedule, epoch=done, epochs=recipe.quantized_epochs, steps=steps)


def frozen_share(recipe: Recipe, epoch: int, step: int, steps: int) -> float:
    """Returns the share of a layer's weights of fewer than eight bits that is frozen before a step of an epoch (both from 0).

    Ever fewer at a time, 1 - (1 - t)^2: the later a weight is frozen, the less is left to make up for it.
    """
    if not recipe.freezing or epoch < recipe.float_epochs:
        return 0.0
    done = (epoch - recipe.float_epochs + step / steps) / (recipe.freezing * recipe.quantized_epochs)
    return 1 - (1 - min(done, 1.0)) ** 2


def learning_rates(schedule: Schedule, *, epoch: int, epochs: int, steps: int) -> np.ndarray:
    """Returns the learning rate of each step of one epoch.

    Args:
        schedule: the formula and its numbers.
        epoch: which epoch, from 0.
        epochs: how many there will be.
        steps: steps in each epoch.

    Returns:
        float64 ``(steps,)``.

    Raises:
        ModelError: the schedule's kind is unknown.
    """
    match schedule.kind:
        case "constant":
            return np.full(steps, schedule.peak)
        case "exponential_floor":
            return np.full(steps, schedule.floor + schedule.peak * np.exp(-epoch / schedule.decay_epochs))
        case "one_cycle":
            done = (epoch * steps + np.arange(1, steps + 1)) / (epochs * steps)
            rising = schedule.peak * done / schedule.warmup if schedule.warmup else np.full(steps, np.inf)
            falling = np.clip((done - schedule.warmup) / (1 - schedule.warmup), 0, 1)
            cosine = schedule.floor + (schedule.peak - schedule.floor) * (1 + np.cos(np.pi * falling)) / 2
            return np.where(done <= schedule.warmup, rising, cosine)
        case _:
            raise ModelError(f"unknown schedule {schedule.kind!r}; expected constant, exponential_floor or one_cycle")
