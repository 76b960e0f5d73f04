"""Tests of a port with something hostile behind it, or a hostile name."""

import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from glyphlite.errors import ToolError
from glyphlite.runtimes.device import connection
from glyphlite.runtimes.device.connection import Connection
from glyphlite.runtimes.device.frames import LARGEST, Frame, FrameReader, encoded


class Line:
    """A port whose other side answers each request with what a function gives."""

    def __init__(self, answer: Callable[[], bytes]) -> None:
        self._answer, self.in_waiting = answer, 4096

    def write(self, content: bytes) -> None:
        """Takes a request."""

    def read(self, count: int) -> bytes:
        """Gives an answer."""
        return self._answer()

    def close(self) -> None:
        """Closes nothing."""


def _connected(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], bytes]) -> Connection:
    monkeypatch.setattr(connection, "_opened", lambda port, baud: Line(answer))
    monkeypatch.setattr(connection, "GREETING_SECONDS", 0.05)
    monkeypatch.setattr(connection, "_GREETING_EVERY", 0.02)
    return Connection("port")


@pytest.mark.parametrize(
    "said", [b"\x1b]0;owned\x07\x1b[2J", bytes(range(256)), "\u202e[bold]x[/bold]\n\u2028".encode(), b"\xc0" * 9, b"\xdb\xc0\xdb"]
)
def test_what_answers_a_greeting_is_shown_without_its_control_characters(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    with pytest.raises(ToolError) as caught:
        _connected(monkeypatch, lambda: said).greet()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("length", [0, 1, 45, 47, 5000])
def test_a_greeting_of_another_length_is_another_version(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    with pytest.raises(ToolError, match="another version"):
        _connected(monkeypatch, lambda: encoded(Frame("h", bytes(length)))).greet()


@pytest.mark.parametrize("error", [termios.error(5, "Input/output error"), ValueError("remote rejected value"), TypeError("x")])
def test_whatever_a_port_raises_is_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail() -> bytes:
        raise error

    with pytest.raises(ToolError, match="the connection broke"):
        _connected(monkeypatch, fail).greet()


@pytest.mark.parametrize(
    ("port", "baud"),
    [
        ("hwgrep://(", 9600),
        ("socket://x", 9600),
        ("socket://[::1", 9600),
        ("foo://x", 9600),
        ("a\0b", 9600),
        ("/dev/ptmx", 1 << 70),
    ],
)
def test_a_port_that_cannot_be_is_one_line(port: str, baud: int) -> None:
    with pytest.raises(ToolError, match="cannot open"):
        Connection(port, baud)


def test_no_address_writes_over_a_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("years of work")
    with pytest.raises(ToolError, match="expected a device"):
        Connection(f"spy://loop://?file={mine}")
    assert mine.read_text() == "years of work"


def test_an_endless_frame_is_dropped_and_the_next_one_is_read() -> None:
    reader = FrameReader()
    piece = b"\x55" * (1 << 20)
    for _ in range(LARGEST // len(piece) + 2):
        assert reader.take(piece) == []
    assert 0 < len(reader.seen) <= 60
    assert reader.take(b"".join((b"\xc0", encoded(Frame("h", b"\xc0\xdb")), b"\x55"))) == [Frame("h", b"\xc0\xdb")]
