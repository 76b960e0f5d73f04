"""The registry of datasets: a name or a path in, images, labels and the three splits out.

Composes sources, readers and splits. Train and validation images never mix with test images, and the test images are the same
whatever the seed.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from glyphlite.data.archives import find_idx_files, read_idx_folder, read_npz
from glyphlite.data.arrays import LabelledArrays, checked_images, checked_labels
from glyphlite.data.cache import cache_folder
from glyphlite.data.catalogue import CATALOGUE, KnownDataset
from glyphlite.data.folders import class_folders, read_picture_folder
from glyphlite.data.records import Dataset, Split
from glyphlite.data.sources import find_own_folder, obtain, own_folder
from glyphlite.data.splits import TEST_FRACTION, VALIDATION_FRACTION, hold_out
from glyphlite.data.verified import find_file
from glyphlite.errors import DataError
from glyphlite.files import sha256_of

_TEST_SEED = 0
"""A test split that we make ourselves depends on nothing that a user varies, or a model could train on its test images."""


@dataclass(frozen=True)
class DatasetInfo:
    """One line of ``glyphlite datasets``.

    ``sizes`` is in words; ``available`` tells whether nothing needs to be fetched, ``location`` where the bytes are.
    """

    name: str
    title: str
    sizes: str
    available: bool
    location: str | None


def load_dataset(name_or_path: str, *, data_dir: Path | None = None, seed: int = 0, size: tuple[int, int] = (28, 28)) -> Dataset:
    """Load a dataset, verified where it is a known one, split into train, validation and test.

    Validation is a twelfth of the images to train with (5,000 of MNIST's 60,000), stratified. A dataset without test images of
    its own gives a seventh for them first, stratified.

    Args:
        name_or_path: ``mnist``, ``fashion-mnist``, an .npz with x_train/y_train/x_test/y_test, a folder of IDX files, or a
            folder of class-named subfolders of pictures.
        data_dir: the user's own data folder, looked into first; else that of ``GLYPHLITE_DATA``.
        seed: of the choice of validation images.
        size: rows and columns that pictures of a folder are brought to; arrays keep their own.

    Raises:
        DataError: there is no such dataset, or it is malformed, damaged or not what its hash says.

    Example:
        >>> from glyphlite.data.datasets import load_dataset
        >>> load_dataset("mnist").train.images.shape
        (55000, 28, 28, 1)
    """
    known = CATALOGUE.get(name_or_path.lower().replace("_", "-"))
    if known is not None:
        return _load_known(known, data_dir, seed)
    path = _find_path(name_or_path, data_dir)
    if path.is_file():
        if path.suffix != ".npz":
            raise DataError(f"{path} is no dataset; expected an .npz file or a folder")
        return _split(path, read_npz(path), seed, {path.name: sha256_of(path)})
    idx_files = find_idx_files(path)
    if any(idx_files.values()):
        return _split(
            path, read_idx_folder(path), seed, {file.name: sha256_of(file) for files in idx_files.values() for file in files}
        )
    if class_folders(path):
        return _split(path, read_picture_folder(path, *size), seed, {})
    raise DataError(f"{path} is no dataset: neither IDX files nor class-named subfolders of pictures are in it")


def list_datasets(*, data_dir: Path | None = None) -> list[DatasetInfo]:
    """What can be named as a dataset: the known ones with where they are, then the user's own kinds. Fast; fetches nothing.

    Raises:
        DataError: the user's data folder is not a folder.
    """
    known = [_info(dataset, data_dir) for dataset in CATALOGUE.values()]
    kinds = (
        ("FOLDER", "a folder of class-named subfolders of pictures (train/ and test/ if there are both)"),
        ("FILE.npz", "arrays x_train, y_train, x_test, y_test"),
        ("FOLDER", "a folder of four IDX files, .gz or not (labels.txt names the classes)"),
    )
    return known + [DatasetInfo(name, title, "any", True, None) for name, title in kinds]


def _load_known(known: KnownDataset, data_dir: Path | None, seed: int) -> Dataset:
    """A dataset of the catalogue."""
    verified = obtain(known, data_dir)
    splits = []
    for images_file, labels_file in ((known.train_images, known.train_labels), (known.test_images, known.test_labels)):
        images = checked_images(verified.array(images_file), images_file.name)
        splits.append(Split(images, checked_labels(verified.array(labels_file), labels_file.name, len(images))))
    train, validation = hold_out(splits[0], VALIDATION_FRACTION, seed)
    hashes = {file.name: file.sha256 for file in known.files}
    return Dataset(known.name, known.labels, train, validation, splits[1], verified.source, hashes)


def _find_path(name: str, data_dir: Path | None) -> Path:
    """The path as given, or inside the user's own data folder.

    Raises:
        DataError: there is nothing.
    """
    folder = own_folder(data_dir)
    for path in (Path(name), folder / name if folder is not None else None):
        if name and path is not None and path.exists():
            if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
                raise DataError(f"{path} is not readable")
            return path
    raise DataError(
        f"there is no dataset {name!r}: expected {', '.join(CATALOGUE)}, an .npz file, or a folder of IDX files or of "
        "class-named subfolders of pictures; `glyphlite datasets` lists them"
    )


def _split(path: Path, arrays: LabelledArrays, seed: int, hashes: dict[str, str]) -> Dataset:
    """A user's dataset with its three splits."""
    train, test = (arrays.train, arrays.test) if arrays.test is not None else hold_out(arrays.train, TEST_FRACTION, _TEST_SEED)
    train, validation = hold_out(train, VALIDATION_FRACTION, seed)
    if not len(validation) or not len(test):
        raise DataError(
            f"{path} has too few images to train, validate and test with: {len(arrays.train)} in {len(arrays.labels)} classes"
        )
    return Dataset(path.stem, arrays.labels, train, validation, test, str(path), hashes)


def _info(known: KnownDataset, data_dir: Path | None) -> DatasetInfo:
    """Where a known dataset's files are now, told by their names alone."""
    places = (find_own_folder(known, data_dir), cache_folder(known))
    location = next((place for place in places if place and all(find_file(place, file) for file in known.files)), None)
    train, test = known.train_images.shape, known.test_images.shape
    sizes = f"{train[0]:,} + {test[0]:,} images, {train[1]}x{train[2]}x1, {len(known.labels)} classes"
    return DatasetInfo(known.name, known.title, sizes, location is not None, str(location) if location else None)
