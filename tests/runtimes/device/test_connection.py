"""Tests of a port with something hostile behind it, or a hostile name."""

import os
import pty
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator
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


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: the side of the board, and the port's path."""
    monkeypatch.setattr(connection, "GREETING_SECONDS", 0.6)
    monkeypatch.setattr(connection, "_GREETING_EVERY", 0.1)
    board, port = pty.openpty()
    tty.setraw(port)
    yield board, os.ttyname(port)
    for each in (board, port):
        try:
            os.close(each)
        except OSError:
            continue


def _carrying(board: int, answer: Callable[[bytes], bytes]) -> None:
    """Answers whatever arrives at the board's side, until that is closed."""

    def carry() -> None:
        try:
            while content := os.read(board, 4096):
                os.write(board, answer(content))
        except OSError:
            return

    threading.Thread(target=carry, daemon=True).start()


def _greeted(port: str) -> str:
    """Returns the line that greeting what is at a port ends with, which has to come in time."""
    started = time.monotonic()
    with pytest.raises(ToolError) as caught:
        Connection(port).greet()
    assert time.monotonic() - started < connection.GREETING_SECONDS + 20  # the machine may be busy
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


def test_an_echo_is_told_from_silence(terminal: tuple[int, str]) -> None:
    board, port = terminal
    _carrying(board, lambda content: content)
    assert "sends back what it is sent" in _greeted(port)


def test_endless_bytes_end_in_time(terminal: tuple[int, str]) -> None:
    board, port = terminal
    _carrying(board, lambda content: os.urandom(1000))
    assert "something else answers" in _greeted(port)


def test_a_port_that_goes_away_is_one_line(terminal: tuple[int, str]) -> None:
    board, port = terminal
    timer = threading.Timer(0.2, lambda: os.close(board))
    timer.start()
    assert "was the board unplugged?" in _greeted(port)
    timer.join()


def test_a_port_in_use_is_left_to_its_user(terminal: tuple[int, str]) -> None:
    _, port = terminal
    first = Connection(port)
    with pytest.raises(ToolError, match="another program uses it; close what has it open"):
        Connection(port)
    first.close()
    Connection(port).close()


def test_a_port_without_permission_says_how_to_get_it(terminal: tuple[int, str]) -> None:
    _, port = terminal
    Path(port).chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ToolError, match="permission denied; allow it: sudo usermod"):
            Connection(port)
    finally:
        os.seteuid(user)


def test_what_is_no_port_is_one_line_and_left_alone(tmp_path: Path) -> None:
    file, pipe = tmp_path / "mine.txt", tmp_path / "pipe"
    file.write_text("years of work")
    os.mkfifo(pipe)
    with pytest.raises(ToolError, match="is a directory"):
        Connection(str(tmp_path))
    for path in (file, pipe, Path("/dev/null"), Path("/dev/zero")):
        with pytest.raises(ToolError, match="it is no serial port"):
            Connection(str(path))
    assert file.read_text() == "years of work"
    with pytest.raises(ToolError, match="needs a port"):
        Connection(" ")
    with pytest.raises(ToolError, match="connection refused; expected socket://HOST:PORT"):
        Connection("socket://127.0.0.1:9")
    with pytest.raises(ToolError, match="it is no address; expected socket://HOST:PORT"):
        Connection("socket://127.0.0.1:99999")


def test_a_board_that_reads_nothing_right_is_told_from_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_SECONDS", 0.05)
    with pytest.raises(ToolError, match="cannot read what it is sent"):
        _connected(monkeypatch, lambda: encoded(Frame("e"))).infer(b"1234")
    with pytest.raises(ToolError, match="stopped answering"):
        _connected(monkeypatch, lambda: b"").infer(b"1234")
    with pytest.raises(ToolError, match="stopped answering"):  # an answer that is cut off
        _connected(monkeypatch, lambda: encoded(Frame("o", b"\1\0"))).infer(b"1234")
