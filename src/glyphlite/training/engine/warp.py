"""Affine augmentation and elastic distortion in the compiled engine, inside TensorFlow's graph: what `image_ops.warped` gives."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from glyphlite.training.augmentation.image_ops import influence
from glyphlite.training.augmentation.parameters import AUGMENTATIONS
from glyphlite.training.engine.library import engine_library
from glyphlite.training.engine.processors import processors

_LARGEST_SIDE = 256
"""Of an image, as warp.c has it."""


Change = Callable[[np.ndarray, np.ndarray, np.ndarray], None]
"""Changes images in place, given their places in the split and the seed of a step."""


def warp_of(images: np.ndarray, augmentation: str | None, change: Change | None = None) -> "Warp | None":
    """Returns what warps some of the images, and then changes them; None where they are not augmented, not grey, too large, or no
    compiler is here.
    """
    height, width, channels = images.shape[1:]
    if augmentation is None or channels != 1 or max(height, width) > _LARGEST_SIDE:
        return None
    library = engine_library()
    return Warp(library, images, AUGMENTATIONS[augmentation].numbers, change) if library else None


class Warp:
    """Images that lie in memory, of which each call warps some."""

    def __init__(self, library: ctypes.CDLL, images: np.ndarray, numbers: int, change: Change | None) -> None:
        """Keeps the images, uint8 ``(images, height, width, 1)``; ``numbers`` say what is done to one."""
        self._library, self._numbers, self._change = library, numbers, change
        self._images = np.ascontiguousarray(images)
        height, width = images.shape[1:3]
        self._influences = [np.ascontiguousarray(each, np.float32) for each in (influence(height), influence(width).T)]

    def __call__(self, order: Any, transforms: Any, seed: Any = (0, 0)) -> Any:
        """Returns float32 images ``(batch, height, width, 1)`` in [0, 1].

        Args:
            order: int32 ``(batch,)``, which images.
            transforms: float32 ``(batch, numbers)``, as `glyphlite.training.batches.Chunk` has them.
            seed: int32 ``(2,)``, of what is changed behind the warp.
        """
        import tensorflow as tf

        warped = tf.numpy_function(self._warp, [order, transforms, seed], tf.float32, stateful=False)
        return tf.ensure_shape(warped, [None, *self._images.shape[1:]])

    def _warp(self, order: np.ndarray, transforms: np.ndarray, seed: np.ndarray) -> np.ndarray:
        order, transforms = np.ascontiguousarray(order, np.int32), np.ascontiguousarray(transforms, np.float32)
        height, width = self._images.shape[1:3]
        results = np.empty((len(order), height, width, 1), np.float32)
        arrays = (self._images, order, transforms, *self._influences, results)
        addresses = [each.ctypes.data_as(ctypes.c_void_p) for each in arrays]
        pixels, of_order, of_transforms, rows, columns, into = addresses
        self._library.warp(
            pixels, height, width, of_order, of_transforms, self._numbers, rows, columns, len(order), into, processors()
        )
        if self._change is not None:
            self._change(results, order, seed)
        return results
