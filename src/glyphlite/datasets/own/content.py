"""Records of a source's content: first as it is stored, then as checked splits. They have no behaviour."""

from dataclasses import dataclass

import numpy as np

from glyphlite.datasets.dataset import Split

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass(frozen=True)
class StoredSplit:
    """Images and labels as a file holds them, unchecked, what errors call each, and which images belong together."""

    images: np.ndarray
    labels: np.ndarray
    images_name: str
    labels_name: str
    groups: np.ndarray | None = None


@dataclass(frozen=True)
class FoundData:
    """Training images with labels, those of the other splits where the source has them, and class names.

    ``notes`` say in a sentence each what was assumed or left aside.
    """

    train: Split
    validation: Split | None
    test: Split | None
    labels: tuple[str, ...]
    notes: tuple[str, ...] = ()
