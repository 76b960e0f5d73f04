"""Representative data, and what it is worth: the images from which the ranges of int8 and int16 activations are measured.

From the training split only, every class alike, drawn by a seed. Its effect is measured on the validation split. Knows no
runtime: whoever asks for the effect brings one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.console import captured_noise
from glyphlite.conversion.converter import convert_exported, exported
from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.splits import balanced_order
from glyphlite.errors import ConversionError
from glyphlite.files.scratch import temporary_folder
from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.models.interface.output_layer import outputs_of_model

if TYPE_CHECKING:
    import keras

Predict = Callable[[Path, np.ndarray, InputConvention], np.ndarray]
"""An artifact, uint8 images and how it takes a pixel to its outputs, dequantized: ``runtimes.registry.probabilities_of``."""


@dataclass(frozen=True)
class CalibrationEffect:
    """The accuracy of int8 after calibration with that many images, against the float model on the validation split.

    Attributes:
        samples: calibration images.
        images: validation images that the rest was measured on.
        accuracy: fraction of them classified rightly by the artifact.
        keras_accuracy: by the float model.
        agreement: fraction on which both choose the same class.
        mean_logit_error: mean over images of the largest difference of a logit (the number before the softmax).
        largest_logit_error: the largest of them.
    """

    samples: int
    images: int
    accuracy: float
    keras_accuracy: float
    agreement: float
    mean_logit_error: float
    largest_logit_error: float


def representative_images(dataset: Dataset, samples: int = 300, seed: int = 0) -> np.ndarray:
    """Returns calibration images from the training split, as many of each class as of any other (to within one).

    Smaller draws are the beginning of larger ones with the same seed, so that counts can be compared.

    Args:
        dataset: whose training split is drawn from.
        samples: how many; all there are when it has fewer.
        seed: draws them.

    Returns:
        uint8 ``(samples, height, width, channels)``, the classes in turn.

    Raises:
        ConversionError: fewer than one image is asked for, or there are none.
    """
    if samples < 1:
        raise ConversionError(f"calibration with {samples} images is not possible; give --calibration-samples 1 or more")
    if not len(dataset.train):
        raise ConversionError(f"{dataset.name} has no training images to calibrate with")
    return dataset.train.images[balanced_order(np.asarray(dataset.train.labels), seed)[:samples]]


def calibration_effect(
    model: "keras.Model",
    dataset: Dataset,
    predict: Predict,
    *,
    convention: InputConvention = OURS,
    counts: Sequence[int] = (1, 10, 30, 100, 300, 1000),
    variant: str = "int8",
    seed: int = 0,
    images: int = 2000,
    progress: Callable[[int], None] | None = None,
) -> list[CalibrationEffect]:
    """Converts with several numbers of calibration images and measures each on the validation split.

    The last softmax is taken off first, so that differences are seen before it flattens them; classes stay the same.

    Args:
        model: the float Keras model.
        dataset: calibrates with its training split, measures on its validation split.
        predict: runs an artifact.
        convention: how the model takes a pixel.
        counts: numbers of calibration images.
        variant: int8 or int16x8.
        seed: draws the calibration images.
        images: validation images, the first ones.
        progress: called with 1 after each count.

    Raises:
        ConversionError: the model cannot be converted.
    """
    if not len(dataset.validation):
        raise ConversionError(
            "the effect of calibration is measured on validation images, and this model was trained on all images; show it for a "
            "model of the same recipe that was trained without --all-images"
        )
    pixels, labels = dataset.validation.images[:images], dataset.validation.labels[:images]
    values = convention.real(pixels)
    with captured_noise():
        logits: Any = without_softmax(model)
        expected = np.asarray(logits.predict(values.reshape(-1, *logits.inputs[0].shape[1:]), batch_size=256, verbose=0))
    kind = outputs_of_model(logits, "the model")
    effects = []
    with exported(logits) as saved, temporary_folder() as folder:
        path = folder / "logits.tflite"
        for count in counts:
            drawn = representative_images(dataset, count, seed)
            path.write_bytes(convert_exported(saved, variant, convention=convention, representative=drawn).content)
            found = predict(path, pixels, convention)
            errors = np.abs(found - expected).max(axis=1)
            classes, float_classes = kind.chosen(found), kind.chosen(expected)
            effects.append(
                CalibrationEffect(
                    samples=count,
                    images=len(labels),
                    accuracy=float((classes == labels).mean()),
                    keras_accuracy=float((float_classes == labels).mean()),
                    agreement=float((classes == float_classes).mean()),
                    mean_logit_error=float(errors.mean()),
                    largest_logit_error=float(errors.max()),
                )
            )
            if progress:
                progress(1)
    return effects


def without_softmax(model: "keras.Model") -> "keras.Model":
    """Returns the model up to its logits: its weights, without the softmax at its end; a model that ends otherwise as it is."""
    import keras

    last = model.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax and isinstance(last, keras.layers.Dense):
        linear = type(last).from_config({**last.get_config(), "activation": "linear", "name": "logits"})
        logits = keras.Model(model.inputs[0], linear(last.input), name="logits_model")
        linear.set_weights(last.get_weights())
        return logits
    softmax_activation = isinstance(last, keras.layers.Activation) and last.activation is keras.activations.softmax
    if softmax_activation or isinstance(last, keras.layers.Softmax):
        return keras.Model(model.inputs[0], last.input, name="logits_model")
    return model
