"""Augmentation of a batch of images before a model sees it, inside TensorFlow's graph. Knows images; nothing of models."""

from typing import Any

import numpy as np

from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.training.augmentation.digit_styles import Drawings
from glyphlite.training.augmentation.parameters import BAR_GREYS, BAR_PIXELS, BARS, COARSE_SIDES, ELASTIC_GRID, Photometric


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


def relit(images: Any, photometric: Photometric, seed: Any, labels: Any = None, drawings: Drawings | None = None) -> Any:
    """Makes some images noisy, others faint, lays bars over others, makes others coarse and replaces others by drawn ones: the
    first, the last of a batch, whose order is random, those behind the noisy ones, and those behind these, twice.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1].
        photometric: how many, and how much.
        seed: int32 ``(2,)``; the same gives the same images.
        labels: int32 ``(batch,)``; read where there are drawings.
        drawings: what images may be replaced by; None for nothing.
    """
    import tensorflow as tf

    count = tf.shape(images)[0]
    faded, noisy, hidden, rough, other = (
        tf.cast(tf.round(share * tf.cast(count, tf.float32)), tf.int32)
        for share in (photometric.faded, photometric.noisy, photometric.occluded, photometric.coarse, photometric.rewritten)
    )
    shares = tf.random.stateless_uniform(tf.stack([3, count, 1, 1, 1]), seed)
    head, middle, tail = images[:noisy], images[noisy : count - faded], images[count - faded :]
    if photometric.rewritten and drawings is not None:
        few = slice(hidden + rough, hidden + rough + other)
        seen = rewritten(middle[few], labels[noisy : count - faded][few], drawings, seed + tf.constant([0, 4]))
        middle = tf.concat([middle[: few.start], seen, middle[few.stop :]], axis=0)
    if photometric.coarse:
        seen = coarse(middle[hidden : hidden + rough], seed + tf.constant([0, 3]))
        middle = tf.concat([middle[:hidden], seen, middle[hidden + rough :]], axis=0)
    if photometric.occluded:
        middle = tf.concat([occluded(middle[:hidden], seed + tf.constant([0, 2])), middle[hidden:]], axis=0)
    noise = tf.random.stateless_normal(tf.shape(head), seed + tf.constant([0, 1]))
    head = tf.clip_by_value(head + noise * shares[0, :noisy] * photometric.largest_noise, 0.0, 1.0)
    lost = shares[1, count - faded :] * (1 - photometric.least_contrast)
    tail = tail * (1 - lost) + shares[2, count - faded :] * lost
    return tf.concat([head, middle, tail], axis=0)


def occluded(images: Any, seed: Any) -> Any:
    """Lays up to `BARS` bars over each image, soft at their edges.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1].
        seed: int32 ``(2,)``; the same gives the same images.
    """
    import tensorflow as tf

    height, width = images.shape[1:3]
    rows, columns = np.meshgrid(np.arange(height, dtype=np.float32), np.arange(width, dtype=np.float32), indexing="ij")
    drawn = tf.random.stateless_uniform(tf.stack([BARS, 7, tf.shape(images)[0], 1, 1]), seed)
    for bar in range(BARS):
        row, column, turn, breadth, length, grey, is_there = tf.unstack(drawn[bar])
        down, right = rows - row * height, columns - column * width
        sine, cosine = tf.sin(np.pi * turn), tf.cos(np.pi * turn)
        across = tf.abs(down * cosine - right * sine) - _between(BAR_PIXELS[0], breadth) / 2
        along = tf.abs(down * sine + right * cosine) - _between(BAR_PIXELS[1], length) / 2
        cover = tf.clip_by_value(0.5 - tf.maximum(across, along), 0.0, 1.0) * tf.cast(is_there < 2 / 3, tf.float32)
        cover = cover[..., tf.newaxis]
        images = images * (1 - cover) + _between(BAR_GREYS, grey)[..., tf.newaxis] * cover
    return images


def coarse(images: Any, seed: Any) -> Any:
    """Makes each image from a picture of fewer pixels, one of `COARSE_SIDES`: the means of its areas, enlarged bilinearly.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1].
        seed: int32 ``(2,)``; the same gives the same images.
    """
    import tensorflow as tf

    sides = tf.random.stateless_uniform(tf.shape(images)[:1], seed, 0, len(COARSE_SIDES), tf.int32)
    rows, columns = (
        tf.gather(tf.constant(np.stack([_coarsening(pixels, side) for side in COARSE_SIDES])), sides)
        for pixels in images.shape[1:3]
    )
    return tf.einsum("nrh,nhwc,nkw->nrkc", rows, images, columns)


def rewritten(images: Any, labels: Any, drawings: Drawings, seed: Any) -> Any:
    """Replaces each image whose class has drawn pictures by one of these.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1].
        labels: int32 ``(batch,)``.
        drawings: the pictures.
        seed: int32 ``(2,)``; the same gives the same images.
    """
    import tensorflow as tf

    of_class = tf.gather(tf.constant(drawings.rows), labels)
    chosen = tf.random.stateless_uniform(tf.shape(labels), seed, 0, drawings.pictures.shape[1], tf.int32)
    pictures = tf.gather_nd(tf.constant(drawings.pictures), tf.stack([tf.maximum(of_class, 0), chosen], axis=1))
    return tf.where((of_class >= 0)[:, tf.newaxis, tf.newaxis, tf.newaxis], normalized(pictures), images)


def _coarsening(pixels: int, side: int) -> np.ndarray:
    """Returns the matrix ``(pixels, pixels)`` that averages along an axis over ``side`` areas and interpolates between these."""
    edges, starts = np.linspace(0, pixels, side + 1), np.arange(pixels)
    shares = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    means = np.clip(shares, 0, None) * side / pixels
    places = np.clip((starts + 0.5) * side / pixels - 0.5, 0, side - 1)
    nearness = np.clip(1 - np.abs(places[:, None] - np.arange(side)), 0, None)
    return (nearness @ means).astype(np.float32)


def _between(ends: tuple[float, float], share: Any) -> Any:
    return ends[0] + (ends[1] - ends[0]) * share
