"""The pictures of a folder as they were normalized, kept for the next time; made again where a file or the normalization changed.

One file for each folder and size in the user's cache, written whole. Knows nothing of how pictures are read.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from glyphlite import datasets, preprocessing
from glyphlite.console import say
from glyphlite.datasets.kept_arrays import keep_arrays, kept_arrays
from glyphlite.errors import DataError, OutputError
from glyphlite.files.single import user_cache
from glyphlite.files.untrusted import parsing

MOST_KEPT = 16
"""Folders kept; of more, those that were not used for longest are forgotten."""
Normalized = tuple[np.ndarray, tuple[str, ...]]
"""Images ``(n, height, width)`` uint8, and what was assumed of them."""


def cache_place() -> Path:
    """Returns the folder in the user's cache that keeps normalized pictures."""
    return user_cache() / "pictures"


def cached_pictures(folder: Path, paths: Sequence[Path], size: tuple[int, int], make: Callable[[], Normalized]) -> Normalized:
    """Returns the normalized pictures of a folder, from the cache where no file changed since.

    Args:
        folder: what the user named.
        paths: the pictures, below it, in the order of the images.
        size: rows and columns of the images.
        make: reads and normalizes them all.
    """
    name = hashlib.sha256(os.fsencode(folder.resolve()) + f" {size}".encode()).hexdigest()[:24]
    kept = cache_place() / f"{name}.npz"
    signature = _signature(folder, paths, size)
    found = _read(kept, signature, (len(paths), *size))
    if found is not None:
        with suppress(OSError):
            kept.touch()
        return found
    images, notes = make()
    try:
        keep_arrays(kept, signature, {"notes": np.array(json.dumps(notes)), "images": images})
        _forget(kept.parent)
    except OutputError as error:
        say(str(error), lead=f"the pictures of {folder.name} are not cached for the next time:", style="yellow")
    return images, notes


def _signature(folder: Path, paths: Sequence[Path], size: tuple[int, int]) -> str:
    """Hashes all that the images depend on: each file's path, size and time of change, the image size, and the code itself."""
    digest = hashlib.sha256(f"{_code()} {size}".encode())
    for path in paths:
        status = path.stat()
        digest.update(os.fsencode(path.relative_to(folder)) + f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@cache
def _code() -> str:
    """Returns the SHA-256 of the code that reads and normalizes pictures, and the version of the library that decodes them."""
    digest = hashlib.sha256(version("pillow").encode())
    for package in (datasets, preprocessing):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path, signature: str, shape: tuple[int, ...]) -> Normalized | None:
    """Reads the cached images and notes; None if they are damaged or were made from other pictures."""
    kept = kept_arrays(path, signature, "pictures kept")
    if kept is None:
        return None
    try:
        with parsing(f"{path} is damaged"):
            images, notes = kept["images"], tuple(str(note) for note in json.loads(str(kept["notes"])))
    except DataError:
        return None
    return (images, notes) if images.shape == shape and images.dtype == np.uint8 else None


def _forget(folder: Path) -> None:
    """Removes what was not used for longest beyond :data:`MOST_KEPT`."""
    with suppress(OSError):
        for path in sorted(folder.glob("*.npz"), key=lambda each: -each.stat().st_mtime)[MOST_KEPT:]:
            path.unlink(missing_ok=True)
