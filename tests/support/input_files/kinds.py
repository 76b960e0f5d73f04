"""The kinds of files: sound ones to begin with, changes of their parts, and what glyphlite does with one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.input_files import idx_files, keras_files, model_files, npz_files, picture_files

Change = Callable[[bytes, Any], bytes]


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        sources: sound files by name.
        changes: of their parts.
        take: reads a file in a folder as glyphlite does, checks what was accepted, and returns its faults.
        read_by: the parts of the package that read such a file; what was tried with others need not be tried again.
    """

    sources: Callable[[], Mapping[str, bytes]]
    changes: Mapping[str, Change]
    take: Callable[[Path], list[str]]
    read_by: tuple[str, ...]


COMMON = ("files", "console.py", "errors.py", "escaping.py", "extras.py")
DATA = (*COMMON, "datasets", "preprocessing")

KINDS = {
    "npz": Kind(npz_files.sources, npz_files.CHANGES, npz_files.take, DATA),
    "idx": Kind(idx_files.sources, idx_files.CHANGES, idx_files.take, DATA),
    "keras": Kind(keras_files.sources, keras_files.CHANGES, keras_files.take, (*COMMON, "models")),
    "picture": Kind(picture_files.sources, picture_files.CHANGES, picture_files.take, DATA),
    "model": Kind(model_files.sources, model_files.CHANGES, model_files.take, (*COMMON, "models/definition")),
}
