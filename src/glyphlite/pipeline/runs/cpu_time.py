"""CPU time of this process and of everything it started, so that a busy machine can be told from a slow program."""

import os
import resource
from pathlib import Path


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
