"""The runtime of a board: a file's inputs over a serial port, its outputs back, and how long each inference took.

The board holds the generated C of this very file: its greeting names the file by its SHA-256.
"""

from hashlib import sha256
from pathlib import Path

import numpy as np

from glyphlite.errors import ToolError
from glyphlite.records import BoardReport
from glyphlite.runtimes.base import LoadedModel, Progress, Runtime, Samples
from glyphlite.runtimes.compiled import Compiled, offsets, room_of
from glyphlite.runtimes.compiling import compile_for
from glyphlite.runtimes.device.connection import BAUD, Connection, Inference
from glyphlite.tflite.reader import read_artifact

NAME = "device"
_MOST_REPLAYS = 3
"""Times that a model's whole sequence begins again, after the board lost its state."""
_COUNTS = 1 << 16
"""The board counts its inferences in so many numbers."""


class Board(Runtime):
    """A board on a serial port.

    Args:
        port: as `glyphlite.runtimes.device.connection.Connection` takes it.
        baud: bits a second.
    """

    name = NAME

    def __init__(self, port: str, baud: int = BAUD) -> None:
        self._port, self._baud = port, baud

    def load(self, artifact: Path) -> "BoardModel":
        """Connects with the board and checks that it holds this file.

        Raises:
            ArtifactError: the file is malformed, or the compiler cannot express it.
            ToolError: nothing answers at the port, or firmware of another model does.
        """
        compiled = compile_for(self.name, artifact)
        connection = Connection(self._port, self._baud)
        try:
            return BoardModel(compiled, connection, Path(artifact))
        except BaseException:
            connection.close()
            compiled.close()
            raise


class BoardModel(LoadedModel):
    """A model in the firmware of a board."""

    def __init__(self, compiled: Compiled, connection: Connection, artifact: Path) -> None:
        self.ports, self.name = compiled.ports, artifact.name
        self._compiled, self._connection = compiled, connection
        self._digest = sha256(read_artifact(artifact)).hexdigest()
        self._greeting = connection.greet()
        self._check()
        self._ticks: list[int] = []
        self._before: list[bytes] = []

    def run(self, samples: Samples, progress: Progress | None = None, *, resume: bool = False) -> tuple[np.ndarray, ...]:
        """Runs stored samples; see :meth:`LoadedModel.run`.

        Raises:
            ToolError: the board stopped answering, or runs another model now.
        """
        inputs, outputs = self._compiled.call_parts
        rows = self._compiled.stored(samples).view(np.uint8)
        requests = [_without_gaps(row, inputs) for row in rows]
        before = self._before if resume else []
        found = self._sequence(before, requests, progress) if self._greeting.has_state else self._each(requests, progress)
        self._before = before + requests if self._greeting.has_state else []
        results = np.zeros((len(found), room_of(outputs)), np.uint8)
        for row, each in zip(results, found, strict=True):
            _spread(row, each.outputs, outputs)
        self._ticks += [each.ticks for each in found]
        return self._compiled.restored(results.view(np.int8), samples)

    @property
    def timing(self) -> BoardReport:
        """Returns how long the inferences took."""
        clock, ticks, hertz = self._greeting.ticks_per_second, np.asarray(self._ticks or [0]), self._greeting.hertz
        median, slowest = (1000 * float(each) / clock if clock else None for each in (np.median(ticks), ticks.max()))
        return BoardReport(
            port=self._connection.port,
            inferences=len(self._ticks),
            median_ms=median,
            slowest_ms=slowest,
            ticks_per_second=clock,
            median_ticks=int(np.median(ticks)),
            repeats=self._connection.repeats,
            core=self._greeting.core or None,
            hertz=hertz or None,
            median_cycles=None if median is None or not hertz else round(median * hertz / 1000),
        )

    def close(self) -> None:
        """Closes the port."""
        self._connection.close()
        self._compiled.close()

    def _each(self, requests: list[bytes], progress: Progress | None) -> list[Inference]:
        """Runs inferences that have nothing to do with each other."""
        found: list[Inference] = []
        for number, request in enumerate(requests):
            repeats = self._connection.repeats
            found.append(self._answer(request, number, len(requests)))
            if self._connection.repeats > repeats:
                self._check_again()
            if progress:
                progress(1)
        return found

    def _sequence(self, before: list[bytes], requests: list[bytes], progress: Progress | None) -> list[Inference]:
        """Runs inferences that depend on each other; where the board lost its place, the whole sequence begins again."""
        everything = before + requests
        for _ in range(_MOST_REPLAYS):
            self._connection.reset()
            found: list[Inference] = []
            for number, request in enumerate(everything):
                found.append(self._answer(request, number, len(everything)))
                if found[-1].count != (number + 1) % _COUNTS:
                    self._check_again()
                    break
            else:
                if progress:
                    progress(len(requests))
                return found[len(before) :]
        raise ToolError(f"{self._connection.port}: the board lost its state {_MOST_REPLAYS} times; the line is too unreliable")

    def _answer(self, request: bytes, number: int, total: int) -> Inference:
        """Returns the board's answer to one input.

        Raises:
            ToolError: it stopped answering: after how many inputs is said.
        """
        try:
            answer = self._connection.infer(request)
        except ToolError as error:
            raise ToolError(f"{error} after {number} of {total} inputs") from None
        if len(answer.outputs) != self._greeting.output_bytes:
            raise ToolError(
                f"{self._connection.port}: {len(answer.outputs)} bytes of outputs came, expected {self._greeting.output_bytes}; "
                "export the model again and flash it"
            )
        return answer

    def _check_again(self) -> None:
        """Asks the board what it is once more: it may have been reset or flashed meanwhile."""
        self._greeting = self._connection.greet()
        self._check()

    def _check(self) -> None:
        """Compares the greeting with this file.

        Raises:
            ToolError: the board runs another model.
        """
        said, report = self._greeting, self._compiled.report
        if said.sha256 != self._digest:
            raise ToolError(
                f"{self._connection.port}: the board runs another model (SHA-256 {said.sha256[:12]}...), {self.name} is "
                f"{self._digest[:12]}...; export this file and flash it"
            )
        if (said.input_bytes, said.output_bytes) != (report.input_bytes, report.output_bytes):
            raise ToolError(f"{self._connection.port}: its firmware has other inputs or outputs; export this file again")


def _without_gaps(row: np.ndarray, sizes: tuple[int, ...]) -> bytes:
    """Returns the parts of a row, which begin at words, one right after the other."""
    return b"".join(row[at : at + size].tobytes() for at, size in zip(offsets(sizes), sizes, strict=True))


def _spread(row: np.ndarray, content: bytes, sizes: tuple[int, ...]) -> None:
    """Puts parts that follow each other to where they begin in a row."""
    taken = 0
    for at, size in zip(offsets(sizes), sizes, strict=True):
        row[at : at + size] = np.frombuffer(content[taken : taken + size], np.uint8)
        taken += size
