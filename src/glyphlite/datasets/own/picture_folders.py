"""A folder of pictures as a dataset: listed by `layout`, read by `picture_reading`, kept in `picture_cache`."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.datasets.own.assemble import assemble
from glyphlite.datasets.own.content import FoundData, StoredSplit
from glyphlite.datasets.own.groups import groups_of
from glyphlite.datasets.own.layout import Listing, list_pictures
from glyphlite.datasets.own.picture_cache import Normalized, cached_pictures
from glyphlite.datasets.own.picture_reading import read_all
from glyphlite.errors import DataError

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
    images, notes = cached_pictures(folder, paths, (height, width), lambda: _read(paths, folder, (height, width)))
    stored, start = {}, 0
    for split, pictures in listing.pictures.items():
        numbers = np.array([number for _, number in pictures], np.int64)
        name = f"the {split} pictures of {folder}"
        place = slice(start, start + len(pictures))
        own = None if groups is None else groups[place]
        stored[split] = StoredSplit(images[place, ..., None], numbers, name, f"the classes of {name}", own)
        start += len(pictures)
    return assemble(stored, listing.classes, (*folder_notes(listing), *notes))


def folder_notes(listing: Listing) -> tuple[str, ...]:
    """Says what was left aside in a folder, and what its classes may mean."""
    return (*listing.notes(), *_hexadecimal(listing.classes))


def _hexadecimal(classes: Sequence[str]) -> tuple[str, ...]:
    """Says what classes mean that are called as NIST's are, by the hexadecimal code of a digit or letter."""
    codes = [int(name, 16) for name in classes if re.fullmatch(r"[3-7][0-9a-fA-F]", name)]
    if len(codes) < len(classes) or not all(chr(code).isalnum() for code in codes):
        return ()
    return (f"the classes may be called by the codes of their characters, as NIST's are: {classes[0]} is {chr(codes[0])}",)


def _read(paths: Sequence[Path], folder: Path, size: tuple[int, int]) -> Normalized:
    """Returns every picture at one size, uint8 ``(n, height, width)``, and what was assumed.

    Raises:
        DataError: some cannot be read or show no glyph; the message counts them and names the first.
    """
    found = read_all(paths, folder, size, most_failures=_MOST_FAILURES)
    _check_failures(list(found.failures.values()), folder, len(paths))
    return found.images, found.notes()


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
