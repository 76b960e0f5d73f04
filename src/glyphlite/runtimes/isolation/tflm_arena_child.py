"""The child process of the arena search: ``python -m glyphlite.runtimes.isolation.tflm_arena_child FILE LIMIT`` prints one JSON
object.

Every attempt runs in a process of its own, forked from this one: an arena too small for TFLite Micro's first records brings the
process down. Imports nothing but NumPy and the wheel; what TFLite Micro prints goes to standard error.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tflite_micro.python.tflite_micro import runtime

GRANULARITY = 16
"""Bytes: TFLite Micro aligns the arena and everything the memory planner places in it to this."""

FIRST_ARENA = 1 << 16

ATTEMPT_SECONDS = 2
"""CPU time of one attempt; a glyph classifier takes milliseconds."""
ALLOCATIONS_FOLLOW = "\n--- allocations ---\n"


def attempt(content: bytes, arena_bytes: int) -> bool:
    """Returns whether TFLite Micro plans and runs the model in an arena of this size, tried in a forked process.

    Raises:
        TimeoutError: it was still computing after ``ATTEMPT_SECONDS``.
    """
    child = os.fork()
    if child == 0:
        accepted = False
        resource.setrlimit(resource.RLIMIT_CPU, (ATTEMPT_SECONDS, ATTEMPT_SECONDS + 1))
        try:
            interpreter = _interpreter(content, arena_bytes)
            _run_blank(interpreter)
            accepted = True
        except Exception:  # noqa: S110 - whatever it is, the arena was refused, and the exit status says so
            pass
        finally:
            os._exit(0 if accepted else 1)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        raise TimeoutError
    return status == 0


def smallest_arena(content: bytes, limit: int) -> int | None:
    """Returns the smallest accepted arena, a multiple of the granularity; None when even ``limit`` bytes are refused.

    Doubling finds an arena that is large enough, bisection the smallest: more memory never makes TFLite Micro refuse.
    """
    enough = FIRST_ARENA
    while not attempt(content, enough):
        enough *= 2
        if enough > limit:
            return None
    low, high = 0, enough // GRANULARITY
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if attempt(content, middle * GRANULARITY) else (middle, high)
    return high * GRANULARITY


def main() -> None:
    """Searches, then lets TFLite Micro print its allocations in the smallest arena; the answer goes to the parent process."""
    content = Path(sys.argv[1]).read_bytes()
    try:
        smallest = smallest_arena(content, int(sys.argv[2]))
    except TimeoutError:
        print(json.dumps({"too_slow": True}))  # noqa: T201
        return
    if smallest is not None:
        interpreter = _interpreter(content, smallest)
        _run_blank(interpreter)
        sys.stderr.write(ALLOCATIONS_FOLLOW)
        sys.stderr.flush()
        interpreter.print_allocations()
    print(json.dumps({"arena_bytes": smallest}))  # noqa: T201


def _interpreter(content: bytes, arena_bytes: int) -> Any:
    return runtime.Interpreter.from_bytes(content, arena_size=arena_bytes)


def _run_blank(interpreter: Any) -> None:
    details = interpreter.get_input_details(0)
    interpreter.set_input(np.zeros(details["shape"], details["dtype"]), 0)
    interpreter.invoke()


if __name__ == "__main__":
    main()
