"""Representative data: only from training, every class alike, and what its number is worth."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.conversion.calibration import calibration_effect, representative_images, without_softmax
from glyphlite.datasets.dataset import Dataset, Split, as_float
from glyphlite.errors import ConversionError
from glyphlite.models.loading import load_keras_model
from glyphlite.runtimes.registry import probabilities_of


def _classes(images: np.ndarray, split: Split) -> list[int]:
    """The labels of images found in a split by their bytes; KeyError when one is not in it."""
    labels = {image.tobytes(): int(label) for image, label in zip(split.images, split.labels, strict=True)}
    return [labels[image.tobytes()] for image in images]


@pytest.mark.parametrize("samples", [1, 10, 37, 300])
def test_every_class_alike_from_training_only(samples: int, mnist: Dataset) -> None:
    images = representative_images(mnist, samples)
    assert images.shape == (samples, 28, 28, 1)
    assert images.dtype == np.uint8
    counts = np.bincount(_classes(images, mnist.train), minlength=10)
    assert counts.max() - counts.min() <= 1


def test_seeded_and_smaller_draws_begin_larger_ones(mnist: Dataset) -> None:
    larger = representative_images(mnist, 100, seed=3)
    np.testing.assert_array_equal(larger[:40], representative_images(mnist, 40, seed=3))
    assert not np.array_equal(larger, representative_images(mnist, 100, seed=4))


def test_all_there_are_when_fewer(mnist: Dataset) -> None:
    few = replace(mnist, train=Split(mnist.train.images[:25], mnist.train.labels[:25]))
    assert len(representative_images(few, 300)) == 25


def test_nothing_to_draw_is_refused(mnist: Dataset) -> None:
    with pytest.raises(ConversionError, match="--calibration-samples 1 or more"):
        representative_images(mnist, 0)
    empty = replace(mnist, train=Split(mnist.train.images[:0], mnist.train.labels[:0]))
    with pytest.raises(ConversionError, match="no training images"):
        representative_images(empty, 10)


def test_logits_keep_the_classes(samples: Path, mnist: Dataset) -> None:
    model = load_keras_model(samples / "model.keras")
    images = as_float(mnist.validation.images[:64])
    logits, probabilities = np.asarray(without_softmax(model)(images)), np.asarray(model(images))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(exponentials / exponentials.sum(axis=1, keepdims=True), probabilities, atol=1e-5)


@pytest.mark.slow
def test_more_calibration_gives_smaller_errors(samples: Path, mnist: Dataset) -> None:
    model = load_keras_model(samples / "model.keras")
    one, many = calibration_effect(model, mnist, probabilities_of, counts=(1, 100), images=500)
    assert (one.samples, many.samples, many.images) == (1, 100, 500)
    assert many.mean_logit_error < one.mean_logit_error
    assert many.mean_logit_error <= many.largest_logit_error
    assert many.agreement > 0.97
    assert abs(many.accuracy - many.keras_accuracy) < 0.02
