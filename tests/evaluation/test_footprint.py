"""Sizes of the real sample files."""

from pathlib import Path

import pytest

from glyphlite.errors import ArtifactError
from glyphlite.evaluation.footprint import measure_footprint


@pytest.mark.parametrize(("variant", "bytes_a_weight"), [("float32", 4), ("float16", 2), ("int8", 1)])
def test_weights_are_weighed_as_stored(variant: str, bytes_a_weight: int, samples: Path):
    path = samples / f"model_{variant}.tflite"
    footprint = measure_footprint(path)
    assert footprint.bytes == path.stat().st_size
    # Biases and shapes are wider than int8; there are few of them.
    assert 21_898 * bytes_a_weight <= footprint.weight_bytes <= 21_898 * bytes_a_weight + 200


def test_what_is_no_model_is_refused(tmp_path: Path):
    with pytest.raises(ArtifactError):
        measure_footprint(tmp_path / "absent.tflite")
