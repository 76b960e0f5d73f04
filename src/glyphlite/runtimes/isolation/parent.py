"""Runtimes in a child process: whatever a hostile file does there, here it is an ArtifactError with a reason.

A crash, an abort, endless computing and a gigantic allocation all end in the child. The child imports neither TensorFlow nor
Keras and starts in a quarter of a second; one child serves thousands of files (see :mod:`glyphlite.runtimes.isolation.worker`).
"""

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from glyphlite import ipc
from glyphlite.errors import ArtifactError, GlyphliteError, ToolError
from glyphlite.ipc import CRASHES, BrokenChannelError, Message, SilentChannelError
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.ports import Port, Ports
from glyphlite.runtimes.refusals import NotStartedError, RefusedError, reason_for
from glyphlite.tflite.quantization import Quantization

CPU_SECONDS = 1.5
"""What a file may compute for one request; a whole request is a quarter of a second of work, measured as it goes."""

START_SECONDS = 300.0
"""For the child to import NumPy, on the slowest machine, whose processors others may keep busy: what runs is no file yet."""

SILENT_SECONDS = 60.0
"""By the clock, for one answer: what computes too long is stopped by its CPU time. This is for what sleeps for ever, and must
not be taken for a child that other programs keep from the processor.
"""

PIECE_SECONDS = 0.25
PIECE_BYTES = 1 << 25
"""How much work one request holds: enough that its overhead vanishes, little enough for progress and far below the time limit."""

_DEATHS: dict[int, str] = {
    **{number: f"it crashes the runtime ({words})" for number, words in CRASHES.items()},
    signal.SIGABRT: "it makes the runtime abort",
    signal.SIGKILL: "the runtime was killed while it ran (out of memory?)",
}


