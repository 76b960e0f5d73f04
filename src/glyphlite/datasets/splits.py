"""Stratified, seeded splits: which images train, validate and test, each class in its proportion.

Pure functions on labels; knows nothing of images or files.
"""

from collections.abc import Sequence

import numpy as np

from glyphlite.datasets.dataset import Split

VALIDATION_FRACTION = 1 / 12
"""Of the images to train with: 5,000 of MNIST's 60,000."""
TEST_FRACTION = 1 / 7
"""Of all images, where a dataset has no test images of its own: 10,000 of MNIST's 70,000."""


UNEQUAL = 3.0
"""Times the images of the rarest class that the most frequent one has, from which classes are weighed in the training."""


def imbalance(counts: Sequence[int] | np.ndarray) -> float:
    """Returns how many times the images of the rarest class the most frequent one has; classes without images don't count."""
    present = np.asarray(counts)[np.asarray(counts) > 0]
    return float(present.max() / present.min()) if len(present) else 1.0


def stratified_split(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits indices so that each class keeps its share, at random but repeatably.

    The number held out is ``round(fraction * n)``; the classes share it by largest remainder. A class is never held out whole.

    Args:
        labels: ``(n,)`` integers.
        fraction: the part to hold out, in [0, 1).
        seed: of the random choice.

    Returns:
        The indices kept and the indices held out, each ascending.
    """
    classes, counts = np.unique(labels, return_counts=True)
    exact = counts * fraction
    quota = np.floor(exact).astype(int)
    missing = round(fraction * len(labels)) - quota.sum()
    quota[np.argsort(-(exact - quota), kind="stable")[:missing]] += 1
    quota = np.minimum(quota, counts - 1)
    rng = np.random.default_rng(seed)
    held_out = np.zeros(len(labels), bool)
    for label, size in zip(classes, quota, strict=True):
        held_out[rng.permutation(np.flatnonzero(labels == label))[:size]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def balanced_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """Orders indices so that every beginning holds as many of each class as of any other, to within one, while there are some.

    Args:
        labels: ``(n,)`` integers.
        seed: shuffles each class.

    Returns:
        All ``n`` indices, the classes in turn.
    """
    generator = np.random.default_rng(seed)
    shuffled = [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    rank = np.concatenate([np.arange(len(indices)) for indices in shuffled])
    return np.concatenate(shuffled)[np.argsort(rank, kind="stable")]


def hold_out(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Splits images and labels as :func:`stratified_split` does."""
    kept, held_out = stratified_split(split.labels, fraction, seed)
    return split.take(kept), split.take(held_out)
