"""What many tests share: the true MNIST, loaded once, and a trained micro-cnn in all five variants."""

from pathlib import Path

import pytest

from glyphlite.console import quiet_tensorflow
from glyphlite.data.records import Dataset

quiet_tensorflow()


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """The true MNIST through glyphlite's own sources (the user's cache after the first time)."""
    from glyphlite.data.datasets import load_dataset

    return load_dataset("mnist")


@pytest.fixture(scope="session")
def samples() -> Path:
    """A trained micro-cnn: model.keras and model_{float32,float16,dynamic,int8,int16x8}.tflite, batch 1."""
    return Path(__file__).parent / "data" / "micro-cnn"
