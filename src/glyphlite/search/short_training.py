"""A short training: what a trial learns of a network. Float first, then with int8 simulated; nothing is kept on disk."""

import gc
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from glyphlite.datasets.dataset import Dataset
from glyphlite.models.choice import ModelChoice
from glyphlite.models.recipe import Recipe
from glyphlite.training.batches import Batches
from glyphlite.training.loop import TrainingLoop
from glyphlite.training.schedule import recipe_rates

Seen = Callable[[int, float, float], None]
"""Called after an epoch with its number, from 1, and the validation accuracy and loss."""


@dataclass(frozen=True)
class ShortTraining:
    """The result: accuracy and loss on validation images after the last epoch, which simulates int8; epochs and CPU time.

    Accuracy is the mean of the classes' recalls where the recipe weighs classes.
    """

    accuracy: float
    loss: float
    epochs: int
    cpu_seconds: float


def train_briefly(
    choice: ModelChoice, dataset: Dataset, recipe: Recipe, seed: int, rungs: tuple[int, ...], seen: Seen, beat: Callable[[], None]
) -> ShortTraining:
    """Trains a network by a recipe and judges it on validation images; the test split is not looked at.

    Args:
        choice: the network.
        dataset: whose training split is learned, whose validation split judges.
        recipe: how.
        seed: of weights, order and augmentation.
        rungs: epochs after which ``seen`` is called; what it raises ends the training.
        seen: told what the network is worth there.
        beat: called every few steps.

    Raises:
        ModelError: the network cannot be trained.
    """
    start = time.process_time()
    try:
        loop = TrainingLoop(choice, dataset.train, dataset.validation, recipe, seed)
        batches = Batches(len(dataset.train), choice.input_shape[:2], recipe.batch_size, seed, recipe.augmentation)
        for epoch in range(recipe.epochs):
            if recipe.quantized_epochs and epoch == recipe.float_epochs:
                loop.quantize()
            rates = recipe_rates(recipe, epoch, batches.steps)
            for chunk in batches.epoch(epoch):
                loss, _ = loop.run(chunk, rates[chunk.first_step : chunk.first_step + len(chunk.order)])
                beat()
                if not math.isfinite(loss):  # the rate was too high: as wrong as can be, and not worth another step
                    return ShortTraining(0.0, math.inf, epoch + 1, time.process_time() - start)
            if epoch + 1 in rungs:
                loop.synchronize()
                loss, accuracy, balanced = loop.validate()
                seen(epoch + 1, accuracy if balanced is None else balanced, loss)
        loop.synchronize()
        loss, accuracy, balanced = loop.validate()
        return ShortTraining(accuracy if balanced is None else balanced, loss, recipe.epochs, time.process_time() - start)
    finally:
        _forget()


def _forget() -> None:
    """Gives back the memory of a training: Keras keeps the graphs of what it compiled until it is told."""
    import keras

    keras.backend.clear_session()
    gc.collect()
