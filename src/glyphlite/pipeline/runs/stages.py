"""The stages of a long job, told to the user as they begin, and timed for the record: by the clock and in CPU time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from glyphlite.console import say
from glyphlite.pipeline.runs.cpu_time import cpu_seconds


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
