"""Corruptions: repeatable, as strong as they say, worse level by level, and each doing what its name says."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.evaluation.corruptions import CORRUPTIONS, LEVELS, Corruption, corrupt
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime

BY_NAME = {each.name: each for each in CORRUPTIONS}
each_corruption = pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda each: each.name)


def test_what_the_issue_asks_for_is_there() -> None:
    asked = {"noise", "blur", "thicker", "thinner", "rotation", "shear", "scale", "translation", "contrast", "stripes"}
    assert asked <= set(BY_NAME)
    for each in CORRUPTIONS:
        assert len(set(each.strengths)) == len(LEVELS)
        assert "{" not in each.words(1)
        assert each.source


@each_corruption
def test_the_same_seed_gives_the_same_images_of_the_same_kind(mnist: Dataset, corruption: Corruption) -> None:
    images = mnist.test.images[:1200]
    before = images.copy()
    first, again = corrupt(images, corruption, 2), corrupt(images, corruption, 2)
    assert (first.dtype, first.shape) == (np.uint8, images.shape)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(images, before)
    assert not np.array_equal(first, images)
    np.testing.assert_array_equal(first[:1000], corrupt(images[:1000], corruption, 2), "the first thousand stay as they are")
    if corruption.name not in ("blur", "thicker", "thinner", "contrast"):
        assert not np.array_equal(first, corrupt(images, corruption, 2, seed=1))


@each_corruption
def test_a_higher_level_changes_more(mnist: Dataset, corruption: Corruption) -> None:
    images = mnist.test.images[:500]
    changes = [float(np.abs(corrupt(images, corruption, level).astype(float) - images).mean()) for level in LEVELS]
    assert changes == sorted(changes)
    assert changes[0] > 0


def test_each_does_what_it_says(mnist: Dataset) -> None:
    images = mnist.test.images[:500]
    ink = images.astype(float).sum(axis=(1, 2, 3))

    def after(name: str, level: int = 3) -> np.ndarray:
        return corrupt(images, BY_NAME[name], level)

    assert (after("thicker").astype(float).sum(axis=(1, 2, 3)) > ink).all()
    assert (after("thinner").astype(float).sum(axis=(1, 2, 3)) < ink).all()
    assert (after("thinner") <= images).all()
    assert (after("thicker") >= images).all()
    flat = after("contrast")
    assert (flat.min(), flat.max()) == (89, 166)
    flipped = (after("specks") != images).mean()
    assert 0.08 < flipped < 0.2, "some were black or white before"
    lines = (after("stripes", 1) == 255).all(axis=1) | (after("stripes", 1) == 255).all(axis=2)
    assert (lines.sum(axis=(1, 2)) == 1).all()
    blurred = after("blur", 1).astype(float)
    assert abs(blurred.sum() / images.sum() - 1) < 0.01, "blur keeps the ink"
    assert np.abs(np.diff(blurred, axis=1)).sum() < np.abs(np.diff(images.astype(float), axis=1)).sum()


def test_postures_move_the_ink_as_far_as_they_say() -> None:
    point = np.zeros((400, 28, 28, 1), np.uint8)
    point[:, 9:11, 13:15] = 255

    def centres(name: str, level: int) -> np.ndarray:
        moved = corrupt(point, BY_NAME[name], level)[..., 0].astype(float)
        mass = moved.sum(axis=(1, 2))
        rows, columns = np.mgrid[:28, :28] - 13.5
        return np.stack([(moved * rows).sum(axis=(1, 2)) / mass, (moved * columns).sum(axis=(1, 2)) / mass], -1)

    moves = centres("translation", 2) - [-4, 0]
    np.testing.assert_allclose(np.hypot(*moves.T), 4, atol=0.05)
    assert (moves.min(axis=0) < -3).all()
    assert (moves.max(axis=0) > 3).all()
    turned = centres("rotation", 2)
    angles = np.rad2deg(np.arctan2(turned[:, 1], -turned[:, 0]))
    np.testing.assert_allclose(np.abs(angles), 25, atol=1.5)
    assert 0.4 < (angles > 0).mean() < 0.6
    slanted = np.rad2deg(np.arctan2(centres("shear", 1)[:, 1], 4))
    np.testing.assert_allclose(np.abs(slanted), 15, atol=1.5)
    distances = -centres("scale", 3)[:, 0]
    np.testing.assert_allclose(np.sort(np.unique(distances.round())), [3, 6])


def test_colour_channels_are_corrupted_alike(mnist: Dataset) -> None:
    images = np.repeat(mnist.test.images[:50], 3, axis=3)
    for corruption in CORRUPTIONS:
        seen = corrupt(images, corruption, 3)
        assert (seen == seen[..., :1]).all(), corruption.name


def test_what_is_no_batch_of_stored_images_is_refused(mnist: Dataset) -> None:
    with pytest.raises(ValueError, match="uint8"):
        corrupt(as_float(mnist.test.images[:2]), CORRUPTIONS[0], 1)
    with pytest.raises(ValueError, match="level"):
        corrupt(mnist.test.images[:2], CORRUPTIONS[0], 4)
    assert corrupt(mnist.test.images[:0], CORRUPTIONS[0], 1).shape == (0, 28, 28, 1)


def test_a_real_model_still_reads_most_at_level_one_and_less_at_level_three(mnist: Dataset, samples: Path) -> None:
    images, labels = mnist.test.images[:300], mnist.test.labels[:300]
    with get_runtime("litert").load(samples / "model_int8.tflite") as model:
        for corruption in CORRUPTIONS:
            mild, strong = (
                float(np.mean(predict_probabilities(model, corrupt(images, corruption, level), OURS).argmax(axis=1) == labels))
                for level in (1, 3)
            )
            assert mild > 0.6, corruption.name
            assert strong <= mild, corruption.name