class Worker:
    """A reusable child process for any number of files, one loaded at a time. Starts again by itself after it was lost.

    Args:
        cpu_s: seconds of CPU time that a file may take for loading or for one piece of work, before it counts as hanging.
    """

    def __init__(self, cpu_s: float = CPU_SECONDS) -> None:
        self._cpu_s = cpu_s
        self._process: subprocess.Popen[bytes] | None = None
        self._generation = 0
        self._loaded: tuple[str, str] | None = None
        self._owner = os.getpid()  # a fork of ours holds the pipes too, but must not end the child

    @property
    def piece_s(self) -> float:
        """Returns seconds of work that one request should hold."""
        return min(PIECE_SECONDS, self._cpu_s / 8)

    def load(self, runtime: str, path: Path, *, keep: "Callable[[Worker], None] | None" = None) -> LoadedModel:
        """Loads a file into a runtime there; the model loaded before it is released.

        Args:
            runtime: one of ``registry.INTERPRETERS``.
            path: the artifact.
            keep: called with this worker when the model is closed.

        Raises:
            ArtifactError: the runtime refuses the file, or does not survive it.
            ToolError: the runtime or the child process is not to be had.
        """
        self.release()
        self._generation += 1
        answer = self.request(
            {"op": "load", "runtime": runtime, "path": str(Path(path).absolute())}, (), runtime, Path(path).name
        )
        self._loaded = runtime, Path(path).name
        try:
            inputs, outputs = (tuple(_port(each) for each in answer.header[kind]) for kind in ("inputs", "outputs"))
            found = Ports(inputs, outputs, int(answer.header["batch"]), bool(answer.header["keeps_state"]))
        except (KeyError, TypeError, ValueError):
            raise self._refuse(
                runtime, Path(path).name, "the runtime does not answer sensibly after it loaded the file"
            ) from None
        return _IsolatedModel(self, self._generation, runtime, Path(path).name, found, keep)

    def request(self, header: dict[str, Any], arrays: tuple[np.ndarray, ...], runtime: str, filename: str) -> Message:
        """Sends one request to the file's process and returns its answer.

        Raises:
            GlyphliteError: what the child raised, or an ArtifactError that says how the file ended it.
        """
        if header["op"] != "load" and self._living() is None:
            # A fresh child has no file to answer for, and would let us wait.
            raise self._refuse(runtime, filename, "it crashes the child process that runs it")
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ipc.send(process.stdin.fileno(), Message({**header, "generation": self._generation, "cpu_s": self._cpu_s}, arrays))
            while True:
                answer = ipc.receive(process.stdout.fileno(), timeout_s=SILENT_SECONDS)
                if answer.header.get("generation") == self._generation:
                    break
        except SilentChannelError:
            raise self._refuse(runtime, filename, f"it did not finish within {SILENT_SECONDS:g} s and was stopped") from None
        except BrokenChannelError:
            raise self._refuse(runtime, filename, "it crashes the child process that runs it") from None
        except BaseException:
            self.close()  # Ctrl-C amid an answer: the channel is out of step
            raise
        if "died" in answer.header:
            self._loaded = None
            raise RefusedError(filename, runtime, self._death(answer.header))
        if "error" in answer.header:
            raise _error(answer.header, runtime, filename)
        return answer

    def release(self) -> None:
        """Ends the loaded file's process; the worker stays ready for the next."""
        if self._loaded is not None and self._process is not None and self._process.stdin is not None:
            self._loaded = None
            try:
                ipc.send(self._process.stdin.fileno(), Message({"op": "close", "generation": self._generation}))
            except BrokenChannelError:
                self.close()

    def holds(self, generation: int) -> bool:
        """Returns whether the model of that generation is the one loaded now."""
        return self._loaded is not None and generation == self._generation

    def close(self) -> None:
        """Ends the child process and what it started."""
        process, self._process, self._loaded = self._process, None, None
        if process is None or self._owner != os.getpid():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _living(self) -> "subprocess.Popen[bytes] | None":
        """Returns the child process, where there is one that has not ended."""
        return self._process if self._process is not None and self._process.poll() is None else None

    def _running(self) -> "subprocess.Popen[bytes]":
        """Returns the child process, started when there is none."""
        if (process := self._living()) is not None:
            return process
        self.close()
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONFAULTHANDLER": ""}
        with tempfile.TemporaryFile() as noise:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "glyphlite.runtimes.isolation.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=noise,
                env=environment,
                bufsize=0,
                start_new_session=True,
            )
            assert self._process.stdout is not None
            try:
                ipc.receive(self._process.stdout.fileno(), timeout_s=START_SECONDS)
            except (BrokenChannelError, SilentChannelError) as failure:
                self.close()
                reason = ipc.start_failure(failure, noise, START_SECONDS)
                raise NotStartedError(f"the child process that runs .tflite files does not start: {reason}") from None
        return self._process

    def _refuse(self, runtime: str, filename: str, reason: str) -> RefusedError:
        self.close()
        return RefusedError(filename, runtime, reason)

    def _death(self, header: dict[str, Any]) -> str:
        """Returns how a file's process ended, in words."""
        number, noise = int(header["died"]), str(header.get("noise", ""))
        if number == signal.SIGPROF:
            return f"it was still computing after {self._cpu_s:g} s and was stopped"
        if number == 0:
            return f"the runtime fails on it: {reason_for('', noise.strip().rpartition(chr(10))[2] or 'no reason given')}"
        words = _DEATHS.get(number) or f"it crashes the runtime (signal {number})"
        detail = reason_for(noise, "")
        return f"{words}: {detail}" if detail else words


