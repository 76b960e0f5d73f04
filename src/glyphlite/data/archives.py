"""Datasets that a user has as arrays: an .npz with x_train/y_train/x_test/y_test, or a folder of IDX files.

Knows the two containers; no byte of either is executed (no pickles) and no array is allocated that its file cannot fill.
"""

import math
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from glyphlite.data.arrays import LabelledArrays, checked_images, checked_labels, number_classes
from glyphlite.data.idx import read_idx
from glyphlite.data.records import Split
from glyphlite.errors import DataError

MAX_BYTES = 2**31
"""The most that the arrays of an .npz may take in memory together."""
_KEYS = ("x_train", "y_train", "x_test", "y_test")
_NAMES_KEYS = ("labels", "class_names", "classes")


def read_npz(path: Path) -> LabelledArrays:
    """Read an .npz with the arrays x_train, y_train, x_test, y_test, as Keras' own mnist.npz has them.

    Class names may stand beside them as an array of strings called ``labels``, ``class_names`` or ``classes``.

    Raises:
        DataError: not an .npz, an array is missing, pickled, too large, of the wrong shape, type or range.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {Path(info.filename).stem: info for info in archive.infolist() if info.filename.endswith(".npy")}
            missing = [key for key in _KEYS if key not in members]
            if missing:
                raise DataError(
                    f"{path} has no array {', '.join(missing)}; expected {', '.join(_KEYS)}, found {', '.join(members) or 'none'}"
                )
            wanted = [*_KEYS, *(key for key in _NAMES_KEYS if key in members)][:5]
            size = sum(members[key].file_size for key in wanted)
            if size > MAX_BYTES:
                raise DataError(f"the arrays of {path} take {size:,} bytes, more than the {MAX_BYTES:,} that are allowed")
            arrays = {key: _read_member(archive, members[key], f"{key} of {path}") for key in wanted}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise DataError(f"{path} is not a readable .npz file: {error}") from None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from None
    return _assemble([arrays[key] for key in _KEYS], [f"{key} of {path}" for key in _KEYS], _names(arrays, wanted, path))


def read_idx_folder(folder: Path) -> LabelledArrays:
    """Read a folder with four IDX files, told apart by their names, compressed or not.

    The names hold ``train`` or ``test``/``t10k``, and ``images`` or ``labels``, as MNIST's and EMNIST's do. A file ``labels.txt``
    names the classes, one a line.

    Raises:
        DataError: a file is missing or ambiguous, malformed, of the wrong shape, type or range.
    """
    files = find_idx_files(folder)
    missing = [role for role, paths in files.items() if len(paths) != 1]
    if missing:
        found = ", ".join(path.name for path in files[missing[0]]) or "none"
        raise DataError(f"{folder} needs exactly one IDX file for {missing[0]}, found {found}")
    paths = [paths[0] for paths in files.values()]
    return _assemble([read_idx(path) for path in paths], [str(path) for path in paths], read_label_names(folder / "labels.txt"))


def find_idx_files(folder: Path) -> dict[str, list[Path]]:
    """The IDX files of a folder by their role: train images, train labels, test images, test labels."""
    roles: dict[str, list[Path]] = {f"{split} {content}": [] for split in ("train", "test") for content in ("images", "labels")}
    for path in sorted(folder.iterdir()):
        match = re.search(r"(train|test|t10k).*(images|labels)", path.name)
        if match and "idx" in path.name and path.is_file():
            roles[f"{match[1].replace('t10k', 'test')} {match[2]}"].append(path)
    return roles


def read_label_names(path: Path) -> tuple[str, ...] | None:
    """Class names from a text file, one a line; None where there is no such file.

    Raises:
        DataError: the file is not text.
    """
    try:
        return tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a readable text file: {error}") from None


def _assemble(arrays: list[np.ndarray], sources: list[str], names: tuple[str, ...] | None) -> LabelledArrays:
    """Check the four arrays, each called by its source in errors, and put them together."""
    train_images, test_images = (checked_images(arrays[i], sources[i]) for i in (0, 2))
    train_labels, test_labels = (
        checked_labels(arrays[i], sources[i], len(images)) for i, images in ((1, train_images), (3, test_images))
    )
    if train_images.shape[1:] != test_images.shape[1:]:
        raise DataError(
            f"training images are {train_images.shape[1:]} and test images {test_images.shape[1:]}; expected the same"
        )
    train_labels, test_labels, labels = number_classes(train_labels, test_labels, names)
    return LabelledArrays(Split(train_images, train_labels), Split(test_images, test_labels), labels)


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> np.ndarray:
    """One array, its header held against the size of its member before it is allocated."""
    with archive.open(info) as stream:
        try:
            version = npy.read_magic(stream)
            read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            shape, _, dtype = read_header(stream)
        except (ValueError, KeyError, SyntaxError) as error:
            raise DataError(f"{name} is not a NumPy array: {error}") from None
        if dtype.hasobject:
            raise DataError(f"{name} is pickled; save plain numbers (NumPy's savez with a numeric dtype)")
        expected = stream.tell() + dtype.itemsize * math.prod(shape)
    if expected != info.file_size:
        raise DataError(f"{name} takes {info.file_size:,} bytes, its header promises {expected:,}; the file is damaged")
    with archive.open(info) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _names(arrays: dict[str, np.ndarray], wanted: list[str], path: Path) -> tuple[str, ...] | None:
    """The class names beside the arrays, where there are some."""
    key = next((key for key in wanted if key in _NAMES_KEYS), None)
    if key is None:
        return None
    if arrays[key].ndim != 1 or arrays[key].dtype.kind not in "US":
        raise DataError(f"{key} of {path} is {arrays[key].dtype} of shape {arrays[key].shape}, expected a list of strings")
    return tuple(str(name) for name in arrays[key].astype(str))
