"""The files of a served dataset: found in the user's folder or the cache, else fetched there, and held against their MD5s.

What somebody unpacked has no published hash: it is read all the same, and that is said. Knows files, not what they hold.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from glyphlite.console import say
from glyphlite.datasets.download.mirrors import download
from glyphlite.datasets.download.own_folder import own_folder
from glyphlite.datasets.download.served import Form, ServedDataset, ServedFile
from glyphlite.datasets.download.served_hdf5 import FILE_NAME
from glyphlite.errors import DataError, OutputError
from glyphlite.files.single import atomic_path, user_cache

_SUBFOLDERS = ("", "raw", "gzip")
"""Folders in which torchvision and EMNIST's archive put the files inside a dataset's folder."""


def served_paths(known: ServedDataset, data_dir: Path | None = None) -> dict[str, Path] | None:
    """Returns where a dataset's files are on this machine, told by their names alone; None where some are missing.

    Args:
        known: the dataset.
        data_dir: the user's own folder, looked into first; else that of ``GLYPHLITE_DATA``.

    Raises:
        DataError: the user's data folder is not a folder.
    """
    return next((found for folder in _places(known, data_dir) if (found := _in_folder(known, folder))), None)


def obtain_files(known: ServedDataset, data_dir: Path | None = None) -> dict[str, Path]:
    """Returns the paths of a dataset's files by the names that they are served under, verified where that can be.

    Raises:
        DataError: a file is another than it should be, or no server can be reached.
    """
    found = served_paths(known, data_dir)
    if found is None:
        if (folder := own_folder(data_dir)) is not None:
            say(f"no files of {known.name} in {folder}: looking further")
        found = {file.name: _fetched(known, file) for file in known.files}
    unverified = _verify(known, found)
    where = next(iter(found.values())).parent
    if unverified:
        say(f"{known.name} from {where}: not verified, its MD5 is published for {unverified} alone", style="yellow")
    else:
        say(f"{known.name} from {where}, MD5 verified")
    return found


def cache_place(known: ServedDataset) -> Path:
    """Returns the folder in the user's cache that a dataset's files are kept in."""
    return user_cache() / known.folder


def members_of(part: str) -> tuple[str, str, str, str]:
    """Returns the names of one of EMNIST's datasets in its archive: training images and labels, test images and labels."""
    files = (("train", "images", 3), ("train", "labels", 1), ("test", "images", 3), ("test", "labels", 1))
    train, train_labels, test, test_labels = (f"{part}-{split}-{what}-idx{rank}-ubyte" for split, what, rank in files)
    return train, train_labels, test, test_labels


def _places(known: ServedDataset, data_dir: Path | None) -> list[Path]:
    """Returns the folders that may hold a dataset's files, best first."""
    own = own_folder(data_dir)
    names = dict.fromkeys((known.name, known.folder, known.folder.upper()))
    folders = [*(own / name for name in names), own] if own else []
    return [folder / inside for folder in (*folders, cache_place(known)) for inside in _SUBFOLDERS]


def _in_folder(known: ServedDataset, folder: Path) -> dict[str, Path] | None:
    """Returns a dataset's files in one folder: as they are served, unpacked, EMNIST's out of its archive, USPS's as HDF5; else
    None.
    """
    served = {file.name: _either(folder, file.name) for file in known.files}
    if known.form is Form.LIBSVM and not all(served.values()):
        served = {FILE_NAME: _either(folder, FILE_NAME)}
    if known.form is Form.EMNIST and not all(served.values()):
        served = {name: _either(folder, f"{name}.gz") for name in members_of(known.part)}
    return {name: path for name, path in served.items() if path} if all(served.values()) else None


def _either(folder: Path, name: str) -> Path | None:
    """Returns a file as it is served or, where that is not there, unpacked."""
    names = (name, name.removesuffix(".gz").removesuffix(".bz2"), *(("emnist.zip",) if name == "gzip.zip" else ()))
    return next((folder / each for each in names if (folder / each).is_file()), None)


def _verify(known: ServedDataset, found: Mapping[str, Path]) -> str:
    """Checks the files that a hash is published for; returns the names of those that only others are published for.

    Raises:
        DataError: a file is another.
    """
    hashes = {file.name: file for file in known.files}
    others = [name for name, path in found.items() if name not in hashes or path.suffix not in (".gz", ".bz2", ".zip")]
    for name, path in found.items():
        if name not in others:
            _check(path, hashes[name], known)
    return ", ".join(hashes) if any(name not in hashes for name in others) else ", ".join(others)


def _check(path: Path, file: ServedFile, known: ServedDataset) -> None:
    """Raises an error where a file is another than is served.

    Raises:
        DataError: it is.
    """
    with path.open("rb") as stream:
        md5 = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != file.md5:
        raise DataError(
            f"{path} is not {known.name}'s {file.name}: MD5 {md5}, expected {file.md5}; remove or replace it (files of several "
            f"datasets go into folders of their names, as {known.folder}/)"
        )


def _fetched(known: ServedDataset, file: ServedFile) -> Path:
    """Returns a file in the cache, downloaded there if need be.

    Raises:
        DataError: no server has it, or what came is another file.
    """
    place = cache_place(known) / file.name
    if place.is_file():
        return place
    failures = []
    for url in file.urls:
        try:
            return _download(known, file, url, place)
        except DataError as error:
            failures.append(str(error))
            say(f"{known.name}: {error}", style="dim")
    addresses = " ".join(each.urls[0] for each in known.files)
    raise DataError(
        f"no source has {known.name}: {'; '.join(failures)}. Fetch by hand {addresses} into {cache_place(known)}, or into a "
        "folder that you name with --data-dir or GLYPHLITE_DATA"
    )


def _download(known: ServedDataset, file: ServedFile, url: str, place: Path) -> Path:
    """Downloads a file and keeps it in the cache, once it is what its MD5 says.

    Raises:
        DataError: it is not, or the server does not give it, or there is no room for it.
    """
    title = f"{known.name} from {urlsplit(url).hostname}, {file.name} (MB)"
    try:
        with atomic_path(place) as temporary:
            download(url, temporary, title, file.megabytes)
            _check(temporary, file, known)
    except OutputError as error:
        raise DataError(f"{file.name} cannot be kept: {error}") from None
    return place
