"""What the page's tests share: the page of the sample model, exported once."""

from pathlib import Path

import pytest

from glyphlite.export.web import WebExport, export_web


@pytest.fixture(scope="session")
def page(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> WebExport:
    """The page of micro-cnn's int8 file."""
    return export_web(samples / "model_int8.tflite", tmp_path_factory.mktemp("web") / "page")
