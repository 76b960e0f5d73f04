"""Shapes of a model's input that are images, and those that are not; how splits are shown."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Split, image_shape_of


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


def test_a_split_is_shown_by_its_shapes_not_by_its_pixels() -> None:
    split = Split(np.zeros((300, 32, 20, 3), np.uint8), np.zeros(300, np.int64))
    assert repr(split) == "Split(images=(300, 32, 20, 3) uint8, labels=(300,))"
    grouped = Split(split.images, split.labels, np.full(300, "w01"))
    assert repr(grouped) == "Split(images=(300, 32, 20, 3) uint8, labels=(300,), groups=(300,))"
