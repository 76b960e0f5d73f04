"""Shapes of a model's input that are images, and those that are not."""

import pytest

from glyphlite.datasets.dataset import image_shape_of


@pytest.mark.parametrize(
    ("extents", "image"),
    [
        ((64,), (8, 8, 1)),  # scikit-learn's digits
        ((784,), (28, 28, 1)),
        ((192,), (8, 8, 3)),
        ((3072,), (32, 32, 3)),
        ((28, 28), (28, 28, 1)),
        ((4, 4, 1), (4, 4, 1)),  # said to be an image, however small
        ((32, 20, 3), (32, 20, 3)),
    ],
)
def test_images(extents: tuple[int, ...], image: tuple[int, int, int]) -> None:
    assert image_shape_of(extents) == image


@pytest.mark.parametrize(
    "extents", [(), (0,), (-1,), (1,), (4,), (8,), (9,), (12,), (16,), (25,), (27,), (49,), (65,), (28, 28, 2), (1, 28, 28, 1)]
)
def test_what_is_no_image(extents: tuple[int, ...]) -> None:
    assert image_shape_of(extents) is None
