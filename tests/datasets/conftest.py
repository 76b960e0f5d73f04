"""Four classes of strokes that differ when transposed, and a few real digits: small sets that every arrangement is made of."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset

Arrays = tuple[np.ndarray, np.ndarray]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keeps normalized pictures out of the user's cache."""
    place = tmp_path_factory.mktemp("pictures")
    monkeypatch.setattr("glyphlite.datasets.own.picture_cache.cache_place", lambda: place)
    return place


@pytest.fixture(scope="session")
def strokes() -> Arrays:
    """Returns 120 images of four classes (upright, level, falling, rising), uint8 ``(n, 28, 28)``, and their labels."""
    rng = np.random.default_rng(0)
    images, labels = np.zeros((120, 28, 28), np.uint8), np.arange(120) % 4
    along = np.arange(-5, 6)
    for image, label in zip(images, labels, strict=True):
        row, column = rng.integers(7, 20, 2)
        rows, columns = [
            (row + along, column + 0 * along),
            (row + 0 * along, column + along),
            (row + along, column + along),
            (row + along, column - along),
        ][label]
        image[rows, columns] = image[rows, columns + 1] = rng.integers(180, 256)
    images[0].flat[np.argmax(images[0])] = 255
    return images, labels


@pytest.fixture(scope="session")
def digits(mnist: Dataset) -> Arrays:
    """Returns 400 real digits, uint8 ``(n, 28, 28)``, and their labels."""
    return mnist.train.images[:400, ..., 0], mnist.train.labels[:400]
