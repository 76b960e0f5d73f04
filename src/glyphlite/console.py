"""Words and progress for people, on standard error; standard output is left to results.

Also the place where TensorFlow's and absl's log noise is turned off, before they are imported.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console(stderr=True, highlight=False)


class Advance(Protocol):
    """Tells a progress bar how far the work is."""

    def __call__(self, amount: float = 1, /) -> None:
        """Move the bar on by ``amount`` units."""
        ...


@contextmanager
def progress_bar(description: str, total: float | None) -> Iterator[Advance]:
    """A transient progress bar; yields a function that advances it. ``total`` None shows a spinner."""
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()]
    if total is None:
        columns = [SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()]
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(description, total=total)

        def advance(amount: float = 1, /) -> None:
            progress.advance(task, amount)

        yield advance


def say(message: str) -> None:
    """Print one line of words to the user (rich markup allowed)."""
    console.print(message, soft_wrap=True)


def quiet_tensorflow() -> None:
    """Silence TensorFlow's and absl's start-up noise; must be called before TensorFlow or LiteRT is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
