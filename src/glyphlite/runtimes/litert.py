"""LiteRT in this process, with each of its three sets of kernels: XNNPACK (its default), built-in, reference.

A hostile file can bring the process down: untrusted files go through :mod:`glyphlite.runtimes.isolation`.
"""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import Capture, captured_noise, quiet_tensorflow
from glyphlite.errors import ArtifactError, GlyphliteError
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import LoadedModel, Runtime
from glyphlite.runtimes.refusals import NoClassifierError, RefusedError, reason_for
from glyphlite.tflite.reader import parse_graph, read_artifact

RESOLVERS = {
    "litert": "AUTO",
    "litert_builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "litert_reference": "BUILTIN_REF",
}
"""Runtime name to the name of LiteRT's OpResolverType."""

FREE_BATCH = 128
"""Images per call where the file leaves the batch free: past it nothing is gained and activations leave the cache."""

PROGRESS_EVERY = 250
"""Images between two reports of progress."""


class LiteRT(Runtime):
    """LiteRT with one set of kernels, single-threaded, so that results do not depend on the machine's cores."""

    def __init__(self, name: str, capture: Capture = captured_noise) -> None:
        self.name, self._capture = name, capture

    def load(self, artifact: Path) -> "LiteRTModel":
        """Loads an artifact.

        Raises:
            ArtifactError: LiteRT refuses the file, with its reason.
        """
        return LiteRTModel(read_artifact(artifact), Path(artifact).name, self.name, self._capture)


