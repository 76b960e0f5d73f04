"""What happens to a batch of images before a model sees it, inside TensorFlow's graph. Knows images; nothing of models."""

from typing import Any

from glyphlite.data.augment import Photometric


def normalized(images: Any) -> Any:
    """uint8 images as float32 in [0, 1]: `glyphlite.data.records.as_float` for tensors."""
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 255.0


def warped(images: Any, transforms: Any) -> Any:
    """Warp each of ``(batch, height, width, channels)`` by its ``(batch, 8)``, bilinearly, zeros coming in from outside."""
    import tensorflow as tf

    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=transforms,
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )


def relit(images: Any, photometric: Photometric, seed: Any) -> Any:
    """Make some images noisy and others faint: the first and the last of a batch, whose order is random.

    Args:
        images: float32 ``(batch, height, width, channels)`` in [0, 1].
        photometric: how many, and how much.
        seed: int32 ``(2,)``; the same gives the same images.
    """
    import tensorflow as tf

    count = tf.shape(images)[0]
    faded, noisy = (
        tf.cast(tf.round(share * tf.cast(count, tf.float32)), tf.int32) for share in (photometric.faded, photometric.noisy)
    )
    shares = tf.random.stateless_uniform(tf.stack([3, count, 1, 1, 1]), seed)
    head, middle, tail = images[:noisy], images[noisy : count - faded], images[count - faded :]
    noise = tf.random.stateless_normal(tf.shape(head), seed + tf.constant([0, 1]))
    head = tf.clip_by_value(head + noise * shares[0, :noisy] * photometric.largest_noise, 0.0, 1.0)
    lost = shares[1, count - faded :] * (1 - photometric.least_contrast)
    tail = tail * (1 - lost) + shares[2, count - faded :] * lost
    return tf.concat([head, middle, tail], axis=0)
