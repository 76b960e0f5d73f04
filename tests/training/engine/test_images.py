"""Training images from the compiled engine against those from TensorFlow's graph."""

import numpy as np
import pytest

from glyphlite.datasets.dataset import Split
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.training.batches import Batches
from glyphlite.training.engine.images import TrainingImages

SEED = np.array([3, 5], np.int32)


@pytest.fixture(scope="module")
def split() -> Split:
    rng = np.random.default_rng(0)
    return Split(rng.integers(0, 256, (60, 28, 28, 1), dtype=np.uint8), rng.integers(0, 10, 60).astype(np.uint8))


@pytest.mark.parametrize("photometric", [None, "occluded_coarse"])
@pytest.mark.parametrize("augmentation", [None, "affine", "elastic"])
def test_images_are_the_same_in_both(split: Split, augmentation: str | None, photometric: str | None):
    recipe = Recipe("test", 1, 60, Schedule("constant", peak=0.1), augmentation=augmentation, photometric=photometric)
    chunk = next(Batches.of_recipe(recipe, len(split), (28, 28), 0).epoch(0))
    order = chunk.order[0]
    transforms = np.zeros((len(order), 0), np.float32) if chunk.transforms is None else chunk.transforms[0]
    compiled, plain = (
        np.asarray(TrainingImages(split, recipe, None, compiled=compiled)(order, transforms, SEED)) for compiled in (True, False)
    )
    np.testing.assert_allclose(compiled, plain, atol=5e-5)
    untouched = np.abs(compiled - split.images[order] / np.float32(255)).max(axis=(1, 2, 3)) < 1e-6
    assert untouched.all() == (augmentation is None and photometric is None)
