"""Strokes that a model made by hand tells apart without an error: nothing is trained, so 100 % is known and not hoped for.

Four classes of bars (bar, dash, falling, rising), or up to a thousand patterns of squares. The model is one matched filter
per class with a lower and an upper cut (ReLU6), so that inputs of another range than it is made for leave it at chance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 28
NAMES = ("bar", "dash", "fall", "rise")


@dataclass(frozen=True)
class Convention:
    """Holds a model's input convention: ``scale * pixel + offset`` of a pixel of 0..255."""

    scale: float
    offset: float = 0.0

    def of(self, images: np.ndarray) -> np.ndarray:
        """Returns images (uint8) as the model takes them, float32."""
        return (images.astype(np.float32) * self.scale + self.offset).astype(np.float32)


UNIT = Convention(1 / 255)
RAW = Convention(1.0)
SIGNED = Convention(1 / 127.5, -1.0)
STANDARD = Convention(1 / 255 / 0.3081, -0.1307 / 0.3081)


@dataclass(frozen=True)
class Strokes:
    """Images ``(n, 28, 28)`` uint8, light on dark, and labels ``(n,)``, for training and for testing."""

    images: np.ndarray
    labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def save_npz(self, path: Path, form: Callable[[np.ndarray], np.ndarray] = lambda images: images) -> Path:
        """Write Keras' four arrays, the images as ``form`` makes them."""
        np.savez(
            path,
            x_train=form(self.images),
            y_train=self.labels,
            x_test=form(self.test_images),
            y_test=self.test_labels,
        )
        return path


def templates(classes: int = 4) -> np.ndarray:
    """Each class's pattern, ``(classes, 28, 28)``, bool."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    inside = np.maximum(abs(rows), abs(columns)) < 10
    if classes <= 4:
        across = (columns, rows, (rows - columns) / 2**0.5, (rows + columns) / 2**0.5)
        return np.stack([inside & (abs(each) < 2) for each in across[:classes]])
    rng = np.random.default_rng(classes)
    cells = np.zeros((classes, 7 * 7), bool)
    for pattern in cells:
        pattern[rng.choice(49, 16, replace=False)] = True
    return cells.reshape(classes, 7, 7).repeat(4, axis=1).repeat(4, axis=2)


def strokes(classes: int = 4, train: int = 400, test: int = 100, seed: int = 0) -> Strokes:
    """Patterns whose rows vary in brightness, so that no two images are equal, the classes in turn."""
    rng, patterns = np.random.default_rng(seed), templates(classes)

    def make(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % classes
        bright = rng.integers(205, 256, (count, SIDE, 1))
        return (patterns[labels] * bright).astype(np.uint8), labels.astype(np.uint8 if classes < 256 else np.int64)

    return Strokes(*make(train), *make(test))


def matched_filter(
    convention: Convention = UNIT,
    *,
    shape: tuple[int, ...] = (SIDE, SIDE, 1),
    front: Sequence[Any] = (),
    classes: int = 4,
    head: str = "softmax",
    dtype: str | None = None,
    batch: int | None = None,
) -> Any:
    """Returns a Keras model that is right on every stroke, if its filters see what ``convention`` says.

    Args:
        convention: of what reaches the filters, behind ``front``.
        shape: of the input; anything that flattens to 784 numbers.
        front: layers before the filters.
        classes: how many; 2 for the heads ``sigmoid``.
        head: ``softmax``, ``logits``, ``sigmoid`` (one output, class 1 where it is above a half) or ``sigmoids`` (independent).
        dtype: of the input, where it is not Keras' default.
        batch: size of the batch; left free when None.
    """
    import keras

    layers = keras.layers
    filters = layers.Dense(classes, activation="relu6", name="filters")
    flat = [] if len(shape) == 1 and not front else [layers.Flatten()]
    activation = {"softmax": "softmax", "logits": None, "sigmoid": "sigmoid", "sigmoids": "sigmoid"}[head]
    last = layers.Dense(1 if head == "sigmoid" else classes, activation=activation, name="scores")
    model = keras.Sequential([keras.Input(shape, batch_size=batch, dtype=dtype), *front, *flat, filters, last])
    set_filters(filters, last, convention, classes, head)
    return model


def set_filters(filters: Any, last: Any, convention: Convention, classes: int, head: str) -> None:
    """Give two dense layers, of 784 and of ``classes`` inputs, the weights of the matched filters."""
    patterns = templates(classes).reshape(classes, -1).astype(np.float64)
    weights = patterns / patterns.sum(1, keepdims=True) - (1 - patterns) / (1 - patterns).sum(1, keepdims=True)
    # Own pattern: about 0.9; another: below 0.5 (bars: 0.1). Times 12, less 6: own up to 6, others cut at 0.
    filters.set_weights([(12 * weights / (255 * convention.scale)).T, np.full(classes, -6.0)])
    if head == "sigmoid":
        last.set_weights([np.array([[-2.0], [2.0]]), np.zeros(1)])
    else:
        last.set_weights([3 * np.eye(classes), np.full(classes, -3.0 if head == "sigmoids" else 0.0)])


def accuracy_of(model: Any, images: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of images that a Keras model classifies right; ``images`` are as it takes them."""
    scores = np.asarray(model(images.reshape(len(images), *model.inputs[0].shape[1:]), training=False))
    answers = scores.argmax(1) if scores.shape[1] > 1 else scores[:, 0] > 0.5
    return float(np.mean(answers == labels))


def to_tflite(model: Any, *, kind: str = "float32", seen: np.ndarray | None = None) -> bytes:
    """Returns a .tflite file as TensorFlow's own converter makes it, without any metadata.

    Args:
        model: of batch size 1.
        kind: ``float32``, ``int8`` or ``uint8`` (the type of input and output).
        seen: representative images as the model takes them, for the quantized kinds.
    """
    import tensorflow as tf

    from glyphlite.console import captured_noise

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind != "float32":
        assert seen is not None
        shape = tuple(model.inputs[0].shape)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image.reshape(shape)] for image in seen)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    with captured_noise():
        return converter.convert()
