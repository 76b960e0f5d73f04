"""Training images of a batch as a recipe changes them, inside TensorFlow's graph: warped, by the compiled engine where that
is possible, and in another light.
"""

from typing import Any

import numpy as np

from glyphlite.datasets.dataset import Split
from glyphlite.models.recipe import Recipe
from glyphlite.training.augmentation.digit_styles import Drawings
from glyphlite.training.augmentation.image_ops import normalized, warped
from glyphlite.training.augmentation.light import relight
from glyphlite.training.augmentation.parameters import PHOTOMETRIC
from glyphlite.training.engine.warp import warp_of


class TrainingImages:
    """The images of a training split, of which each call gives some."""

    def __init__(self, split: Split, recipe: Recipe, drawings: Drawings | None, *, compiled: bool) -> None:
        """Keeps the images.

        Args:
            split: what is learned.
            recipe: how images are changed; its ``photometric`` is one of `PHOTOMETRIC`.
            drawings: what images are replaced by, where the recipe asks for it.
            compiled: whether the engine warps them.
        """
        import tensorflow as tf

        self._labels, self._drawings = split.labels, drawings
        self._is_warped = recipe.augmentation is not None
        self._photometric = PHOTOMETRIC[recipe.photometric] if recipe.photometric else None
        self._warp = warp_of(split.images, recipe.augmentation, self._relight) if compiled else None
        self._images = None if self._warp else tf.constant(split.images)

    def __call__(self, order: Any, transforms: Any, seed: Any) -> Any:
        """Returns float32 images ``(batch, height, width, channels)`` in [0, 1].

        Args:
            order: int32 ``(batch,)``, which images.
            transforms: float32 ``(batch, numbers)``, as `glyphlite.training.batches.Chunk` has them.
            seed: int32 ``(2,)``, of the changes of light.
        """
        import tensorflow as tf

        if self._warp is not None:
            return self._warp(order, transforms, seed)
        images = normalized(tf.gather(self._images, order))
        images = warped(images, transforms) if self._is_warped else images
        if self._photometric is None:
            return images
        lit = tf.numpy_function(self._relit, [images, order, seed], tf.float32, stateful=False)
        return tf.ensure_shape(lit, images.shape)

    def _relight(self, images: np.ndarray, order: np.ndarray, seed: np.ndarray) -> None:
        if self._photometric is not None:
            relight(images, self._photometric, seed, self._labels[order], self._drawings)

    def _relit(self, images: np.ndarray, order: np.ndarray, seed: np.ndarray) -> np.ndarray:
        images = images.copy()  # TensorFlow's own memory
        self._relight(images, order, seed)
        return images
