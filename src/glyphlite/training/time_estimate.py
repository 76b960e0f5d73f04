"""The estimate of a training's duration, from the times of a few of its steps before it begins. Knows nothing of models."""

from glyphlite.models.recipe import Recipe
from glyphlite.training.batches import CHUNK_STEPS

FORWARD_SHARE = 1 / 3
"""Fraction of a training step's time for the forward pass; the two products of the backward pass cost as much each."""

SIMULATED_INT8, SIMULATED_INT8_COMPILED = 1.25, 1.03
"""Time of a step with int8 simulated, relative to one without: in TensorFlow 1.1 times in glyph-4k, 1.4 in glyph-32k; in the
compiled engine 0.96 to 1.06 in the whole family (`benchmarks/training.py`)."""


def remaining_seconds(
    recipe: Recipe,
    *,
    steps: int,
    done: int,
    validation_images: int,
    step_seconds: float,
    chunk_answer_seconds: float = 0.0,
    simulates_int8: bool = False,
    is_compiled: bool = False,
    untried: int = 0,
) -> float:
    """Returns about how many seconds the rest of a training takes.

    Args:
        recipe: how it is trained.
        steps: optimizer steps in an epoch.
        done: optimizer steps behind, of all epochs together.
        validation_images: seen after every epoch.
        step_seconds: of one optimizer step now.
        chunk_answer_seconds: what the teachers need for one chunk of images that they were not asked about before.
        simulates_int8: whether int8 is simulated already in the step that was timed.
        is_compiled: whether the compiled engine trains, not TensorFlow.
        untried: initializations that are still to be tried.
    """
    float_steps = max(recipe.float_epochs * steps - done, 0)
    quantized_steps = recipe.epochs * steps - done - float_steps
    if untried and recipe.beginnings:
        float_steps += untried * recipe.beginnings.epochs * steps
    epochs = recipe.epochs - done // steps
    validation = epochs * validation_images / recipe.batch_size * FORWARD_SHARE
    asked = min(recipe.augmentation_cycle or epochs, epochs) * -(-steps // CHUNK_STEPS)
    slower = 1.0 if simulates_int8 else SIMULATED_INT8_COMPILED if is_compiled else SIMULATED_INT8
    return (float_steps + slower * quantized_steps + validation) * step_seconds + asked * chunk_answer_seconds


def roughly(seconds: float) -> str:
    """Returns a duration as people say it, no more exact than it is known: ``a few seconds``, ``35 s``, ``1 min 20 s``."""
    if seconds < 10:
        return "a few seconds"
    if round(seconds / 5) * 5 < 60:
        return f"{round(seconds / 5) * 5} s"
    if round(seconds / 10) * 10 < 600:
        minutes, rest = divmod(round(seconds / 10) * 10, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    if round(seconds / 60) < 60:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 600) * 10, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def roughly_between(low: float, high: float) -> str:
    """Returns a range of durations as people say it, or one, where both ends are said alike: ``10 to 14 min``, ``35 s``."""
    first, last = roughly(low), roughly(high)
    if first == last:
        return last
    (number, *unit), (_, *other) = first.split(), last.split()
    return f"{number} to {last}" if unit == other else f"{first} to {last}"
