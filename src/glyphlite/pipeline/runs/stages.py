"""The stages of a long job, told to the user as they begin, and timed for the record: by the clock and in CPU time."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glyphlite.console import say


class Stages:
    """Announces each stage with its number and keeps how long it took, by name.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of processor time on all cores, child processes included.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Runs a stage.

        Args:
            name: its key in ``results.json``'s ``seconds`` and ``cpu_seconds``.
            words: what it does, for people.
        """
        say(words, lead=f"{len(self.seconds) + 1}/{self.count}", style="bold cyan")
        started, cpu_started = time.perf_counter(), cpu_seconds()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)
        self.cpu_seconds[name] = round(max(cpu_seconds() - cpu_started, 0.0), 2)


def cpu_seconds() -> float:
    """Returns the user and system CPU time, in seconds, of this process and its children so far.

    Children that ended are in the operating system's sum; those that still run (the interpreters' processes outlive a stage) are
    read from Linux's /proc (proc(5), ``stat``, fields 14 to 17), and left out on other systems.
    """
    ended = sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )
    return ended + _running_children_seconds(os.getpid())


def _running_children_seconds(ancestor: int) -> float:
    """Returns the CPU seconds of a process's running descendants and of those of their children that ended."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in brackets may hold anything, spaces and brackets too; the fields behind it are numbers.
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        process = int(path.parent.name)
        parents[process], ticks[process] = int(fields[1]), sum(int(each) for each in fields[11:15])
    descendants, found = {ancestor}, {ancestor}
    while found:
        found = {process for process, parent in parents.items() if parent in found} - descendants
        descendants |= found
    return sum(ticks[process] for process in descendants - {ancestor}) / os.sysconf("SC_CLK_TCK")
