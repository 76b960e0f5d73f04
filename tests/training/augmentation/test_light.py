"""Changes of light: how many images, how much, and the same for the same seed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from glyphlite.training.augmentation.digit_styles import Drawings
from glyphlite.training.augmentation.light import coarsen, occlude, relight, rewrite
from glyphlite.training.augmentation.parameters import COARSE_SIDES, Photometric

LIGHT = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4)


@pytest.fixture(scope="module")
def images():
    """Sixteen squares of white on black."""
    pictures = np.zeros((16, 28, 28, 1), np.float32)
    pictures[:, 8:20, 8:20] = 1
    return pictures


def _changed(change: Any, images: np.ndarray, *given: Any) -> np.ndarray:
    images = images.copy()
    change(images, *given)
    return images


def _relit(images: np.ndarray, *seed: int) -> np.ndarray:
    return _changed(relight, images, LIGHT, seed)


def _random() -> np.random.Generator:
    return np.random.default_rng(1)


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


def test_bars_lie_over_the_images_behind_the_noisy_ones_alone(images):
    photometric = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.25)
    changed = _changed(relight, images, photometric, (3, 5))
    np.testing.assert_array_equal(changed[6:12], images[6:12])
    np.testing.assert_array_equal(changed[:2], _relit(images, 3, 5)[:2])  # the others are as without bars
    np.testing.assert_array_equal(changed[12:], _relit(images, 3, 5)[12:])
    assert not np.array_equal(changed[2:6], images[2:6])


def test_bars_are_of_every_direction_hide_little_and_differ_from_image_to_image():
    black = np.zeros((400, 28, 28, 1), np.float32)
    drawn = _changed(occlude, black, _random())[..., 0]
    np.testing.assert_array_equal(drawn, _changed(occlude, black, _random())[..., 0])
    assert drawn.min() == 0
    assert drawn.max() <= 1
    covered = (drawn > 0.1).mean(axis=(1, 2))
    assert 0.01 < (covered == 0).mean() < 0.15  # none of three in one of 27, and what lies outside
    assert 0.02 < covered.mean() < 0.25
    assert len({each.tobytes() for each in drawn}) > 340
    straight = [each for each in drawn if each.any() and (np.ptp(np.nonzero(each)[0]) < 4 or np.ptp(np.nonzero(each)[1]) < 4)]
    assert len(straight) < 60  # along a row or a column: the few that chance gives


def test_coarse_images_lie_behind_those_with_bars_alone(images):
    both = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.25, coarse=0.125)
    without = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.25)
    changed, before = (_changed(relight, images, each, (3, 5)) for each in (both, without))
    assert {index for index in range(16) if not np.array_equal(changed[index], before[index])} == {6, 7}


def test_a_coarse_image_is_a_small_picture_enlarged():
    """Against means over areas of repeated pixels, which Pillow enlarges bilinearly."""
    from PIL import Image

    drawn = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
    given = _changed(coarsen, drawn, _random())[..., 0]
    np.testing.assert_array_equal(given, _changed(coarsen, drawn, _random())[..., 0])
    met = set()
    for picture, result in zip(drawn[..., 0], given, strict=True):
        small = {side: picture.repeat(side, 0).repeat(side, 1).reshape(side, 28, side, 28).mean((1, 3)) for side in COARSE_SIDES}
        by_side = {
            side: np.asarray(Image.fromarray(each).resize((28, 28), Image.Resampling.BILINEAR)) for side, each in small.items()
        }
        met |= {side for side, expected in by_side.items() if np.abs(expected - result).max() < 1e-4}
    assert met == set(COARSE_SIDES)


def test_images_are_replaced_by_drawn_ones_of_their_class_alone(images):
    pictures = (
        np.stack([np.full((3, 28, 28, 1), grey, np.uint8) for grey in (51, 102)])
        + np.arange(3, dtype=np.uint8)[:, None, None, None]
    )
    drawings = Drawings(pictures, np.array([-1, 1, 0], np.int32))
    labels = np.arange(16, dtype=np.int32) % 3
    changed = _changed(rewrite, images, labels, drawings, _random())
    np.testing.assert_array_equal(changed[labels == 0], images[labels == 0])
    for label, grey in ((1, 102), (2, 51)):
        of_class = np.rint(changed[labels == label] * 255)
        assert set(np.unique(of_class)) <= {grey, grey + 1, grey + 2}
        assert len(np.unique(of_class)) > 1
        assert all(len(np.unique(picture)) == 1 for picture in of_class)


def test_drawn_images_lie_behind_the_coarse_ones_alone(images):
    without = Photometric(faded=0.25, least_contrast=0.2, noisy=0.125, largest_noise=0.4, occluded=0.125, coarse=0.125)
    drawings = Drawings(np.full((1, 2, 28, 28, 1), 51, np.uint8), np.array([-1, 0], np.int32))
    labels = np.arange(16) % 2
    before = _changed(relight, images, without, (3, 5))
    changed = _changed(relight, images, replace(without, rewritten=0.25), (3, 5), labels, drawings)
    np.testing.assert_allclose(changed[[7, 9]], 0.2, atol=1e-6)
    others = [index for index in range(16) if index not in (7, 9)]
    np.testing.assert_array_equal(changed[others], before[others])
    np.testing.assert_array_equal(_changed(relight, images, replace(without, rewritten=0.25), (3, 5)), before)


def test_a_batch_in_which_more_is_asked_for_than_there_is():
    images = np.full((3, 28, 28, 1), 0.5, np.float32)
    greedy = Photometric(faded=0.9, least_contrast=0.2, noisy=0.9, largest_noise=0.4, occluded=0.9, coarse=0.9, rewritten=0.9)
    changed = _changed(
        relight, images, greedy, (3, 5), np.zeros(3, int), Drawings(np.zeros((1, 1, 28, 28, 1), np.uint8), np.zeros(1, int))
    )
    assert changed.min() >= 0
    assert changed.max() <= 1 + 1e-6
