"""Changes of light: how many images, how much, and the same for the same seed."""

import numpy as np
import pytest

from glyphlite.data.augment import Photometric
from glyphlite.training.alterations import relit

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
