"""Arrays that strangers made, turned into splits: shapes, types and values checked, labels numbered from 0.

Knows arrays, not files. Everything that a user brings (.npz, IDX, pictures) passes here.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.data.records import Split
from glyphlite.errors import DataError

MAX_CLASSES = 4096
MAX_CHANNELS = 4


@dataclass(frozen=True)
class LabelledArrays:
    """What a source holds: training images with labels, and test images with labels unless it has none of its own."""

    train: Split
    test: Split | None
    labels: tuple[str, ...]


def checked_images(array: np.ndarray, name: str) -> np.ndarray:
    """Images as uint8 ``(n, height, width, channels)``.

    Accepted are ``(n, height, width)`` and ``(n, height, width, 1 to 4)``, integers in 0..255 or floats in [0, 1].

    Raises:
        DataError: another shape, type or range.
    """
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or 0 in array.shape or array.shape[3] > MAX_CHANNELS:
        raise DataError(
            f"{name} has the shape {array.shape}, expected (n, height, width) or (n, height, width, channels), not empty"
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "iufb":
        raise DataError(f"{name} holds {array.dtype}, expected uint8, or floats between 0 and 1")
    low, high = array.min(), array.max()
    top = 1 if array.dtype.kind == "f" else 255
    # Written so that a NaN, which compares false with everything, is refused.
    if not (low >= 0 and high <= top):
        raise DataError(f"{name} holds {array.dtype} from {low} to {high}, expected uint8 (0 to 255) or floats between 0 and 1")
    if array.dtype.kind == "f":
        return np.rint(array * 255).astype(np.uint8)
    return array.astype(np.uint8)


def checked_labels(array: np.ndarray, name: str, images: int) -> np.ndarray:
    """Labels as int64 ``(n,)``, one for each image.

    Raises:
        DataError: another number than there are images, or not whole numbers.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(f"{name} holds {array.dtype} of shape {array.shape}, expected one whole number an image")
    if len(array) != images:
        raise DataError(f"{name} has {len(array):,} labels for {images:,} images")
    if array.size and (int(array.min()) < 0 or int(array.max()) > np.iinfo(np.int64).max):
        raise DataError(f"{name} holds a label of {array.min()}, expected whole numbers from 0")
    return array.astype(np.int64)


def number_classes(
    train: np.ndarray, test: np.ndarray, names: tuple[str, ...] | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Labels as positions in the list of class names.

    Args:
        train: labels of the training images.
        test: labels of the test images, may be empty.
        names: the class names that the labels count into; None names each class after its number, in ascending order
            (so labels 1 to 26 become the classes "1" to "26" at positions 0 to 25).

    Returns:
        Training labels, test labels, class names.

    Raises:
        DataError: fewer than two classes, too many, or labels without a name.
    """
    values = np.unique(train)
    if not 2 <= len(values) <= MAX_CLASSES:
        raise DataError(f"the training labels hold {len(values)} classes, expected 2 to {MAX_CLASSES}")
    strangers = np.setdiff1d(test, values)
    if len(strangers):
        raise DataError(f"the test labels hold the class {strangers[0]}, which no training image has")
    if names is None:
        return np.searchsorted(values, train), np.searchsorted(values, test), tuple(str(value) for value in values)
    if values[-1] >= len(names):
        raise DataError(f"the labels go up to {values[-1]}, but there are {len(names)} class names")
    return train, test, names
