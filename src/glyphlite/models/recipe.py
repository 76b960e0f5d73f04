"""A training recipe is data: what the trainer does, with nothing of how.

It stands with the models, left of training, because a model names the recipe it was tuned with.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """A learning rate over time. ``kind`` names the formula; the trainer holds the formulas.

    ``constant``: ``peak``. ``exponential_floor``: ``floor + peak * exp(-epoch / decay_epochs)``, stepped by epoch.
    ``one_cycle``: linear from 0 to ``peak`` over ``warmup`` of the steps, then a cosine down to ``floor``.
    """

    kind: str
    peak: float
    floor: float = 0.0
    decay_epochs: float = 0.0
    warmup: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    ``precision`` is what products are computed in while training: ``float32``, or ``bfloat16`` on processors that have
    instructions for it (float32 elsewhere). Weights, updates, validation and the model that comes out are float32 in both.
    """

    name: str
    epochs: int
    batch_size: int
    schedule: Schedule
    optimizer: str = "adam"
    loss: str = "sparse_categorical_crossentropy"
    augmentation: str | None = None
    label_smoothing: float = 0.0
    ema: float | None = None
    quantization_aware: bool = False
    precision: str = "float32"


def describe_recipe(recipe: Recipe) -> str:
    """The recipe in words, one line."""
    schedule = recipe.schedule
    rates = {
        "constant": f"rate {schedule.peak:g}",
        "exponential_floor": f"rate {schedule.floor:g} + {schedule.peak:g} exp(-epoch / {schedule.decay_epochs:g})",
        "one_cycle": f"one cycle up to rate {schedule.peak:g}",
    }
    words = [recipe.optimizer.capitalize(), rates[schedule.kind], f"{recipe.epochs} epochs", f"batches of {recipe.batch_size}"]
    if recipe.augmentation:
        words.append(f"augmentation {recipe.augmentation}")
    if recipe.label_smoothing:
        words.append(f"label smoothing {recipe.label_smoothing:g}")
    if recipe.ema:
        words.append(f"averaged weights ({recipe.ema:g})")
    if recipe.precision != "float32":
        words.append(f"{recipe.precision} where the processor has it")
    if recipe.quantization_aware:
        words.append("quantization-aware")
    return ", ".join(words)
