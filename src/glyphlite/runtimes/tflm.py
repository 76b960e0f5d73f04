"""TFLite Micro in this process, as its Python wheel offers it: the same kernels' reference code that runs on a board.

It trusts the file blindly (an index out of range reads out of range): untrusted files go through
:mod:`glyphlite.runtimes.isolation`. What the smallest arena is, is :mod:`glyphlite.runtimes.tflm_arena`'s question.
"""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import Capture, captured_noise, quiet_tensorflow
from glyphlite.errors import ArtifactError, GlyphliteError, ToolError
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.litert import PROGRESS_EVERY, described, stack_images
from glyphlite.runtimes.refusals import RefusedError, reason_for
from glyphlite.runtimes.state import kept_by
from glyphlite.tflite.reader import parse_graph, read_artifact

ARENAS = (1 << 20, 1 << 24, 1 << 28)
"""Bytes tried in turn: what fits a microcontroller, then what a host can spare to say more than "it does not fit"."""

MOST_PORTS = 1000
"""Inputs or outputs that are asked for at most."""

_TOO_SMALL = re.compile(r"Failed to resize buffer|Failed to allocate|[Aa]rena size is too small|missing: \d+")


class TFLiteMicro(Runtime):
    """TFLite Micro on this host."""

    name = "tflm"

    def __init__(self, capture: Capture = captured_noise) -> None:
        self._capture = capture

    def load(self, artifact: Path) -> "TFLMModel":
        """Loads an artifact.

        Raises:
            ArtifactError: TFLite Micro refuses the file, with its reason.
            ToolError: the tflite-micro wheel is not installed (there is one for Linux on x86-64 only).
        """
        return TFLMModel(read_artifact(artifact), Path(artifact).name, self._capture)


class TFLMModel(LoadedModel):
    """One .tflite file in one TFLite Micro interpreter."""

    def __init__(self, content: bytes, filename: str, capture: Capture = captured_noise) -> None:
        self._content, self._filename, self._capture = content, filename, capture
        self.name = filename
        self._interpreter: Any = self._guarded(lambda noise: _smallest_of(content, ARENAS, noise))
        inputs, outputs = self._all(self._interpreter.get_input_details), self._all(self._interpreter.get_output_details)
        try:
            self._kept = kept_by(content, filename)
            edges = ([described(each) for each in inputs], [described(each) for each in outputs])
            self.ports = ports.ports_of(*edges, keeps_state=self._kept.anything)
        except ArtifactError as error:
            raise RefusedError(filename, "tflm", str(error)) from None

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples one by one, as a board does; see :meth:`LoadedModel.run`."""
        samples = ports.check_batches(samples, self.inputs)
        count = len(samples[0]) if samples else 1
        frames, batch = ports.frames(samples, self.ports), self.ports.batch
        calls = -(-count // batch)
        results = [np.empty((calls, *port.tensor_shape), port.dtype) for port in self.outputs]

        def run(noise: Any) -> None:
            if not resume and self._kept.variables:
                self._interpreter = _smallest_of(self._content, ARENAS, noise)
            elif not resume:
                self._interpreter.reset()
            set_input, invoke, get_output = self._interpreter.set_input, self._interpreter.invoke, self._interpreter.get_output
            for start in range(0, calls, PROGRESS_EVERY):
                stop = min(start + PROGRESS_EVERY, calls)
                for call in range(start, stop):
                    for place, values in enumerate(frames):
                        set_input(values[call], place)
                    invoke()
                    for place, result in enumerate(results):
                        result[call] = get_output(place).reshape(result.shape[1:])
                if progress:
                    progress(min((stop - start) * batch, count - start * batch))

        self._guarded(run)
        return tuple(result.reshape(-1, *port.shape)[:count] for result, port in zip(results, self.outputs, strict=True))

    def tensors(self, samples: Samples) -> dict[int, np.ndarray]:
        """Returns every activation of every sample, from an interpreter that keeps them all; see :meth:`LoadedModel.tensors`."""
        samples = ports.check_batches(samples, self.inputs)
        indices = parse_graph(self._content, self._filename).activations

        def run(noise: Any) -> dict[int, np.ndarray]:
            interpreter = _smallest_of(self._content, ARENAS, noise, preserve=True)
            collected: dict[int, list[np.ndarray]] = {index: [] for index in indices}
            for frame in zip(*ports.frames(samples, self.ports), strict=True):
                for place, values in enumerate(frame):
                    interpreter.set_input(values, place)
                interpreter.invoke()
                for index, values in collected.items():
                    values.append(np.array(interpreter.GetTensor(index, 0)["tensor_data"]))
            return {index: stack_images(values) for index, values in collected.items()}

        return self._guarded(run)

    def time_inferences(self, image: np.ndarray, repeats: int) -> np.ndarray:
        """Returns seconds of bare inferences, the image in place each time; see :meth:`LoadedModel.time_inferences`."""
        [frame] = ports.frames((ports.check_batch(image[np.newaxis], self.input),), self.ports)
        seconds = np.empty(repeats)

        def run(_: Any) -> np.ndarray:
            for index in range(repeats):
                self._interpreter.set_input(frame[0], 0)  # the arena's plan may reuse the input's place
                started = time.perf_counter()
                self._interpreter.invoke()
                seconds[index] = time.perf_counter() - started
            return seconds

        return self._guarded(run)

    def close(self) -> None:
        """Releases the interpreter and its arena."""
        self._interpreter = None

    def _all(self, details: Callable[[int], dict[str, Any]]) -> list[dict[str, Any]]:
        """Lists TFLite Micro's details of each input or output; asking it for a missing one raises, which ends the list."""
        found = []
        with self._capture(), suppress(ValueError, IndexError, RuntimeError):
            while len(found) < MOST_PORTS:
                found.append(details(len(found)))
        return found

    def _guarded(self, work: Callable[[Any], Any]) -> Any:
        """Runs native work with its noise kept back; what it raises becomes an ArtifactError with the reason."""
        with self._capture() as noise:
            try:
                return work(noise)
            except GlyphliteError:
                raise
            except Exception as error:  # the wheel raises whatever its parts do: struct.error, flatbuffers' own, ValueError, ...
                raise RefusedError(self._filename, "tflm", reason_for(noise.text(), error)) from None


def native_runtime() -> Any:
    """Returns TFLite Micro's module, imported with its noise off.

    Raises:
        ToolError: the wheel is not installed.
    """
    quiet_tensorflow()
    try:
        from tflite_micro.python.tflite_micro import runtime
    except ImportError:
        raise ToolError("TFLite Micro's Python wheel is not installed (Linux on x86-64 only): pip install tflite-micro") from None
    return runtime


def _smallest_of(content: bytes, arenas: tuple[int, ...], noise: Any, *, preserve: bool = False) -> Any:
    """Returns an interpreter in the first arena that is large enough."""
    runtime = native_runtime()
    config = runtime.InterpreterConfig.kPreserveAllTensors if preserve else runtime.InterpreterConfig.kAllocationRecording
    for arena_bytes in arenas[:-1]:
        try:
            return runtime.Interpreter.from_bytes(content, arena_size=arena_bytes, intrepreter_config=config)
        except RuntimeError:
            if not _TOO_SMALL.search(noise.text()):
                raise
    return runtime.Interpreter.from_bytes(content, arena_size=arenas[-1], intrepreter_config=config)
