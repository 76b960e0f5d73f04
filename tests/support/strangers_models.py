"""Models of strangers: one that tells four kinds of strokes apart, rewritten to take its pixels in any range, and its data."""

from typing import Any

import numpy as np

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.models.interface.input_convention import InputConvention


def bars(count: int, seed: int) -> Split:
    """Strokes that stand, lie, fall and rise, light on dark, uint8 ``(count, 28, 28, 1)``."""
    rng = np.random.default_rng(seed)
    images, labels = np.zeros((count, 28, 28, 1), np.uint8), np.arange(count) % 4
    for image, label in zip(images, labels, strict=True):
        (row, column), k = rng.integers(6, 20, 2), np.arange(-5, 6)
        rows, columns = [(row + k, column + 0 * k), (row + 0 * k, column + k), (row + k, column + k), (row + k, column - k)][
            label
        ]
        for width in (0, 1):
            image[rows.clip(0, 27), (columns + width).clip(0, 27), 0] = rng.integers(180, 256)
    return Split(images, labels)


def bars_dataset() -> Dataset:
    """600 strokes to train with, 100 to validate, 200 to test."""
    return Dataset("bars", ("0", "1", "2", "3"), bars(600, 0), bars(100, 1), bars(200, 2), "made here")


def trained(dataset: Dataset) -> Any:
    """A small Keras model for pixels / 255, right on nearly all of them."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    model: Any = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(8, 5, strides=2, activation="relu", name="conv"),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy")
    model.fit(dataset.train.images / np.float32(255), dataset.train.labels, epochs=8, verbose=0)
    return model


def taking(model: Any, convention: InputConvention) -> Any:
    """The same function of the pixel, for a model that is given ``(pixel - mean) / std``: its first layer absorbs the rest."""
    import keras

    copy: Any = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    kernel, bias = copy.get_layer("conv").get_weights()
    (mean,), (std,) = convention.mean, convention.std
    copy.get_layer("conv").set_weights([kernel * std / 255, bias + kernel.sum(axis=(0, 1, 2)) * mean / 255])
    return copy


def beginning_with(model: Any, *first: Any, dtype: str = "float32") -> Any:
    """The model behind layers of its own."""
    import keras

    image = keras.Input((28, 28, 1), dtype=dtype)
    values: Any = image
    for layer in first:
        values = layer(values)
    for layer in model.layers:
        values = layer(values)
    return keras.Model(image, values)
