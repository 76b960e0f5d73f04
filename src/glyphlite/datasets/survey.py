"""A survey of a dataset for who wants to know what is wrong with it: every image that can be read, and why the others cannot.

Where `registry` refuses data that has a damaged picture, a survey goes on and names it. Judges nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glyphlite.datasets.dataset import Split
from glyphlite.datasets.own.assemble import dark_on_light
from glyphlite.datasets.own.groups import told_groups
from glyphlite.datasets.own.layout import list_pictures
from glyphlite.datasets.own.picture_folders import folder_notes
from glyphlite.datasets.own.picture_reading import Readings, read_all
from glyphlite.datasets.repetitions import picture_hashes
from glyphlite.errors import DataError
from glyphlite.escaping import name_of
from glyphlite.files.untrusted import reading_folder
from glyphlite.preprocessing.images import find_glyph
from glyphlite.preprocessing.pictures import picture_mode

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
        sizes: how many images have each size, height x width, as "28x28".
        modes: how many are stored in each way.
        unreadable: what could not be read, each with the reason.
        doubted: what may show no single glyph, each with the reason.
        notes: what was assumed or left aside, in words.
        prepared: whether each image was cut out and made light on dark, or is as it is stored.
        blank: what shows nothing, and is trained on all the same.
        groups: ``(n,)``, which images belong together, empty where an image's group is not told; None where none are.
        ungrouped: what should belong to a group and does not.
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
    prepared: bool = False
    blank: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    ungrouped: tuple[str, ...] = ()

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
        Counter({f"{height}x{width}": len(images)}),
        Counter({"grey" if channels == 1 else f"{channels} channels": len(images)}),
        notes=tuple(notes),
        groups=_groups(list(splits.values())),
    )


def _groups(splits: Sequence[Split]) -> np.ndarray | None:
    """Returns the groups of all images, empty in splits without; None where no split has some."""
    if all(split.groups is None for split in splits):
        return None
    return np.concatenate([np.full(len(split), "") if split.groups is None else split.groups for split in splits])


def survey_pictures(folder: Path, size: tuple[int, int], group_by: str | None = None) -> Survey:
    """Reads a folder of class-named folders of pictures, as far as its pictures can be read.

    Args:
        folder: the folder.
        size: rows and columns that pictures are brought to, as training does.
        group_by: how the pictures' groups are told; None for none.

    Raises:
        DataError: the folder has no classes, none of its pictures can be read, or how groups are told is malformed.
    """
    with reading_folder(folder):
        listing = list_pictures(folder)
    found = [(path, number, split) for split, pictures in listing.pictures.items() for path, number in pictures]
    paths = [path for path, _, _ in found]
    groups = np.array(told_groups(paths, folder, group_by)) if group_by is not None else None
    sizes, modes, hashes = Counter[str](), Counter[str](), dict[int, bytes]()

    def look(place: int, picture: np.ndarray) -> None:
        sizes[f"{picture.shape[0]}x{picture.shape[1]}"] += 1
        modes[picture_mode(found[place][0])] += 1
        [hashes[place]] = picture_hashes(picture[None])

    read = read_all(paths, folder, size, look=look)
    unreadable = {
        read.name(place): reason.removeprefix(f"{found[place][0]} ").removeprefix(f"{found[place][0]}: ")
        for place, reason in sorted(read.failures.items())
    }
    if not read.places:
        name, reason = next(iter(unreadable.items()))
        raise DataError(f"none of the {len(found):,} pictures of {folder} can be read: {name} {reason}")
    return Survey(
        name_of(folder.name),
        listing.classes,
        read.images[..., None],
        np.array([found[place][1] for place in read.places], np.int64),
        np.array([TRAINING if found[place][2] == "train" else found[place][2] for place in read.places]),
        tuple(read.name(place) for place in read.places),
        tuple(hashes[place] for place in read.places),
        read.dark,
        sizes,
        modes,
        tuple(unreadable.items()),
        tuple((read.name(place), doubt) for place, doubt in _doubts(read).items()),
        (*folder_notes(listing), *read.assumed),
        prepared=read.prepared,
        blank=tuple(read.name(place) for place in read.blank),
        groups=None if groups is None else groups[read.places],
        ungrouped=tuple(read.name(place) for place in read.places if groups is not None and not groups[place]),
    )


def _doubts(read: Readings) -> dict[int, str]:
    """Returns the pictures that may show no single glyph, which was not asked yet where they are as they are stored."""
    if read.prepared:
        return read.doubted
    glyphs = {place: find_glyph(image, *image.shape) for place, image in zip(read.places, read.images, strict=True)}
    return {place: glyph.doubt for place, glyph in glyphs.items() if glyph is not None and glyph.doubt is not None}
