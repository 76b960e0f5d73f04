"""Datasets in one .npz: the arrays' names say what they are. Also single arrays of .npy and .npz files.

No byte is executed (no pickles), and no array is allocated that its file cannot fill.
"""

import io
import math
import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from glyphlite.datasets.own.assemble import assemble
from glyphlite.datasets.own.content import SPLITS, TEST, TRAIN, FoundData, StoredSplit
from glyphlite.datasets.own.labels import ClassNames, texts_of
from glyphlite.datasets.own.roles import IMAGES, LABELS, Role, role_of
from glyphlite.errors import DataError
from glyphlite.escaping import name_of
from glyphlite.files.untrusted import open_input, parsing
from glyphlite.files.zips import open_zip

_LONGEST_HEADER = 16 << 10
"""Bytes: NumPy itself refuses a header of more than 10,000."""
MAX_BYTES = 2**31
"""The most that the arrays of a dataset may take in memory together."""
_NAMES_KEYS = ("class_names", "classes", "label_names", "target_names", "labels")
_UNNAMED = (
    {"arr_0": (TRAIN, IMAGES), "arr_1": (TRAIN, LABELS)},
    {"arr_0": (TRAIN, IMAGES), "arr_1": (TRAIN, LABELS), "arr_2": (TEST, IMAGES), "arr_3": (TEST, LABELS)},
)
"""NumPy's names of arrays that were saved without a name, in the order of Keras' load_data()."""
_EXPECTED = "x_train, y_train, x_test, y_test (or train_images, train_labels, val_images, val_labels, ..., or X, y)"


def read_npz(path: Path, group_by: str | None = None) -> FoundData:
    """Reads an .npz whose arrays are called as by Keras (``x_train``), MedMNIST (``train_images``) or scikit-learn (``data``).

    Validation and test images are taken where they are there; images without a split are to train with. Class names may stand
    beside them as an array of strings called ``labels``, ``class_names``, ``classes``, ``label_names`` or ``target_names``.

    Args:
        path: the file.
        group_by: the name of an array that tells the group of each image to train with.

    Raises:
        DataError: not an .npz, an array is missing, pickled, too large, of the wrong shape, type or range.
    """
    with open_zip(path, "an .npz file") as archive:
        members = _members(archive)
        keys = _keys_by_role(list(members), path)
        used = {key for pair in keys.values() for key in pair}
        names_key = next((key for key in _NAMES_KEYS if key in members and key not in used), None)
        if group_by is not None and group_by not in members:
            raise DataError(f"{path} has no array {group_by} to group by; it holds {', '.join(members)}")
        wanted = sorted(used) + [each for each in (names_key, group_by) if each]
        size = sum(members[key].file_size for key in wanted)
        if size > MAX_BYTES:
            raise DataError(f"the arrays of {path} take {size:,} bytes, more than the {MAX_BYTES:,} that are allowed")
        arrays = {key: _read_member(archive, members[key], f"{key} of {path}") for key in wanted}
    stored = {
        split: StoredSplit(arrays[images], arrays[labels], f"{images} of {path}", f"{labels} of {path}")
        for split, (images, labels) in keys.items()
    }
    if group_by is not None:
        stored[TRAIN] = replace(stored[TRAIN], groups=_groups(arrays[group_by], stored[TRAIN], f"{group_by} of {path}"))
    aside = sorted(set(members) - set(wanted))
    notes = (f"left aside: {', '.join(aside[:5])}{' and more' if len(aside) > 5 else ''}",) if aside else ()
    return assemble(stored, _names(arrays, names_key, path), notes)


