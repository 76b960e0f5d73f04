"""Weights apart from their model: a .weights.h5 file back into the rebuilt architecture, with proof that nothing is lost.

Knows Keras, nothing of .tflite, and writes no file.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.console import captured_noise
from glyphlite.errors import ModelError
from glyphlite.files.untrusted import open_input, parsing

if TYPE_CHECKING:
    import keras


def load_weights(model: "keras.Model", path: Path) -> "keras.Model":
    """Fills an architecture with stored weights and returns it.

    Raises:
        ModelError: the file is missing, damaged, or of another architecture.
    """
    open_input(Path(path), "a .weights.h5 file", ModelError).close()
    with parsing(f"{path} does not hold the weights of {model.name}", ModelError), captured_noise():
        model.load_weights(path)
    return model


def rebuilt(model: "keras.Model") -> "keras.Model":
    """Returns the same architecture from its configuration, with fresh weights."""
    import keras

    return keras.models.clone_model(model)


def check_round_trip(
    model: "keras.Model", path: Path, *, images: np.ndarray, rebuild: Callable[[], "keras.Model"] | None = None
) -> None:
    """Loads a model's stored weights into the rebuilt architecture and compares predictions bit by bit.

    Args:
        model: a built Keras model.
        path: its weights, as ``.weights.h5``.
        images: float32, a few, as the model takes them.
        rebuild: makes the architecture; the model's own configuration when left out.

    Raises:
        ModelError: the file is missing, damaged or of another architecture, or the rebuilt model predicts anything else.
    """
    twin = load_weights((rebuild or (lambda: rebuilt(model)))(), path)
    with captured_noise():
        expected = _predict(model, images)
        found = _predict(twin, images)
    if not np.array_equal(expected, found):
        largest = float(np.abs(expected - found).max()) if expected.shape == found.shape else float("nan")
        raise ModelError(
            f"{path} put into the rebuilt {model.name} predicts otherwise (by up to {largest:g}); the weights do not fit it"
        )


def _predict(model: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(images, verbose=0))
