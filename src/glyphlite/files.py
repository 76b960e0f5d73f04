"""Whole files or none: everything glyphlite writes is written beside its place, synced and renamed into it.

Knows paths and bytes, nothing of what they hold.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glyphlite.errors import OutputError


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def user_cache() -> Path:
    """Where what was fetched or can be made again is kept: ``$XDG_CACHE_HOME/glyphlite``, by default under ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is invalid and ignored.
    return (Path(home) if home.startswith("/") else Path.home() / ".cache") / "glyphlite"


def make_folder(path: Path) -> Path:
    """Create a folder and its parents; an existing one is fine.

    Raises:
        OutputError: it cannot be created, or a file is in its place.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create the folder {path}: {error.strerror}; choose another with --out") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise OutputError(f"the folder {path} is not writable; choose another with --out")
    return path


def require_only(folder: Path, ours: Collection[str]) -> None:
    """Refuse to replace a folder that holds anything but files of these names; one that does not exist is fine.

    Raises:
        OutputError: it holds other files, cannot be read, or is a file.
    """
    try:
        found = sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise OutputError(f"cannot use {folder} as a folder: {error.strerror}; choose another with --out") from None
    if foreign := [name for name in found if name not in ours]:
        raise OutputError(f"{folder} holds other files ({', '.join(foreign[:3])}); choose an empty or a new folder with --out")


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path with the same suffix in the same folder; on success it is synced and becomes ``path``.

    On any exception, Ctrl-C included, the temporary file is removed and ``path`` is left as it was.

    Raises:
        OutputError: the file cannot be written (folder not writable, disk full).
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.{os.urandom(4).hex()}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling folder; on success it replaces ``path`` as a whole.

    A folder already at ``path`` is moved aside first and removed once the new one is in place; so is one that another process
    puts there at the same moment: of several the last stays.

    Raises:
        OutputError: the folder cannot be written.
    """
    path = Path(path)
    make_folder(path.parent)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
    previous = temporary.with_name(temporary.name + ".previous")
    try:
        temporary.chmod(0o755)
        yield temporary
        _replace_folder(path, temporary, previous)
        _sync_folder(path.parent)
    except OSError as error:
        if previous.exists() and not path.exists():
            with suppress(OSError):  # another process has put its folder there by now
                previous.replace(path)
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(previous, ignore_errors=True)


def _replace_folder(path: Path, new: Path, previous: Path) -> None:
    """Rename a folder to ``path``; what is there, or comes there in between, is moved aside to ``previous``."""
    while True:
        with suppress(FileNotFoundError):
            path.replace(previous)
        try:
            new.replace(path)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            shutil.rmtree(previous, ignore_errors=True)
        else:
            return


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a whole file atomically and return its path."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
    return Path(path)


def write_text(path: Path, content: str) -> Path:
    """Write a whole UTF-8 text file atomically and return its path."""
    return write_bytes(path, content.encode())


def write_json(path: Path, document: Any) -> Path:
    """Write a JSON document atomically, indented, with a final newline, and return its path."""
    return write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _sync_folder(path: Path) -> None:
    """Make a rename durable; file systems that cannot sync a folder are left to their own guarantees."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass
    finally:
        os.close(descriptor)
