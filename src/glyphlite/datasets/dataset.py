"""A loaded dataset: images as stored bytes, labels as numbers, three splits that never mix."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, repr=False)
class Split:
    """Images ``(n, height, width, channels)`` uint8 and their labels ``(n,)`` int64.

    ``groups`` ``(n,)`` tells which images belong together, as those of one writer do; None where nobody says.
    """

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        """Returns shapes in place of thousands of pixels."""
        groups = "" if self.groups is None else f", groups={self.groups.shape}"
        return f"Split(images={self.images.shape} {self.images.dtype}, labels={self.labels.shape}{groups})"

    def take(self, places: np.ndarray | slice) -> "Split":
        """Returns the images in some places, with their labels and groups."""
        return Split(self.images[places], self.labels[places], None if self.groups is None else self.groups[places])


@dataclass(frozen=True)
class KnownContent:
    """The content of a dataset that is known by name, and where it came from; ``validation`` is None where it has none."""

    train: Split
    validation: Split | None
    test: Split
    source: str
    sha256: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """A dataset with its class labels, its three splits, and where its bytes came from.

    ``joined`` counts the validation images that stand behind the training images, where a model trains on both: then none are
    left to validate on.
    """

    name: str
    labels: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    source: str
    sha256: dict[str, str] = field(default_factory=dict)
    joined: int = 0

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Returns height, width, channels of one image."""
        height, width, channels = self.train.images.shape[1:]
        return height, width, channels

    def with_all_images(self) -> "Dataset":
        """Returns the same with the validation images behind the training images, and none in their place."""
        if self.joined:
            return self
        none, count = self.validation.take(slice(0)), len(self.validation)
        return replace(self, train=_behind(self.train, self.validation), validation=none, joined=count)

    def as_split(self) -> "Dataset":
        """Returns the same with the validation images where they were before `with_all_images`."""
        if not self.joined:
            return self
        train, validation = self.train.take(slice(-self.joined)), self.train.take(slice(-self.joined, None))
        return replace(self, train=train, validation=validation, joined=0)

    def with_test(self, places: slice) -> "Dataset":
        """Returns the same with these test images alone."""
        return replace(self, test=self.test.take(places))

    @property
    def classes(self) -> int:
        """Returns the number of classes."""
        return len(self.labels)


def _behind(first: Split, second: Split) -> Split:
    """Returns the images of two splits in one."""
    groups = None if first.groups is None or second.groups is None else np.concatenate([first.groups, second.groups])
    return Split(np.concatenate([first.images, second.images]), np.concatenate([first.labels, second.labels]), groups)


def as_float(images: np.ndarray) -> np.ndarray:
    """Converts uint8 images to float32 in [0, 1]: the one normalization that every model here is trained with."""
    return images.astype(np.float32) / np.float32(255)


SMALLEST_SIDE = 8
"""Rows and columns of the smallest image that pixels in a row are taken for: scikit-learn's digits. Fewer are measurements."""


def image_shape_of(extents: Sequence[int]) -> tuple[int, int, int] | None:
    """Returns height, width and channels of the images that a model of this input (without the batch) takes; None for no image.

    Pixels in a row are those of a square image, in one channel or three, of ``SMALLEST_SIDE`` or more rows.
    """
    if len(extents) == 1:
        for channels in (1, 3):
            side = math.isqrt(max(extents[0], 0) // channels)
            if side >= SMALLEST_SIDE and side * side * channels == extents[0]:
                return side, side, channels
    shape = (*extents, 1) if len(extents) == 2 else tuple(extents)
    return (shape[0], shape[1], shape[2]) if len(shape) == 3 and shape[2] in (1, 3) else None
