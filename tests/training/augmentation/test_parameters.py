"""Augmentation: repeatable, within its ranges, and leaving what it should leave."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, Augmentation, draw_affines, warp


def augment(images: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    return warp(images, *draw_affines(len(images), augmentation, rng))


STILL = Augmentation(rotation_degrees=0, shift_pixels=0, scale=0, shear_degrees=0)


def test_no_transformation_changes_no_pixel(mnist: Dataset) -> None:
    images = mnist.train.images[:600]
    np.testing.assert_array_equal(augment(images, STILL, np.random.default_rng(0)), images)


def test_the_same_generator_gives_the_same_images_in_either_type(mnist: Dataset) -> None:
    images = mnist.train.images[:600]
    first, second = (augment(images, AUGMENTATIONS["affine"], np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    floats = augment(as_float(images), AUGMENTATIONS["affine"], np.random.default_rng(3))
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats * 255, first, atol=0.51)
    other = augment(images, AUGMENTATIONS["affine"], np.random.default_rng(4))
    assert not np.array_equal(first, other)


def test_an_image_is_transformed_the_same_alone_and_in_a_crowd(mnist: Dataset) -> None:
    images = np.repeat(mnist.train.images[:1], 1100, axis=0)
    crowd = augment(images, Augmentation(), np.random.default_rng(0))
    assert len({image.tobytes() for image in crowd}) > 1000


def _centre_of_mass(images: np.ndarray) -> np.ndarray:
    weights = images[..., 0].astype(float)
    total = weights.sum(axis=(1, 2))
    rows, columns = (weights.sum(axis=axis) @ np.arange(28) / total for axis in (2, 1))
    return np.stack([rows, columns], -1)


@pytest.mark.parametrize("pixels", [1.0, 3.0])
def test_shifts_stay_within_their_range_and_fill_it(mnist: Dataset, pixels: float) -> None:
    images = mnist.train.images[:500]
    moved = augment(images, Augmentation(0, pixels, 0, 0), np.random.default_rng(0))
    distance = np.abs(_centre_of_mass(moved) - _centre_of_mass(images))
    assert distance.max() <= pixels + 0.05
    assert distance.max() > 0.9 * pixels


def test_scaling_turning_and_shearing_leave_the_middle_in_place_and_the_ink_about_equal() -> None:
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 12:16, 6:22] = 1
    changed = augment(np.repeat(image, 400, 0), Augmentation(20, 0, 0.2, 15), np.random.default_rng(0))
    np.testing.assert_allclose(_centre_of_mass(changed), 13.5, atol=0.2)
    np.testing.assert_allclose(changed.sum(axis=(1, 2, 3)).mean(), image.sum(), rtol=0.05)


def test_a_turn_is_a_turn() -> None:
    bar = np.zeros((300, 28, 28, 1), np.float32)
    bar[:, 13:15, 4:24] = 1
    turned = augment(bar, Augmentation(30, 0, 0, 0), np.random.default_rng(0))
    rows, columns = np.meshgrid(np.arange(28) - 13.5, np.arange(28) - 13.5, indexing="ij")
    weights = turned[..., 0]
    angle = np.rad2deg(
        0.5 * np.arctan2(2 * (weights * rows * columns).sum((1, 2)), (weights * (columns**2 - rows**2)).sum((1, 2)))
    )
    assert np.abs(angle).max() <= 31
    assert angle.min() < -25
    assert angle.max() > 25


def test_channels_and_odd_shapes_are_kept(mnist: Dataset) -> None:
    images = np.concatenate([mnist.train.images[:7, :20]] * 3, axis=-1)
    changed = augment(images, AUGMENTATIONS["affine_strong"], np.random.default_rng(0))
    assert changed.shape == (7, 20, 28, 3)
    np.testing.assert_array_equal(changed[..., 0], changed[..., 2])
    assert augment(images[:0], STILL, np.random.default_rng(0)).shape == (0, 20, 28, 3)
