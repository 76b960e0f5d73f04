"""Interface of every runtime: a name, whether it takes a file, and a loaded model that turns stored integers into stored
integers.

Pixels enter and probabilities leave through :func:`predict_probabilities` alone, so that a model's input convention and its
quantized input and output are handled in one place.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.records import BoardReport
from glyphlite.runtimes import ports
from glyphlite.runtimes.ports import Port, Ports
from glyphlite.tflite.quantization import dequantize, quantize

Samples = Sequence[np.ndarray]
"""One array of stored values ``(n, *port.shape)`` per input or output, in the file's order."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Acceptance:
    """Holds whether a runtime accepts a file as an image classifier, found by trying it, and the reason if it does not.

    ``arena_bytes`` is known where the runtime plans one. ``runs`` says whether it executes the file at all, whatever that is.
    """

    accepts: bool
    reason: str | None = None
    arena_bytes: int | None = None
    runs: bool = False


class LoadedModel(ABC):
    """A model in a runtime, ready to run, whatever its inputs and outputs are. Not thread-safe.

    Attributes:
        ports: its inputs and outputs.
        name: the file's, for messages.
    """

    ports: Ports
    name: str = "the model"

    @property
    def inputs(self) -> tuple[Port, ...]:
        """Returns every input, in the file's order."""
        return self.ports.inputs

    @property
    def outputs(self) -> tuple[Port, ...]:
        """Returns every output, in the file's order."""
        return self.ports.outputs

    @cached_property
    def input(self) -> Port:
        """Returns the only input of an image classifier.

        Raises:
            ArtifactError: the model takes something else.
        """
        with self._no_classifier():
            return ports.as_image(self.inputs)

    @cached_property
    def output(self) -> Port:
        """Returns the only output of a classifier: one number per class.

        Raises:
            ArtifactError: the model gives something else.
        """
        with self._no_classifier():
            return ports.as_classes(self.outputs)

    @abstractmethod
    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples one after the other, in their order.

        Args:
            samples: for every input what its tensor holds, ``(n, *port.shape)`` of ``port.dtype``.
            progress: called with the number of samples just finished, now and then.
            resume: goes on from the state that the last call left; else a model that keeps state begins afresh.

        Returns:
            For every output ``(n, *port.shape)`` of ``port.dtype``.

        Raises:
            ArtifactError: the samples do not fit, or the file brings the runtime down.
        """

    def predict(self, batch: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Runs a classifier on stored images ``(n, *input.shape)`` of ``input.dtype``; returns ``(n, *output.shape)`` of
        ``output.dtype``. See :meth:`run`.
        """
        shape = self.output.shape
        _ = self.input
        [values] = self.run((batch,), progress)
        return values.reshape(len(values), *shape)

    def predict_each(self, batch: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Runs a classifier on stored images that have nothing to do with each other: what it keeps is reset before each.

        See :meth:`predict`.
        """
        shape = self.output.shape
        _ = self.input
        [values] = self.run_each((batch,), progress)
        return values.reshape(len(values), *shape)

    def run_each(self, samples: Samples, progress: Progress | None = None) -> tuple[np.ndarray, ...]:
        """Runs stored samples that have nothing to do with each other: what the model keeps is reset before each.

        See :meth:`run`.
        """
        count = len(samples[0])
        if not self.ports.keeps_state or not count:
            return self.run(samples, progress)
        results: list[tuple[np.ndarray, ...]] = []
        for index in range(count):
            results.append(self.run(tuple(values[index : index + 1] for values in samples)))
            if progress:
                progress(1)
        return tuple(np.concatenate(each) for each in zip(*results, strict=True))

    def tensors(self, samples: Samples) -> dict[int, np.ndarray]:
        """Returns every activation tensor by its index in the file, ``(n, ...)``, where the runtime can show them; else empty."""
        del samples
        return {}

    @property
    def timing(self) -> BoardReport | None:
        """Returns how long the inferences took by the clock of what runs them; None where it has no clock of its own."""
        return None

    def time_inferences(self, image: np.ndarray, repeats: int) -> np.ndarray:
        """Returns seconds of each of ``repeats`` inferences of one stored image, measured where the model runs; float64."""
        seconds = np.empty(repeats)
        for index in range(repeats):
            started = time.perf_counter()
            self.predict(image[np.newaxis])
            seconds[index] = time.perf_counter() - started
        return seconds

    def close(self) -> None:
        """Releases what the model holds; the model is not used after it."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _no_classifier(self) -> Iterator[None]:
        """Names the file in what is said of a model that is no classifier."""
        try:
            yield
        except ArtifactError as error:
            raise ArtifactError(f"{self.name}: {error}") from None


class Runtime(ABC):
    """Something that executes an artifact."""

    name: str

    @abstractmethod
    def load(self, artifact: Path) -> LoadedModel:
        """Loads an artifact, whatever it is for.

        Raises:
            ArtifactError: the runtime refuses the file, with its reason.
            ToolError: the runtime itself is not installed.
        """


def stored_images(images: np.ndarray, convention: InputConvention, port: Port) -> np.ndarray:
    """Converts uint8 images ``(n, height, width, channels)`` to what an input port stores, ``(n, *port.shape)``.

    Whether channels come first is the port's to say: a convention that is only tried knows values alone.
    """
    values = convention.at(port.shape, port.dtype).real(images)
    return quantize(values.reshape(len(images), *port.shape), port.quantization, port.dtype)


def predict_probabilities(
    model: LoadedModel, images: np.ndarray, convention: InputConvention, progress: Progress | None = None
) -> np.ndarray:
    """Runs pixels through a model, whatever its input and output types, and returns probabilities.

    Args:
        model: a loaded artifact of a classifier.
        images: uint8 ``(n, height, width, channels)``.
        convention: how the model takes a pixel.
        progress: passed on to the model.

    Returns:
        float32 ``(n, classes)``.

    Raises:
        TypeError: the images are not uint8.
    """
    return dequantize(model.predict_each(stored_images(images, convention, model.input), progress), model.output.quantization)
