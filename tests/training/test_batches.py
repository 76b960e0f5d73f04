"""Every image once an epoch, the same whatever step one begins at."""

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.training.batches import CHUNK_STEPS, epoch_chunks, steps_per_epoch


@pytest.mark.parametrize("batch_size", [1000, 128, 4_099, 4_100, 5_000])
def test_every_image_once(few, batch_size):
    chunks = list(epoch_chunks(few.train, batch_size, seed=0, epoch=0))
    seen = np.concatenate([chunk.order.reshape(-1) for chunk in chunks])
    assert np.array_equal(np.sort(seen), np.arange(len(few.train)))
    assert sum(len(chunk.order) for chunk in chunks) == steps_per_epoch(len(few.train), batch_size)


def test_epochs_and_seeds_differ(few):
    orders = [next(epoch_chunks(few.train, 128, seed=seed, epoch=epoch)).order for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


@pytest.mark.parametrize("augmentation", [None, "affine"])
def test_beginning_in_the_middle_gives_the_same(few, augmentation):
    whole = list(epoch_chunks(few.train, 64, seed=3, epoch=5, augmentation=augmentation))
    rest = list(epoch_chunks(few.train, 64, seed=3, epoch=5, from_step=2 * CHUNK_STEPS, augmentation=augmentation))
    assert len(rest) == len(whole) - 2
    for one, other in zip(whole[2:], rest, strict=True):
        assert one.first_step == other.first_step
        assert np.array_equal(one.order, other.order)
        if one.images is not None and other.images is not None:
            assert np.array_equal(one.images, other.images)
            assert not np.array_equal(one.images[0, 0], few.train.images[one.order[0, 0]])
    assert all((chunk.images is None) == (augmentation is None) for chunk in whole)


def test_unknown_augmentation(few):
    with pytest.raises(ModelError, match="unknown augmentation 'cutout'"):
        next(epoch_chunks(few.train, 128, seed=0, epoch=0, augmentation="cutout"))
