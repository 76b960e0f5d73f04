"""A folder of class-named subfolders of pictures, as a dataset.

Knows the arrangement of folders; what becomes of a picture is `images`' business.
"""

import re
from pathlib import Path

import numpy as np
from rich.markup import escape

from glyphlite.console import progress_bar
from glyphlite.data.arrays import LabelledArrays
from glyphlite.data.images import prepare_glyph
from glyphlite.data.pictures import SUFFIXES, picture_size, read_picture
from glyphlite.data.records import Split
from glyphlite.errors import DataError

MAX_PICTURES = 2_000_000
_TRAIN, _TEST = "train", "test"
_DARK = 128


def read_picture_folder(folder: Path, height: int = 28, width: int = 28) -> LabelledArrays:
    """Read ``FOLDER/CLASS/*.png`` (and .jpg, .webp, .bmp, .gif), or ``FOLDER/train/CLASS/*`` with ``FOLDER/test/CLASS/*``.

    Where every picture already has the size wanted and most are light on dark, as MNIST is, they are taken as they are. Else
    each goes through :func:`~glyphlite.data.images.prepare_glyph`, as every picture does that ``glyphlite predict`` is given.

    Args:
        folder: the folder; its classes are in the natural order of their names (2 before 10).
        height: rows of each image.
        width: columns of each image.

    Raises:
        DataError: no classes, a class without pictures, or a picture that cannot be read or shows no glyph.
    """
    train_folder, test_folder = (folder / _TRAIN, folder / _TEST) if (folder / _TRAIN).is_dir() else (folder, None)
    classes = class_folders(train_folder)
    if len(classes) < 2:
        raise DataError(f"{train_folder} holds {len(classes)} subfolders of pictures, expected one for each class, at least two")
    labels = tuple(path.name for path in classes)
    listed = _list_pictures(train_folder, labels)
    empty = set(range(len(labels))) - {label for _, label in listed}
    if empty:
        raise DataError(f"{classes[min(empty)]} holds no pictures ({', '.join(sorted(SUFFIXES))})")
    tested = _list_pictures(test_folder, labels) if test_folder is not None and test_folder.is_dir() else []
    if len(listed) + len(tested) > MAX_PICTURES:
        raise DataError(f"{folder} holds {len(listed) + len(tested):,} pictures, more than the {MAX_PICTURES:,} allowed")
    images = _read_all([path for path, _ in (*listed, *tested)], folder, (height, width))[..., None]
    numbers = np.array([label for _, label in (*listed, *tested)], np.int64)
    count = len(listed)
    test = Split(images[count:], numbers[count:]) if tested else None
    return LabelledArrays(Split(images[:count], numbers[:count]), test, labels)


def class_folders(folder: Path) -> list[Path]:
    """The subfolders of a folder in the natural order of their names, hidden ones left out."""
    return sorted((path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")), key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    """A sort key that puts 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _list_pictures(folder: Path, labels: tuple[str, ...]) -> list[tuple[Path, int]]:
    """Every picture below the class folders, with the number of its class.

    Raises:
        DataError: a folder's name is no class.
    """
    strangers = [path.name for path in class_folders(folder) if path.name not in labels]
    if strangers:
        raise DataError(f"{folder} holds the class {strangers[0]}, which the training pictures do not have")
    listed = []
    for number, label in enumerate(labels):
        paths = sorted(
            path for path in (folder / label).glob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
        )
        listed += [(path, number) for path in paths]
    return listed


def _read_all(paths: list[Path], folder: Path, size: tuple[int, int]) -> np.ndarray:
    """Every picture at one size, uint8 ``(n, height, width)``."""
    as_they_are = all(picture_size(path) == size for path in paths)
    images = np.empty((len(paths), *size), np.uint8)
    with progress_bar(f"pictures of {escape(folder.name)}", len(paths)) as advance:
        for i, path in enumerate(paths):
            picture = read_picture(path)
            images[i] = picture if as_they_are else _prepare(picture, path, size)
            advance()
    if as_they_are and _mostly_dark_on_light(images):
        return np.stack([_prepare(image, path, size) for image, path in zip(images, paths, strict=True)])
    return images


def _mostly_dark_on_light(images: np.ndarray) -> bool:
    """Whether the rims of most images are light."""
    rims = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return bool(np.mean(np.median(rims, axis=1) >= _DARK) > 0.5)


def _prepare(picture: np.ndarray, path: Path, size: tuple[int, int]) -> np.ndarray:
    """A picture's glyph; an error names its file."""
    try:
        return prepare_glyph(picture, *size).pixels
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
