"""Files from outside: opened only where they are regular files, read to a limit, and parsed so that every failure is one line.

``parsing`` is the only place that catches what other people's parsers raise; ``check_unfolded`` refuses decompression bombs
before they are unpacked. Knows bytes, no format.
"""

import os
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from glyphlite.errors import DataError, GlyphliteError

UNFOLDED_FREE = 64 << 20
"""Bytes that any compressed file may unpack to."""

LARGEST_RATIO = 100
"""How many times its size a larger file may unpack to: MNIST's pixels take 5 times theirs, blank ones 1,000 times."""

LARGEST_DOCUMENT = 64 << 20
"""Bytes of a JSON or TOML document, or of a list of names."""

_LONGEST_REASON = 300

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_input(path: Path, expected: str, error: type[GlyphliteError] = DataError) -> BufferedReader:
    """Opens a regular file for reading; never waits for one that is something else, as a pipe without a writer.

    Args:
        path: the file; links are followed.
        expected: what it should be, with its article, for the error: "a .keras file".
        error: the kind of error to raise.

    Raises:
        GlyphliteError: of that kind: there is no such file, it is a pipe, device, socket or folder, or not readable.
    """
    try:
        # Looked at before it is opened, since opening alone makes some devices act; and after, should it have been replaced.
        _require_regular(path.stat().st_mode, path, expected, error)
        stream = os.fdopen(os.open(path, _FLAGS), "rb")
        try:
            _require_regular(os.fstat(stream.fileno()).st_mode, path, expected, error)
        except BaseException:
            stream.close()
            raise
    except OSError as failure:
        raise error(f"cannot read {path}: {failure.strerror or failure}; expected {expected}") from None
    except ValueError:
        raise error(f"cannot read {str(path)!r}: not a valid file name") from None
    return stream


def read_input(path: Path, expected: str, error: type[GlyphliteError] = DataError, largest: int = LARGEST_DOCUMENT) -> bytes:
    """Returns the bytes of a regular file.

    Args:
        path: the file; links are followed.
        expected: what it should be, with its article, for the error.
        error: the kind of error to raise.
        largest: bytes that it may have.

    Raises:
        GlyphliteError: of that kind: as :func:`open_input`, or the file is larger.
    """
    with open_input(path, expected, error) as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            content = stream.read(largest + 1) if size <= largest else b""
        except OSError as failure:
            raise error(f"cannot read {path}: {failure.strerror or failure}; expected {expected}") from None
    if max(size, len(content)) > largest:
        raise error(f"{path} has {max(size, len(content)):,} bytes; {expected} has at most {largest:,}")
    return content


@contextmanager
def reading_folder(folder: Path, error: type[GlyphliteError] = DataError) -> Iterator[None]:
    """Turns what the operating system refuses while a folder is listed into one line that names what cannot be read.

    Raises:
        GlyphliteError: of that kind, instead of any OSError.
    """
    try:
        yield
    except OSError as failure:
        words = failure.strerror or failure
        raise error(f"cannot read {failure.filename or folder}: {words}; allow it, or name another folder") from None


@contextmanager
def parsing(
    refusal: str | Callable[[BaseException], str], error: type[GlyphliteError] = DataError, advice: str = ""
) -> Iterator[None]:
    """Turns whatever is raised within it, by any parser of bytes from outside, into one line; keeps back Python's warnings.

    Our own errors, Ctrl-C and a closed output pass through as they are.

    Args:
        refusal: begins the line, before the reason: "x.npz is not a readable .npz file"; or makes the whole of it.
        error: the kind of error to raise.
        advice: ends the line: what to do.

    Raises:
        GlyphliteError: of that kind, for any other exception, an attempt to end the process included.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (GlyphliteError, KeyboardInterrupt, GeneratorExit, BrokenPipeError):
        raise
    except BaseException as failure:
        if callable(refusal):
            raise error(refusal(failure)) from None
        raise error(f"{refusal}: {reason_of(failure)}{f'; {advice}' if advice else ''}") from None


def reason_of(failure: BaseException) -> str:
    """Returns what an exception says of its cause, in one short line that makes sense without its traceback."""
    if isinstance(failure, MemoryError):
        return "it asks for more memory than there is"
    if isinstance(failure, RecursionError):
        return "it is nested too deeply"
    words = " ".join(str(getattr(failure, "strerror", None) or failure).split())
    if isinstance(failure, LookupError | SystemExit) or not words:
        words = f"{type(failure).__name__} {words}".strip()
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]}..."


def check_unfolded(name: str, stored: int, unfolded: int, error: type[GlyphliteError] = DataError) -> None:
    """Refuses what would unpack to far more than it is: a decompression bomb, which fills memory or disk.

    Args:
        name: what the error calls it.
        stored: bytes of the file.
        unfolded: bytes that it says it unpacks to, or that were unpacked so far.
        error: the kind of error to raise.

    Raises:
        GlyphliteError: of that kind.
    """
    if unfolded > max(UNFOLDED_FREE, LARGEST_RATIO * stored):
        raise error(
            f"{name} has {stored:,} bytes that unpack to {unfolded:,} or more; glyphlite unpacks to "
            f"{LARGEST_RATIO} times a file's size, or {UNFOLDED_FREE >> 20} MiB: store it uncompressed"
        )


def special_kind(path: Path) -> str | None:
    """Returns what lies at a path, in words, where it is no regular file: "a pipe"; opens nothing."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    return None if stat.S_ISREG(mode) else _kind(mode)


def _require_regular(mode: int, path: Path, expected: str, error: type[GlyphliteError]) -> None:
    if not stat.S_ISREG(mode):
        raise error(f"{path} is {_kind(mode)}; expected {expected}")


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "no file")
