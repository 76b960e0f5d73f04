"""A board on a serial port that answers requests, however unreliable the line: repeats what is lost, and says in one line what
is wrong with a board that does not answer.

Knows frames and a port, no models. The board's side is ``link.c`` among the templates of `glyphlite.export.library`.
"""

import errno
import os
import re
import time
from dataclasses import dataclass
from typing import Any

from glyphlite.cores import SIMULATED_CORES
from glyphlite.errors import ToolError, first_of
from glyphlite.escaping import visible
from glyphlite.runtimes.device.frames import Frame, FrameReader, encoded

VERSION = 1
BAUD = 115_200
GREETING_SECONDS = 8.0
"""A board that is reset when its port is opened begins after two seconds or so."""
_GREETING_EVERY = 0.5
FIRST_SECONDS = 30.0
"""The first inference may take so long; how long the others may take is known then."""
LEAST_SECONDS = 0.5
_SLOWER = 10
"""An inference that takes so many times as long as the slowest before is lost."""
MOST_SECONDS = 300.0
"""No inference may take longer, however slow those before were."""
MOST_REPEATS = 5
"""Times that one request is sent again."""
_POLL_SECONDS = 0.02
_HAS_STATE, _COUNTS_TICKS = 1, 2
_SCHEMES = ("socket", "rfc2217", "loop")
"""Of pyserial's addresses; ``spy://`` writes over files, ``hwgrep://`` waits for a pattern as long as it likes."""
_TAKEN = (errno.EAGAIN, errno.EBUSY)
"""Errors with which the opening of a port fails that another program holds."""
_GREETINGS = (46, *range(50, 83))
"""Bytes that a greeting has: without the core's clock, or with it and with a name of up to 32 letters behind it."""


@dataclass(frozen=True)
class Greeting:
    """Greeting of a board: its model by its SHA-256, bytes of all inputs and outputs, its clocks, and its core.

    ``hertz`` is the core's own clock, 0 where the firmware does not know it; ``core`` one that ``glyphlite simulate`` knows and
    that has the instructions which the firmware was built for, "" where there is none.
    """

    sha256: str
    input_bytes: int
    output_bytes: int
    has_state: bool
    ticks_per_second: int
    hertz: int = 0
    core: str = ""


@dataclass(frozen=True)
class Inference:
    """A board's answer: the outputs, the ticks that they took, and how many inferences there were since the last reset."""

    outputs: bytes
    ticks: int
    count: int


