"""The child process that runs .tflite files, as a fork of a process that has imported what it needs: it starts at once."""

import ctypes
import faulthandler
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from support.forked import fork

RUNTIMES = ("litert", "tflm")
_KEPT: list[object] = []
"""What a fork must not close: its parent's streams hold words that the parent will write."""


class ForkedWorker:
    """Stands for the ``subprocess.Popen`` of :mod:`glyphlite.runtimes.isolation.parent`, as far as that uses it."""

    def __init__(self, _command: Sequence[str], *, stderr: IO[bytes], env: dict[str, str], **_options: Any) -> None:
        questions, answers = os.pipe(), os.pipe()
        self.returncode: int | None = None
        self.pid = fork(lambda: _serve(questions[0], answers[1], stderr.fileno(), env))
        os.close(questions[0])
        os.close(answers[1])
        self.stdin, self.stdout = os.fdopen(questions[1], "wb", 0), os.fdopen(answers[0], "rb", 0)

    def poll(self) -> int | None:
        """Returns the exit code, None while it runs."""
        return self._look(os.WNOHANG)

    def wait(self) -> int | None:
        """Waits for its end and returns the exit code."""
        return self._look(0)

    def _look(self, options: int) -> int | None:
        if self.returncode is None:
            try:
                found, status = os.waitpid(self.pid, options)
            except ChildProcessError:
                self.returncode = 0
                return self.returncode
            if found:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def import_runtimes() -> None:
    """Imports what the child imports for its first file."""
    from glyphlite.runtimes import registry
    from glyphlite.runtimes.isolation import parent, worker

    for name in RUNTIMES:
        worker._runtime(name)
    assert set(RUNTIMES) <= set(registry.INTERPRETERS)
    parent.subprocess = _Subprocess  # type: ignore[attr-defined, assignment]


class _Subprocess:
    """Has the names of the module that the parent uses."""

    Popen, PIPE = ForkedWorker, subprocess.PIPE


def _serve(questions: int, answers: int, noise: int, environment: dict[str, str]) -> None:
    """Is the child, until its parent closes the channel."""
    os.setsid()
    faulthandler.disable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    for place, descriptor in enumerate((questions, answers, noise)):
        os.dup2(descriptor, place)
    os.closerange(3, 256)
    os.environ.update(environment)
    _count_calls()
    _KEPT.extend((sys.stdout, sys.stderr))
    sys.stdout = sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    from glyphlite.runtimes.isolation import worker

    worker.resource = _NoLimits  # type: ignore[attr-defined, assignment]
    with suppress(SystemExit):
        worker.main()


def _count_calls() -> None:
    """Lets the preloaded library, whose log was closed, go on; a program that is started does so by itself."""
    if "FAULT_UNDER" not in os.environ:
        return
    fault_set = ctypes.CDLL(None).fault_set
    fault_set.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_char_p, ctypes.c_long, ctypes.c_char_p]
    under, counter, at, mode, first, log = (
        os.environb[f"FAULT_{name}".encode()] for name in ("UNDER", "COUNTER", "AT", "MODE", "MAIN", "LOG")
    )
    fault_set(under, counter, int(at), mode, int(first), log)


class _NoLimits:
    """Stands for :mod:`resource`: TensorFlow, which the fork has in memory, takes more addresses than a file may."""

    RLIMIT_CORE = RLIMIT_AS = 0

    @staticmethod
    def setrlimit(*_: Any) -> None:
        """Sets none."""
