"""Child programs (pip, apt-get) that may not hang, ask questions, or print noise.

Knows processes, nothing of what they fetch.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import IO

from glyphlite.errors import DataError


@contextmanager
def running(command: list[str], name: str, seconds: float) -> Iterator[IO[str]]:
    """Yields a child's standard output and error as one stream of lines; the child outlives neither the block nor its time.

    Args:
        command: program and arguments.
        name: what errors call it.
        seconds: after which it is ended.

    Raises:
        DataError: it did not finish in time.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    too_late = Event()

    def end() -> None:
        too_late.set()
        child.kill()

    watchdog = Timer(seconds, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        assert child.stdout is not None
        with child.stdout as output:
            yield output
        child.wait()
    finally:
        watchdog.cancel()
        child.kill()
        child.wait()
    if too_late.is_set():
        raise DataError(f"{name} did not finish within {seconds:g} s")


def run_quietly(command: list[str], folder: Path, seconds: float) -> None:
    """Runs a program in a folder; nothing that it prints is shown.

    Raises:
        DataError: it fails, with its last words, or does not finish in time.
    """
    try:
        subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise DataError(f"{command[0]} did not finish within {seconds:g} s") from None
    except subprocess.CalledProcessError as error:
        words = [line.removeprefix("E: ") for line in error.stderr.splitlines() if line.strip()]
        raise DataError(f"{command[0]}: {words[-1] if words else f'exit code {error.returncode}'}") from None
