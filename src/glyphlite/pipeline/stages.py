"""The stages of a long job, told to the user as they begin, and timed for the record."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from glyphlite.console import say


class Stages:
    """Announces each stage with its number and keeps how many seconds it took, by name."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Run a stage.

        Args:
            name: its key in ``results.json``'s ``seconds``.
            words: what it does, for people.
        """
        say(f"[bold cyan]{len(self.seconds) + 1}/{self.count}[/] {words}")
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)
