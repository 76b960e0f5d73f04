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


def grouped_split(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits indices so that no group stands on both sides, and each class keeps about its share.

    Groups are gone through in random order, and held out where that brings the classes nearer to their shares. No class is held
    out whole, so one that a single group has is kept.

    Args:
        labels: ``(n,)`` integers.
        groups: ``(n,)``, what is equal belongs together.
        fraction: the part to hold out, in [0, 1).
        seed: of the random order.

    Returns:
        The indices kept and the indices held out, each ascending.
    """
    _, group = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    counts = np.bincount(labels)
    wanted, taken = counts * fraction, np.zeros(len(counts), np.int64)
    order = np.random.default_rng(seed).permutation(len(members))
    own = {each: np.bincount(labels[members[each]], minlength=len(counts)) for each in order}
    chosen = []
    for each in order:
        after = taken + own[each]
        if ((after < counts) | (counts == 0)).all() and np.abs(after - wanted).sum() < np.abs(taken - wanted).sum():
            taken, chosen = after, [*chosen, each]
    spare = [each for each in order if ((own[each] < counts) | (counts == 0)).all()]
    if not chosen and spare:  # every group is larger than what is wanted
        chosen = [min(spare, key=lambda each: len(members[each]))]
    held_out = np.isin(group, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def keep_twins_apart(images: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Returns the indices to hold out so that no picture stands on both sides: of equal ones all are held out.

    Where that left a class without an image to train with, all are kept.

    Args:
        images: ``(n, ...)`` of all.
        labels: ``(n,)`` of all.
        held_out: indices that were to be held out.
    """
    places: dict[bytes, list[int]] = {}
    for place, image in enumerate(images):
        places.setdefault(image.tobytes(), []).append(place)
    outside = np.zeros(len(labels), bool)
    outside[held_out] = True
    kept = np.bincount(labels[~outside], minlength=int(labels.max(initial=0)) + 1)
    for twins in places.values():
        sides = outside[twins]
        if sides.all() or not sides.any():
            continue
        inside = np.bincount(labels[[place for place in twins if not outside[place]]], minlength=len(kept))
        move = bool(((inside < kept) | (inside == 0)).all())
        kept = kept - inside if move else kept + np.bincount(labels[twins], minlength=len(kept)) - inside
        outside[twins] = move
    return np.flatnonzero(outside)


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


def hold_out(split: Split, fraction: float, seed: int, *, with_twins: bool = False) -> tuple[Split, Split]:
    """Splits images and labels: by their groups where they have such, else as :func:`stratified_split` does.

    Args:
        split: what is split.
        fraction: the part to hold out.
        seed: of the random choice.
        with_twins: where there are no groups, whether equal pictures stay on one side (:func:`keep_twins_apart`).
    """
    if split.groups is not None:
        kept, held_out = grouped_split(split.labels, split.groups, fraction, seed)
    else:
        kept, held_out = stratified_split(split.labels, fraction, seed)
        if with_twins:
            held_out = keep_twins_apart(split.images, split.labels, held_out)
            kept = np.setdiff1d(np.arange(len(split)), held_out)
    return split.take(kept), split.take(held_out)
