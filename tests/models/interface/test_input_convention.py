"""The conversion of a pixel to a model's input value."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ModelError
from glyphlite.models.interface.input_convention import (
    CHANNELS_FIRST,
    FLAT,
    HW,
    HWC,
    OURS,
    InputConvention,
    input_range_words,
    layout_of,
    named_convention,
    parse_input_range,
)

PIXELS = np.arange(256, dtype=np.uint8)


def test_ours_is_as_float_bit_by_bit(mnist: Dataset) -> None:
    images = mnist.test.images[:50]
    np.testing.assert_array_equal(OURS.real(images), as_float(images))
    assert OURS.real(images).dtype == np.float32


@pytest.mark.parametrize(
    ("text", "title", "ends"),
    [
        ("0..1", "0..1", (0, 1)),
        ("0..255", "0..255", (0, 255)),
        ("-1..1", "-1..1", (-1, 1)),
        (" -1 .. 1 ", "-1..1", (-1, 1)),
        ("127.5,127.5", "-1..1", (-1, 1)),
        ("0,1", "0..255", (0, 255)),
        ("33.3,78.6", "mean 33.3, std 78.6", (-33.3 / 78.6, (255 - 33.3) / 78.6)),
        ("-10,50", "mean -10, std 50", (0.2, 5.3)),
    ],
)
def test_what_a_user_says(text: str, title: str, ends: tuple[float, float]) -> None:
    convention = parse_input_range(text)
    assert convention.title == title
    assert (convention.low, convention.high) == pytest.approx(ends)
    assert convention.table()[[0, 255]] == pytest.approx(ends, rel=1e-6)
    assert convention.source.startswith("--input-range")
    assert not convention.assumed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0..2",
        "1..0",
        "33.3",
        "33.3,0",
        "33.3,-1",
        "a,b",
        "1,2,3",
        "nan,1",
        "0,inf",
        "1,1e-320",
        "1e300,1",
        "0..255..1",
        ",",
        "..",
        "0.1",
    ],
)
def test_what_is_no_range_is_one_error(text: str) -> None:
    with pytest.raises(ModelError, match=r"takes 0\.\.255, 0\.\.1, -1\.\.1, or MEAN,STD") as error:
        parse_input_range(text)
    assert "\n" not in str(error.value)


def test_images_that_were_divided_before_are_refused() -> None:
    with pytest.raises(TypeError, match="expected uint8"):
        OURS.real(np.zeros((1, 28, 28, 1), np.float32))


def test_each_channel_by_its_own_numbers() -> None:
    convention = InputConvention((0.0, 100.0, 127.5), (255.0, 50.0, 127.5), "an example")
    real = convention.real(np.full((2, 4, 5, 3), 255, np.uint8))
    np.testing.assert_allclose(real[0, 0, 0], [1, 3.1, 1], rtol=1e-6)
    assert convention.per_channel
    assert convention.title == "mean 0 100 127.5, std 255 50 127.5"
    assert (convention.low, convention.high) == pytest.approx((-2, 3.1))
    np.testing.assert_allclose(convention.table(1)[[0, 100]], [-2, 0])
    assert convention.report().mean == [0, 100, 127.5]


def test_channels_first_moves_them() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)
    convention = InputConvention((0.0,), (1.0,), "an example", layout=CHANNELS_FIRST)
    np.testing.assert_array_equal(convention.real(images), images.transpose(0, 3, 1, 2).astype(np.float32))


def test_layouts() -> None:
    assert layout_of((784,)) == FLAT
    assert layout_of((28, 28)) == HW
    assert layout_of((28, 28, 1)) == HWC
    assert layout_of((3, 32, 32)) == CHANNELS_FIRST
    assert layout_of((None, None, 3)) == HWC
    assert layout_of((3, 3, 3)) == HWC
    assert OURS.at((1, 28, 28), np.dtype("uint8")).dtype == "uint8"


def test_the_ends_of_quantized_files_go_by_the_range_that_is_meant() -> None:
    assert InputConvention((128.0,), (128.0,), "scale 1/128").title == "-1..1"
    assert InputConvention((0.0,), (256.0,), "scale 1/256").title == "0..1"
    assert InputConvention((0.0,), (251.0,), "scale 1/251").title == "mean 0, std 251"


def test_the_same_values() -> None:
    assert parse_input_range("0..1").same_values(OURS)
    assert not named_convention("-1..1", "an example").same_values(OURS)


@pytest.mark.parametrize(("mean", "std"), [((), (1.0,)), ((0.0,), (0.0,)), ((float("nan"),), (1.0,))])
def test_numbers_that_normalize_nothing(mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="expected finite numbers"):
        InputConvention(mean, std, "an example")


@pytest.mark.parametrize(
    ("text", "mean", "std"),
    [
        ("0.1307,0.3081", 33.3285, 78.5655),  # MNIST in PyTorch's examples
        ("0.5, 0.5", 127.5, 127.5),
        ("0,0.999", 0, 254.745),
        ("-1,0.5", -255, 127.5),
    ],
)
def test_a_deviation_below_one_is_of_fractions_which_is_said(text: str, mean: float, std: float) -> None:
    found = parse_input_range(text)
    assert found.mean == pytest.approx((mean,))
    assert found.std == pytest.approx((std,))
    words = input_range_words(text)
    assert words is not None
    assert "pixel / 255" in words
    assert f"mean {mean:.4g}, std {std:.4g} in pixels" in words
    assert "\n" not in words


@pytest.mark.parametrize(
    ("text", "mean", "std"), [("0,1", 0, 1), ("33.3,78.6", 33.3, 78.6), ("0,255", 0, 255), ("1.5,0.5", 1.5, 0.5)]
)
def test_other_numbers_are_pixels_without_a_word(text: str, mean: float, std: float) -> None:
    found = parse_input_range(text)
    assert (found.mean, found.std) == ((mean,), (std,))
    assert input_range_words(text) is None


@pytest.mark.parametrize("text", ["0..1", "0..255", "-1..1"])
def test_a_named_range_needs_no_word(text: str) -> None:
    assert input_range_words(text) is None
