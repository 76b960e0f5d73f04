"""One file, whole or not at all: written beside its place, synced and renamed into it."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glyphlite.errors import OutputError
from glyphlite.escaping import json_text
from glyphlite.files.scratch import scratch_folder, sync_file, sync_folder
from glyphlite.files.untrusted import special_kind


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def user_cache() -> Path:
    """Returns the folder of what was fetched or can be made again: ``$XDG_CACHE_HOME/glyphlite``, by default in ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is invalid and ignored.
    return (Path(home) if home.startswith("/") else Path.home() / ".cache") / "glyphlite"


def make_folder(path: Path) -> Path:
    """Creates a folder and its parents; an existing one is fine.

    Raises:
        OutputError: it cannot be created, or a file is in its place.
    """
    _make(path)
    return path


def without_detours(path: Path) -> Path:
    """Returns a path as it is, or the real one where it leads through a folder and up again: that folder need not exist."""
    return Path(os.path.realpath(path)) if ".." in path.parts else path


@contextmanager
def made_folder(path: Path) -> Iterator[Path]:
    """Creates a folder and its parents and yields its real path; what was created and is still empty goes if the body fails.

    Raises:
        OutputError: as :func:`make_folder`.
    """
    place = Path(os.path.realpath(path))
    missing = [each for each in (place, *place.parents) if not each.exists()]
    try:
        _make(path)
        yield place
    except BaseException:
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()
        raise


def _make(path: Path) -> None:
    """Creates a folder and its parents; those that a link, or ``x/..``, names, and no ``x``."""
    place = Path(os.path.realpath(path))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create the folder {path}: {error.strerror}; choose another with --out") from None
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {path} is not writable; choose another with --out")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path of the same name, in a folder beside; on success it is synced and becomes ``path``.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is left as it was.

    Raises:
        OutputError: the file cannot be written (folder not writable, disk full), or something else than a file is there.
    """
    path = Path(os.path.realpath(path))  # a link stays one: what it points to is replaced
    if kind := special_kind(path):  # a rename over a device would take it away from everyone
        raise OutputError(f"cannot write {path}: it is {kind}; name a file")
    with made_folder(path.parent), writing(path), scratch_folder(path.parent) as scratch:
        temporary = scratch / path.name
        yield temporary
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system refuses while ``path`` is written into an OutputError that names it.

    Raises:
        OutputError: instead of any OSError.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def write_bytes(path: Path, content: bytes) -> Path:
    """Writes a whole file atomically and returns its path."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def write_text(path: Path, content: str) -> Path:
    """Writes a whole UTF-8 text file atomically and returns its path; surrogates, which UTF-8 lacks, by their codes."""
    return write_bytes(path, content.encode(errors="backslashreplace"))


def write_json(path: Path, document: Any) -> Path:
    """Writes a JSON document atomically, indented, with a final newline, and return its path."""
    return write_text(path, json_text(document, allow_nan=False) + "\n")
