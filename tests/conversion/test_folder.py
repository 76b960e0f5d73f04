"""A folder of artifacts from one model: whole files with metadata, and nothing half-written when it fails."""

from dataclasses import replace
from pathlib import Path

import pytest

from glyphlite.conversion.folder import convert_to_folder
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ConversionError, OutputError
from glyphlite.models.loading import load_keras_model
from glyphlite.runtimes.registry import INTERPRETERS, accepts
from glyphlite.tflite.metadata import read_metadata


@pytest.mark.slow
def test_artifacts_of_a_trained_model(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    model, done = load_keras_model(samples / "model.keras"), []
    artifacts = convert_to_folder(model, tmp_path / "out", ("float32", "int8"), dataset=mnist, samples=50, progress=done.append)
    assert [artifact.path.name for artifact in artifacts] == ["model_float32.tflite", "model_int8.tflite"]
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == ["model_float32.tflite", "model_int8.tflite"]
    assert done == [1, 1]
    for artifact in artifacts:
        content = artifact.path.read_bytes()
        assert artifact.bytes == len(content)
        assert artifact.notes == artifact.select_tf_ops == ()
        metadata = read_metadata(content)
        assert metadata.labels == mnist.labels
        assert "mnist" in metadata.description
        assert (metadata.mean, metadata.std) == ((0.0,), (255.0,))
        assert all(accepts(runtime, artifact.path).accepts for runtime in INTERPRETERS)
    assert artifacts[0].bytes == pytest.approx(91_000, abs=1_500)
    assert artifacts[1].bytes == pytest.approx(26_600, abs=1_000)


def test_nothing_is_written_for_a_wrong_request(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    model = load_keras_model(samples / "model.keras")
    with pytest.raises(ConversionError, match="no variant 'int7'"):
        convert_to_folder(model, tmp_path / "out", ("float32", "int7"), dataset=mnist)
    with pytest.raises(ConversionError, match="batch of 0 images"):
        convert_to_folder(model, tmp_path / "out", ("float32",), dataset=mnist, batch=0)
    with pytest.raises(ConversionError, match="has 3 classes"):
        convert_to_folder(model, tmp_path / "out", ("float32",), dataset=replace(mnist, labels=("a", "b", "c")))
    with pytest.raises(ConversionError, match="--calibration-samples"):
        convert_to_folder(model, tmp_path / "out", ("int8",), dataset=mnist, samples=0)
    assert not list(tmp_path.glob("out/*"))


def test_a_file_in_the_folders_place_is_refused(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("not a folder")
    with pytest.raises(OutputError, match="choose another with --out"):
        convert_to_folder(load_keras_model(samples / "model.keras"), tmp_path / "out", ("float32",), dataset=mnist)
