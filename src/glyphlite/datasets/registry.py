"""The registry of datasets: a name or a path in, images, labels and the three splits out.

Composes sources, readers and splits. Train and validation images never mix with test images, and the test images are the same
whatever the seed.
"""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from glyphlite.console import say
from glyphlite.datasets.array_shapes import arrange_images
from glyphlite.datasets.dataset import Dataset, KnownContent, Split
from glyphlite.datasets.download.cache import cache_folder
from glyphlite.datasets.download.catalogue import CATALOGUE, KnownDataset, RenderedDataset
from glyphlite.datasets.download.checksums import find_file
from glyphlite.datasets.download.listed import Listed
from glyphlite.datasets.download.own_folder import own_folder
from glyphlite.datasets.download.served import ServedDataset
from glyphlite.datasets.download.served_files import obtain_files, served_paths
from glyphlite.datasets.download.served_forms import read_served
from glyphlite.datasets.download.sources import find_own_folder, obtain
from glyphlite.datasets.own.content import FoundData
from glyphlite.datasets.own.groups import check_group_by
from glyphlite.datasets.own.labels import read_labels
from glyphlite.datasets.own.orientation import TRANSPOSED, UPRIGHT
from glyphlite.datasets.own.reader import begins_files, count_picture_classes, is_picture_folder, read_users_dataset
from glyphlite.datasets.rendered.letters import cached_file, obtain_letters
from glyphlite.datasets.repetitions import grouped_words, repeated_words
from glyphlite.datasets.splits import VALIDATION_FRACTION, hold_out, three_splits
from glyphlite.datasets.survey import Survey, survey_arrays, survey_pictures
from glyphlite.errors import DataError, did_you_mean, first_of
from glyphlite.escaping import name_of
from glyphlite.formatting import things


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


def load_dataset(
    name_or_path: str,
    *,
    data_dir: Path | None = None,
    seed: int = 0,
    size: tuple[int, int] = (28, 28),
    group_by: str | None = None,
) -> Dataset:
    """Loads a dataset, verified where it is a known one, split into train, validation and test.

    A dataset without test images of its own gives a seventh for them, one without validation images a twelfth of those that are
    left to train with (5,000 of MNIST's 60,000), both stratified. What was found in a user's own, and what was assumed of it, is
    said aloud.

    Args:
        name_or_path: ``mnist``, ``fashion-mnist``, or what a user has: an .npz, a CSV file, a folder of IDX files, CSV files or
            class-named folders of pictures (docs/reference/datasets.md).
            ``PATH:transposed`` and ``PATH:upright`` say how its glyphs lie.
        data_dir: the user's own data folder, looked into first; else that of ``GLYPHLITE_DATA``.
        seed: of the choice of validation images.
        size: rows and columns that pictures of a folder are brought to; arrays keep their own.
        group_by: how it is told which pictures belong together, as those of one writer: no group then stands on two sides of a
            split that is made here (docs/reference/datasets.md).

    Raises:
        DataError: there is no such dataset, or it is malformed, damaged or not what its hash says; its groups cannot be told.

    Example:
        >>> from glyphlite.datasets.registry import load_dataset
        >>> load_dataset("mnist").train.images.shape
        (55000, 28, 28, 1)
    """
    known = CATALOGUE.get(name_or_path.lower().replace("_", "-"))
    if group_by is not None:
        check_groups(name_or_path, group_by)
    if known is not None:
        return _load_known(known, data_dir, seed)
    path, lie = _find_path(name_or_path, data_dir)
    found, hashes = read_users_dataset(path, size, lie, group_by)
    dataset = _split(path, found, seed, hashes)
    return dataset if lie is None else replace(dataset, source=f"{dataset.source}:{lie}")


def check_groups(name_or_path: str, group_by: str) -> None:
    """Checks how a dataset's groups are told, as far as that needs no data.

    Raises:
        DataError: it is a known dataset, or how they are told is malformed.
    """
    if name_or_path.lower().replace("_", "-") in CATALOGUE:
        raise DataError(f"--group-by is for data of your own; the splits of {name_or_path} are its makers' (glyphlite datasets)")
    check_group_by(group_by)


