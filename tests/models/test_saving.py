"""The bytes of a .keras file are the model's alone; tests/reproducible saves one in two processes."""

import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from glyphlite.models.loading import load_keras_model
from glyphlite.models.registry import resolve_model
from glyphlite.models.saving import save_keras, without_circumstances


@pytest.mark.slow
def test_two_moments_write_the_same_bytes_and_the_same_model_comes_back(tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(1)
    model = resolve_model("mlp", (28, 28, 1), 10).build()
    first = save_keras(model, tmp_path / "first.keras").read_bytes()
    time.sleep(1.1)  # the date in a file of Keras's own has seconds
    assert save_keras(model, tmp_path / "second.keras").read_bytes() == first
    back = load_keras_model(tmp_path / "second.keras")
    for mine, theirs in zip(back.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_shared_objects_stay_shared_and_apart(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    config = {"a": {"shared_object_id": 140522971109840}, "b": [{"shared_object_id": 7}, {"shared_object_id": 140522971109840}]}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3", "date_saved": "now"}))
        archive.writestr("assets/words.txt", b"\x00kept")
    path.write_bytes(without_circumstances(path.read_bytes()))
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("config.json")) == {
            "a": {"shared_object_id": 0},
            "b": [{"shared_object_id": 1}, {"shared_object_id": 0}],
        }
        assert json.loads(archive.read("metadata.json")) == {"keras_version": "3"}
        assert archive.read("assets/words.txt") == b"\x00kept"