class LiteRTModel(LoadedModel):
    """One .tflite file in one LiteRT interpreter."""

    def __init__(self, content: bytes, filename: str, runtime: str, capture: Capture = captured_noise) -> None:
        self._content, self._filename, self._runtime, self._capture = content, filename, runtime, capture
        self._interpreter: Any = self._guarded(lambda: _interpreter(content, runtime))
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        try:
            ports.single("input", len(inputs))
            ports.single("output", len(outputs))
            self.input = ports.input_port(*_described(inputs[0]))
            self.output = ports.output_port(*_described(outputs[0]))
        except ArtifactError as error:
            self._guarded(self._run_blank)
            raise NoClassifierError(filename, runtime, str(error)) from None
        self._input_index, self._output_index = inputs[0]["index"], outputs[0]["index"]
        signature = inputs[0]["shape_signature"]
        self._batch_is_free = len(signature) > 0 and signature[0] < 0
        self._batch = int(inputs[0]["shape"][0])

    def predict(self, batch: np.ndarray, progress: Callable[[int], None] | None = None) -> np.ndarray:
        """Runs stored images; see :meth:`LoadedModel.predict`."""
        batch = ports.check_batch(batch, self.input)
        run = self._predict_free if self._batch_is_free else self._predict_fixed
        return self._guarded(lambda: run(batch, progress))

    def _predict_free(self, batch: np.ndarray, progress: Callable[[int], None] | None) -> np.ndarray:
        """Predicts many images per call: the file leaves its batch free."""
        results = np.empty((len(batch), *self.output.shape), self.output.dtype)
        for start in range(0, len(batch), FREE_BATCH):
            chunk = batch[start : start + FREE_BATCH]
            self._resize(len(chunk))
            self._interpreter.set_tensor(self._input_index, chunk)
            self._interpreter.invoke()
            results[start : start + len(chunk)] = self._interpreter.get_tensor(self._output_index).reshape(
                len(chunk), *self.output.shape
            )
            if progress:
                progress(len(chunk))
        return results

    def _predict_fixed(self, batch: np.ndarray, progress: Callable[[int], None] | None) -> np.ndarray:
        """Predicts as many images per call as the file's fixed batch, the last call filled up with zeros.

        What Python adds to an inference is 2 microseconds: one copy in, one out. Views into the interpreter would save one of
        them, but they dangle when an op reallocates its output.
        """
        filler = np.zeros((-len(batch) % self._batch, *self.input.shape), self.input.dtype)
        frames = np.concatenate([batch, filler]).reshape(-1, self._batch, *self.input.shape)
        shape = (self._batch, *self.output.shape)
        results = np.empty((len(frames), *shape), self.output.dtype)
        set_tensor, invoke, get_tensor = self._interpreter.set_tensor, self._interpreter.invoke, self._interpreter.get_tensor
        source, target = self._input_index, self._output_index
        for start in range(0, len(frames), PROGRESS_EVERY):
            chunk = slice(start, start + PROGRESS_EVERY)
            for frame, result in zip(frames[chunk], results[chunk], strict=True):
                set_tensor(source, frame)
                invoke()
                result[...] = get_tensor(target).reshape(shape)
            if progress:
                progress(min(len(frames[chunk]) * self._batch, len(batch) - start * self._batch))
        return results.reshape(-1, *self.output.shape)[: len(batch)]

    def tensors(self, batch: np.ndarray) -> dict[int, np.ndarray]:
        """Returns every activation of every image, from an interpreter that keeps them all; see :meth:`LoadedModel.tensors`."""
        batch = ports.check_batch(batch, self.input)
        indices = parse_graph(self._content, self._filename).activations
        if self._batch != 1 and not self._batch_is_free:
            raise ArtifactError(f"{self._filename}: its batch is fixed to {self._batch}, expected 1 to show single tensors")

        def run() -> dict[int, np.ndarray]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "intended for debugging purposes", which this is
                interpreter = _interpreter(self._content, self._runtime, preserve=True)
            collected: dict[int, list[np.ndarray]] = {index: [] for index in indices}
            for image in batch[:, np.newaxis]:
                interpreter.set_tensor(self._input_index, image)
                interpreter.invoke()
                for index, values in collected.items():
                    values.append(interpreter.get_tensor(index))
            return {index: stack_images(values) for index, values in collected.items()}

        return self._guarded(run)

    def time_inferences(self, image: np.ndarray, repeats: int) -> np.ndarray:
        """Returns seconds of bare inferences, the image already in place; see :meth:`LoadedModel.time_inferences`."""
        image = ports.check_batch(image[np.newaxis], self.input)
        seconds = np.empty(repeats)

        def run() -> np.ndarray:
            if self._batch_is_free:
                self._resize(1)
            self._interpreter.set_tensor(self._input_index, np.repeat(image, self._batch, axis=0))
            for index in range(repeats):
                started = time.perf_counter()
                self._interpreter.invoke()
                seconds[index] = time.perf_counter() - started
            return seconds

        return self._guarded(run)

    def close(self) -> None:
        """Releases the interpreter."""
        self._interpreter = None

    def _run_blank(self) -> None:
        """Runs the file once on zeros, whatever its inputs are."""
        for details in self._interpreter.get_input_details():
            self._interpreter.set_tensor(details["index"], np.zeros(details["shape"], details["dtype"]))
        self._interpreter.invoke()

    def _resize(self, images: int) -> None:
        if images != self._batch:
            self._interpreter.resize_tensor_input(self._input_index, [images, *self.input.shape])
            self._interpreter.allocate_tensors()
            self._batch = images

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """Runs native work with its noise kept back; what it raises becomes an ArtifactError with the reason."""
        with self._capture() as noise:
            try:
                return work()
            except GlyphliteError:
                raise
            except Exception as error:  # the wheel raises whatever its parts do: struct.error, flatbuffers' own, ValueError, ...
                raise RefusedError(self._filename, self._runtime, reason_for(noise.text(), error)) from None


def stack_images(values: list[np.ndarray]) -> np.ndarray:
    """Returns one array ``(n, ...)`` from a tensor's values for each image: its own batch axis of 1 becomes the images' axis."""
    if values and values[0].ndim and values[0].shape[0] == 1:
        return np.concatenate(values)
    return np.stack(values) if values else np.empty((0,))


def _described(details: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    """Returns shape, element type, scales and zero points, as LiteRT describes a tensor."""
    quantization = details["quantization_parameters"]
    return details["shape"], details["dtype"], quantization["scales"], quantization["zero_points"]


def native_interpreter() -> Any:
    """Returns LiteRT's module, imported with its noise off."""
    quiet_tensorflow()
    from ai_edge_litert import interpreter

    return interpreter


def _interpreter(content: bytes, runtime: str, *, preserve: bool = False) -> Any:
    """Returns an interpreter with its tensors allocated."""
    native = native_interpreter()
    interpreter = native.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=native.OpResolverType[RESOLVERS[runtime]],
        experimental_preserve_all_tensors=preserve,
    )
    interpreter.allocate_tensors()
    return interpreter