class Connection:
    """A serial port with a board behind it.

    Args:
        port: a device such as ``/dev/ttyACM0``, or an address that pyserial knows (``socket://host:port``).
        baud: bits a second.

    Attributes:
        repeats: how many requests were sent again, since an answer was damaged or did not come.

    Raises:
        ToolError: the port cannot be opened.
    """

    def __init__(self, port: str, baud: int = BAUD) -> None:
        self.port, self.repeats = port, 0
        self._reader, self._number, self._slowest = FrameReader(), 0, 0.0
        self._refused, self._echoed = False, False
        self._line: Any = _opened(port, baud)

    def greet(self) -> Greeting:
        """Asks the board what it is, until it answers.

        Raises:
            ToolError: nothing answers, something else does, or its firmware is of another version.
        """
        deadline = time.monotonic() + GREETING_SECONDS
        while time.monotonic() < deadline:
            answer = self._asked(Frame("H"), "h", _GREETING_EVERY)
            if answer is not None and len(answer.data) in _GREETINGS:
                return self._greeting(answer.data)
            if answer is not None:
                raise ToolError(f"{self.port}: its firmware speaks another version of the protocol; export the model again")
        raise ToolError(f"{self.port}: {self._silence()}")

    def reset(self) -> None:
        """Sets the model's state to what it is before the first inference.

        Raises:
            ToolError: the board stopped answering.
        """
        for _ in range(MOST_REPEATS):
            if self._asked(Frame("R"), "r", 2.0) is not None:
                return
            self.repeats += 1
        raise ToolError(f"{self.port}: the board stopped answering")

    def infer(self, inputs: bytes) -> Inference:
        """Runs one inference; a damaged or lost request or answer is repeated.

        Raises:
            ToolError: the board stopped answering.
        """
        self._number = (self._number + 1) % 256
        request = Frame("I", bytes([self._number]) + inputs)
        limit = min(max(LEAST_SECONDS, _SLOWER * self._slowest), MOST_SECONDS) if self._slowest else FIRST_SECONDS
        for _ in range(MOST_REPEATS):
            started = time.monotonic()
            answer = self._asked(request, "o", limit, number=self._number)
            if answer is not None and len(answer.data) >= 7:
                self._slowest = max(self._slowest, time.monotonic() - started)
                data = answer.data
                return Inference(data[7:], int.from_bytes(data[3:7], "little"), int.from_bytes(data[1:3], "little"))
            self.repeats += 1
        silent = "the board cannot read what it is sent (check the cable)" if self._refused else "the board stopped answering"
        raise ToolError(f"{self.port}: {silent}")

    def close(self) -> None:
        """Closes the port."""
        self._line.close()

    def _greeting(self, data: bytes) -> Greeting:
        if data[0] != VERSION:
            raise ToolError(f"{self.port}: its firmware speaks version {data[0]} of the protocol; export the model again")
        numbers = [int.from_bytes(data[at : at + 4], "little") for at in (2, 6, 10)]
        ticks = numbers[2] if data[1] & _COUNTS_TICKS else 0
        hertz, said = int.from_bytes(data[46:50], "little"), data[50:].decode("ascii", "replace")
        core = next((each.name for each in SIMULATED_CORES if each.name == said), "")
        return Greeting(data[14:46].hex(), numbers[0], numbers[1], bool(data[1] & _HAS_STATE), ticks, hertz, core)

    def _asked(self, request: Frame, wanted: str, seconds: float, number: int | None = None) -> Frame | None:
        """Sends a request; returns its answer, or None where none comes in time or the board could not read the request.

        Answers to other requests, which came too late, are passed over.
        """
        line, self._refused = self._line, False
        try:
            line.write(encoded(request))
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                for frame in self._reader.take(line.read(max(1, line.in_waiting))):
                    self._echoed = self._echoed or frame == request
                    if frame.type == "e":
                        self._refused = True
                        return None
                    if frame.type == wanted and (number is None or frame.data[:1] == bytes([number])):
                        return frame
        except Exception as error:  # pyserial's own errors are OSErrors, but not all that it lets through
            raise ToolError(f"{self.port}: the connection broke ({_broken(error)})") from None
        return None

    def _silence(self) -> str:
        """Returns why there is no greeting, in words."""
        seen = self._reader.seen
        if self._echoed:
            return "it sends back what it is sent, as a terminal does; flash the example NAME_link of an exported library"
        if not seen:
            return "nothing answers; flash the example NAME_link of an exported library, and check the port and --baud"
        shown = visible(seen.decode("latin-1"))[:60]
        return f"something else answers ({shown!r}); flash the example NAME_link of an exported library, and check --baud"


def _opened(port: str, baud: int) -> Any:
    import serial

    scheme, address, _ = port.partition("://")
    if not port.strip():
        raise ToolError("--device needs a port such as /dev/ttyACM0")
    if address and scheme.lower() not in _SCHEMES:
        raise ToolError(f"cannot open {port}: expected a device, or an address that begins with {' or '.join(_SCHEMES)}://")
    try:
        # Exclusive: of two programs that read a port, each gets a part of the bytes.
        return serial.serial_for_url(port, baudrate=baud, timeout=_POLL_SECONDS, write_timeout=FIRST_SECONDS, exclusive=True)
    except Exception as error:  # an address is parsed by many hands
        reason = "it is no address" if address and isinstance(error.__context__, KeyError | ValueError) else _reason(error)
        raise ToolError(f"cannot open {port}: {reason}; {_advice(error, port)}") from None


def _advice(error: Exception, port: str) -> str:
    """Returns what to do about a port that cannot be opened."""
    from serial.tools.list_ports import comports

    number = getattr(error, "errno", None)
    if number == errno.EACCES:
        return "allow it: sudo usermod -a -G dialout $USER, then log in again"
    if number in _TAKEN:
        return "close what has it open, such as a serial monitor"
    if "://" in port:
        return f"expected {port.partition('://')[0]}://HOST:PORT of a board that listens there"
    found = sorted(each.device for each in comports())
    return f"the ports here: {first_of(found, 8)}" if found else "no serial port is here; is the board plugged in?"


def _reason(error: Exception) -> str:
    """Returns what the operating system says, without what pyserial puts around it."""
    number = getattr(error, "errno", None)
    if number in _TAKEN:
        return "another program uses it"
    if number:
        return os.strerror(number).lower()
    if str(error).startswith("Could not configure port"):
        return "it is no serial port"
    within = re.search(r"\[Errno -?\d+\] ([^'\"]+)", str(error))
    return within[1].lower() if within else str(error)


def _broken(error: Exception) -> str:
    """Returns why an open port fails, in words."""
    words = _reason(error)
    is_gone = getattr(error, "errno", None) == errno.EIO or "disconnected" in words
    return "the port is gone; was the board unplugged?" if is_gone else words
