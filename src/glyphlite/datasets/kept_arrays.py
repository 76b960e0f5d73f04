"""Arrays that were expensive to make, kept in one .npz file for the next time, with a signature of all that they depend on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.errors import DataError
from glyphlite.files.single import atomic_path
from glyphlite.files.untrusted import open_input, parsing


def keep_arrays(path: Path, signature: str, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Writes arrays, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    stored: dict[str, Any] = {"signature": np.array(signature), **arrays}
    with atomic_path(path) as temporary:
        (np.savez_compressed if compressed else np.savez)(temporary, **stored)


def kept_arrays(path: Path, signature: str, expected: str) -> dict[str, np.ndarray] | None:
    """Returns the arrays of a file by name; None where it is not there, damaged, or of another signature: they are made again.

    Args:
        path: of the file.
        signature: that it was written with.
        expected: what it is, for messages.
    """
    try:
        with open_input(path, expected) as stream, parsing(f"{path} is damaged"), np.load(stream, allow_pickle=False) as kept:
            return dict(kept) if str(kept["signature"]) == signature else None
    except DataError:
        return None
