"""Bends: as an own, slow reading of them gives."""

import numpy as np
import pytest

from glyphlite.training.augmentation.image_ops import warped
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, ELASTIC_GRID
from glyphlite.training.batches import Batches


@pytest.fixture(scope="module")
def images():
    """Sixteen squares of white on black."""
    pictures = np.zeros((16, 28, 28, 1), np.float32)
    pictures[:, 8:20, 8:20] = 1
    return pictures


@pytest.fixture(scope="module")
def transforms() -> np.ndarray:
    chunk = next(Batches(16, (28, 28), 16, 3, "elastic").epoch(0))
    assert chunk.transforms is not None
    return chunk.transforms[0]


def _warped(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    return np.asarray(warped(tf.constant(images), tf.constant(transforms)))


def test_without_elastic_distortion_an_image_is_warped_as_by_the_projective_transform(images, transforms):
    still = np.concatenate([transforms[:, :8], np.zeros_like(transforms[:, 8:])], axis=1)
    np.testing.assert_allclose(_warped(images, still), _warped(images, transforms[:, :8]), atol=1e-5)
    assert np.abs(_warped(images, transforms) - _warped(images, still)).max() > 0.5


def test_a_bent_image_is_sampled_where_its_grid_says(transforms):
    """Against places and samples that are worked out pixel by pixel."""
    images = np.random.default_rng(0).random((16, 28, 28, 1), np.float32)
    given = _warped(images, transforms)
    for image, numbers, result in zip(images, transforms.astype(np.float64), given, strict=True):
        along_x, along_y = numbers[8:].reshape(2, ELASTIC_GRID, ELASTIC_GRID)
        expected = np.zeros((28, 28))
        for row, column in np.ndindex(28, 28):
            x = numbers[:3] @ (column, row, 1) + _between(along_x, row, column)
            y = numbers[3:6] @ (column, row, 1) + _between(along_y, row, column)
            expected[row, column] = _sample(image[..., 0], y, x)
        np.testing.assert_allclose(result[..., 0], expected, atol=1e-4)


def _sample(image: np.ndarray, y: float, x: float) -> float:
    """The mean of the four pixels around a place, each by how near it is; zeros beyond the rim."""
    top, left = int(np.floor(y)), int(np.floor(x))
    return sum(
        float(image[row, column]) * (1 - abs(y - row)) * (1 - abs(x - column))
        for row in (top, top + 1)
        for column in (left, left + 1)
        if 0 <= row < 28 and 0 <= column < 28
    )


def _between(grid: np.ndarray, row: int, column: int) -> float:
    """The grid's value at a pixel: smooth steps from each point to the next."""
    spacing = 27 / (ELASTIC_GRID - 1)
    top, left = min(int(row / spacing), ELASTIC_GRID - 2), min(int(column / spacing), ELASTIC_GRID - 2)
    down, right = (3 * t**2 - 2 * t**3 for t in (row / spacing - top, column / spacing - left))
    upper = grid[top, left] * (1 - right) + grid[top, left + 1] * right
    lower = grid[top + 1, left] * (1 - right) + grid[top + 1, left + 1] * right
    return float(upper * (1 - down) + lower * down)


def test_the_displacements_of_a_recipe_are_of_a_known_size():
    assert 0 < AUGMENTATIONS["elastic"].elastic_pixels < 28 / ELASTIC_GRID / 2  # larger ones could fold an image over itself
