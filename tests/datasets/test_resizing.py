"""Images brought to the size and the channels of a model, and what is said of it."""

from dataclasses import replace

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.datasets.resizing import fit_images
from glyphlite.errors import DataError


@pytest.fixture
def small(mnist: Dataset) -> Dataset:
    splits = {name: getattr(mnist, name) for name in ("train", "validation", "test")}
    return replace(mnist, **{name: Split(split.images[:5], split.labels[:5]) for name, split in splits.items()})


def test_images_that_fit_are_left_alone(small: Dataset, capfd) -> None:
    assert fit_images(small, (28, 28, 1)) is small
    assert capfd.readouterr().err == ""


def test_grey_is_repeated_for_a_model_in_colour(small: Dataset, capfd) -> None:
    fitted = fit_images(small, (28, 28, 3))
    assert fitted.input_shape == (28, 28, 3)
    for channel in range(3):
        np.testing.assert_array_equal(fitted.test.images[..., channel], small.test.images[..., 0])
    assert "grey is repeated in the model's 3 channels" in capfd.readouterr().err


def test_other_sizes_are_resized_each_split_with_its_labels(small: Dataset, capfd) -> None:
    fitted = fit_images(small, (56, 14, 1))
    assert fitted.input_shape == (56, 14, 1)
    assert fitted.train.images.dtype == np.uint8
    for name in ("train", "validation", "test"):
        mine, theirs = getattr(fitted, name), getattr(small, name)
        np.testing.assert_array_equal(mine.labels, theirs.labels)
        assert abs(mine.images.mean() - theirs.images.mean()) < 2
    assert "images of 28x28 are resized to 56x14" in capfd.readouterr().err


def test_colour_for_a_model_in_grey_is_refused(small: Dataset) -> None:
    with pytest.raises(DataError, match="have 3 channels, the model takes 1"):
        fit_images(fit_images(small, (28, 28, 3)), (28, 28, 1))
