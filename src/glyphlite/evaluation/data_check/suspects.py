"""Label suspects: images that models, trained on the others, all take for the same other class, and are sure of it.

Several times the images are divided anew into as many parts; each part is answered by a model that was trained on the rest. The
models are small and trained by the compiled engine where it knows them, so that this takes seconds. After C. Northcutt et al.,
"Confident Learning: Estimating Uncertainty in Dataset Labels" (2021): out-of-sample probabilities judge labels.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from glyphlite.console import progress_bar, say
from glyphlite.datasets.dataset import Split, as_float
from glyphlite.errors import ModelError
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.registry import resolve_model
from glyphlite.training.batches import Batches
from glyphlite.training.loop import TrainingLoop
from glyphlite.training.schedule import recipe_rates
from glyphlite.training.time_estimate import roughly

MODEL, ELSEWHERE = "glyph-4k", "micro-cnn"
"""The model that judges, and the one for images that it cannot take."""
FOLDS, REPEATS = 3, 3
FEWEST = 60
"""Images, below which models that were trained on the rest say nothing."""
_SEEN, _MOST_EPOCHS, _FEWEST_EPOCHS = 25_000, 40, 3
"""Images that a training sees in all, as far as that takes neither too many epochs nor too few."""
_BATCH = 64
_CONFIDENT, _UNLIKELY = 0.7, 0.1
"""The mean probability that the other class has at least, and the label at most."""
_ANSWERED = 2_000


@dataclass(frozen=True)
class Judgement:
    """The answers of models to images that they were not trained on.

    ``votes`` ``(repeats, n)`` are their classes, ``probabilities`` ``(n, classes)`` the mean of theirs.
    """

    model: str
    votes: np.ndarray
    probabilities: np.ndarray
    seconds: float

    @property
    def trainings(self) -> int:
        """Returns how many models were trained."""
        return FOLDS * len(self.votes)

    def suspects(self, labels: np.ndarray) -> np.ndarray:
        """Returns the indices of the images whose labels are suspect, the most confident contradiction first.

        Args:
            labels: ``(n,)``, as they stand.
        """
        places = np.arange(len(labels))
        guess = self.votes[0]
        sure, own = self.probabilities[places, guess], self.probabilities[places, labels]
        agreed = (self.votes == guess).all(axis=0) & (guess != labels)
        found = np.flatnonzero(agreed & (sure >= _CONFIDENT) & (own <= _UNLIKELY))
        return found[np.argsort(own[found] - sure[found], kind="stable")]


def judge_labels(images: np.ndarray, labels: np.ndarray, classes: int, seed: int = 0) -> Judgement:
    """Trains small models on parts of the images and has them answer the rest; says beforehand how long that takes.

    Args:
        images: uint8 ``(n, height, width, channels)``.
        labels: their classes ``(n,)``.
        classes: how many there are.
        seed: of the parts and the models.

    Raises:
        ModelError: no model can be trained on such images.
    """
    started, kept = time.monotonic(), len(labels) * (FOLDS - 1) // FOLDS
    epochs = min(max(round(_SEEN / max(kept, 1)), _FEWEST_EPOCHS), _MOST_EPOCHS)
    recipe = Recipe("data-check", epochs, _BATCH, Schedule("one_cycle", peak=0.01, warmup=0.1), augmentation="affine_gentle")
    model, loop = _loop(Split(images, labels), classes, recipe, seed)
    batches = Batches(kept, images.shape[1:3], _BATCH, seed, recipe.augmentation)
    trainings = FOLDS * REPEATS
    chunk = next(batches.epoch(0))
    _, step = loop.time_step(chunk, recipe_rates(recipe, 0, batches.steps)[: len(chunk.order)])
    say(
        f"label suspects: {trainings} trainings of {epochs} epochs on {kept:,} images each, about "
        f"{roughly(trainings * epochs * batches.steps * step)} (--no-suspects leaves them out)"
    )
    votes = np.empty((REPEATS, len(labels)), np.int64)
    probabilities = np.zeros((len(labels), classes), np.float32)
    with progress_bar("trainings for label suspects", trainings) as advance:
        for repeat in range(REPEATS):
            for fold, (rest, part) in enumerate(_parts(labels, seed + repeat)):
                _train(loop, replace(batches, images=len(rest), seed=seed + repeat), rest, seed + repeat * FOLDS + fold)
                answers = _answers(loop, images[part])
                votes[repeat, part] = answers.argmax(axis=1)
                probabilities[part] += answers / REPEATS
                advance()
    return Judgement(model, votes, probabilities, time.monotonic() - started)


def _loop(split: Split, classes: int, recipe: Recipe, seed: int) -> tuple[str, TrainingLoop]:
    """Returns the model that judges, by its name and in training.

    Raises:
        ModelError: none can be trained on such images.
    """
    for name in (MODEL, ELSEWHERE):
        try:
            choice = replace(resolve_model(name, split.images.shape[1:], classes), recipe=recipe)
            return name, TrainingLoop(choice, split, split.take(slice(1)), recipe, seed)
        except ModelError as error:
            refused = error
    raise refused


def _parts(labels: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns the indices to train with and those to answer, for each part; each class is divided equally."""
    rng, part = np.random.default_rng(seed), np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        part[places] = (np.arange(len(places)) + rng.integers(FOLDS)) % FOLDS
    return [(np.flatnonzero(part != each), np.flatnonzero(part == each)) for each in range(FOLDS)]


def _train(loop: TrainingLoop, batches: Batches, rest: np.ndarray, seed: int) -> None:
    """Trains a model anew on some of the images."""
    loop.restart(seed)
    for epoch in range(loop.recipe.epochs):
        rates = recipe_rates(loop.recipe, epoch, batches.steps)
        for chunk in batches.epoch(epoch):
            own = replace(chunk, order=rest[chunk.order].astype(np.int32))
            loop.run(own, rates[chunk.first_step : chunk.first_step + len(chunk.order)])
    loop.synchronize()


def _answers(loop: TrainingLoop, images: np.ndarray) -> np.ndarray:
    """Returns the probabilities that a model gives images, float32 ``(n, classes)``."""
    parts = range(0, len(images), _ANSWERED)
    answers = [np.asarray(loop.model(as_float(images[first : first + _ANSWERED]), training=False)) for first in parts]
    return np.concatenate(answers)
