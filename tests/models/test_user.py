"""Models that users bring: what is taken, and one clear line for each that is not."""

import re
from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.registry import resolve_model
from glyphlite.models.user import load_keras_model

GOOD = """
import keras

def plain():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])

def sized(input_shape, classes):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(classes, "softmax")])

def sizeless():
    return keras.Sequential([
        keras.Input((None, None, 1)), keras.layers.Conv2D(4, 3),
        keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10, "softmax")])
"""

BAD = """
import keras
from keras import layers

not_callable = 3

def nothing():
    return None

def raises():
    raise RuntimeError("no such luck\\nsecond line")

def logits():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])

def unbuilt():
    return keras.Sequential([layers.Flatten(), layers.Dense(10, "softmax")])

def eleven():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(11, "softmax")])

def larger():
    return keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(10, "softmax")])

def images():
    return keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(10, 3, activation="softmax")])

def two_inputs():
    a, b = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    return keras.Model([a, b], layers.Dense(10, "softmax")(layers.Flatten()(layers.Add()([a, b]))))
"""


@pytest.fixture
def good(tmp_path) -> Path:
    path = tmp_path / "good.py"
    path.write_text(GOOD)
    return path


@pytest.fixture
def bad(tmp_path) -> Path:
    path = tmp_path / "bad.py"
    path.write_text(BAD)
    return path


@pytest.mark.parametrize("function", ["plain", "sized", "sizeless"])
def test_functions_that_return_classifiers(good, function):
    choice = resolve_model(f"{good}:{function}", (28, 28, 1), 10)
    model = choice.build()
    assert choice.name == function
    assert model(np.zeros((2, 28, 28, 1), np.float32)).shape == (2, 10)


def test_function_is_told_the_shape(good):
    assert resolve_model(f"{good}:sized", (8, 9, 3), 4).build().input_shape == (None, 8, 9, 3)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("missing", "has no function missing"),
        ("not_callable", "has no function not_callable"),
        ("nothing", "returned NoneType, expected a Keras model"),
        ("raises", "raises of .*bad.py failed: no such luck second line"),
        ("logits", "does not give probabilities"),
        ("unbuilt", "has no input shape"),
        ("eleven", "gives 11 values per image, the dataset has 10 classes"),
        ("larger", "takes images of 32x32x3, the dataset's are 28x28x1"),
        ("images", "gives 26x26x10 values per image"),
        ("two_inputs", "has 2 inputs and 1 outputs"),
    ],
)
def test_functions_that_do_not(bad, function, words):
    with pytest.raises(ModelError, match=words) as caught:
        resolve_model(f"{bad}:{function}", (28, 28, 1), 10).build()
    assert "\n" not in str(caught.value)


def test_broken_program(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("def model(:\n")
    with pytest.raises(ModelError, match=re.escape(f"running {path} failed")):
        resolve_model(f"{path}:model", (28, 28, 1), 10).build()


@pytest.mark.parametrize("text", ["nowhere.py:model", "nowhere.keras"])
def test_missing_file(text):
    with pytest.raises(ModelError, match=r"cannot read the model nowhere.*No such file"):
        resolve_model(text, (28, 28, 1), 10)


def test_python_file_without_function(good):
    with pytest.raises(ModelError, match=r"which function of .*good.py returns the model"):
        resolve_model(str(good), (28, 28, 1), 10)


def test_keras_file_brings_its_weights(samples):
    choice = resolve_model(str(samples / "model.keras"), (28, 28, 1), 10)
    first, second = choice.build().get_weights(), load_keras_model(samples / "model.keras").get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_keras_file_of_another_shape(samples):
    with pytest.raises(ModelError, match="takes images of 28x28x1, the dataset's are 32x32x3"):
        resolve_model(str(samples / "model.keras"), (32, 32, 3), 10).build()


@pytest.mark.parametrize("content", [b"", b"not a model", b"PK\x03\x04" + bytes(100)])
def test_keras_file_of_rubbish(tmp_path, content):
    path = tmp_path / "rubbish.keras"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot load .*rubbish.keras as a Keras model"):
        load_keras_model(path)


def test_keras_file_may_not_bring_code(tmp_path):
    import keras

    path = tmp_path / "lambda.keras"
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Lambda(lambda x: x), keras.layers.Flatten()]).save(path)
    with pytest.raises(ModelError, match=r"cannot load .*lambda.keras"):
        load_keras_model(path)
