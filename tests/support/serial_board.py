"""A board that is none: a program behind a pseudo-terminal, and a line to it that drops, flips and adds bytes, or resets it."""

import os
import pty
import select
import subprocess
import threading
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import numpy as np

Line = Callable[[bytes], bytes]
"""What becomes of bytes on their way."""


class SerialBoard:
    """A program that speaks over standard input and output, as a device file.

    Attributes:
        port: the path of the device file.
        resets: how often the program was started again.
    """

    def __init__(self, command: list[str | Path], to_board: Line, from_board: Line, environment: Mapping[str, str]) -> None:
        self._command, self._to_board, self._from_board = command, to_board, from_board
        self._environment = {**os.environ, **environment}
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.port, self._slave, self.resets = os.ttyname(slave), slave, -1
        self._stopping = threading.Event()
        self.reset()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        """Starts the program again, as power does."""
        if self.resets >= 0:
            self._end()
        command, pipe = [*map(str, self._command)], subprocess.PIPE
        self._program = subprocess.Popen(command, stdin=pipe, stdout=pipe, bufsize=0, env=self._environment)
        self.resets += 1

    def _end(self) -> None:
        self._program.kill()
        self._program.wait()
        for pipe in (self._program.stdin, self._program.stdout):
            if pipe is not None:
                pipe.close()

    def _carry(self) -> None:
        while not self._stopping.is_set():
            program = self._program
            assert program.stdin is not None
            assert program.stdout is not None
            try:
                ready, _, _ = select.select([self._master, program.stdout], [], [], 0.05)
                if self._master in ready:
                    program.stdin.write(self._to_board(os.read(self._master, 4096)))
                if program.stdout in ready and (content := program.stdout.read(4096)):
                    os.write(self._master, self._from_board(content))
            except (OSError, ValueError):  # the program was reset meanwhile
                continue

    def close(self) -> None:
        """Ends all of it."""
        self._stopping.set()
        self._thread.join(5)
        self._end()
        os.close(self._slave)
        os.close(self._master)


def whole(content: bytes) -> bytes:
    """A line without faults."""
    return content


@contextmanager
def serial_board(
    *command: str | Path, to_board: Line = whole, from_board: Line = whole, environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[SerialBoard]:
    """Yields a board that is this program."""
    board = SerialBoard([*command], to_board, from_board, environment)
    try:
        yield board
    finally:
        board.close()


def noisy(seed: int, share: float, kind: str) -> Line:
    """A line that loses, flips or adds a byte with a probability: ``drop``, ``flip`` or ``add``."""
    rng = np.random.default_rng(seed)

    def carried(content: bytes) -> bytes:
        values = np.frombuffer(content, np.uint8)
        hit = rng.random(len(values)) < share
        if kind == "drop":
            return values[~hit].tobytes()
        if kind == "flip":
            return np.where(hit, values ^ (1 << rng.integers(0, 8, len(values))), values).astype(np.uint8).tobytes()
        return np.insert(values, np.flatnonzero(hit), rng.integers(0, 256, int(hit.sum()))).tobytes()

    return carried


def faulty(every: int, kind: str) -> Line:
    """A line that loses, flips or adds one byte in so many: ``drop``, ``flip`` or ``add``."""
    passed = 0

    def carried(content: bytes) -> bytes:
        nonlocal passed
        result = bytearray()
        for byte in content:
            passed += 1
            if passed % every:
                result.append(byte)
            elif kind != "drop":
                result += bytes([byte ^ 4]) if kind == "flip" else bytes([byte, 0x55])
        return bytes(result)

    return carried
