"""Every image once an epoch, the same whatever step one begins at, warped as the data package warps."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.training.augmentation.image_ops import warped
from glyphlite.training.augmentation.parameters import AUGMENTATIONS, draw_affines, warp
from glyphlite.training.batches import CHUNK_STEPS, Batches

BATCHES = Batches(images=4_100, image_size=(28, 28), batch_size=64, seed=3)


@pytest.mark.parametrize("batch_size", [1000, 128, 4_099, 4_100, 5_000])
def test_every_image_once(batch_size):
    batches = replace(BATCHES, batch_size=batch_size)
    chunks = list(batches.epoch(0))
    seen = np.concatenate([chunk.order.reshape(-1) for chunk in chunks])
    assert np.array_equal(np.sort(seen), np.arange(4_100))
    assert sum(len(chunk.order) for chunk in chunks) == batches.steps


def test_epochs_and_seeds_differ():
    orders = [next(replace(BATCHES, seed=seed).epoch(epoch)).order for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


@pytest.mark.parametrize("augmentation", [None, "affine", "elastic"])
def test_beginning_in_the_middle_gives_the_same(augmentation):
    batches = replace(BATCHES, augmentation=augmentation)
    whole, rest = list(batches.epoch(5)), list(batches.epoch(5, from_step=2 * CHUNK_STEPS))
    assert len(rest) == len(whole) - 2
    for one, other in zip(whole[2:], rest, strict=True):
        assert one.first_step == other.first_step
        assert np.array_equal(one.order, other.order)
        if one.transforms is not None and other.transforms is not None:
            assert np.array_equal(one.transforms, other.transforms)
    assert all((chunk.transforms is None) == (augmentation is None) for chunk in whole)


@pytest.mark.slow
def test_transforms_warp_as_the_data_package_does(mnist):
    chunk = next(replace(BATCHES, augmentation="affine").epoch(1))
    assert chunk.transforms is not None
    images = mnist.train.images[chunk.order.reshape(-1)].astype(np.float32)
    moved = warped(images, chunk.transforms.reshape(-1, 8)).numpy()
    expected = warp(images, *draw_affines(len(images), AUGMENTATIONS["affine"], np.random.default_rng([3, 1, 0])))
    assert np.abs(moved - images).max() > 100
    assert moved == pytest.approx(expected, abs=0.05)


def test_displacements_come_behind_the_same_affine_warps_and_stay_within_their_range():
    plain, bent = (next(replace(BATCHES, augmentation=name).epoch(1)) for name in ("affine", "elastic"))
    assert plain.transforms is not None
    assert bent.transforms is not None
    assert plain.transforms.shape[-1] == AUGMENTATIONS["affine"].numbers
    assert bent.transforms.shape[-1] == AUGMENTATIONS["elastic"].numbers
    np.testing.assert_array_equal(bent.transforms[..., :8], plain.transforms)
    largest = np.abs(bent.transforms[..., 8:]).max()
    assert 0.99 * AUGMENTATIONS["elastic"].elastic_pixels < largest <= AUGMENTATIONS["elastic"].elastic_pixels


def test_unknown_augmentation():
    with pytest.raises(ModelError, match="unknown augmentation 'cutout'"):
        replace(BATCHES, augmentation="cutout")


def test_with_a_seed_of_their_own_warps_are_the_images_whatever_the_trainings_seed():
    one, other = (replace(BATCHES, augmentation="elastic", cycle=2, warps_seed=7, seed=seed) for seed in (0, 1))
    warps = one.warps(3)
    again, next_ones = other.warps(1), one.warps(2)
    assert warps is not None
    assert again is not None
    assert next_ones is not None
    assert np.array_equal(warps, again)
    assert not np.array_equal(warps, next_ones)
    assert one.warps_named(3) == other.warps_named(1) != one.warps_named(2)
    chunks, others = list(one.epoch(3)), list(other.epoch(3))
    assert not np.array_equal(chunks[0].order, others[0].order)
    assert not np.array_equal(chunks[0].order, next(one.epoch(1)).order)  # the order does not repeat
    for chunk in (*chunks, *others):
        assert np.array_equal(chunk.transforms if chunk.transforms is not None else 0, warps[chunk.order])
    assert BATCHES.warps(0) is None


def test_a_seed_of_warps_needs_an_augmentation():
    with pytest.raises(ModelError, match="no augmentation"):
        replace(BATCHES, warps_seed=0)
