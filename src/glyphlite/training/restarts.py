"""Several beginnings of one training: the first epochs from different initial weights, of which the best go on.

A net of some hundred weights depends on where it begins: of five, the loss after ten epochs foretold the loss at the end. One
round of successive halving (K. Jamieson and A. Talwalkar, 2016) over initializations; judged by the training loss, so that
validation images choose nothing but the epoch.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from glyphlite.training.batches import Batches, Chunk
from glyphlite.training.loop import TrainingLoop
from glyphlite.training.schedule import recipe_rates

Answers = Callable[[int, Chunk], np.ndarray | None]
"""What teachers answer to a chunk of an epoch."""


def initial_seed(seed: int, beginning: int) -> int:
    """Returns the seed of the weights of a training's beginning, from 0: of the first the training's own."""
    return seed if beginning == 0 else int(np.random.SeedSequence([seed, beginning]).generate_state(1)[0])


def best_beginning(losses: Sequence[float]) -> int:
    """Returns which initialization continues, from 0: the one with the lowest loss; ties go to the first."""
    return min(range(len(losses)), key=losses.__getitem__)


def try_beginning(
    loop: TrainingLoop, seed: int, epochs: int, batches: Batches, answers: Answers, seen: Callable[[int, int, float, float], None]
) -> float:
    """Trains the first epochs from the weights that a seed gives.

    Args:
        loop: what is trained; it is left behind the epochs.
        seed: of the weights.
        epochs: how many, at the rates that the recipe begins with.
        batches: the same for every beginning.
        answers: of the teachers.
        seen: called after every chunk with the epoch, its batches done, the mean loss and the accuracy.

    Returns:
        The mean training loss of the last of these epochs; infinite where it is no number.
    """
    loop.restart(seed)
    loss_sum = 0.0
    for epoch in range(epochs):
        rates = recipe_rates(loop.recipe, epoch, batches.steps)
        loss_sum, right = 0.0, 0
        for chunk in batches.epoch(epoch):
            end = chunk.first_step + len(chunk.order)
            loss, correct = loop.run(chunk, rates[chunk.first_step : end], answers(epoch, chunk))
            if not math.isfinite(loss):
                return math.inf
            loss_sum, right = loss_sum + loss, right + correct
            images = min(end * batches.batch_size, batches.images)
            seen(epoch, end, loss_sum / images, right / images)
    return loss_sum / batches.images
