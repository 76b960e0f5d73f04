"""Parsing with limits on processor time and memory, in a forked child: for native libraries that a damaged file makes loop for
ever, allocate without end or crash.

The child answers in JSON, not pickle. Knows nothing of what is parsed.
"""

import faulthandler
import json
import os
import resource
import signal
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from glyphlite.errors import DataError, GlyphliteError
from glyphlite.files.untrusted import reason_of

_WORDS = {
    signal.SIGPROF: "it keeps the processor busy for longer than a sound file of its size",
    signal.SIGSEGV: "it crashes the library that reads it (segmentation fault)",
    signal.SIGBUS: "it crashes the library that reads it (bus error)",
    signal.SIGFPE: "it crashes the library that reads it (division by zero)",
    signal.SIGABRT: "it makes the library that reads it abort",
    signal.SIGKILL: "its reader was killed (out of memory?)",
}


class LimitError(Exception):
    """The child died of the file, or could not read it; the text is the reason, in words."""


def parse_within(parse: Callable[[], Any], *, seconds: float, memory_bytes: int, error: type[GlyphliteError] = DataError) -> Any:
    """Returns what a parser returns, run in a forked child; in this process where the system has no fork that is safe.

    Args:
        parse: takes nothing and returns what JSON can hold; its libraries should be imported by now.
        seconds: of processor time.
        memory_bytes: that it may allocate.
        error: the kind that the parser raises for a file that it refuses.

    Raises:
        GlyphliteError: of that kind, as the parser raised it.
        LimitError: the child died, or the parser raised anything else.
    """
    if sys.platform != "linux":  # macOS: libraries of the system crash in a fork, and the limits are not held
        return parse()
    reading, writing = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads: the child uses nothing of theirs
        child = os.fork()
    if not child:
        _answer(parse, writing, seconds, memory_bytes)
    try:
        os.close(writing)
        with os.fdopen(reading, "rb") as stream:
            content = stream.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code or not content:
        raise LimitError(_WORDS.get(-code, f"its reader ended with {code}"))  # type: ignore[call-overload]
    answer = json.loads(content)
    if "refused" in answer:
        raise error(answer["refused"])
    if "failed" in answer:
        raise LimitError(answer["failed"])
    return answer["found"]


def _answer(parse: Callable[[], Any], writing: int, seconds: float, memory_bytes: int) -> NoReturn:
    """Parses, answers and ends the child: silent, limited, without a return into what forked it."""
    try:
        faulthandler.disable()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPROF):
            signal.signal(number, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            limit = _data_bytes() + memory_bytes
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        signal.setitimer(signal.ITIMER_PROF, seconds)  # its default action ends the process, native code or not
        try:
            answer = {"found": parse()}
        except GlyphliteError as refusal:
            answer = {"refused": str(refusal)}
        except BaseException as failure:
            answer = {"failed": reason_of(failure)}
        with os.fdopen(writing, "wb") as stream:
            stream.write(json.dumps(answer).encode())
        os._exit(0)
    finally:
        os._exit(3)


def _data_bytes() -> int:
    """Returns the bytes of private memory that this process has by now (proc(5))."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmData:")) << 10
