"""Font files on this machine: those of installed packages, else fetched from Debian's archive without root.

Each is held against its SHA-256; another version draws other letters, so it is used and that is said.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from glyphlite.console import progress_bar, say
from glyphlite.datasets.download.apt import unpack_package
from glyphlite.datasets.rendered.faces import FONTS, Face
from glyphlite.errors import DataError
from glyphlite.files.scratch import temporary_folder
from glyphlite.files.untrusted import read_input

_LARGEST = 4 << 20
"""Bytes of a font file; the largest of ours has 0.4 MB."""


def read_fonts(faces: Sequence[Face], installed: Path = Path(FONTS)) -> dict[Face, bytes]:
    """Returns the content of every font, and says which of them are not the version that is expected.

    Args:
        faces: the fonts.
        installed: where packages put their fonts.

    Raises:
        DataError: a package is neither installed nor can be fetched, or has no such font.
    """
    found = {face: _read(installed / face.path) for face in faces if (installed / face.path).is_file()}
    missing = list(dict.fromkeys(face.package for face in faces if face not in found))
    if missing:
        found |= _fetched([face for face in faces if face not in found], missing)
    others = [face for face in faces if hashlib.sha256(found[face]).hexdigest() != face.sha256]
    if others:
        names = ", ".join(face.path.rpartition("/")[2] for face in others)
        say(f"the letters of {names} are of another version of the font than those of our figures", style="yellow")
    return {face: found[face] for face in faces}


def _fetched(faces: Sequence[Face], packages: Sequence[str]) -> dict[Face, bytes]:
    """Returns fonts out of packages that are downloaded into a temporary folder.

    Raises:
        DataError: one cannot be fetched, or has no such font.
    """
    with temporary_folder() as folder, progress_bar("fonts with apt-get (2 MB)", len(packages)) as advance:
        for package in packages:
            try:
                unpack_package(package, folder / package)
            except DataError as error:
                raise DataError(
                    f"the fonts of rendered-letters cannot be fetched: {error}; install Debian's packages "
                    f"{' '.join(packages)} (apt-get install), and the set is drawn from them"
                ) from None
            advance()
        return {face: _read(folder / face.package / FONTS.lstrip("/") / face.path) for face in faces}


def _read(path: Path) -> bytes:
    return read_input(path, "a font", largest=_LARGEST)