class _IsolatedModel(LoadedModel):
    """A model in a worker, fed piece by piece so that there is progress and a limit on each piece."""

    def __init__(
        self,
        worker: Worker,
        generation: int,
        runtime: str,
        filename: str,
        found: Ports,
        keep: Callable[[Worker], None] | None,
    ) -> None:
        self._worker, self._generation, self._runtime, self._filename, self._keep = worker, generation, runtime, filename, keep
        self.ports, self.name = found, filename

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples; see :meth:`LoadedModel.run`."""
        samples = ports.check_batches(samples, self.inputs)
        count = len(samples[0]) if samples else 1
        results = tuple(np.empty((count, *port.shape), port.dtype) for port in self.outputs)
        each = sum(port.dtype.itemsize * port.elements for port in (*self.inputs, *self.outputs))
        for piece in self._pieces(count, max(1, each)):
            request = {"op": "run", "resume": resume or piece.start > 0}
            answers = self._ask(request, *(values[piece] for values in samples)).arrays
            expected = [(result[piece].shape, result.dtype) for result in results]
            if [(answer.shape, answer.dtype) for answer in answers] != expected:
                raise RefusedError(self._filename, self._runtime, "the runtime's output changed its shape while it ran")
            for result, answer in zip(results, answers, strict=True):
                result[piece] = answer
            if progress:
                progress(piece.stop - piece.start)
        return results

    def tensors(self, samples: Samples) -> dict[int, np.ndarray]:
        """Returns every activation of every sample; see :meth:`LoadedModel.tensors`."""
        samples = ports.check_batches(samples, self.inputs)
        collected: dict[int, list[np.ndarray]] = {}
        count = len(samples[0]) if samples else 1
        for piece in (slice(0, count),) if self.ports.keeps_state else self._pieces(count, 1 << 20):
            answer = self._ask({"op": "tensors"}, *(values[piece] for values in samples))
            for index, values in zip(answer.header["indices"], answer.arrays, strict=True):
                collected.setdefault(int(index), []).append(values)
        return {index: np.concatenate(values) for index, values in collected.items()}

    def time_inferences(self, image: np.ndarray, repeats: int) -> np.ndarray:
        """Returns seconds of bare inferences, measured in the child; see :meth:`LoadedModel.time_inferences`."""
        frame = ports.check_batch(image[np.newaxis], self.input)
        pieces = [
            self._ask({"op": "time", "repeats": piece.stop - piece.start}, frame).arrays[0] for piece in self._pieces(repeats, 8)
        ]
        return np.concatenate(pieces) if pieces else np.empty(0)

    def close(self) -> None:
        """Ends the file's process; its worker is handed back to whoever wants to keep it."""
        if self._worker.holds(self._generation):
            self._worker.release()
            if self._keep:
                self._keep(self._worker)

    def _ask(self, header: dict[str, Any], *arrays: np.ndarray) -> Message:
        if not self._worker.holds(self._generation):
            raise ArtifactError(f"{self._filename}: the model is no longer loaded in its {self._runtime} worker; load it again")
        return self._worker.request(header, arrays, self._runtime, self._filename)

    def _pieces(self, total: int, bytes_each: int) -> Iterator[slice]:
        return _pieces(total, max(1, PIECE_BYTES // bytes_each), self._worker.piece_s)


def _pieces(total: int, largest: int, seconds: float) -> Iterator[slice]:
    """Slices of a piece of work: one unit first, then as many as fit ``seconds`` by what the last piece took."""
    start, count = 0, 1
    while start < total:
        stop = min(total, start + count)
        began = time.perf_counter()
        yield slice(start, stop)
        each = max((time.perf_counter() - began) / (stop - start), 1e-7)
        count = max(1, min(largest, 8 * count, int(seconds / each)))
        start = stop


class _Pool:
    """Idle workers, kept for the next file."""

    def __init__(self) -> None:
        self._idle: list[Worker] = []
        self._owner = os.getpid()
        atexit.register(self.close)

    def take(self) -> Worker:
        """Returns an idle worker, or a new one."""
        if self._owner != os.getpid():  # a fork of ours must not share the pipes
            self._idle, self._owner = [], os.getpid()
        return self._idle.pop() if self._idle else Worker()

    def give(self, worker: Worker) -> None:
        """Keeps a worker for the next file."""
        self._idle.append(worker)

    def close(self) -> None:
        """Ends every idle worker."""
        while self._idle:
            self._idle.pop().close()


@functools.cache
def _pool() -> _Pool:
    return _Pool()


class Isolated(Runtime):
    """An interpreter in a child process, under limits."""

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self, artifact: Path) -> LoadedModel:
        """Loads an artifact there.

        Raises:
            ArtifactError: the runtime refuses the file, or does not survive it.
            ToolError: the runtime is not installed.
        """
        worker = _pool().take()
        try:
            return worker.load(self.name, artifact, keep=_pool().give)
        except GlyphliteError:
            _pool().give(worker)
            raise


def _port(described: dict[str, Any]) -> Port:
    quantization = described["quantization"]
    parameters = None
    if quantization is not None:
        scales, zero_points = quantization
        parameters = Quantization(tuple(float(scale) for scale in scales), tuple(int(point) for point in zero_points))
    shape, tensor_shape = (tuple(int(extent) for extent in described[key]) for key in ("shape", "tensor_shape"))
    return Port(shape, np.dtype(described["dtype"]), parameters, tensor_shape)


def _error(header: dict[str, Any], runtime: str, filename: str) -> GlyphliteError:
    """Returns the child's error, as what it was."""
    message = str(header.get("message", ""))
    if header["error"] == "ToolError":
        return ToolError(message)
    if header.get("reason") is not None:
        return RefusedError(filename, runtime, str(header["reason"]))
    return ArtifactError(message)
