"""Repetitions between splits, of pictures and of groups, in words. Pictures are compared by their pixels."""

import hashlib
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import first_of
from glyphlite.formatting import count


def splits_of(dataset: Dataset) -> dict[str, Split]:
    """Returns a dataset's splits by their names, as people read them."""
    return {"training": dataset.train, "validation": dataset.validation, "test": dataset.test}


def picture_hashes(images: np.ndarray) -> list[bytes]:
    """Returns a hash of each image's pixels, ``(n, ...)``."""
    return [hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images]


def repeated_words(dataset: Dataset) -> list[str]:
    """Reports pictures that stand in two splits, and those that stand under two classes; what is done about them is said."""
    hashes = {name: picture_hashes(split.images) for name, split in splits_of(dataset).items()}
    said = []
    for (first, known), (second, others) in combinations(((name, set(found)) for name, found in hashes.items()), 2):
        again = sum(each in known for each in hashes[second]) if known & others else 0
        if again:
            why = {"test": "accuracy on them flatters", "validation": "the choice of the epoch follows them"}[second]
            said.append(
                f"{count(again)} of {count(len(hashes[second]))} {second} images are {first} images, too: {why}; they stay "
                "(`glyphlite data check` shows them)"
            )
    classes: dict[bytes, set[int]] = {}
    for name, split in splits_of(dataset).items():
        for each, label in zip(hashes[name], split.labels.tolist(), strict=True):
            classes.setdefault(each, set()).add(label)
    both = [sorted(labels) for labels in classes.values() if len(labels) > 1]
    if both:
        names = " and ".join(dataset.labels[label] for label in both[0][:2])
        pictures = "one picture stands" if len(both) == 1 else f"{count(len(both))} pictures stand"
        said.append(
            f"{pictures} under two classes or more ({names}): no model gets both right (`glyphlite data check` shows them)"
        )
    return said


def grouped_words(dataset: Dataset) -> list[str]:
    """Reports the number of groups in each split, and those that stand on two sides; nothing where there are no groups."""
    groups = {name: set(split.groups.tolist()) for name, split in splits_of(dataset).items() if split.groups is not None}
    if not groups:
        return []
    numbers = ", ".join(f"{name} {count(len(each))}" for name, each in groups.items())
    said = [f"groups: {numbers}" + ("" if any(_shared(groups)) else "; none in two splits")]
    for first, second, both in _shared(groups):
        said.append(
            f"{count(len(both))} of {count(len(groups[second]))} groups of the {second} images are among the {first} images, too "
            f"({first_of(sorted(both), 3)}), since the data brings these splits itself: accuracy on them flatters"
        )
    return said


def _shared(groups: dict[str, set[str]]) -> Iterator[tuple[str, str, set[str]]]:
    """Yields each pair of splits that share groups, and those groups."""
    for first, second in combinations(groups, 2):
        if both := groups[first] & groups[second]:
            yield first, second, both
