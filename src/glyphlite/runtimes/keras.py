"""The float Keras model as a runtime: what every artifact is held against. Knows .keras files, nothing of .tflite.

A model that was trained with int8 simulated is run without: its own weights, in float32.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.errors import ArtifactError, ModelError
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.output_layer import outputs_of_model
from glyphlite.models.qat.state import in_float
from glyphlite.models.user import load_keras_model
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import LoadedModel, Runtime

BATCH = 256
"""Images per call; on two cores nothing is gained past it."""


class Keras(Runtime):
    """Keras on TensorFlow, float32."""

    name = "keras"

    def load(self, artifact: Path) -> "KerasModel":
        """Loads a .keras file.

        Raises:
            ArtifactError: it is not one, or not an image classifier.
        """
        try:
            return KerasModel(load_keras_model(artifact), Path(artifact).name)
        except ModelError as error:
            raise ArtifactError(str(error)) from None


class KerasModel(LoadedModel):
    """One Keras model, compiled for prediction."""

    outputs: OutputKind
    """The meaning of its outputs."""

    def __init__(self, model: Any, name: str = "model") -> None:
        import tensorflow as tf

        try:
            ports.single("input", len(model.inputs))
            ports.single("output", len(model.outputs))
            self.input = ports.input_port([1, *(extent or 0 for extent in model.inputs[0].shape[1:])], "float32", (), ())
            self.output = ports.output_port([1, *(extent or 0 for extent in model.outputs[0].shape[1:])], "float32", (), ())
        except (ArtifactError, AttributeError, TypeError) as error:
            reason = error if isinstance(error, ArtifactError) else "it has not been built, so its shapes are unknown"
            raise ArtifactError(f"{name}: {reason}") from None
        self.outputs = outputs_of_model(model, name)
        self._fixed = model.inputs[0].shape[0]

        def in_float32(images: Any) -> Any:
            with in_float(model):
                return model(tf.cast(images, model.inputs[0].dtype), training=False)

        self._call = tf.function(
            in_float32,
            input_signature=[tf.TensorSpec([self._fixed, *self.input.shape], tf.float32)],
        )

    def predict(self, batch: np.ndarray, progress: Callable[[int], None] | None = None) -> np.ndarray:
        """Runs float images; see :meth:`LoadedModel.predict`."""
        batch = ports.check_batch(batch, self.input)
        size = self._fixed or BATCH
        results = np.empty((len(batch), *self.output.shape), np.float32)
        for start in range(0, len(batch), size):
            chunk = batch[start : start + size]
            filler = np.zeros((size - len(chunk) if self._fixed else 0, *self.input.shape), np.float32)
            values = np.asarray(self._call(np.concatenate([chunk, filler])), np.float32)
            results[start : start + len(chunk)] = values.reshape(-1, *self.output.shape)[: len(chunk)]
            if progress:
                progress(len(chunk))
        return results

    def time_inferences(self, image: np.ndarray, repeats: int) -> np.ndarray:
        """Returns seconds of single inferences through the compiled call; see :meth:`LoadedModel.time_inferences`."""
        import tensorflow as tf

        frame = tf.constant(np.repeat(ports.check_batch(image[np.newaxis], self.input), self._fixed or 1, axis=0))
        self._call(frame)
        seconds = np.empty(repeats)
        for index in range(repeats):
            started = time.perf_counter()
            np.asarray(self._call(frame))
            seconds[index] = time.perf_counter() - started
        return seconds