def read_array(path: Path) -> np.ndarray:
    """Reads a .npy file, or an .npz that holds one array.

    Raises:
        DataError: it is something else, pickled, damaged or too large.
    """
    if path.suffix.lower() == ".npy":
        with open_input(path, "a .npy file") as stream:
            return _read_npy(stream, os.fstat(stream.fileno()).st_size, str(path))
    with open_zip(path, "an .npz file") as archive:
        members = _members(archive)
        if len(members) != 1:
            raise DataError(f"{path} holds {len(members)} arrays, expected one ({', '.join(members) or 'none'})")
        name, info = members.popitem()
        return _read_member(archive, info, f"{name} of {path}")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads every array of an .npz by its name and in its order, or the one array of a .npy file under an empty name.

    Raises:
        DataError: it is something else, pickled, damaged or too large.
    """
    if path.suffix.lower() == ".npy":
        return {"": read_array(path)}
    with open_zip(path, "an .npz file") as archive:
        members = _members(archive)
        size = sum(info.file_size for info in members.values())
        if size > MAX_BYTES:
            raise DataError(f"the arrays of {path} take {size:,} bytes, more than the {MAX_BYTES:,} that are allowed")
        return {name: _read_member(archive, info, f"{name} of {path}") for name, info in members.items()}


def _keys_by_role(keys: list[str], path: Path) -> dict[str, tuple[str, str]]:
    """Returns the names of images and labels of each split that an archive holds, training first.

    Raises:
        DataError: there are no training images with labels, images without labels, or two arrays for one purpose.
    """
    unnamed = next((roles for roles in _UNNAMED if roles.keys() == set(keys)), {})
    found: dict[Role, list[str]] = {}
    for key in keys:
        role = Role(*unnamed[key]) if key in unnamed else role_of(key)
        if role:
            found.setdefault(role, []).append(key)
    has_splits = any(role.split for role in found)
    chosen: dict[str, tuple[str, str]] = {}
    for split in SPLITS:
        own = None if split == TRAIN and not has_splits else split
        images, labels = found.get(Role(own, IMAGES), []), found.get(Role(own, LABELS), [])
        # scikit-learn's own arrays: "images" is "data" in another shape, "labels" may be names beside "target".
        images = _preferred(images, ("images",)) if own is None else images
        labels = _preferred(labels, ("y", "target")) if own is None else labels
        if not images and not labels and split != TRAIN:
            continue
        if len(images) != 1 or len(labels) != 1:
            raise _odd_keys(path, keys, split, images, labels, nothing=not found)
        chosen[split] = images[0], labels[0]
    return chosen


def _groups(array: np.ndarray, images: StoredSplit, name: str) -> np.ndarray:
    """Returns the group of each image, as strings.

    Raises:
        DataError: they are neither names nor whole numbers, or not one for each image.
    """
    array = array.reshape(-1) if 1 in array.shape[1:] else array
    count = images.labels.shape[0]
    if array.ndim != 1 or array.dtype.kind not in "iuUSb" or len(array) != count:
        raise DataError(
            f"{name} is {array.dtype} of shape {array.shape}, expected a name or whole number for each of {count:,} images"
        )
    return np.array(texts_of(array))


def _preferred(keys: list[str], names: tuple[str, ...]) -> list[str]:
    """Returns the one of several keys that is called so, else all of them."""
    return next(([key] for key in keys if key.lower() in names), keys) if len(keys) > 1 else keys


def _odd_keys(path: Path, keys: list[str], split: str, images: list[str], labels: list[str], *, nothing: bool) -> DataError:
    """Returns the error for arrays whose names don't tell what they are."""
    found = ", ".join(keys[:12]) or "none"
    if nothing:
        return DataError(f"{path} has no arrays that are called as expected: {_EXPECTED}; found {found}")
    several = [names for names in (images, labels) if len(names) > 1]
    if several:
        return DataError(f"{path} has several arrays for one purpose: {', '.join(several[0])}; keep one")
    lacking = " and ".join(what for what, names in ((IMAGES, images), (LABELS, labels)) if not names)
    return DataError(f"{path} has no array of {split} {lacking}; expected {_EXPECTED}, found {found}")


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    return {Path(info.filename).stem: info for info in archive.infolist() if info.filename.endswith(".npy")}


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> np.ndarray:
    """Returns one array, its header held against the size of its member before it is allocated."""
    with archive.open(info) as stream:
        return _read_npy(stream, info.file_size, name)


def _read_npy(stream: IO[bytes], size: int, name: str) -> np.ndarray:
    """Returns one array in NumPy's format, from a stream of as many bytes.

    Raises:
        DataError: it is something else, pickled, damaged or too large.
    """
    with parsing(f"{name} is not a NumPy array"):
        # A header may claim a length of 4 GiB, all of which NumPy would read.
        start = io.BytesIO(stream.read(_LONGEST_HEADER))
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(start)]
        shape, _, dtype = read_header(start)
        if dtype.hasobject:
            raise DataError(f"{name} is pickled; save plain numbers (NumPy's savez with a numeric dtype)")
        if min(shape, default=0) < 0:
            raise DataError(f"{name} has the shape {shape} in its header; the file is damaged")
        expected = start.tell() + dtype.itemsize * math.prod(shape)
        if expected != size:
            raise DataError(f"{name} takes {size:,} bytes, its header promises {expected:,}; the file is damaged")
        if size > MAX_BYTES:
            raise DataError(f"{name} takes {size:,} bytes, more than the {MAX_BYTES:,} that are allowed")
        stream.seek(0)
        return npy.read_array(stream, allow_pickle=False)


def _names(arrays: Mapping[str, np.ndarray], key: str | None, path: Path) -> ClassNames | None:
    """Returns the class names beside the arrays, where there are some.

    Raises:
        DataError: they are no strings.
    """
    if key is None:
        return None
    if arrays[key].ndim != 1 or arrays[key].dtype.kind not in "US":
        raise DataError(f"{key} of {path} is {arrays[key].dtype} of shape {arrays[key].shape}, expected a list of strings")
    return tuple(name_of(name) for name in texts_of(arrays[key]))
