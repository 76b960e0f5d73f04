"""The float Keras model as a runtime."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ArtifactError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.loading import load_keras_model
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.keras import Keras, KerasModel


def test_predictions_are_the_models_own(samples: Path, mnist: Dataset) -> None:
    images, done = mnist.test.images[:600], []
    with Keras().load(samples / "model.keras") as model:
        found = predict_probabilities(model, images, OURS, done.append)
        seconds = model.time_inferences(as_float(images)[0], 5)
    expected = np.asarray(load_keras_model(samples / "model.keras")(as_float(images)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert sum(done) == 600
    assert seconds.shape == (5,)


def test_a_fixed_batch_is_filled_up(mnist: Dataset) -> None:
    import keras

    image = keras.Input(batch_shape=(4, 28, 28, 1))
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(image)))
    images = as_float(mnist.test.images[:6])
    found = KerasModel(model).predict(images)
    assert found.shape == (6, 10)
    np.testing.assert_allclose(found[:4], np.asarray(model(images[:4])), atol=1e-6)


def test_models_that_are_no_classifiers() -> None:
    import keras

    image = keras.Input((28, 28, 1))
    with pytest.raises(ArtifactError, match=r"net.keras: its output has shape \[1, 28, 28, 1\]"):
        _ = KerasModel(keras.Model(image, keras.layers.Activation("relu")(image)), "net.keras").output
    with pytest.raises(ArtifactError, match="has not been built"):
        KerasModel(keras.Sequential([keras.layers.Dense(10)]), "net.keras")
    with pytest.raises(ArtifactError, match="2 outputs"):
        _ = KerasModel(keras.Model(image, [keras.layers.Flatten()(image)] * 2), "net.keras").output


def test_several_inputs_and_outputs() -> None:
    import keras

    first, second = keras.Input((3,)), keras.Input((2, 3))
    total = keras.layers.Add()([first, keras.layers.GlobalAveragePooling1D()(second)])
    model = KerasModel(keras.Model([first, second], [total, keras.layers.Activation("relu")(second)]))
    a, b = np.arange(15, dtype=np.float32).reshape(5, 3) - 7, np.arange(30, dtype=np.float32).reshape(5, 2, 3) - 20
    found = model.run((a, b))
    np.testing.assert_allclose(found[0], a + b.mean(axis=1), atol=1e-5)
    np.testing.assert_array_equal(found[1], np.maximum(b, 0))
