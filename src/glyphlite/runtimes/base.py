"""Interface of every runtime: a name, whether it takes a file, and a loaded model that turns stored integers into stored
integers.

Pixels enter and probabilities leave through :func:`predict_probabilities` alone, so that a model's input convention and its
quantized input and output are handled in one place.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.tflite.quantization import Quantization, dequantize, quantize


@dataclass(frozen=True)
class Port:
    """An input or output of a loaded model: its shape without the batch, element type and quantization."""

    shape: tuple[int, ...]
    dtype: np.dtype
    quantization: Quantization | None = None


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
    """A model in a runtime, ready to run. Not thread-safe."""

    input: Port
    output: Port

    @abstractmethod
    def predict(self, batch: np.ndarray, progress: Callable[[int], None] | None = None) -> np.ndarray:
        """Runs stored values ``(n, *input.shape)`` of ``input.dtype``; returns ``(n, *output.shape)`` of ``output.dtype``.

        Args:
            batch: what the model's input tensor holds, n images.
            progress: called with the number of images just finished, now and then.
        """

    def tensors(self, batch: np.ndarray) -> dict[int, np.ndarray]:
        """Returns every activation tensor by its index in the file, ``(n, ...)``, where the runtime can show them; else empty."""
        del batch
        return {}

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


class Runtime(ABC):
    """Something that executes an artifact."""

    name: str

    @abstractmethod
    def load(self, artifact: Path) -> LoadedModel:
        """Loads an artifact.

        Raises:
            ArtifactError: the runtime refuses the file, with its reason.
            ToolError: the runtime itself is not installed.
        """


def stored_images(images: np.ndarray, convention: InputConvention, port: Port) -> np.ndarray:
    """Converts uint8 images ``(n, height, width, channels)`` to what an input port stores, ``(n, *port.shape)``."""
    return quantize(convention.real(images).reshape(len(images), *port.shape), port.quantization, port.dtype)


def predict_probabilities(
    model: LoadedModel, images: np.ndarray, convention: InputConvention, progress: Callable[[int], None] | None = None
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
    return dequantize(model.predict(stored_images(images, convention, model.input), progress), model.output.quantization)
