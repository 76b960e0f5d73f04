"""The pictures of a folder read one by one, at one size: as they are stored where that can be, else as ``predict`` prepares them.

Training and the check of a dataset both read by this, so that what the one says holds for the other. Knows pictures by their
paths; what becomes of one is `images`' business.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from glyphlite.console import progress_bar
from glyphlite.datasets.own.assemble import MOST, dark_on_light
from glyphlite.errors import DataError
from glyphlite.escaping import name_of
from glyphlite.preprocessing.images import prepare_glyph
from glyphlite.preprocessing.pictures import picture_size, read_picture
from glyphlite.preprocessing.pixel_range import find_range

_MOST_SIZES = 3


@dataclass
class Readings:
    """The pictures that could be read, and what is to be said of which; all by their places among the paths.

    Attributes:
        paths: of all pictures.
        folder: that they lie below.
        images: of those that were read, uint8 ``(n, height, width)``.
        places: of those, ascending.
        prepared: whether each was cut out and normalized as ``predict`` does, or is as it is stored.
        dark: ``(n,)``, whether it is stored dark on light.
        failures: those that could not be taken, with the reason.
        doubted: those that may show no single glyph, with the reason; only where they were prepared.
        crowded: those that show several glyphs; only where they were prepared.
        blank: those that show nothing and are taken all the same, since all are as they are stored.
        assumed: what was assumed of all, in words.
    """

    paths: Sequence[Path]
    folder: Path
    images: np.ndarray
    places: list[int]
    prepared: bool = True
    dark: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    failures: dict[int, str] = field(default_factory=dict)
    doubted: dict[int, str] = field(default_factory=dict)
    crowded: list[int] = field(default_factory=list)
    blank: list[int] = field(default_factory=list)
    assumed: tuple[str, ...] = ()

    def name(self, place: int) -> str:
        """Returns the path of a picture below the folder."""
        return name_of(self.paths[place].relative_to(self.folder).as_posix())

    def notes(self) -> tuple[str, ...]:
        """Says what was assumed, and how many pictures are blank, may show no glyph, or show several."""
        of_all, said = f" of {len(self.paths):,} pictures", list(self.assumed)
        if self.blank:
            said.append(f"{len(self.blank):,}{of_all} are blank, and used all the same: {self.name(self.blank[0])}")
        if self.doubted:
            place, why = next(iter(self.doubted.items()))
            said.append(
                f"{len(self.doubted):,}{of_all} may show no single glyph, and are used all the same: {self.name(place)} ({why})"
            )
        if self.crowded:
            said.append(
                f"{len(self.crowded):,}{of_all} show several glyphs, of which the largest is taken: {self.name(self.crowded[0])}"
            )
        return tuple(said)


def read_all(
    paths: Sequence[Path],
    folder: Path,
    size: tuple[int, int],
    *,
    most_failures: int | None = None,
    look: Callable[[int, np.ndarray], None] | None = None,
) -> Readings:
    """Reads pictures. Where every one has the size wanted and most are light on dark, as MNIST's are, they stay as they are.

    Else each goes through :func:`~glyphlite.preprocessing.images.prepare_glyph`, as every picture does that ``predict`` is given.

    Args:
        paths: of the pictures.
        folder: that they lie below.
        size: rows and columns of each image.
        most_failures: after so many pictures that cannot be taken, the rest is not tried; None tries all.
        look: is shown each picture as it is stored, with its place.

    Raises:
        DataError: the pictures' range of values cannot be told.
    """
    as_they_are, sizes = all(_has_size(path, size) for path in paths), Counter[str]()
    found = Readings(paths, folder, np.empty((len(paths), *size), np.uint8), [], prepared=not as_they_are)
    dark = []
    with progress_bar(f"pictures of {folder.name}", len(paths)) as advance:
        for place, path in enumerate(paths):
            try:
                picture = read_picture(path)
                sizes[f"{picture.shape[0]}x{picture.shape[1]}"] += 1
                if as_they_are and picture.shape == size:
                    found.images[len(found.places)] = picture
                    dark.append(False)
                else:
                    dark.append(_prepare(found, place, picture, len(found.places)))
            except DataError as error:
                found.failures[place] = str(error)
                if len(found.failures) == most_failures:
                    break
            else:
                found.places.append(place)
                if look is not None:
                    look(place, picture)
            advance()
    found.images, found.dark = found.images[: len(found.places)], np.array(dark, bool)
    if not found.places:
        return found
    if as_they_are:
        _scale(found)
    else:
        found.assumed = (_sizes_words(sizes, size),)
    return found


def _prepare(found: Readings, place: int, picture: np.ndarray, row: int) -> bool:
    """Puts a picture's glyph into its row of the images; returns whether the picture is dark on light.

    Raises:
        DataError: the picture is blank; the message names it.
    """
    try:
        glyph = prepare_glyph(picture, *found.images.shape[1:])
    except DataError as error:
        raise DataError(f"{found.paths[place]}: {error}") from None
    if glyph.doubt is not None:
        found.doubted[place] = glyph.doubt
    elif glyph.others:
        found.crowded.append(place)
    found.images[row] = glyph.pixels
    return glyph.inverted


def _scale(found: Readings) -> None:
    """Brings pictures of the right size to bytes; where most are dark on light, each is prepared after all.

    Raises:
        DataError: their range of values cannot be told.
    """
    pixels = find_range({f"the pictures of {found.folder}": found.images})
    found.images = pixels.to_bytes(found.images)
    found.assumed = (pixels.words,) if pixels.words else ()
    found.dark = dark_on_light(found.images[..., None])
    if found.dark.mean() <= MOST:
        flat = found.images.reshape(len(found.images), -1)
        found.blank = [found.places[row] for row in np.flatnonzero(flat.max(axis=1) == flat.min(axis=1))]
        return
    found.prepared, stored, places = True, found.images, found.places
    found.assumed += ("the pictures are dark on light: each was made light on dark, as predict does",)
    found.images, found.places, kept = np.empty_like(stored), [], []
    for row, place in enumerate(places):
        try:
            _prepare(found, place, stored[row], len(found.places))
        except DataError as error:
            found.failures[place] = str(error)
        else:
            found.places.append(place)
            kept.append(row)
    found.images, found.dark = found.images[: len(kept)], found.dark[kept]


def _sizes_words(sizes: Counter[str], size: tuple[int, int]) -> str:
    """Says which sizes pictures have that are not all of the size wanted, and what is done about it."""
    common = ", ".join(f"{name} ({number:,})" for name, number in sizes.most_common(_MOST_SIZES))
    more = f" and {len(sizes) - _MOST_SIZES:,} other sizes" if len(sizes) > _MOST_SIZES else ""
    order = ", height x width" if any(height != width for height, width in (name.split("x") for name in sizes)) else ""
    return (
        f"the pictures are {common}{more}{order}: the glyph on each is cut out, made light on dark and centred in "
        f"{size[0]}x{size[1]}, as predict does"
    )


def _has_size(path: Path, size: tuple[int, int]) -> bool:
    """Returns whether a picture is stored at this size; True if it cannot be read, because reading it later reports the error."""
    try:
        return picture_size(path) == size
    except DataError:
        return True
