"""Runs work on many items in a forked child with limits: what crashes, hangs or eats memory is one item's result, not the end.

One child serves many items, as a fork costs more than most of them. An item that kills it is tried once more in a child of its
own, so that no item answers for what an earlier one broke.
"""

import faulthandler
import os
import pickle
import resource
import signal
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.forked import fork, wait_for

PROCESSOR_SECONDS = 2.0
WALL_SECONDS = 60.0
"""A stage may wait without computing; on a busy machine it also waits for others."""
MEMORY_BYTES = 1 << 30
_LENGTH = struct.Struct("<q")


@dataclass(frozen=True)
class Ended:
    """The end of a child in the middle of an item: words on the signal or exit status."""

    reason: str


def alarm(seconds: float, wall_seconds: float = WALL_SECONDS) -> None:
    """Gives the process so many seconds of processor time, and in all, from now on; then a signal ends it."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, wall_seconds)


def each(
    work: Callable[[Any], Iterator[Any]], items: Sequence[Any], *, memory_bytes: int | None = MEMORY_BYTES
) -> list[list[Any]]:
    """Does the work on every item, in order.

    Args:
        work: takes an item and yields what it finds, stage by stage; it may call :func:`alarm` to give the next stage its time.
        items: what to work on.
        memory_bytes: what the child may hold in memory beyond what it starts with; None for no limit.

    Returns:
        For each item what was yielded; the last is an :class:`Ended` where the child died of it.
    """
    results: list[list[Any]] = []
    while len(results) < len(items):
        found, died = _serve(work, items[len(results) :], memory_bytes)
        results += found
        if died:  # of the last of them: its own fault, or that of what came before it in the same child?
            results[-1] = _serve(work, [items[len(results) - 1]], memory_bytes)[0][0]
    return results


def _serve(work: Callable[[Any], Iterator[Any]], items: Sequence[Any], memory_bytes: int | None) -> tuple[list[list[Any]], bool]:
    """Returns what one child found until it was done or died, and whether it died."""
    reading, writing = os.pipe()
    child = fork(lambda: _work(work, items, reading, writing, memory_bytes))
    os.close(writing)
    results: list[list[Any]] = [[]]
    with os.fdopen(reading, "rb") as stream:
        while header := stream.read(_LENGTH.size):
            length = _LENGTH.unpack(header)[0]
            if length == 0:
                results.append([])
                continue
            content = stream.read(length)
            if len(content) < length:
                break
            results[-1].append(pickle.loads(content))
    code = wait_for(child)
    if code == 0:
        return results[:-1], False
    results[-1].append(Ended(_words(code)))
    return results, True


def _words(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    if -code in (signal.SIGPROF, signal.SIGALRM):
        return f"no end after {PROCESSOR_SECONDS:g} s of processor time or {WALL_SECONDS:g} s in all"
    return signal.Signals(-code).name


def _work(
    work: Callable[[Any], Iterator[Any]], items: Sequence[Any], reading: int, writing: int, memory_bytes: int | None
) -> None:
    """Is the child: quiet and limited."""
    os.close(reading)
    faulthandler.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes is not None:
        limit = _data_bytes() + memory_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with os.fdopen(writing, "wb") as stream:
        for item in items:
            alarm(PROCESSOR_SECONDS)
            for found in work(item):
                content = pickle.dumps(found)
                stream.write(_LENGTH.pack(len(content)) + content)
                stream.flush()
            stream.write(_LENGTH.pack(0))
            stream.flush()


def _data_bytes() -> int:
    """Bytes of private memory that this process has by now."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmData:")) * 1024
