"""One exported library for all tests of its folder."""

from pathlib import Path

import pytest
from support.exported import library_of


@pytest.fixture(scope="session")
def library(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of a trained micro-cnn, called digits; nobody writes into it."""
    folder = tmp_path_factory.mktemp("library") / "lib"
    library_of(samples / "model_int8.tflite", folder)
    return folder
