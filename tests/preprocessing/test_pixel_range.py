"""Ranges of pixels, from above and from below: black is 0 and white 255 whatever they were stored as, or a line says why not."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import DataError
from glyphlite.preprocessing.pixel_range import find_range, nominal_white

GREYS = np.arange(256, dtype=np.float64).reshape(4, 8, 8)[[0, 3, 1, 2]]
"""Every grey once; most images of it hold no black."""
GLYPHS = np.concatenate([np.zeros((4, 4, 8)), np.linspace(0, 255, 128).reshape(4, 4, 8).round()], axis=1)
"""Images like those of glyphs: black in every image, and white somewhere."""


@pytest.mark.parametrize(
    ("name", "stored", "is_said"),
    [
        ("bytes", GLYPHS.astype(np.uint8), False),
        ("floats to 1", GLYPHS / 255, False),
        ("floats in half precision", (GLYPHS / 255).astype(np.float16), False),
        ("floats to 255", GLYPHS.astype(np.float32), True),
        ("floats divided twice", GLYPHS / 255 / 255, True),
        ("floats divided by 256", GLYPHS / 256, False),
        ("percents", GLYPHS / 2.55, True),
        ("16 greys", GLYPHS / 255 * 16, True),
        ("10 bits", GLYPHS / 255 * 1023, True),
        ("12 bits", GLYPHS / 255 * 4095, True),
        ("16 bits", GLYPHS * 257, True),
        ("integers of 64 bits", GLYPHS.astype(np.int64), False),
        ("16 bits holding 0..255", GLYPHS.astype(np.uint16), False),
        ("-1 to 1", GLYPHS / 127.5 - 1, True),
        ("-0.5 to 0.5", GLYPHS / 255 - 0.5, True),
        ("signed bytes", (GLYPHS - 128).astype(np.int8), True),
        ("standardized", (GLYPHS / 255 - 0.1307) / 0.3081, True),
        ("a resampler's overshoot", np.where(GLYPHS == 0, -0.03, GLYPHS / 255) + 0.05 * (GLYPHS == 255), True),
    ],
)
def test_every_range_becomes_0_to_255(name: str, stored: np.ndarray, is_said: bool) -> None:
    found = find_range({"x": stored})
    np.testing.assert_allclose(found.to_bytes(stored).astype(float), GLYPHS, atol=1.01, err_msg=name)
    assert (found.words is not None) == is_said


@pytest.mark.parametrize("low_high", [(False, True), (0, 1), (1, 2), (-1, 1), (0, 128), (0, 255), (0.0, 0.7)])
def test_two_numbers_are_black_and_white(low_high: tuple[float, float]) -> None:
    stored = np.where(GLYPHS > 100, low_high[1], low_high[0])
    np.testing.assert_array_equal(find_range({"x": stored}).to_bytes(stored), np.where(GLYPHS > 100, 255, 0))


def test_bytes_are_not_copied_and_not_changed() -> None:
    stored = GLYPHS.astype(np.uint8)
    assert find_range({"x": stored}).to_bytes(stored) is stored


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (np.zeros((3, 8, 8), np.uint8), "every pixel of x is 0"),
        (np.full((3, 8, 8), np.nan), "not finite"),
        (np.full((3, 8, 8), np.inf), "not finite"),
        (GLYPHS.astype(complex), "complex128"),
        (GLYPHS.astype(str), "expected numbers"),
        (np.where(GLYPHS > 0, GLYPHS, -5).astype(np.int16), "integers from -5"),
        (GLYPHS.astype(np.uint8).view(np.int8), "read as signed"),
        (GREYS / 50 - 1 + np.arange(4)[:, None, None], "standardized each image or each pixel by itself"),
    ],
)
def test_what_says_nothing_is_refused_in_one_line(stored: np.ndarray, words: str) -> None:
    with pytest.raises(DataError, match=words):
        find_range({"x": stored})


@pytest.mark.parametrize("factor", [255, 1 / 255, 16])
def test_splits_that_were_scaled_differently_are_refused(factor: float) -> None:
    with pytest.raises(DataError, match="expected both scaled alike"):
        find_range({"x_train": GLYPHS / 255, "x_test": GLYPHS / 255 * factor})


def test_the_range_is_that_of_all_splits() -> None:
    found = find_range({"x_train": GLYPHS / 255 * 15, "x_test": GLYPHS / 255 * 16})
    assert (found.black, found.white) == (0, 16)


@pytest.mark.parametrize(
    ("highest", "white"), [(1, 1), (1.004, 1), (0.4, 0.4), (16, 16), (127, 127), (128, 255), (256, 255), (700, 1023)]
)
def test_white_is_nominal_where_more_than_half_of_the_range_is_used(highest: float, white: float) -> None:
    assert nominal_white(highest) == white


def test_digits_standardized_by_one_mean_are_read_and_by_many_refused(mnist: Dataset) -> None:
    """One mean for all, as of PyTorch's Normalize; one for each image; for each pixel, as of scikit-learn's StandardScaler."""
    images = mnist.train.images[:300, ..., 0] / 255
    standardized = ((images - 0.1307) / 0.3081).astype(np.float32)
    np.testing.assert_array_equal(find_range({"x": standardized}).to_bytes(standardized), mnist.train.images[:300, ..., 0])
    for axis in ((1, 2), (0,)):
        deviation = images.std(axis=axis, keepdims=True)
        with pytest.raises(DataError, match="standardized each image or each pixel by itself"):
            find_range({"x": (images - images.mean(axis=axis, keepdims=True)) / np.where(deviation == 0, 1, deviation)})
