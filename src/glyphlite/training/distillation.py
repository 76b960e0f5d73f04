"""Trained models that teach: what they answer to the images that each step sees.

A teacher comes with glyphlite and teaches only on the very split that it was trained on, so that no image that chooses an epoch
was learned by it. Their answers to warped images are kept: the warps repeat after some epochs, the teachers are asked once. Where
the warps do not depend on the training's seed, answers are kept on disk and serve every training (`glyphlite.training.answers`).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.dataset import Dataset
from glyphlite.models.pretrained import is_shipped, pretrained_card, pretrained_keras
from glyphlite.models.recipe import Distillation, Recipe
from glyphlite.training.answers import are_kept, kept_answers
from glyphlite.training.augmentation.image_ops import normalized, warped
from glyphlite.training.batches import Batches, Chunk, transform_numbers
from glyphlite.training.engine.network import Network, network_of
from glyphlite.training.engine.warp import warp_of

if TYPE_CHECKING:
    import keras


def with_fitting_teachers(recipe: Recipe, model: str, content: str) -> Recipe:
    """Returns the recipe, without distillation where a teacher is not shipped or was trained on another split (a hash of its
    content).
    """
    if recipe.distillation is None:
        return recipe
    for name in recipe.distillation.teachers:
        shipped = is_shipped(name)
        if not shipped or pretrained_card(name).content != content:
            why = "was trained on other images" if shipped else "is not pretrained"
            say(f"{model} learns from the labels alone: its teacher {name} {why}")
            return replace(recipe, distillation=None)
    return recipe


def log_probabilities(scores: Any) -> Any:
    """Logarithms of probabilities, finite where one is 0; inside TensorFlow's graph."""
    import tensorflow as tf

    return tf.math.log(scores + 1e-9)


def teacher_hashes(recipe: Recipe) -> dict[str, str]:
    """Returns the SHA-256  of each teacher's file: what a resumed training must find again."""
    return {name: pretrained_card(name).keras_sha256 for name in (recipe.distillation.teachers if recipe.distillation else ())}


class Teachers:
    """Asks the teachers, and keeps what they said: at most as many answers as a cycle of epochs has images."""

    def __init__(self, distillation: Distillation, dataset: Dataset, batches: Batches, content: str = "") -> None:
        """Notes who they are; their files are read when they are asked.

        Args:
            distillation: which they are.
            dataset: whose training images they see.
            batches: as the student is given them.
            content: the hash of the dataset; with it, and where every training has the same warps, answers are kept on disk.
        """
        self._names, self._images, self._batches = distillation.teachers, dataset.train.images, batches
        self._kept: dict[tuple[int, int], np.ndarray] = {}
        self._kept_whole: dict[int, np.ndarray] = {}
        self._named = {"content": content, "teachers": [pretrained_card(name).keras_sha256 for name in distillation.teachers]}

    @cached_property
    def _ask(self) -> Callable[[Any, Any], Any]:
        """Loads the teachers and returns what asks them: for images by their places and how they are warped, log-probabilities.

        Raises:
            ModelError: a teacher's file is damaged.
        """
        import tensorflow as tf

        from glyphlite.models.loading import load_keras_model
        from glyphlite.models.qat.state import set_quantized

        batches = self._batches
        models = [load_keras_model(pretrained_keras(name)) for name in self._names]
        for model in models:
            set_quantized(model, quantized=False)
        networks = [network_of(model, batches.batch_size, trains=False) for model in models]
        answering = [_answering(model, network) for model, network in zip(models, networks, strict=True)]
        warp = warp_of(self._images, batches.augmentation) if all(networks) else None
        images = tf.constant(self._images)
        numbers = transform_numbers(batches.augmentation)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, numbers], tf.float32)])
        def ask(order: Any, transforms: Any) -> Any:
            if warp is not None:
                seen = warp(order, transforms)
            else:
                seen = normalized(tf.gather(images, order))
                seen = seen if batches.augmentation is None else warped(seen, transforms)
            return tf.add_n([log_probabilities(answer(seen)) for answer in answering]) / len(models)

        return ask

    def answers(self, epoch: int, chunk: Chunk) -> np.ndarray:
        """Returns log-probabilities, but for a constant: float16 ``(steps, batch, classes)``, of a chunk of an epoch."""
        if self._batches.warps_seed is not None:
            return self._of_epoch(epoch)[chunk.order]
        key = self._batches.in_cycle(epoch), chunk.first_step
        if key not in self._kept:
            answers = self.ask(chunk)
            if not self._batches.cycle:
                return answers
            self._kept[key] = answers
        return self._kept[key]

    def _of_epoch(self, epoch: int) -> np.ndarray:
        """Returns what they answer to every image as an epoch warps it, ``(images, classes)``: kept in memory and on disk."""
        epoch = self._batches.in_cycle(epoch)
        if epoch not in self._kept_whole:
            if self._batches.cycle is None:
                self._kept_whole.clear()
            self._kept_whole[epoch] = kept_answers(self.named_in(epoch), lambda: self.ask_all(epoch))
        return self._kept_whole[epoch]

    def are_on_disk(self, epoch: int) -> bool:
        """Returns whether what they answer in an epoch came with glyphlite, or is kept from an earlier training."""
        return self._batches.warps_seed is not None and are_kept(self.named_in(epoch))

    def named_in(self, epoch: int) -> dict[str, Any]:
        """Returns everything that their answers in an epoch depend on, but for the last bits; plain JSON."""
        return {**self._named, "warps": self._batches.warps_named(epoch)}

    def ask_all(self, epoch: int) -> np.ndarray:
        """Asks them about every image as an epoch warps it: float16 ``(images, classes)``."""
        warps = self._batches.warps(epoch)
        order, size = np.arange(self._batches.images, dtype=np.int32), self._batches.batch_size
        assert warps is not None
        return np.concatenate(
            [self._ask(order[first : first + size], warps[first : first + size]).numpy() for first in range(0, len(order), size)]
        ).astype(np.float16)

    def ask(self, chunk: Chunk) -> np.ndarray:
        """Computes the same as :meth:`answers`, but always asks the teachers and keeps nothing."""
        empty = np.zeros((*chunk.order.shape, 0), np.float32)
        pairs = zip(chunk.order, empty if chunk.transforms is None else chunk.transforms, strict=True)
        return np.stack([self._ask(order, transforms).numpy() for order, transforms in pairs]).astype(np.float16)


def _answering(model: "keras.Model", network: Network | None) -> Callable[[Any], Any]:
    """Returns what gives a model's probabilities inside TensorFlow's graph: the engine, where it knows the model."""
    import tensorflow as tf

    return partial(model, training=False) if network is None else lambda seen: tf.nn.softmax(network.scores(seen))