def survey_dataset(
    name_or_path: str, *, data_dir: Path | None = None, size: tuple[int, int] = (28, 28), group_by: str | None = None
) -> Survey:
    """Looks a dataset through without refusing what is wrong with single pictures.

    Args:
        name_or_path: as for :func:`load_dataset`.
        data_dir: as for :func:`load_dataset`.
        size: as for :func:`load_dataset`.
        group_by: as for :func:`load_dataset`; a picture whose group is not told has an empty one.

    Raises:
        DataError: there is no such dataset, nothing in it can be read, or how its groups are told is malformed.
    """
    if group_by is not None:
        check_groups(name_or_path, group_by)
    known = CATALOGUE.get(name_or_path.lower().replace("_", "-"))
    if known is not None:
        dataset = _load_known(known, data_dir, seed=0)
        splits = {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}
        return survey_arrays(dataset.name, dataset.labels, splits)
    path, lie = _find_path(name_or_path, data_dir)
    if is_picture_folder(path):
        return survey_pictures(path, size, group_by)
    found, _ = read_users_dataset(path, size, lie, group_by)
    splits = {"training": found.train, "validation": found.validation, "test": found.test}
    present = {split: each for split, each in splits.items() if each is not None}
    return survey_arrays(name_of(path.name), found.labels, present, found.notes)


def dataset_exists(name_or_path: str, *, data_dir: Path | None = None) -> bool:
    """Returns whether there is something that :func:`load_dataset` would try to read; known datasets are always there.

    Raises:
        DataError: the user's data folder is not a folder, or what is there is not readable.
    """
    if name_or_path.lower().replace("_", "-") in CATALOGUE:
        return True
    stored = re.sub(f":({UPRIGHT}|{TRANSPOSED})$", "", name_or_path)
    return any(_look_for(name, data_dir) is not None for name in (name_or_path, stored))


def check_dataset(name_or_path: str, data_dir: Path | None = None) -> None:
    """Checks that there is such a dataset; reads nothing of it.

    Raises:
        DataError: there is none of that name, and nothing at that path.
    """
    if CATALOGUE.get(name_or_path.lower().replace("_", "-")) is None:
        _find_path(name_or_path, data_dir)


def known_classes(name_or_path: str, data_dir: Path | None = None) -> int | None:
    """Returns the number of a dataset's classes where it is known without reading images, else None.

    Raises:
        DataError: there is no such dataset, or a folder of pictures has no classes.
    """
    known = CATALOGUE.get(name_or_path.lower().replace("_", "-"))
    return len(known.labels) if known is not None else count_picture_classes(_find_path(name_or_path, data_dir)[0])


def list_datasets(*, data_dir: Path | None = None) -> list[DatasetInfo]:
    """Returns what can be named as a dataset: the known ones with where they are, then the user's own kinds. Fast; fetches
    nothing.

    Raises:
        DataError: the user's data folder is not a folder.
    """
    known = [_info(dataset, data_dir) for dataset in CATALOGUE.values()]
    kinds = (
        ("FOLDER", "a folder of class-named folders of pictures (train/, val/, test/ if there are such)"),
        ("FILE.npz", "arrays x_train, y_train, x_test, y_test, or called as MedMNIST's or scikit-learn's"),
        ("FOLDER", "a folder of IDX files, .gz or not, EMNIST's as well (labels.txt names the classes)"),
        ("FILE.csv", "a label and the pixels of an image in each row, or a folder with train.csv and test.csv"),
    )
    return known + [DatasetInfo(name, title, "any", True, None) for name, title in kinds]


def _load_known(known: Listed, data_dir: Path | None, seed: int) -> Dataset:
    """Returns a dataset of the catalogue."""
    content = _read_known(known, data_dir)
    train, validation = content.train, content.validation
    if validation is None:
        train, validation = hold_out(train, VALIDATION_FRACTION, seed)
    return Dataset(known.name, known.labels, train, validation, content.test, content.source, content.sha256)


def _read_known(known: Listed, data_dir: Path | None) -> KnownContent:
    """Returns the content of a dataset of the catalogue, from wherever it is to be had."""
    if isinstance(known, RenderedDataset):
        return obtain_letters(known)
    if isinstance(known, ServedDataset):
        return read_served(known, obtain_files(known, data_dir))
    assert isinstance(known, KnownDataset)
    verified = obtain(known, data_dir)
    splits = []
    for images_file, labels_file in ((known.train_images, known.train_labels), (known.test_images, known.test_labels)):
        images, _ = arrange_images(verified.array(images_file), images_file.name, images_file.shape[0])
        splits.append(Split(images, read_labels(verified.array(labels_file), labels_file.name, len(images))))
    hashes = {file.name: file.sha256 for file in known.files}
    return KnownContent(splits[0], None, splits[1], verified.source, hashes)


