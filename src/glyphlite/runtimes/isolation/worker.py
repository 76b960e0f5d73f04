"""The child process that runs untrusted files: a small server that forks itself for each, so that a crash costs a millisecond.

The server imports a runtime once and never touches a file. Every file is loaded and run in a fork of it, under limits on memory
and, for each request, on CPU time; when the fork dies, the server says how and waits for the next file. It is started by
:mod:`glyphlite.runtimes.isolation` with a channel on standard input and output, and standard error in a file.
"""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite import ipc
from glyphlite.console import Noise, quiet_tensorflow
from glyphlite.errors import GlyphliteError, ToolError
from glyphlite.ipc import BrokenChannelError, Message
from glyphlite.runtimes.base import LoadedModel, Runtime
from glyphlite.runtimes.ports import Port
from glyphlite.runtimes.refusals import RefusedError

MEMORY_BYTES = 4 << 30
"""Address space of the child: fifty times what LiteRT and a glyph classifier take."""


def main() -> None:
    """Serves files until the parent closes the channel."""
    answers = os.dup(1)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS knows the limit but does not take it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    quiet_tensorflow()
    with suppress(BrokenChannelError):
        ipc.send(answers, Message({"ready": True}))
        while True:
            request = ipc.receive(0)
            if request.header["op"] == "load":
                _serve_file(request, answers)
            # Anything else was meant for a fork that has died; the news of its death has been the answer.


def _serve_file(request: Message, answers: int) -> None:
    """Forks; the fork answers all requests for one file, the server waits and tells of its death."""
    generation = request.header["generation"]
    try:
        runtime = _runtime(request.header["runtime"])
    except GlyphliteError as error:
        ipc.send(answers, Message({"generation": generation, **_described_error(error)}))
        return
    child = os.fork()
    if child == 0:
        try:
            _Session(runtime, answers).run(request)
        except BrokenChannelError:
            os._exit(0)
        finally:
            os._exit(3)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        ipc.send(answers, Message({"generation": generation, "died": os.WTERMSIG(status), "noise": Noise(2).text()[-2000:]}))
    elif os.WEXITSTATUS(status):
        ipc.send(answers, Message({"generation": generation, "died": 0, "noise": Noise(2).text()[-2000:]}))


class _Session:
    """One file in one fork."""

    def __init__(self, runtime: Runtime, answers: int) -> None:
        self._runtime, self._answers = runtime, answers
        self._model: LoadedModel | None = None

    def run(self, request: Message) -> None:
        """Answers requests until ``close``, or until the file turns out not to load."""
        generation = request.header["generation"]
        while request.header["op"] != "close":
            signal.setitimer(
                signal.ITIMER_PROF, request.header["cpu_s"]
            )  # its default action ends the process, native code or not
            try:
                header, arrays = self._answer(request)
            except GlyphliteError as error:
                header, arrays = _described_error(error), []
            except MemoryError:
                header, arrays = {"error": "ArtifactError", "message": "it needs more memory than a classifier may take"}, []
            signal.setitimer(signal.ITIMER_PROF, 0)
            ipc.send(self._answers, Message({"generation": generation, **header}, tuple(arrays)))
            if self._model is None:
                break
            request = ipc.receive(0)
        os._exit(0)

    def _answer(self, request: Message) -> tuple[dict[str, Any], list[np.ndarray]]:
        operation = request.header["op"]
        if operation == "load":
            self._model = self._runtime.load(Path(request.header["path"]))
            found = self._model.ports
            described = {"inputs": found.inputs, "outputs": found.outputs}
            return {
                "batch": found.batch,
                "keeps_state": found.keeps_state,
                **{kind: [_described(port) for port in each] for kind, each in described.items()},
            }, []
        assert self._model is not None
        if operation == "run":
            return {}, list(self._model.run(request.arrays, resume=bool(request.header["resume"])))
        if operation == "time":
            return {}, [self._model.time_inferences(request.arrays[0][0], request.header["repeats"])]
        if operation == "tensors":
            tensors = self._model.tensors(request.arrays)
            return {"indices": list(tensors)}, list(tensors.values())
        raise ToolError(f"the worker does not know {operation!r}")


@contextmanager
def _standing_noise() -> Iterator[Noise]:
    """Starts standard error, a file of the parent's, afresh, and leaves it there for the news of a crash."""
    with suppress(OSError):  # a disk that fails is no fault of the model's
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)
    yield Noise(2)


def _runtime(name: str) -> Runtime:
    """Returns an interpreter of this process, its native library imported before the fork."""
    if name == "tflm":
        from glyphlite.runtimes.tflm import TFLiteMicro, native_runtime

        native_runtime()
        return TFLiteMicro(_standing_noise)
    from glyphlite.runtimes.litert import LiteRT, native_interpreter

    native_interpreter()
    return LiteRT(name, _standing_noise)


def _described_error(error: GlyphliteError) -> dict[str, Any]:
    reason = error.reason if isinstance(error, RefusedError) else None
    return {"error": type(error).__name__, "message": str(error), "reason": reason}


def _described(port: Port) -> dict[str, Any]:
    quantization = port.quantization
    described = None if quantization is None else [quantization.scales, quantization.zero_points]
    return {"shape": port.shape, "dtype": port.dtype.name, "quantization": described, "tensor_shape": port.tensor_shape}


if __name__ == "__main__":
    main()
    sys.exit(0)
