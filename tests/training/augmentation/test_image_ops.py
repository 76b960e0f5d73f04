"""Changes of light: how many images, how much, and the same for the same seed. Bends: as an own, slow reading of them gives."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.training.augmentation.digit_styles import Drawings
from glyphlite.training.augmentation.image_ops import coarse, occluded, relit, rewritten, warped
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, COARSE_SIDES, ELASTIC_GRID, Photometric
from glyphlite.training.batches import Batches

LIGHT = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4)


@pytest.fixture(scope="module")
def images():
    """Sixteen squares of white on black."""
    pictures = np.zeros((16, 28, 28, 1), np.float32)
    pictures[:, 8:20, 8:20] = 1
    return pictures


def _relit(images: np.ndarray, *seed: int) -> np.ndarray:
    import tensorflow as tf

    return relit(tf.constant(images), LIGHT, tf.constant(seed, tf.int32)).numpy()


def test_the_first_are_noisy_the_last_faint_the_others_untouched(images):
    changed = _relit(images, 3, 5)
    assert changed.shape == images.shape
    np.testing.assert_array_equal(changed[2:12], images[2:12])
    assert all(len(np.unique(picture)) > 100 for picture in changed[:2])
    assert changed.min() >= 0
    assert changed.max() <= 1
    for picture in changed[12:]:
        dark, light = np.unique(picture)
        assert 0.2 - 1e-6 <= light - dark < 1
        assert 0 <= dark < light <= 1 + 1e-6


def test_a_function_of_its_seed(images):
    np.testing.assert_array_equal(_relit(images, 3, 5), _relit(images, 3, 5))
    for other in ((3, 6), (4, 5)):
        assert not np.array_equal(_relit(images, 3, 5)[:2], _relit(images, *other)[:2])


def test_noise_and_shares_of_neighbouring_steps_are_not_the_same_numbers(images):
    first, second = _relit(np.full_like(images, 0.5), 3, 5)[0], _relit(np.full_like(images, 0.5), 3, 6)[0]
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.2


def test_a_batch_too_small_for_a_share(images):
    np.testing.assert_array_equal(_relit(images[:1], 3, 5), images[:1])


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


def test_bars_lie_over_the_images_behind_the_noisy_ones_alone(images):
    import tensorflow as tf

    photometric = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.25)
    changed = relit(tf.constant(images), photometric, tf.constant([3, 5], tf.int32)).numpy()
    np.testing.assert_array_equal(changed[6:12], images[6:12])
    np.testing.assert_array_equal(changed[:2], _relit(images, 3, 5)[:2])  # the others are as without bars
    np.testing.assert_array_equal(changed[12:], _relit(images, 3, 5)[12:])
    assert not np.array_equal(changed[2:6], images[2:6])


def test_bars_are_of_every_direction_hide_little_and_differ_from_image_to_image():
    import tensorflow as tf

    black = np.zeros((400, 28, 28, 1), np.float32)
    drawn = occluded(tf.constant(black), tf.constant([1, 2], tf.int32)).numpy()[..., 0]
    np.testing.assert_array_equal(drawn, occluded(tf.constant(black), tf.constant([1, 2], tf.int32)).numpy()[..., 0])
    assert drawn.min() == 0
    assert drawn.max() <= 1
    covered = (drawn > 0.1).mean(axis=(1, 2))
    assert 0.01 < (covered == 0).mean() < 0.15  # none of three in one of 27, and what lies outside
    assert 0.02 < covered.mean() < 0.25
    assert len({each.tobytes() for each in drawn}) > 340
    straight = [each for each in drawn if each.any() and (np.ptp(np.nonzero(each)[0]) < 4 or np.ptp(np.nonzero(each)[1]) < 4)]
    assert len(straight) < 60  # along a row or a column: the few that chance gives


def test_coarse_images_lie_behind_those_with_bars_alone(images):
    import tensorflow as tf

    both = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.25, coarse=0.125)
    without = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.25)
    changed, before = (relit(tf.constant(images), each, tf.constant([3, 5], tf.int32)).numpy() for each in (both, without))
    assert {index for index in range(16) if not np.array_equal(changed[index], before[index])} == {6, 7}


def test_a_coarse_image_is_a_small_picture_enlarged():
    """Against means over areas of repeated pixels, which Pillow enlarges bilinearly."""
    import tensorflow as tf
    from PIL import Image

    drawn = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
    given = coarse(tf.constant(drawn), tf.constant([1, 2], tf.int32)).numpy()[..., 0]
    np.testing.assert_array_equal(given, coarse(tf.constant(drawn), tf.constant([1, 2], tf.int32)).numpy()[..., 0])
    met = set()
    for picture, result in zip(drawn[..., 0], given, strict=True):
        small = {side: picture.repeat(side, 0).repeat(side, 1).reshape(side, 28, side, 28).mean((1, 3)) for side in COARSE_SIDES}
        by_side = {
            side: np.asarray(Image.fromarray(each).resize((28, 28), Image.Resampling.BILINEAR)) for side, each in small.items()
        }
        met |= {side for side, expected in by_side.items() if np.abs(expected - result).max() < 1e-4}
    assert met == set(COARSE_SIDES)


def test_images_are_replaced_by_drawn_ones_of_their_class_alone(images):
    import tensorflow as tf

    pictures = (
        np.stack([np.full((3, 28, 28, 1), grey, np.uint8) for grey in (51, 102)])
        + np.arange(3, dtype=np.uint8)[:, None, None, None]
    )
    drawings = Drawings(pictures, np.array([-1, 1, 0], np.int32))
    labels = np.arange(16, dtype=np.int32) % 3
    changed = rewritten(tf.constant(images), tf.constant(labels), drawings, tf.constant([1, 2], tf.int32)).numpy()
    np.testing.assert_array_equal(changed[labels == 0], images[labels == 0])
    for label, grey in ((1, 102), (2, 51)):
        of_class = np.rint(changed[labels == label] * 255)
        assert set(np.unique(of_class)) <= {grey, grey + 1, grey + 2}
        assert len(np.unique(of_class)) > 1
        assert all(len(np.unique(picture)) == 1 for picture in of_class)


def test_drawn_images_lie_behind_the_coarse_ones_alone(images):
    import tensorflow as tf

    without = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.125, coarse=0.125)
    drawings = Drawings(np.full((1, 2, 28, 28, 1), 51, np.uint8), np.array([-1, 0], np.int32))
    labels = tf.constant(np.arange(16) % 2, tf.int32)
    seed = tf.constant([3, 5], tf.int32)
    before = relit(tf.constant(images), without, seed).numpy()
    changed = relit(tf.constant(images), replace(without, rewritten=0.25), seed, labels, drawings).numpy()
    np.testing.assert_allclose(changed[[7, 9]], 0.2, atol=1e-6)
    others = [index for index in range(16) if index not in (7, 9)]
    np.testing.assert_array_equal(changed[others], before[others])
    np.testing.assert_array_equal(relit(tf.constant(images), replace(without, rewritten=0.25), seed).numpy(), before)