def _find_path(name: str, data_dir: Path | None) -> tuple[Path, str | None]:
    """Returns the path as given, or inside the user's own data folder, and how the user says that the glyphs lie.

    Raises:
        DataError: there is nothing.
    """
    lie = None
    path = _look_for(name, data_dir)
    if path is None and name.endswith((f":{UPRIGHT}", f":{TRANSPOSED}")):
        name, _, lie = name.rpartition(":")
        path = _look_for(name, data_dir)
    if path is None:
        raise DataError(
            f"there is no dataset {name!r}{did_you_mean(name, CATALOGUE)}: expected {', '.join(CATALOGUE)}, an .npz or CSV file, "
            "or a folder of IDX files, CSV files or class-named folders of pictures; `glyphlite datasets` lists them"
        )
    return path, lie


def _look_for(name: str, data_dir: Path | None) -> Path | None:
    """Returns the path, or how the names of files begin, as given or inside the user's own data folder; None where there is
    nothing.

    Raises:
        DataError: it is not readable.
    """
    folder = own_folder(data_dir)
    places = [Path(name), *([folder / name] if folder is not None else [])] if name else []
    for path in places:
        if path.exists():
            if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
                raise DataError(f"{path} is not readable")
            return path
    return next((path for path in places if begins_files(path)), None)


def _split(path: Path, found: FoundData, seed: int, hashes: dict[str, str]) -> Dataset:
    """Returns a user's dataset with its three splits; says what was found and assumed.

    Raises:
        DataError: there are too few images for three splits.
    """
    train, validation, test = three_splits(found.train, found.validation, found.test, seed)
    if not len(validation) or not len(test):
        if found.train.groups is not None:
            raise DataError(
                f"{path} has {things(len(np.unique(found.train.groups)), 'group')} to train, validate and test with: too few to "
                "hold some out and keep every class; --group-by takes three or more that share the classes"
            )
        differing = len({image.tobytes() for image in found.train.images})
        alike = f", of which {differing} differ (equal ones stay in one split)" if differing < len(found.train) else ""
        raise DataError(
            f"{path} has too few images to train, validate and test with: {len(found.train)} in {len(found.labels)} classes"
            f"{alike}; ten of each class that differ are enough to begin with"
        )
    name = name_of(Path(path.name.removesuffix(".gz")).stem if path.is_file() else path.name)
    dataset = Dataset(name, found.labels, train, validation, test, str(path), hashes)
    held_out = [name for name, split in (("validation", found.validation), ("test", found.test)) if split is None]
    own = f"; {' and '.join(held_out)} held out from the training images" if held_out else ""
    names = ", ".join(found.labels[:5]) + (", ..." if len(found.labels) > 5 else "")
    say(
        f"{path.name}: train {len(train):,}, validation {len(validation):,}, test {len(test):,} images "
        f"({'x'.join(str(size) for size in dataset.input_shape)}) of {dataset.classes} classes ({names}){own}"
    )
    for note in (*found.notes, *grouped_words(dataset), *_gaps(dataset), *repeated_words(dataset)):
        say(note, style="yellow")
    return dataset


def _gaps(dataset: Dataset) -> list[str]:
    """Lists, in words, the classes without images in a split: they are not learnt, not validated or not measured."""
    consequences = {
        "training": (dataset.train, "never learnt"),
        "validation": (dataset.validation, "not looked at when the best epoch is chosen"),
        "test": (dataset.test, "not measured"),
    }
    said, known = [], np.arange(dataset.classes)
    for name, (split, consequence) in consequences.items():
        missing = [dataset.labels[each] for each in np.setdiff1d(known, split.labels)]
        known = known if name != "training" else np.unique(split.labels)
        if missing:
            who = f"class {missing[0]} has" if len(missing) == 1 else f"{len(missing)} classes ({first_of(missing, 5)}) have"
            said.append(f"{who} no {name} image: {'it is' if len(missing) == 1 else 'they are'} {consequence}")
    return said


def _info(known: Listed, data_dir: Path | None) -> DatasetInfo:
    """Returns where a known dataset's files are now, told by their names alone."""
    (train, test), (height, width) = known.counts, known.image_shape
    sizes = f"{train:,} + {test:,} images, {height}x{width}x1, {len(known.labels)} classes"
    location = _location(known, data_dir)
    return DatasetInfo(known.name, known.title, sizes, location is not None, str(location) if location else None)


def _location(known: Listed, data_dir: Path | None) -> Path | None:
    """Returns where a known dataset lies on this machine; None where it has to be fetched or drawn."""
    if isinstance(known, RenderedDataset):
        return cached_file(known) if cached_file(known).is_file() else None
    if isinstance(known, ServedDataset):
        found = served_paths(known, data_dir)
        return next(iter(found.values())).parent if found else None
    assert isinstance(known, KnownDataset)
    places = (find_own_folder(known, data_dir), cache_folder(known))
    return next((place for place in places if place and all(find_file(place, file) for file in known.files)), None)
