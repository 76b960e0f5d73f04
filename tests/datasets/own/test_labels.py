"""Labels and class names as people keep them: numbers, one-hot rows, names; lists that count from 0 or 1, EMNIST's mappings."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.datasets.own.labels import natural_order, number_classes, read_class_names, read_labels
from glyphlite.errors import DataError

NUMBERS = np.array([2, 0, 1, 2])


@pytest.mark.parametrize(
    "stored",
    [
        NUMBERS,
        NUMBERS.astype(np.uint8)[:, None],
        NUMBERS[None],
        NUMBERS.astype(np.float32),
        np.eye(3)[NUMBERS],
        np.eye(3, dtype=bool)[NUMBERS],
    ],
)
def test_numbers_of_any_type_and_one_hot_rows_are_the_same_labels(stored: np.ndarray) -> None:
    np.testing.assert_array_equal(read_labels(stored, "y", 4), NUMBERS)


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (np.array([[1, 1, 0], [0, 1, 0]]), "several labels per image"),
        (np.array([0.5, 1]), "no whole numbers"),
        (np.array([np.nan, 1]), "no whole numbers"),
        (np.array([-1, 1]), "whole numbers from 0"),
        (np.array([1j, 1]), "complex128"),
        (np.zeros((2, 2, 2)), "one whole number or one name per image"),
        (np.arange(3), "3 labels for 2 images"),
    ],
)
def test_other_labels_are_refused(stored: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_labels(stored, "y", 2)


def test_labels_that_are_names_are_classes_in_natural_order() -> None:
    train = read_labels(np.array(["10", "²", "2", "b"]), "y", 4)
    numbers, labels, _ = number_classes({"train": train, "test": np.array(["2"])}, None)
    assert labels == ("2", "10", "b", "²")
    assert numbers["train"].tolist() == [1, 3, 0, 2]
    assert numbers["test"].tolist() == [0]


@pytest.mark.parametrize(
    ("values", "names", "expected", "is_said"),
    [
        ([1, 2, 3], ("a", "b", "c"), ["a", "b", "c"], True),  # EMNIST letters with a name for each
        ([1, 2, 3], ("-", "a", "b", "c"), ["a", "b", "c"], False),
        ([0, 1, 2], ("a", "b", "c"), ["a", "b", "c"], False),
        ([3, 7, 9], ("a", "b", "c"), ["a", "b", "c"], True),
        ([1, 4], ("a", "b", "c", "d"), ["a", "d"], True),
        ([1, 2, 3], {1: "A", 2: "B", 3: "C"}, ["A", "B", "C"], False),
        ([4, 9], None, ["4", "9"], False),
    ],
)
def test_labels_take_the_names_that_are_meant(values: list[int], names: object, expected: list[str], is_said: bool) -> None:
    numbers, labels, notes = number_classes({"train": np.array(values)}, names)  # type: ignore[arg-type]
    assert [labels[number] for number in numbers["train"]] == expected
    assert bool(notes) == is_said


@pytest.mark.parametrize(
    ("values", "names", "words"),
    [([0, 3], ("a", "b", "c"), "need 4 class names, but there are 3"), ([1, 5], {1: "A", 2: "B"}, "hold 5, which the mapping")],
)
def test_labels_without_a_name_are_refused(values: list[int], names: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        number_classes({"train": np.array(values)}, names)  # type: ignore[arg-type]


def test_a_class_that_no_training_image_has_is_refused_by_its_split() -> None:
    with pytest.raises(DataError, match="the validation labels hold the class 7 and 1 more, which no training image has"):
        number_classes({"train": np.array([0, 1]), "validation": np.array([7, 8])}, None)


def test_emnists_mapping_names_each_label_by_its_capital(tmp_path: Path) -> None:
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n")
    (tmp_path / "emnist-digits-mapping.txt").write_text("0 48\n")
    assert read_class_names(tmp_path, "emnist-letters") == {1: "A", 2: "B"}
    with pytest.raises(DataError, match="several mappings"):
        read_class_names(tmp_path)
    (tmp_path / "emnist-digits-mapping.txt").write_text("zero 48\n")
    with pytest.raises(DataError, match=r"mapping\.txt line 1"):
        read_class_names(tmp_path, "emnist-digits")
    (tmp_path / "labels.txt").write_text("\ufeffa\n\n b \n", encoding="utf-8")
    assert read_class_names(tmp_path) == ("a", "b")


@given(st.lists(st.text(max_size=6), max_size=12))
def test_any_names_have_a_natural_order(names: list[str]) -> None:
    assert sorted(sorted(names, reverse=True), key=natural_order) == sorted(names, key=natural_order)


def test_the_natural_order_reads_numbers_in_every_script() -> None:
    names = ["x10", "x2", "²", "10", "2", "\u0661\u0660", "\u0662", "½", "02"]
    assert sorted(names, key=natural_order) == ["02", "2", "\u0662", "10", "\u0661\u0660", "x2", "x10", "²", "½"]
