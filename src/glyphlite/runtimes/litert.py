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
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.refusals import RefusedError, reason_for
from glyphlite.runtimes.state import kept_by
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
        self.name = filename
        self._interpreter: Any = self._guarded(lambda: _interpreter(content, runtime))
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        try:
            self._kept = kept_by(content, filename)
            edges = ([described(each) for each in inputs], [described(each) for each in outputs])
            self.ports = ports.ports_of(*edges, keeps_state=self._kept.anything)
        except ArtifactError as error:
            raise RefusedError(filename, runtime, str(error)) from None
        self._input_places = [details["index"] for details in inputs]
        self._output_places = [details["index"] for details in outputs]
        signatures = [tuple(details["shape_signature"]) for details in (*inputs, *outputs)]
        is_free = bool(inputs) and all(signature and signature[0] < 0 for signature in signatures)
        self._batch_is_free = is_free and not self._kept.anything  # samples of one batch do not see each other's state
        self._batch = self.ports.batch

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples; see :meth:`LoadedModel.run`."""
        samples = ports.check_batches(samples, self.inputs)
        run = self._run_free if self._batch_is_free else self._run_fixed

        def work() -> tuple[np.ndarray, ...]:
            if not resume and self._kept.variables:
                self._interpreter = _interpreter(self._content, self._runtime)
            elif not resume:
                self._interpreter.reset_all_variables()
            return run(samples, progress)

        return self._guarded(work)

    def _run_free(self, samples: Samples, progress: Progress | None) -> tuple[np.ndarray, ...]:
        """Runs many samples per call: the file leaves its batch free."""
        count = len(samples[0])
        results = tuple(np.empty((count, *port.shape), port.dtype) for port in self.outputs)
        for start in range(0, count, FREE_BATCH):
            chunk = slice(start, min(start + FREE_BATCH, count))
            size = chunk.stop - start
            self._resize(size)
            for place, values in zip(self._input_places, samples, strict=True):
                self._interpreter.set_tensor(place, values[chunk])
            self._interpreter.invoke()
            for place, result in zip(self._output_places, results, strict=True):
                result[chunk] = self._interpreter.get_tensor(place).reshape(size, *result.shape[1:])
            if progress:
                progress(size)
        return results

    def _run_fixed(self, samples: Samples, progress: Progress | None) -> tuple[np.ndarray, ...]:
        """Runs as many samples per call as the file's fixed batch, the last call filled up with zeros.

        What Python adds to an inference is 2 microseconds per tensor: one copy in, one out. Views into the interpreter would save
        one of them, but they dangle when an op reallocates its output.
        """
        count = len(samples[0]) if samples else 1
        frames = ports.frames(samples, self.ports)
        calls = -(-count // self._batch)
        results = [np.empty((calls, *port.tensor_shape), port.dtype) for port in self.outputs]
        sources = list(zip(self._input_places, frames, strict=True))
        targets = list(zip(self._output_places, results, strict=True))
        set_tensor, invoke, get_tensor = self._interpreter.set_tensor, self._interpreter.invoke, self._interpreter.get_tensor
        for start in range(0, calls, PROGRESS_EVERY):
            stop = min(start + PROGRESS_EVERY, calls)
            for call in range(start, stop):
                for place, values in sources:
                    set_tensor(place, values[call])
                invoke()
                for place, result in targets:
                    result[call] = get_tensor(place).reshape(result.shape[1:])
            if progress:
                progress(min((stop - start) * self._batch, count - start * self._batch))
        return tuple(result.reshape(-1, *port.shape)[:count] for result, port in zip(results, self.outputs, strict=True))

    def tensors(self, samples: Samples) -> dict[int, np.ndarray]:
        """Returns every activation of every sample, from an interpreter that keeps them all; see :meth:`LoadedModel.tensors`."""
        samples = ports.check_batches(samples, self.inputs)
        indices = parse_graph(self._content, self._filename).activations
        if self._batch != 1 and not self._batch_is_free:
            raise ArtifactError(f"{self._filename}: its batch is fixed to {self._batch}, expected 1 to show single tensors")

        def run() -> dict[int, np.ndarray]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "intended for debugging purposes", which this is
                interpreter = _interpreter(self._content, self._runtime, preserve=True)
            collected: dict[int, list[np.ndarray]] = {index: [] for index in indices}
            for frame in zip(*ports.frames(samples, self.ports), strict=True):
                for place, values in zip(self._input_places, frame, strict=True):
                    interpreter.set_tensor(place, values)
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
            self._interpreter.set_tensor(self._input_places[0], np.repeat(image, self._batch, axis=0))
            for index in range(repeats):
                started = time.perf_counter()
                self._interpreter.invoke()
                seconds[index] = time.perf_counter() - started
            return seconds

        return self._guarded(run)

    def close(self) -> None:
        """Releases the interpreter."""
        self._interpreter = None

    def _resize(self, images: int) -> None:
        if images != self._batch:
            for place, port in zip(self._input_places, self.inputs, strict=True):
                self._interpreter.resize_tensor_input(place, [images, *port.shape])
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


def described(details: dict[str, Any]) -> ports.Described:
    """Returns a tensor as LiteRT and TFLite Micro describe it."""
    quantization = details["quantization_parameters"]
    return ports.Described(details["shape"], details["dtype"], quantization["scales"], quantization["zero_points"])


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
