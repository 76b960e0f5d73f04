"""Weights apart from their model: .keras to .weights.h5 and back into the rebuilt architecture.

With proof that nothing is lost. Knows Keras, nothing of .tflite.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.console import captured_noise
from glyphlite.errors import ModelError
from glyphlite.files import open_input, parsing, temporary_folder, write_owned

if TYPE_CHECKING:
    import keras

FILE = "model.weights.h5"


def save_weights(model: "keras.Model", path: Path) -> Path:
    """Writes a model's weights, whole or not at all.

    Args:
        model: a built Keras model.
        path: must end in ``.weights.h5``, as Keras asks.

    Raises:
        OutputError: the file cannot be written.
    """
    with temporary_folder() as folder, captured_noise():
        temporary = folder / FILE
        model.save_weights(temporary)
        content = temporary.read_bytes()
    return write_owned(path, content)


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
    model: "keras.Model", folder: Path, *, images: np.ndarray, rebuild: Callable[[], "keras.Model"] | None = None
) -> Path:
    """Writes ``model.weights.h5``, loads it into the rebuilt architecture, and compares predictions bit by bit.

    Args:
        model: a built Keras model.
        folder: where the file goes.
        images: float32, a few, as the model takes them.
        rebuild: makes the architecture; the model's own configuration when left out.

    Returns:
        The file.

    Raises:
        ModelError: the rebuilt model is of another architecture or predicts anything else.
        OutputError: the file cannot be written.
    """
    path = save_weights(model, Path(folder) / FILE)
    twin = load_weights((rebuild or (lambda: rebuilt(model)))(), path)
    with captured_noise():
        expected = _predict(model, images)
        found = _predict(twin, images)
    if not np.array_equal(expected, found):
        largest = float(np.abs(expected - found).max()) if expected.shape == found.shape else float("nan")
        raise ModelError(
            f"{path} put into the rebuilt {model.name} predicts otherwise (by up to {largest:g}); the weights do not fit it"
        )
    return path


def _predict(model: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(model.predict(images, verbose=0))
