"""Content that is what its hash says: a known dataset's four files as bytes, checked, and a folder of them looked through.

Knows the catalogue and the IDX format, not where a folder comes from. Nothing gets past here unverified.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.datasets.download.catalogue import KnownDataset, KnownFile
from glyphlite.datasets.idx import parse_idx, read_content
from glyphlite.errors import DataError


@dataclass(frozen=True)
class Verified:
    """A known dataset's four arrays, each the very bytes that the catalogue names, and the words for where they were found."""

    known: KnownDataset
    contents: dict[str, bytes]
    source: str

    def array(self, file: KnownFile) -> np.ndarray:
        """Returns one file's array, uint8, not writable."""
        return parse_idx(self.contents[file.name], file.name)


def verify(known: KnownDataset, contents: dict[str, bytes], source: str) -> Verified:
    """Holds the uncompressed content of all four files against the catalogue.

    Raises:
        DataError: one of them is another file than it should be; the message names it and both hashes.
    """
    for file in known.files:
        found = hashlib.sha256(contents[file.name]).hexdigest()
        if found != file.sha256:
            raise DataError(
                f"{file.name} from {source} is not {known.name}'s: SHA-256 of its content is {found}, "
                f"expected {file.sha256}; refused (remove or replace it)"
            )
    return Verified(known, contents, source)


def read_folder(known: KnownDataset, folder: Path, source: str) -> Verified:
    """Reads and verifies a folder with all four files, compressed or not.

    Raises:
        DataError: a file is missing, malformed, or not what its hash says.
    """
    contents = {}
    for file in known.files:
        path = find_file(folder, file)
        if path is None:
            raise DataError(
                f"{folder} has no {file.name} (or {file.name}.gz); {known.name} needs {', '.join(f.name for f in known.files)}"
            )
        contents[file.name] = read_content(path, max_bytes=file.content_bytes)
    return verify(known, contents, source)


def find_file(folder: Path, file: KnownFile) -> Path | None:
    """Returns the path of a known file in a folder, under its usual name or with a dot before ``idx``, compressed or not."""
    for stem in (file.name, file.name.replace("-idx", ".idx")):
        for name in (stem, f"{stem}.gz"):
            if (folder / name).is_file():
                return folder / name
    return None


def holds_any(known: KnownDataset, folder: Path) -> bool:
    """Returns whether a folder holds at least one of the dataset's files."""
    return any(find_file(folder, file) for file in known.files)
