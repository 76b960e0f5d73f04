"""Weights out of a model and back into its architecture."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.conversion.weights import check_round_trip, load_weights, rebuilt
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ModelError
from glyphlite.models.loading import load_keras_model
from glyphlite.models.saving import stored_weights


def _weights(samples: Path, folder: Path) -> Path:
    """The sample's weights as the training writes them."""
    path = folder / "model.weights.h5"
    path.write_bytes(stored_weights(samples / "model.keras"))
    return path


def test_predictions_are_equal_after_the_round_trip(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    model = load_keras_model(samples / "model.keras")
    path = _weights(samples, tmp_path)
    content = path.read_bytes()
    check_round_trip(model, path, images=as_float(mnist.test.images[:100]))
    assert list(tmp_path.iterdir()) == [path], "what is checked is not written"
    assert path.read_bytes() == content
    fresh = rebuilt(model)
    assert not np.array_equal(fresh.get_weights()[0], model.get_weights()[0])
    for found, expected in zip(load_weights(fresh, path).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_weights_that_do_not_come_back_are_noticed(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    import keras

    model = load_keras_model(samples / "model.keras")

    def other_activation() -> keras.Model:
        twin = rebuilt(model)
        twin.get_layer("fc").activation = keras.activations.tanh
        return twin

    with pytest.raises(ModelError, match="predicts otherwise"):
        check_round_trip(model, _weights(samples, tmp_path), images=as_float(mnist.test.images[:10]), rebuild=other_activation)


def test_weights_of_another_architecture_are_refused(samples: Path, tmp_path: Path) -> None:
    import keras

    model = load_keras_model(samples / "model.keras")
    path = _weights(samples, tmp_path)
    image = keras.Input((28, 28, 1))
    other = keras.Model(image, keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(image)), name="other")
    with pytest.raises(ModelError, match="does not hold the weights of other"):
        load_weights(other, path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="does not hold the weights of micro_cnn"):
        load_weights(model, path)
    with pytest.raises(ModelError, match="No such file"):
        load_weights(model, tmp_path / "absent.weights.h5")
