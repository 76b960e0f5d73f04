"""TensorFlow's converter at a distance: whatever a model does to it, here it is a reason in words.

A second TensorFlow costs some five CPU seconds to import. :func:`prepare`, called before TensorFlow's runtime starts in this
process, forks the server off the one that is here, which costs none; where it was not called in time a process of its own is
started with the first conversion.
"""

import atexit
import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glyphlite import ipc
from glyphlite.conversion import worker
from glyphlite.errors import ToolError
from glyphlite.ipc import CRASHES, BrokenChannelError, Message, SilentChannelError

START_SECONDS = 300.0
"""For a process of its own to import TensorFlow, on the slowest machine."""


class ConverterCrashError(Exception):
    """The converter's process died; the text says of what."""


class ConverterFailedError(Exception):
    """The converter raised an error; the text is its message."""


class _Server:
    """The server's process and the two pipes to it.

    Args:
        process: its id; the leader of a process group of its own.
        requests: the pipe to write to.
        answers: the pipe to read from.
        reap: waits for its end.
    """

    def __init__(self, process: int, requests: int, answers: int, reap: Callable[[], object]) -> None:
        self._process, self._requests, self._answers, self._reap = process, requests, answers, reap
        self._owner = os.getpid()  # a fork of ours holds the pipes too, but must not end the server

    def ask(self, message: Message) -> Message:
        """Sends one request and returns its answer.

        Raises:
            BrokenChannelError: the server is gone.
        """
        ipc.send(self._requests, message)
        return ipc.receive(self._answers)

    def close(self) -> None:
        """Ends the server and the conversion that it is at."""
        if self._owner != os.getpid():
            return
        self._owner = 0
        for kill in (os.killpg, os.kill):  # a fork that has not run yet leads no group
            with contextlib.suppress(ProcessLookupError):
                kill(self._process, signal.SIGKILL)
        self._reap()
        for descriptor in (self._requests, self._answers):
            with contextlib.suppress(OSError):
                os.close(descriptor)


class _Converter:
    """The server of this process, begun when it is needed and again after it was lost."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._owner = os.getpid()
        atexit.register(self.close)

    def prepare(self) -> None:
        """Forks the server off this process, if that is still safe and there is none."""
        if self._living() is None and hasattr(os, "fork") and sys.platform == "linux":
            worker.import_converter()
            if not _has_runtime_started():
                self._server = _forked()

    def ask(self, message: Message) -> Message:
        """Sends one request and returns its answer.

        Raises:
            BrokenChannelError: the server died of it.
            ToolError: no server can be started.
        """
        self.prepare()
        self._server = self._living() or _spawned()
        try:
            return self._server.ask(message)
        except BaseException:
            self.close()  # Ctrl-C amid an answer: the channel is out of step
            raise

    def close(self) -> None:
        """Ends the server."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _living(self) -> "_Server | None":
        """Returns the server, where it is this process's own."""
        if self._owner != os.getpid():  # a fork of ours must not share the pipes
            self._server, self._owner = None, os.getpid()
        return self._server


@functools.cache
def _converter() -> _Converter:
    return _Converter()


def prepare() -> None:
    """Imports TensorFlow and forks the converter's server off this process; call it before TensorFlow computes anything here.

    Does nothing where it is too late, or not safe (macOS): the first conversion then starts a process of its own.
    """
    _converter().prepare()


def convert_apart(folder: Path, variant: str, images: np.ndarray | None, *, select: bool) -> bytes:
    """Converts a SavedModel in the converter's process.

    Args:
        folder: the SavedModel.
        variant: one of ``VARIANT_NAMES``.
        images: float32 batches ``(n, batch, ...)`` for calibration; None where it needs none.
        select: whether TensorFlow's own ops are allowed.

    Returns:
        The .tflite file.

    Raises:
        ConverterFailedError: the converter refuses the model.
        ConverterCrashError: it dies of the model.
        ToolError: its process does not start.
    """
    request = {"folder": str(folder), "variant": variant, "select": select}
    try:
        answer = _converter().ask(Message(request, () if images is None else (images,)))
    except BrokenChannelError:
        raise ConverterCrashError("TensorFlow's converter crashes the process that runs it") from None
    if "died" in answer.header:
        raise ConverterCrashError(_death(int(answer.header["died"])))
    if "error" in answer.header:
        raise ConverterFailedError(str(answer.header["error"]))
    return answer.arrays[0].tobytes()


def _death(number: int) -> str:
    """Describes in words how the converter's process ended, from the signal's number."""
    if number == signal.SIGKILL:
        return "TensorFlow's converter was killed at it (out of memory?)"
    return (
        f"TensorFlow's converter crashes on it ({CRASHES.get(number) or (f'signal {number}' if number else 'no reason given')})"
    )


def _has_runtime_started() -> bool:
    """Returns whether TensorFlow has computed anything in this process; its threads do not survive a fork."""
    context = getattr(sys.modules.get("tensorflow.python.eager.context"), "_context", None)
    return bool(context is not None and getattr(context, "_initialized", True))


def _forked() -> _Server:
    """Returns a server that is a fork of this process, TensorFlow imported."""
    requests, to_server = os.pipe()
    from_server, answers = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy's threads, which it starts again after a fork
        process = os.fork()
    if process == 0:
        try:
            _become_server(requests, answers)
        finally:
            os._exit(0)
    os.close(requests)
    os.close(answers)
    return _Server(process, to_server, from_server, functools.partial(os.waitpid, process, 0))


def _become_server(requests: int, answers: int) -> None:
    """Serves in this fork until the parent is gone; nothing else of the parent's is kept open."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(silence, descriptor)
    kept = sorted({requests, answers})
    ends = [3, *(descriptor + 1 for descriptor in kept)]
    for start, end in zip(ends, [*kept, os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(start, end)
    with contextlib.suppress(BrokenChannelError):
        worker.serve(requests, answers)


def _spawned() -> _Server:
    """Returns a server in a Python of its own.

    Raises:
        ToolError: it does not start.
    """
    with tempfile.TemporaryFile() as noise:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "glyphlite.conversion.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=noise,
            start_new_session=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        server = _Server(process.pid, os.dup(process.stdin.fileno()), os.dup(process.stdout.fileno()), process.wait)
        process.stdin.close()
        process.stdout.close()
        try:
            ipc.receive(server._answers, timeout_s=START_SECONDS)
        except (BrokenChannelError, SilentChannelError) as failure:
            server.close()
            reason = ipc.start_failure(failure, noise, START_SECONDS)
            raise ToolError(f"the child process that runs the converter does not start: {reason}") from None
    return server
