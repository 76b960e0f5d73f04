"""Warps of a batch of images before a model sees it, inside TensorFlow's graph. Knows images; nothing of models."""

from typing import Any

import numpy as np

from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.training.augmentation.parameters import ELASTIC_GRID


def normalized(images: Any) -> Any:
    """Returns uint8 images as float32 in [0, 1]: `glyphlite.datasets.dataset.as_float` for tensors."""
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 255.0


def entered(images: Any, convention: InputConvention) -> Any:
    """Returns images in [0, 1] as a model takes them: as they are, unless it was made for another range."""
    if convention.same_values(OURS):
        return images
    return (images * 255.0 - np.asarray(convention.mean, np.float32)) / np.asarray(convention.std, np.float32)


def warped(images: Any, transforms: Any) -> Any:
    """Warps each image by its numbers, bilinearly, zeros coming in from outside.

    Args:
        images: float32 ``(batch, height, width, channels)``.
        transforms: ``(batch, numbers)``, as `glyphlite.training.batches.Chunk` has them.
    """
    import tensorflow as tf

    if transforms.shape[-1] != 8:
        return _bent(images, transforms)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def _bent(images: Any, transforms: Any) -> Any:
    """Samples as TensorFlow's op for projective transforms does, which has no place for elastic distortion."""
    import tensorflow as tf

    height, width, channels = images.shape[1:]
    rows, columns = np.meshgrid(np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32), indexing="ij")
    plane = tf.constant(np.stack([columns, rows, np.ones_like(rows)]).reshape(3, -1))
    spread = tf.constant(np.einsum("rg,ch->ghrc", influence(height), influence(width)).reshape(ELASTIC_GRID**2, -1))
    displacements = transforms[:, 8:]
    x = transforms[:, 0:3] @ plane + displacements[:, : ELASTIC_GRID**2] @ spread
    y = transforms[:, 3:6] @ plane + displacements[:, ELASTIC_GRID**2 :] @ spread
    # A rim of zeros, one before and two behind, lets every place find four neighbours without a question.
    x, y = tf.clip_by_value(x, -1.0, float(width)) + 1, tf.clip_by_value(y, -1.0, float(height)) + 1
    left, top = tf.floor(x), tf.floor(y)
    right, down = (x - left)[..., None], (y - top)[..., None]
    stride = width + 3
    first = tf.range(tf.shape(images)[0])[:, None] * ((height + 3) * stride)
    corner = tf.cast(top, tf.int32) * stride + tf.cast(left, tf.int32) + first
    pixels = tf.reshape(tf.pad(images, [[0, 0], [1, 2], [1, 2], [0, 0]]), [-1, channels])
    upper = tf.gather(pixels, corner) * (1 - right) + tf.gather(pixels, corner + 1) * right
    lower = tf.gather(pixels, corner + stride) * (1 - right) + tf.gather(pixels, corner + stride + 1) * right
    return tf.reshape(upper + (lower - upper) * down, tf.shape(images))


def influence(pixels: int) -> np.ndarray:
    """Returns each grid point's weight for each pixel along an axis, ``(pixels, ELASTIC_GRID)``; a row adds up to 1."""
    places = np.linspace(0, ELASTIC_GRID - 1, pixels, dtype=np.float32)
    nearness = np.clip(1 - np.abs(places[:, None] - np.arange(ELASTIC_GRID, dtype=np.float32)), 0, 1)
    return nearness**2 * (3 - 2 * nearness)
