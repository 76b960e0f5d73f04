"""The workers of a search on this machine: processes of ours that are started, looked after, and ended with us."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from glyphlite.errors import ToolError
from glyphlite.search.wear import WORN
from glyphlite.training.engine.processors import processors

MOST_JOBS = 16

_END_SECONDS = 20.0
"""For a worker to hand back its trial; killed then."""

_MOST_LOST = 5
"""Workers that may die without a word before the search gives up."""


@dataclass
class _Worker:
    process: "subprocess.Popen[bytes]"
    words: IO[bytes]

    def last_words(self) -> str:
        """Returns the last line that it said."""
        self.words.seek(0)
        return self.words.read().decode(errors="replace").strip().rpartition("\n")[2]


class Crew:
    """Some workers with the same orders; a context manager that ends them."""

    def __init__(self, orders: Mapping[str, Any], jobs: int) -> None:
        """Starts the workers; each gets its share of the processors."""
        self._orders = {**orders, "threads": max(1, processors() // jobs)}
        self._lost = 0
        self._workers = [self._started() for _ in range(jobs)]

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def look_after(self) -> bool:
        """Starts a worker again that is worn or died without a word; returns whether any is at work.

        Raises:
            ToolError: one ended for what the user can put right, or too many died.
        """
        at_work = False
        for place, worker in enumerate(self._workers):
            # Asked once: one that ends between two questions would be neither at work nor replaced, and the search would be over.
            code = worker.process.poll()
            at_work |= code != 0
            if code in (None, 0):
                continue
            words = worker.last_words()
            worker.words.close()
            self._lost += code != WORN
            if code == 2 or self._lost >= _MOST_LOST:
                raise ToolError(words if code == 2 else f"{self._lost} workers of the search died; the last said: {words}")
            self._workers[place] = self._started()
        return at_work

    def end(self) -> None:
        """Ends the workers; each queues the trial again that it is at."""
        for worker in self._workers:
            if worker.process.stdin is not None:
                with suppress(OSError):
                    worker.process.stdin.close()
        for worker in self._workers:
            try:
                worker.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.words.close()
        self._workers = []

    def _started(self) -> _Worker:
        words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when its worker is
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "glyphlite.search.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            start_new_session=True,  # Ctrl-C is ours to answer
        )
        assert process.stdin is not None
        with suppress(OSError):  # it died at once: look_after tells
            process.stdin.write(json.dumps(self._orders).encode() + b"\n")
            process.stdin.flush()
        return _Worker(process, words)


def default_jobs() -> int:
    """Returns how many trainings of small networks at a time are best here: one a processor."""
    return min(processors(), MOST_JOBS)
