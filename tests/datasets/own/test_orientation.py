"""The orientation of stored glyphs: digits are compared with MNIST's, EMNIST is known by its name, and every turn is printed."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.datasets.own.orientation import TURNS, how_digits_lie, turn_upright
from glyphlite.datasets.own.upright_digits import upright_digits

Arrays = tuple[np.ndarray, np.ndarray]
DIGITS = tuple("0123456789")
LETTERS = tuple("abcdefghij")


def _turn(images: np.ndarray, labels: np.ndarray, names: tuple[str, ...], source: str) -> tuple[np.ndarray, str | None]:
    turned, words = turn_upright({"train": images[..., None]}, labels, names, source)
    return turned["train"][..., 0], words


def test_the_mean_digits_are_those_of_mnists_training_images(mnist: Dataset) -> None:
    images = np.concatenate([mnist.train.images, mnist.validation.images])[..., 0]
    labels = np.concatenate([mnist.train.labels, mnist.validation.labels])
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])
    np.testing.assert_array_equal(upright_digits(), np.rint(means.reshape(10, 7, 4, 7, 4).mean(axis=(2, 4))))


@pytest.mark.parametrize("way", TURNS)
def test_digits_are_turned_upright_whichever_way_they_lie(digits: Arrays, way: str) -> None:
    images, labels = digits
    undo = TURNS[way]
    back = {"turned by 90 degrees to the left": "turned by 90 degrees to the right"}
    back |= {right: left for left, right in back.items()}
    lying = np.ascontiguousarray(TURNS[back.get(way, way)](images))
    np.testing.assert_array_equal(undo(lying), images)
    turned, words = _turn(lying, labels, DIGITS, "my-digits.npz")
    np.testing.assert_array_equal(turned, images)
    assert (words is None) == (way == "upright")


@pytest.mark.parametrize("count", [60, 400])
def test_digits_among_letters_tell_for_all(digits: Arrays, count: int) -> None:
    images, labels = digits[0][:count], digits[1][:count]
    names = tuple("0123456789abcdef")
    assert how_digits_lie(images.swapaxes(1, 2), labels, names) == "transposed"


def test_classes_called_digits_that_show_none_are_left_alone(digits: Arrays) -> None:
    images, labels = digits
    assert how_digits_lie(images, (labels + 3) % 10, DIGITS) is None
    assert how_digits_lie(np.random.default_rng(0).integers(0, 256, images.shape).astype(np.uint8), labels, DIGITS) is None
    assert how_digits_lie(images[:20], labels[:20], DIGITS) is None


def test_emnists_letters_are_turned_by_its_name_unless_they_stand_upright(digits: Arrays) -> None:
    images, labels = digits
    lying = np.ascontiguousarray(images.swapaxes(1, 2))
    turned, words = _turn(lying, labels, LETTERS, "emnist-letters-train-images-idx3-ubyte")
    np.testing.assert_array_equal(turned, images)
    assert "every image was turned upright" in str(words)
    same, words = _turn(images, labels, LETTERS, "EMNIST.npz")
    np.testing.assert_array_equal(same, images)
    assert "left as they are" in str(words)
    same, words = _turn(images, labels, DIGITS, "emnist-digits.csv")
    np.testing.assert_array_equal(same, images)
    assert "left as they are" in str(words)


def test_glyphs_that_are_wider_than_tall_are_only_spoken_of(digits: Arrays) -> None:
    images, labels = digits
    lying = np.ascontiguousarray(images.swapaxes(1, 2))
    same, words = _turn(lying, labels, LETTERS, "letters.npz")
    np.testing.assert_array_equal(same, lying)
    assert "name them PATH:transposed" in str(words)
    assert _turn(images, labels, LETTERS, "letters.npz")[1] is None


def test_dark_on_light_digits_are_turned_too(digits: Arrays) -> None:
    images, labels = digits
    turned, _ = _turn(255 - images.swapaxes(1, 2), labels, DIGITS, "scans.npz")
    np.testing.assert_array_equal(turned, 255 - images)


def test_colours_and_oblong_images_are_left_alone(digits: Arrays) -> None:
    images, labels = digits
    for shape in (np.repeat(images[..., None], 3, -1), images[:, :20, :, None]):
        turned, words = turn_upright({"train": shape}, labels, LETTERS, "emnist")
        np.testing.assert_array_equal(turned["train"], shape)
        assert words is None
