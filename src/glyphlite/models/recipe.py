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
    """How a model is trained."""

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
