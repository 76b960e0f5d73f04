"""Keras models from every kind of file that people have: read, or one line that says what to do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.loading import in_float32, load_keras_model, missing_code
from glyphlite.models.pretrained import ROOT

IMAGES = np.random.default_rng(0).random((4, 8, 8, 1), np.float32)


def small(*layers: Any) -> Any:
    """A sequential classifier of three classes with layers of the test's own."""
    import keras

    return keras.Sequential(
        [keras.Input((8, 8, 1)), *layers, keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "saved"])
def test_every_kind_of_file_gives_the_same_predictions(name: str, tmp_path: Path) -> None:
    import keras

    model = small(keras.layers.Conv2D(2, 3))
    path = tmp_path / name
    model.export(path, verbose=False) if name == "saved" else model.save(path)
    loaded = load_keras_model(path)
    assert loaded.inputs[0].shape == (None, 8, 8, 1)
    np.testing.assert_array_equal(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES)))


def test_weights_alone_name_the_two_lines_that_help(tmp_path: Path) -> None:
    for name in ("own.weights.h5", "renamed.h5"):
        small().save_weights(tmp_path / "own.weights.h5")
        path = (tmp_path / "own.weights.h5").rename(tmp_path / name)
        with pytest.raises(ModelError, match="holds weights alone") as caught:
            load_keras_model(path)
        assert f"model.load_weights('{name}'); model.save('model.keras')" in str(caught.value)
        assert "my_model.py:my_function" in str(caught.value)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_code_that_no_file_holds_is_named(suffix: str, tmp_path: Path) -> None:
    import keras

    class Halve(keras.layers.Layer):
        def call(self, images: Any) -> Any:
            return images * 0.5

    path = tmp_path / f"model.{suffix}"
    small(Halve(name="half")).save(path)
    with pytest.raises(ModelError, match=r"has a layer 'half' of the class Halve, whose code is not in the file; write a Python"):
        load_keras_model(path)
    small(keras.layers.Lambda(lambda images: images * 2, name="twice")).save(path)
    with pytest.raises(ModelError, match=r"has a Lambda layer 'twice', whose Python code is not loaded") as caught:
        load_keras_model(path)
    assert "safe_mode" not in str(caught.value)


def test_registered_and_nested_classes_are_named_too(tmp_path: Path) -> None:
    import keras

    @keras.saving.register_keras_serializable(package="mine")
    class Third(keras.layers.Layer):
        def call(self, images: Any) -> Any:
            return images / 3

    small(keras.Sequential([keras.layers.Rescaling(2.0), Third(name="third")])).save(tmp_path / "model.keras")
    del keras.saving.get_custom_objects()["mine>Third"]
    assert "'third'" in str(missing_code(tmp_path / "model.keras"))
    with pytest.raises(ModelError, match=r"a layer 'third' of the class Third \(mine>Third\)"):
        load_keras_model(tmp_path / "model.keras")


def test_our_own_layers_need_no_code() -> None:
    files = sorted(ROOT.rglob("model.keras"))
    assert len(files) > 5
    assert [missing_code(path) for path in files] == [None] * len(files)


def test_folders_that_are_no_saved_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a folder, and no SavedModel"):
        load_keras_model(tmp_path)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_half_precision_comes_out_in_float32(policy: str, tmp_path: Path) -> None:
    import keras
    from keras import layers

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        inner = keras.Sequential([layers.Conv2D(2, 3, activation="relu"), layers.BatchNormalization()])
        model = small(layers.Rescaling(2.0), inner, layers.Reshape((6, 12)), layers.Bidirectional(layers.LSTM(2)))
    finally:
        keras.config.set_dtype_policy(before)
    model.save(tmp_path / "model.keras")
    loaded = load_keras_model(tmp_path / "model.keras")
    assert {layer.compute_dtype for layer in loaded._flatten_layers()} == {"float32"}
    assert all(weight.dtype == "float32" for weight in loaded.weights)
    np.testing.assert_allclose(np.asarray(loaded(IMAGES)), np.asarray(model(IMAGES), np.float32), atol=0.02)
    assert in_float32(loaded, "it") is loaded


def test_half_precision_of_a_lambda_is_left_in_place_with_its_layers_told() -> None:
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small(keras.layers.Lambda(lambda images: images * 2), keras.layers.Conv2D(2, 3))
    finally:
        keras.config.set_dtype_policy(before)
    told = in_float32(model, "lambda")
    assert {layer.compute_dtype for layer in told._flatten_layers()} == {"float32"}
    assert np.asarray(told(IMAGES)).dtype == np.float32
