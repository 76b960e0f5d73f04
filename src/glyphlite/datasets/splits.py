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
MOST_HELD_OUT = 0.4
"""Share of all images that may be held out for the sake of a class that would be missing: groups may be large."""
MOST_TWINS = 0.5
"""Share of a class that may be held out for the sake of equal pictures."""
_TEST_SEED = 0
"""A test split that we make ourselves depends on nothing that a user varies."""

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


def grouped_split(
    labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int, leave: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Splits indices so that no group stands on both sides, and each class keeps about its share.

    Groups are gone through in random order, and held out where that brings the classes nearer to their shares. A class without
    an image so far then gives its smallest group, as long as no more than :data:`MOST_HELD_OUT` of all are held out. No class is
    held out whole: one that a single group has is kept.

    Args:
        labels: ``(n,)`` integers.
        groups: ``(n,)``, what is equal belongs together.
        fraction: the part to hold out, in [0, 1).
        seed: of the random order.
        leave: how many groups of each class stay at least, where it has more: 2 if some will be held out of them in turn.

    Returns:
        The indices kept and the indices held out, each ascending.
    """
    names, group = np.unique(groups, return_inverse=True)
    own = np.zeros((len(names), int(labels.max(initial=-1)) + 1), np.int64)
    np.add.at(own, (group, labels), 1)
    holds, holders = own > 0, (own > 0).sum(axis=0)
    spare = holders - np.maximum(np.minimum(leave, holders - 1), 1)  # groups of each class that may go
    wanted, taken, chosen = own.sum(axis=0) * fraction, np.zeros(own.shape[1], np.int64), []

    def may_go(each: int) -> bool:
        return bool((spare[holds[each]] > 0).all())

    order = np.random.default_rng(seed).permutation(len(names)).tolist()
    for each in order:
        if may_go(each) and np.abs(taken + own[each] - wanted).sum() < np.abs(taken - wanted).sum():
            taken, spare, chosen = taken + own[each], spare - holds[each], [*chosen, each]
    for label in np.flatnonzero(holders > 1):
        able = [each for each in order if holds[each, label] and may_go(each)] if not taken[label] else []
        smallest = min(able, key=lambda each: int(own[each].sum()), default=None)
        if smallest is not None and taken.sum() + own[smallest].sum() <= MOST_HELD_OUT * len(labels):
            taken, spare, chosen = taken + own[smallest], spare - holds[smallest], [*chosen, smallest]
    if not chosen:  # every group is larger than what is wanted
        chosen = sorted(filter(may_go, order), key=lambda each: int(own[each].sum()))[:1]
    while leave > 1 and chosen and not _may_be_split(holds, chosen):
        chosen.pop()
    held_out = np.isin(group, chosen)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _may_be_split(holds: np.ndarray, gone: Sequence[int]) -> bool:
    """Returns whether one more group may go, ``(groups, classes)`` telling which has which, and every class stay."""
    stays = np.delete(holds, gone, axis=0)
    return bool(((stays.sum(axis=0) > 1) | ~stays).all(axis=1).any())


def keep_twins_apart(images: np.ndarray, labels: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Returns the indices to hold out so that no picture stands on both sides: of equal ones all are held out.

    Where that left a class without an image to train with, all are kept; so they are where more than :data:`MOST_TWINS` of a
    class would be held out, as long as other images of it are.

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
    total = np.bincount(labels)
    kept = np.bincount(labels[~outside], minlength=len(total))
    for twins in places.values():
        sides = outside[twins]
        if sides.all() or not sides.any():
            continue
        inside = np.bincount(labels[[place for place in twins if not outside[place]]], minlength=len(kept))
        theirs = np.bincount(labels[twins], minlength=len(kept)) - inside  # those held out so far
        held = total - kept
        trained = ((inside < kept) | (inside == 0)).all()
        crowded = ((inside > 0) & (held + inside > MOST_TWINS * total)).any()
        others = ((held > theirs) | (theirs == 0)).all()
        move = bool(trained and not (crowded and others))
        kept = kept - inside if move else kept + theirs
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


def three_splits(train: Split, validation: Split | None, test: Split | None, seed: int) -> tuple[Split, Split, Split]:
    """Returns training, validation and test images: those that are there, the others held out of the training images.

    Args:
        train: the images to train with.
        validation: the validation images, if there are some.
        test: the test images, if there are some.
        seed: of the choice of validation images; that of test images never changes, or a model could train on its test images.
    """
    if test is None:
        leave = 2 if validation is None else 1
        train, test = hold_out(train, TEST_FRACTION, _TEST_SEED, with_twins=True, leave=leave)
    if validation is None:
        train, validation = hold_out(train, VALIDATION_FRACTION, seed, with_twins=True)
    return train, validation, test


def hold_out(split: Split, fraction: float, seed: int, *, with_twins: bool = False, leave: int = 1) -> tuple[Split, Split]:
    """Splits images and labels: by their groups where they have such, else as :func:`stratified_split` does.

    Args:
        split: what is split.
        fraction: the part to hold out.
        seed: of the random choice.
        with_twins: where there are no groups, whether equal pictures stay on one side (:func:`keep_twins_apart`).
        leave: groups of each class that stay, as for :func:`grouped_split`.
    """
    if split.groups is not None:
        kept, held_out = grouped_split(split.labels, split.groups, fraction, seed, leave)
    else:
        kept, held_out = stratified_split(split.labels, fraction, seed)
        if with_twins:
            held_out = keep_twins_apart(split.images, split.labels, held_out)
            kept = np.setdiff1d(np.arange(len(split)), held_out)
    return split.take(kept), split.take(held_out)
