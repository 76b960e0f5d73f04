"""Splits by groups and without repetitions: partitions, in proportion as far as groups allow, nothing on two sides."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.datasets.repetitions import repeated_words
from glyphlite.datasets.splits import grouped_split, hold_out, imbalance, keep_twins_apart, three_splits


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=200), st.floats(0, 0.5), st.integers(0, 9))
def test_a_grouped_split_is_a_partition_of_the_groups(pairs: list[tuple[int, int]], fraction: float, seed: int) -> None:
    labels, groups = (np.array(each) for each in zip(*pairs, strict=True))
    kept, held_out = grouped_split(labels, groups, fraction, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held_out])), np.arange(len(labels)))
    assert not set(groups[kept]) & set(groups[held_out])
    assert set(labels[kept]) == set(labels)
    again = grouped_split(labels, groups, fraction, seed)
    np.testing.assert_array_equal(again[1], held_out)


def test_many_small_groups_are_split_in_proportion() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 10)
    labels = rng.integers(0, 10, 3000)
    _, held_out = grouped_split(labels, groups, 1 / 7, 0)
    assert len(held_out) == pytest.approx(3000 / 7, rel=0.1)
    shares = np.bincount(labels[held_out], minlength=10) / np.bincount(labels)
    np.testing.assert_allclose(shares, 1 / 7, atol=0.05)


def test_one_group_of_nearly_all_leaves_others_to_validate_and_to_test_with() -> None:
    labels, groups = np.tile(np.arange(3), 60), np.array(["anna"] * 162 + ["b"] * 6 + ["c"] * 6 + ["d"] * 6)
    whole = Split(np.arange(180), labels, groups)
    train, validation, test = three_splits(whole, None, None, 0)
    assert [len(train), len(validation), len(test)] == [162, 6, 12]
    assert train.groups is not None
    assert set(train.groups) == {"anna"}


def test_groups_of_one_class_each_are_held_out_for_every_class() -> None:
    labels = np.repeat(np.arange(4), 40)
    groups = np.arange(160) // 8  # five of each class
    train, validation, test = three_splits(Split(np.arange(160), labels, groups), None, None, 0)
    assert [np.bincount(split.labels, minlength=4).tolist() for split in (train, validation, test)] == [
        [24] * 4,
        [8] * 4,
        [8] * 4,
    ]


def test_no_more_is_held_out_for_rare_classes_than_stays_sensible() -> None:
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(10, size=120), np.arange(120) % 7
    kept, held_out = grouped_split(labels, groups, 1 / 7, 0, leave=2)
    assert len(held_out) <= 0.4 * 120
    assert len(kept) + len(held_out) == 120


def test_two_groups_of_each_class_can_still_be_validated_with() -> None:
    labels, groups = np.repeat(np.arange(3), 20), np.arange(60) // 10
    train, validation, test = three_splits(Split(np.arange(60), labels, groups), None, None, 0)
    assert min(len(train), len(validation), len(test)) > 0
    assert set(train.labels) == {0, 1, 2}


def test_equal_pictures_stay_on_one_side() -> None:
    images = np.arange(20, dtype=np.uint8).repeat(2)[:, None] // np.array([2, 1], np.uint8).repeat(20)[:, None]
    labels = np.arange(40) % 2
    held_out = keep_twins_apart(images, labels, np.arange(0, 40, 7))
    outside = {images[place].tobytes() for place in held_out}
    inside = {images[place].tobytes() for place in np.setdiff1d(np.arange(40), held_out)}
    assert outside
    assert not outside & inside
    assert set(np.arange(0, 40, 7)) <= set(held_out)


def test_a_class_of_one_picture_repeated_is_kept() -> None:
    images = np.array([[1]] * 6 + [[number] for number in range(10, 16)], np.uint8)
    labels = np.array([0] * 6 + [1] * 6)
    assert keep_twins_apart(images, labels, np.array([0, 6])).tolist() == [6]


def test_a_picture_that_makes_up_most_of_a_class_is_trained_on() -> None:
    """Held out whole, it alone would be what the accuracy of its class tells."""
    images = np.array([[1]] * 50 + [[number] for number in range(2, 22)] + [[number] for number in range(30, 100)], np.uint8)
    labels = np.array([0] * 70 + [1] * 70)
    first = np.arange(0, 140, 7)
    held_out = keep_twins_apart(images, labels, first)
    assert held_out.tolist() == [place for place in first if place >= 50]
    assert set(labels[held_out]) == {0, 1}
    alone = np.array([0, 7, 14, 70, 77])  # no other image of its class is held out
    assert len(keep_twins_apart(images, labels, alone)) == 52


def test_known_datasets_are_split_as_before(mnist: Dataset) -> None:
    split = Split(np.zeros((24, 2, 2, 1), np.uint8), np.arange(24) % 2)
    assert len(hold_out(split, 1 / 12, 0)[1]) == 2
    assert imbalance(np.bincount(mnist.train.labels)) < 1.3


def test_repetitions_are_said_with_what_is_done(mnist: Dataset) -> None:
    images, labels = mnist.train.images[:12], np.array([0, 1, 2] * 4)
    whole = Split(images, labels)
    parts = {name: whole.take(np.arange(*span)) for name, span in (("train", (0, 6)), ("validation", (5, 9)), ("test", (9, 12)))}
    dataset = replace(mnist, **parts)
    [said] = repeated_words(dataset)
    assert said.startswith("1 of 4 validation images are training images, too: the choice of the epoch follows them; they stay")
    two_classes = replace(dataset, validation=Split(images[5:9], (labels[5:9] + 1) % 3))
    assert any("one picture stands under two classes or more (0 and 2)" in each for each in repeated_words(two_classes))
    assert not repeated_words(replace(dataset, validation=whole.take(np.arange(6, 9))))


def test_imbalance_counts_classes_that_are_there() -> None:
    assert imbalance([30, 10, 0]) == 3
    assert imbalance([]) == 1
