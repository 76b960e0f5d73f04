"""A survey of a dataset for who wants to know what is wrong with it: every image that can be read, and why the others cannot.

Where `registry` refuses data that has a damaged picture, a survey goes on and names it. Judges nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.console import progress_bar
from glyphlite.datasets.dataset import Split
from glyphlite.datasets.own.assemble import MOST, dark_on_light
from glyphlite.datasets.own.layout import list_pictures
from glyphlite.datasets.repetitions import picture_hashes
from glyphlite.errors import DataError
from glyphlite.escaping import name_of
from glyphlite.files.untrusted import reading_folder
from glyphlite.preprocessing.images import prepare_glyph
from glyphlite.preprocessing.pictures import picture_mode, read_picture

TRAINING = "training"


@dataclass(frozen=True)
class Survey:
    """A dataset looked through; all its images in one order.

    Attributes:
        name: of the dataset.
        labels: class names.
        images: as a model would see them, uint8 ``(n, height, width, channels)``.
        numbers: their classes ``(n,)``.
        splits: the names of their splits ``(n,)``: training, validation or test.
        names: what each is called: its path below the folder, or its place in its split.
        hashes: of each one's pixels as they are stored.
        dark: ``(n,)``, whether it is stored dark on light.
        sizes: how many images have each size, as "28x28".
        modes: how many are stored in each way.
        unreadable: what could not be read, each with the reason.
        doubted: what may show no single glyph, each with the reason.
        notes: what was assumed or left aside, in words.
    """

    name: str
    labels: tuple[str, ...]
    images: np.ndarray
    numbers: np.ndarray
    splits: np.ndarray
    names: tuple[str, ...]
    hashes: tuple[bytes, ...]
    dark: np.ndarray
    sizes: Counter[str]
    modes: Counter[str]
    unreadable: tuple[tuple[str, str], ...] = ()
    doubted: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.numbers)


def survey_arrays(name: str, labels: Sequence[str], splits: Mapping[str, Split], notes: Sequence[str] = ()) -> Survey:
    """Returns the survey of what was read from arrays.

    Args:
        name: of the dataset.
        labels: class names.
        splits: by name, the training split first.
        notes: what its reader assumed.
    """
    images = np.concatenate([split.images for split in splits.values()])
    height, width, channels = images.shape[1:]
    return Survey(
        name,
        tuple(labels),
        images,
        np.concatenate([split.labels for split in splits.values()]),
        np.repeat(list(splits), [len(split) for split in splits.values()]),
        tuple(f"{split} image {place}" for split, each in splits.items() for place in range(len(each))),
        tuple(picture_hashes(images)),
        dark_on_light(images),
        Counter({f"{width}x{height}": len(images)}),
        Counter({"grey" if channels == 1 else f"{channels} channels": len(images)}),
        notes=tuple(notes),
    )


def survey_pictures(folder: Path, size: tuple[int, int]) -> Survey:
    """Reads a folder of class-named folders of pictures, as far as its pictures can be read.

    Args:
        folder: the folder.
        size: rows and columns that pictures are brought to, as training does.

    Raises:
        DataError: the folder has no classes, or none of its pictures can be read.
    """
    with reading_folder(folder):
        listing = list_pictures(folder)
    found = [(path, number, split) for split, pictures in listing.pictures.items() for path, number in pictures]
    stored, modes, unreadable = {}, Counter[str](), []
    with progress_bar(f"pictures of {folder.name}", len(found)) as advance:
        for place, (path, _, _) in enumerate(found):
            try:
                stored[place] = _Stored(read_picture(path), size)
                modes[picture_mode(path)] += 1
            except DataError as error:
                stored.pop(place, None)
                unreadable.append((_below(path, folder), str(error).removeprefix(f"{path} ").removeprefix(f"{path}: ")))
            advance()
    if not stored:
        raise DataError(f"none of the {len(found):,} pictures of {folder} can be read: {unreadable[0][0]} {unreadable[0][1]}")
    pictures, places = list(stored.values()), list(stored)
    # As training does: pictures of the right size that are light on dark are taken as they are.
    as_they_are = all(each.picture is not None for each in pictures) and np.mean([each.is_dark for each in pictures]) <= MOST
    return Survey(
        name_of(folder.name),
        listing.classes,
        np.stack([each.picture if as_they_are and each.picture is not None else each.glyph for each in pictures])[..., None],
        np.array([found[place][1] for place in places], np.int64),
        np.array([TRAINING if found[place][2] == "train" else found[place][2] for place in places]),
        tuple(_below(found[place][0], folder) for place in places),
        tuple(each.hash for each in pictures),
        np.array([each.is_dark for each in pictures]),
        Counter(each.size for each in pictures),
        modes,
        tuple(unreadable),
        tuple((_below(found[place][0], folder), each.doubt) for place, each in stored.items() if each.doubt),
        listing.notes(),
    )


class _Stored:
    """A picture without its pixels: its size, their hash, and the glyph on it."""

    def __init__(self, picture: np.ndarray, size: tuple[int, int]) -> None:
        """Looks at a picture.

        Raises:
            DataError: it is blank.
        """
        glyph = prepare_glyph(picture, *size)
        self.glyph, self.doubt = glyph.pixels, glyph.doubt
        self.picture = picture if picture.shape == size else None
        self.size = f"{picture.shape[1]}x{picture.shape[0]}"
        [self.hash] = picture_hashes(picture[None])
        self.is_dark = bool(dark_on_light(picture[None, ..., None])[0])


def _below(path: Path, folder: Path) -> str:
    return name_of(path.relative_to(folder).as_posix())
