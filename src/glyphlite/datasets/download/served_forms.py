"""The content of a served dataset's files: images upright as MNIST's are, labels from 0, writers where they are told."""

import bz2
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from glyphlite.datasets.dataset import KnownContent, Split
from glyphlite.datasets.download.served import Form, ServedDataset
from glyphlite.datasets.download.served_files import members_of
from glyphlite.datasets.download.served_hdf5 import FILE_NAME, read_hdf5
from glyphlite.datasets.idx import parse_idx, read_content, unpack_stream
from glyphlite.errors import DataError
from glyphlite.files.untrusted import open_input, parsing
from glyphlite.files.zips import open_zip
from glyphlite.preprocessing.pixel_range import find_range

_CLASS, _WRITER = 0, 2
"""Columns of QMNIST's labels (its README): 0 the class, 1 the part of NIST's set, 2 the writer."""
_LARGEST_LINES = 256 << 20
"""Bytes that USPS's files may unpack to; they take some 20 million."""


def read_served(known: ServedDataset, paths: Mapping[str, Path]) -> KnownContent:
    """Reads a dataset's files; QMNIST's images are grouped by their writers.

    Args:
        known: the dataset.
        paths: of its files, as `obtain_files` gives them.

    Raises:
        DataError: a file is malformed, or holds other shapes or labels than the dataset has.
    """
    source = str(next(iter(paths.values())).parent)
    if FILE_NAME in paths:
        train, test = _of_hdf5(paths[FILE_NAME], known)
        return KnownContent(train, None, test, source, {FILE_NAME: _sha256(paths[FILE_NAME])})
    if known.form is Form.LIBSVM:
        train, test = (_of_lines(path, known) for path in paths.values())
        return KnownContent(train, None, test, source, {name: _sha256(path) for name, path in paths.items()})
    contents = _idx_contents(known, paths)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    arrays = [parse_idx(content, name) for name, content in contents.items()]
    train, test = (_split(known, *arrays[first : first + 2]) for first in (0, 2))
    return KnownContent(train, None, test, source, hashes)


def _idx_contents(known: ServedDataset, paths: Mapping[str, Path]) -> dict[str, bytes]:
    """Returns the bytes of the four IDX files, by their names, uncompressed.

    Raises:
        DataError: one is missing or malformed.
    """
    if known.form is not Form.EMNIST or len(paths) > 1:
        return {name.removesuffix(".gz"): read_content(path) for name, path in paths.items()}
    [path] = paths.values()
    contents = {}
    with open_zip(path, "a zip of EMNIST's files") as archive:
        members = {Path(each.filename).name: each for each in archive.infolist()}
        for name in members_of(known.part):
            member = members.get(f"{name}.gz")
            if member is None:
                raise DataError(f"{path} has no {name}.gz; expected EMNIST's archive of IDX files, gzip.zip")
            with archive.open(member) as stream:
                contents[name] = unpack_stream(stream, f"{name} of {path}", stored=member.file_size)
    return contents


def _split(known: ServedDataset, images: np.ndarray, labels: np.ndarray) -> Split:
    """Returns a split of two arrays as they are stored.

    Raises:
        DataError: they are no images and labels of this dataset.
    """
    ranks = (3, 2 if known.form is Form.QMNIST else 1)
    if (images.ndim, labels.ndim) != ranks or images.shape[1:] != known.image_shape or len(images) != len(labels):
        side = known.side
        raise DataError(
            f"{known.name} has arrays of shape {images.shape} and {labels.shape}, expected n images of {side}x{side} and n labels"
        )
    writers = None
    if known.form is Form.QMNIST:
        if labels.shape[1] <= _WRITER:
            raise DataError(f"{known.name} has labels of {labels.shape[1]} columns, expected 8 with the writer in the third")
        labels, writers = labels[:, _CLASS], labels[:, _WRITER].astype(np.str_)
    labels = labels.astype(np.int64)
    if known.form is Form.EMNIST:
        images = images.swapaxes(1, 2)
        if known.part == "emnist-letters":  # numbered from 1, as its mapping says
            labels = labels - 1
    return Split(np.ascontiguousarray(images)[..., None], _checked(labels, known), writers)


def _of_hdf5(path: Path, known: ServedDataset) -> tuple[Split, Split]:
    """Returns the images to train and to test with of an HDF5 file, floats as rows of pixels, labels from 0.

    Raises:
        DataError: they are no images and labels of this dataset.
    """
    arrays = read_hdf5(path)
    pixels = find_range({f"{split}/data of {path}": arrays[f"{split}/data"] for split in ("train", "test")})
    splits = []
    for split in ("train", "test"):
        images, labels = pixels.to_bytes(arrays[f"{split}/data"]), arrays[f"{split}/target"]
        if labels.shape != (len(images),) or images.size != len(images) * known.side**2:
            raise DataError(
                f"{path} has arrays of {split} of shape {images.shape} and {labels.shape}, expected rows of 256 pixels and a "
                "label each"
            )
        if (labels != np.rint(labels)).any():
            raise DataError(f"{path} has labels in {split}/target that are no whole numbers")
        splits.append(Split(images.reshape(-1, known.side, known.side, 1), _checked(labels.astype(np.int64), known)))
    return splits[0], splits[1]


def _of_lines(path: Path, known: ServedDataset) -> Split:
    """Returns the images of a file in LIBSVM's format, values from -1 (paper) to 1 (ink), labels from 1.

    Raises:
        DataError: a line is something else.
    """
    pixels, labels = [], []
    expected = "a file of lines in LIBSVM's format"
    with open_input(path, expected) as stream, parsing(f"{path} is damaged or not {expected}"):
        packed = stream.read(3) == b"BZh"
        stream.seek(0)
        content = (bz2.BZ2File(stream) if packed else stream).read(_LARGEST_LINES + 1)
        if len(content) > _LARGEST_LINES:
            raise DataError(f"{path} holds more than {_LARGEST_LINES:,} bytes, more than {known.name} does")
        for line in content.decode("ascii").splitlines():
            label, *cells = line.split()
            image = np.zeros(known.side**2, np.float32)
            numbers = [cell.split(":") for cell in cells]
            places = np.array([int(place) for place, _ in numbers]) - 1
            if len(places) and (places.min() < 0 or places.max() >= len(image)):
                raise DataError(f"{path} has a pixel beyond the {len(image)} of an image")
            image[places] = [float(value) for _, value in numbers]
            pixels.append(image)
            labels.append(int(float(label)) - 1)
    if not pixels or not np.isfinite(pixels).all() or np.abs(pixels).max() > 1:
        raise DataError(f"{path} has no lines of pixels from -1 to 1")
    grey = np.rint((np.array(pixels) + 1) * 127.5).astype(np.uint8)
    return Split(grey.reshape(-1, known.side, known.side, 1), _checked(np.array(labels, np.int64), known))


def _checked(labels: np.ndarray, known: ServedDataset) -> np.ndarray:
    """Returns labels that are classes of the dataset.

    Raises:
        DataError: some are not.
    """
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= len(known.labels):
        raise DataError(f"the labels of {known.name} are not the {len(known.labels)} classes that it has")
    return labels


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
