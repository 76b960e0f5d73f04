"""The float Keras model as a runtime: what every artifact is held against. Knows .keras files, nothing of .tflite.

A model that was trained with int8 simulated is run without: its own weights, in float32.
"""

import time
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.errors import ArtifactError, ModelError
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.output_layer import outputs_of_model
from glyphlite.models.loading import load_keras_model
from glyphlite.models.qat.state import in_float
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples

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

    def __init__(self, model: Any, name: str = "model") -> None:
        import tensorflow as tf

        self.name, self._model = name, model
        try:
            taken, given = ([_described(tensor) for tensor in tensors] for tensors in (model.inputs, model.outputs))
            self.ports = ports.ports_of(taken, given)
        except (ArtifactError, AttributeError, TypeError) as error:
            reason = error if isinstance(error, ArtifactError) else "it has not been built, so its shapes are unknown"
            raise ArtifactError(f"{name}: {reason}") from None
        self.input_names = tuple(str(tensor.name) for tensor in model.inputs)
        self._fixed = model.inputs[0].shape[0]

        def in_float32(*values: Any) -> Any:
            cast = [tf.cast(each, tensor.dtype) for each, tensor in zip(values, model.inputs, strict=True)]
            with in_float(model):
                return tf.nest.flatten(model(cast if len(cast) > 1 else cast[0], training=False))

        self._call = tf.function(
            in_float32,
            input_signature=[tf.TensorSpec([self._fixed, *port.shape], tf.float32) for port in self.inputs],
        )

    @cached_property
    def output_kind(self) -> OutputKind:
        """Returns the meaning of a classifier's outputs.

        Raises:
            ModelError: no class can be read from its single output.
        """
        return outputs_of_model(self._model, self.name)

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs float samples; see :meth:`LoadedModel.run`."""
        del resume  # a Keras model that keeps state between calls is converted without it
        samples = ports.check_batches(samples, self.inputs)
        count, size = len(samples[0]), self._fixed or BATCH
        results = tuple(np.empty((count, *port.shape), np.float32) for port in self.outputs)
        for start in range(0, count, size):
            chunk = slice(start, min(start + size, count))
            filler = size - (chunk.stop - start) if self._fixed else 0
            given = self._call(
                *(np.concatenate([each[chunk], np.zeros((filler, *each.shape[1:]), np.float32)]) for each in samples)
            )
            for result, values in zip(results, given, strict=True):
                found = np.asarray(values, np.float32).reshape(-1, *result.shape[1:])
                result[chunk] = found[: chunk.stop - start]
            if progress:
                progress(chunk.stop - start)
        return results

    def time_inferences(self, image: np.ndarray, repeats: int) -> np.ndarray:
        """Returns seconds of single inferences through the compiled call; see :meth:`LoadedModel.time_inferences`."""
        import tensorflow as tf

        frame = tf.constant(np.repeat(ports.check_batch(image[np.newaxis], self.input), self._fixed or 1, axis=0))
        self._call(frame)
        seconds = np.empty(repeats)
        for index in range(repeats):
            started = time.perf_counter()
            np.asarray(self._call(frame)[0])
            seconds[index] = time.perf_counter() - started
        return seconds


def _described(tensor: Any) -> ports.Described:
    """Returns a Keras tensor as one of float32, its batch taken as 1."""
    return ports.Described([1, *(extent or 0 for extent in tensor.shape[1:])], "float32")
