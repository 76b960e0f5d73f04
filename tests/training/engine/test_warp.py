"""The compiled warps against those of TensorFlow's graph."""

import os

import numpy as np
import pytest

from glyphlite.training.augmentation.image_ops import normalized, warped
from glyphlite.training.batches import Batches
from glyphlite.training.engine import warp as warp_module
from glyphlite.training.engine.warp import warp_of


def _images(height: int, width: int, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("augmentation", ["affine_strong", "elastic"])
@pytest.mark.parametrize("size", [(28, 28), (9, 17)])
def test_images_are_warped_as_in_tensorflow(augmentation: str, size: tuple[int, int]):
    images = _images(*size)
    warp = warp_of(images, augmentation)
    assert warp is not None
    chunk = next(iter(Batches(len(images), size, 40, 1, augmentation).epoch(0)))
    assert chunk.transforms is not None
    order, transforms = chunk.order[0], chunk.transforms[0]
    np.testing.assert_allclose(warp(order, transforms), warped(normalized(images[order]), transforms), atol=2e-5)


def test_places_far_outside_are_black():
    images = np.full((1, 8, 8, 1), 255, np.uint8)
    warp = warp_of(images, "affine")
    assert warp is not None
    far = np.array([[1, 0, 1e30, 0, 1, -1e30, 0, 0]], np.float32)
    assert not np.any(warp(np.zeros(1, np.int32), far))


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    images = _images(28, 28)
    chunk = next(iter(Batches(len(images), (28, 28), 40, 1, "elastic").epoch(0)))
    results = []
    for threads in (1, 3, 64):
        monkeypatch.setattr(warp_module, "processors", lambda threads=threads: threads)
        warp = warp_of(images, "elastic")
        assert warp is not None
        assert chunk.transforms is not None
        results.append(np.asarray(warp(chunk.order[0], chunk.transforms[0])))
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


@pytest.mark.parametrize(("images", "augmentation"), [((28, 28, 3), "affine"), ((257, 8, 1), "affine"), ((28, 28, 1), None)])
def test_what_it_has_no_warp_for_is_left_to_tensorflow(images: tuple[int, int, int], augmentation: str | None):
    assert warp_of(_images(*images), augmentation) is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux lets a process choose its processors")
def test_one_processor_is_enough_for_several_threads(monkeypatch: pytest.MonkeyPatch):
    """A thread begins elsewhere than the one that begins it, if there is an elsewhere, and may then go where that one may."""
    images = _images(28, 28)
    transforms = np.tile(np.array([1, 0, 3, 0, 1, -2, 0, 0], np.float32), (40, 1))
    allowed = os.sched_getaffinity(0)
    monkeypatch.setattr(warp_module, "processors", lambda: 3)
    warp = warp_of(images, "affine")
    assert warp is not None
    results = [np.asarray(warp(np.arange(40, dtype=np.int32), transforms))]
    try:
        os.sched_setaffinity(0, {min(allowed)})
        results.append(warp._warp(np.arange(40, dtype=np.int32), transforms, np.zeros(2, np.int32)))
    finally:
        os.sched_setaffinity(0, allowed)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(results[0][:, 2:, :-3, 0], images[:, :-2, 3:, 0] / np.float32(255), atol=1e-6)
