"""A folder of pictures as a dataset: listed by `layout`, normalized as `predict` does, kept in `folder_cache`.

Knows pictures by their paths; what becomes of one is `images`' business.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.console import progress_bar
from glyphlite.datasets.own.assemble import MOST, assemble, dark_on_light
from glyphlite.datasets.own.content import FoundData, StoredSplit
from glyphlite.datasets.own.groups import groups_of
from glyphlite.datasets.own.layout import list_pictures
from glyphlite.datasets.own.picture_cache import Normalized, cached_pictures
from glyphlite.errors import DataError
from glyphlite.preprocessing.images import prepare_glyph
from glyphlite.preprocessing.pictures import picture_size, read_picture
from glyphlite.preprocessing.pixel_range import find_range

_MOST_FAILURES = 100
"""After so many pictures that cannot be read, the rest is not tried."""


def read_picture_folder(folder: Path, height: int = 28, width: int = 28, *, group_by: str | None = None) -> FoundData:
    """Reads a folder of class-named folders of pictures, in any of the arrangements of :mod:`~glyphlite.datasets.own.layout`.

    Where every picture already has the size wanted and most are light on dark, as MNIST is, they are taken as they are. Else
    each goes through :func:`~glyphlite.preprocessing.images.prepare_glyph`, as every picture does that ``glyphlite predict`` is
    given.

    Args:
        folder: the folder; its classes are in the natural order of their names (2 before 10).
        height: rows of each image.
        width: columns of each image.
        group_by: how the pictures' groups are told, as :func:`~glyphlite.datasets.own.groups.groups_of` takes it; None for none.

    Raises:
        DataError: no classes, a class without pictures, pictures that cannot be read or show no glyph, or without a group.
    """
    listing = list_pictures(folder)
    paths = [path for pictures in listing.pictures.values() for path, _ in pictures]
    groups = groups_of(paths, folder, group_by) if group_by is not None else None
    images, notes = cached_pictures(folder, paths, (height, width), lambda: _read_all(paths, folder, (height, width)))
    stored, start = {}, 0
    for split, pictures in listing.pictures.items():
        numbers = np.array([number for _, number in pictures], np.int64)
        name = f"the {split} pictures of {folder}"
        place = slice(start, start + len(pictures))
        own = None if groups is None else groups[place]
        stored[split] = StoredSplit(images[place, ..., None], numbers, name, f"the classes of {name}", own)
        start += len(pictures)
    return assemble(stored, listing.classes, (*listing.notes(), *_hexadecimal(listing.classes), *notes))


def _hexadecimal(classes: Sequence[str]) -> tuple[str, ...]:
    """Says what classes mean that are called as NIST's are, by the hexadecimal code of a digit or letter."""
    codes = [int(name, 16) for name in classes if re.fullmatch(r"[3-7][0-9a-fA-F]", name)]
    if len(codes) < len(classes) or not all(chr(code).isalnum() for code in codes):
        return ()
    return (f"the classes may be called by the codes of their characters, as NIST's are: {classes[0]} is {chr(codes[0])}",)


def _read_all(paths: Sequence[Path], folder: Path, size: tuple[int, int]) -> Normalized:
    """Returns every picture at one size, uint8 ``(n, height, width)``, and what was assumed.

    Raises:
        DataError: some cannot be read or show no glyph; the message counts them and names the first.
    """
    as_they_are = all(_has_size(path, size) for path in paths)
    images = np.empty((len(paths), *size), np.uint8)
    said = _Doubts(folder, len(paths))
    failures: list[str] = []
    with progress_bar(f"pictures of {folder.name}", len(paths)) as advance:
        for number, path in enumerate(paths):
            try:
                picture = read_picture(path)
                images[number] = picture if as_they_are and picture.shape == size else said.prepare(picture, path, size)
            except DataError as error:
                failures.append(str(error))
                if len(failures) == _MOST_FAILURES:
                    break
            advance()
    _check_failures(failures, folder, len(paths))
    if not as_they_are:
        return images, said.notes()
    pixels = find_range({f"the pictures of {folder}": images})
    images = pixels.to_bytes(images)
    notes = (pixels.words,) if pixels.words else ()
    if dark_on_light(images[..., None]).mean() <= MOST:
        return images, notes
    prepared = np.stack([said.prepare(image, path, size) for image, path in zip(images, paths, strict=True)])
    return prepared, (*notes, "the pictures are dark on light: each was made light on dark, as predict does", *said.notes())


class _Doubts:
    """Normalizes pictures as ``predict`` does, and counts those that it would have something to say of."""

    def __init__(self, folder: Path, pictures: int) -> None:
        self._folder, self._pictures = folder, pictures
        self._doubted: list[tuple[Path, str]] = []
        self._crowded: list[Path] = []

    def prepare(self, picture: np.ndarray, path: Path, size: tuple[int, int]) -> np.ndarray:
        """Returns a picture's glyph.

        Raises:
            DataError: the picture is blank; the message names it.
        """
        try:
            glyph = prepare_glyph(picture, *size)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
        if glyph.doubt is not None:
            self._doubted.append((path, glyph.doubt))
        elif glyph.others:
            self._crowded.append(path)
        return glyph.pixels

    def notes(self) -> tuple[str, ...]:
        """Says how many pictures may show no glyph, and how many show several."""
        said = []
        if self._doubted:
            path, why = self._doubted[0]
            number = f"{len(self._doubted):,} of {self._pictures:,} pictures"
            said.append(f"{number} may show no single glyph, and are used all the same: {self._name(path)} ({why})")
        if self._crowded:
            number = f"{len(self._crowded):,} of {self._pictures:,} pictures"
            said.append(f"{number} show several glyphs, of which the largest is taken: {self._name(self._crowded[0])}")
        return tuple(said)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def _has_size(path: Path, size: tuple[int, int]) -> bool:
    """Returns whether a picture is stored at this size; True if it cannot be read, because reading it later reports the error."""
    try:
        return picture_size(path) == size
    except DataError:
        return True


def _check_failures(failures: Sequence[str], folder: Path, pictures: int) -> None:
    """Refuses a folder some of whose pictures cannot be read.

    Raises:
        DataError: there are such.
    """
    if not failures:
        return
    number = f"at least {len(failures)}" if len(failures) == _MOST_FAILURES else f"{len(failures):,}"
    rest = "repair or remove it" if len(failures) == 1 else "repair or remove them"
    raise DataError(f"{number} of {pictures:,} pictures of {folder} cannot be taken: {failures[0]}; {rest}")
