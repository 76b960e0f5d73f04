"""The name of a model: from its metadata, its run's folder, or its file."""

from pathlib import Path

from glyphlite.export.model_name import model_name
from glyphlite.tflite.metadata import ModelMetadata, add_metadata


def test_the_name_of_a_model(samples: Path, tmp_path: Path) -> None:
    """What the file says of itself; a file of a run that says nothing has its run's name."""
    content = (samples / "model_int8.tflite").read_bytes()
    named = add_metadata(content, ModelMetadata(name="a name"))
    assert model_name(tmp_path / "mine.tflite", named) == "a name"
    unnamed = add_metadata(content, ModelMetadata())
    assert model_name(tmp_path / "mine.tflite", unnamed) == "mine"
    assert model_name(samples / "model_int8.tflite", unnamed) == "micro-cnn"
