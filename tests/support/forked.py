"""A forked child that never returns into what forked it: every fork of the tests and campaigns goes through here.

A child that an exception let out would go on with its parent's work: run its tests, write its log, remove its folders.
"""

import os
import traceback
from collections.abc import Callable

FAILED = 70
"""The exit code of a child whose work raised; its words are on the child's standard error."""


def fork(work: Callable[[], int | None]) -> int:
    """Forks a child that does the work and ends, whatever the work does; its exit code is what the work returns, or 0.

    Args:
        work: what the child does.

    Returns:
        The child's process id, for its parent to wait for.
    """
    if child := os.fork():
        return child
    code = FAILED
    try:
        code = work() or 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def wait_for(child: int) -> int:
    """Waits for a child; returns its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
