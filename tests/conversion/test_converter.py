"""Real conversions of real models by TensorFlow's converter, and what comes of models that it cannot express."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite.conversion.calibration import representative_images
from glyphlite.conversion.converter import Conversion, convert, convert_exported, exported
from glyphlite.conversion.variants import VARIANT_NAMES, get_variant
from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.errors import ConversionError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.loading import load_keras_model
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import accepts, get_runtime
from glyphlite.tflite.metadata import read_labels
from glyphlite.tflite.reader import parse_graph

FOLDED = ["CONV_2D", "CONV_2D", "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
DIGITS = tuple("0123456789")


@pytest.fixture(scope="module")
def calibration(mnist: Dataset) -> np.ndarray:
    return representative_images(mnist, 20)


@pytest.fixture(scope="module")
def normalized() -> Any:
    """Batch normalization after convolutions and dense layers, with statistics as after training, and dropout."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1))
    tensor: Any = image
    for filters in (4, 6):
        tensor = layers.Conv2D(filters, 5, strides=2, use_bias=False, padding="same")(tensor)
        tensor = layers.Dropout(0.25)(layers.Activation("relu")(layers.BatchNormalization(scale=False)(tensor)))
    tensor = layers.Dense(12, use_bias=False)(layers.Flatten()(tensor))
    tensor = layers.Dropout(0.25)(layers.Activation("relu")(layers.BatchNormalization()(tensor)))
    model = keras.Model(image, layers.Dense(10, activation="softmax")(tensor), name="normalized")
    generator = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([generator.uniform(0.2, 1.5, weight.shape) for weight in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def converted(normalized: Any, calibration: np.ndarray) -> dict[str, Conversion]:
    with exported(normalized) as saved:
        return {
            name: convert_exported(saved, name, representative=calibration, labels=DIGITS, description="For a test.")
            for name in VARIANT_NAMES
        }


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANT_NAMES)
def test_batch_normalization_is_folded_and_dropout_gone(variant: str, converted: dict[str, Conversion]) -> None:
    graph = parse_graph(converted[variant].content)
    operators = [operator.name for operator in graph.operators if operator.name != "DEQUANTIZE"]
    assert operators == FOLDED
    assert graph.input.shape == (1, 28, 28, 1)
    assert graph.input.dtype == graph.output.dtype == np.dtype(get_variant(variant).ports)
    assert graph.signatures == ("serving_default",)
    assert (graph.input.name, graph.output.name) == ("image", "probability")
    assert len({tensor.name for tensor in graph.tensors}) == len(graph.tensors)
    assert graph.description.startswith("For a test.")
    assert read_labels(converted[variant].content) == DIGITS
    assert converted[variant].verifiable


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "tolerance"), [("float32", 1e-5), ("float16", 5e-3), ("dynamic", 0.1), ("int8", 0.15), ("int16x8", 0.1)]
)
def test_artifacts_say_what_the_model_says(
    variant: str, tolerance: float, converted: dict[str, Conversion], normalized: Any, mnist: Dataset, tmp_path: Path
) -> None:
    images = mnist.test.images[:50]
    path = tmp_path / "model.tflite"
    path.write_bytes(converted[variant].content)
    with get_runtime("litert").load(path) as model:
        found = predict_probabilities(model, images, OURS)
    np.testing.assert_allclose(found, np.asarray(normalized(as_float(images))), atol=tolerance)


@pytest.mark.slow
def test_the_same_model_gives_the_same_bytes(converted: dict[str, Conversion], normalized: Any, calibration: np.ndarray) -> None:
    again = convert(normalized, "int8", representative=calibration, labels=DIGITS, description="For a test.")
    assert hashlib.sha256(again.content).digest() == hashlib.sha256(converted["int8"].content).digest()


@pytest.mark.slow
def test_a_free_batch_takes_any_number_of_images(samples: Path, mnist: Dataset, tmp_path: Path) -> None:
    model = load_keras_model(samples / "model.keras")
    path = tmp_path / "model.tflite"
    path.write_bytes(convert(model, "float32", batch=None).content)
    images = mnist.test.images[:300]
    with get_runtime("litert", isolated=False).load(path) as loaded:
        expected = np.asarray(model(as_float(images)))
        np.testing.assert_allclose(predict_probabilities(loaded, images, OURS), expected, atol=1e-5)
        single = predict_probabilities(loaded, images[:1], OURS)
    np.testing.assert_allclose(single, np.asarray(model(as_float(images[:1]))), atol=1e-5)
    assert parse_graph(path.read_bytes()).input.shape == (-1, 28, 28, 1)


@pytest.mark.slow
def test_a_fixed_batch_of_several_is_filled_up(samples: Path, mnist: Dataset, calibration: np.ndarray, tmp_path: Path) -> None:
    model = load_keras_model(samples / "model.keras")
    path = tmp_path / "model.tflite"
    path.write_bytes(convert(model, "int8", batch=8, representative=calibration).content)
    images = mnist.test.images[:21]
    with get_runtime("litert_builtin", isolated=False).load(path) as loaded:
        found = predict_probabilities(loaded, images, OURS)
    assert found.shape == (21, 10)
    assert (found.argmax(axis=1) == np.asarray(model(as_float(images))).argmax(axis=1)).mean() > 0.9
    refused = accepts("tflm", path)
    assert not refused.accepts
    assert "--batch 1" in str(refused.reason)


def test_the_converters_noise_stays_out(samples: Path, capfd: pytest.CaptureFixture[str]) -> None:
    convert(load_keras_model(samples / "model.keras"), "float32")
    assert capfd.readouterr() == ("", "")


def _with_layer(layer: Any) -> Any:
    """A small classifier with a layer of ours in its middle."""
    import keras
    from keras import layers

    image = keras.Input((28, 28, 1))
    tensor = layer(layers.Conv2D(2, 3, name="conv")(image))
    return keras.Model(image, layers.Dense(10, activation="softmax", name="pred")(layers.Flatten()(tensor)), name="net")


def _layer(function: Any) -> Any:
    import keras

    class Odd(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return function(inputs)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    return Odd(name="odd")


@pytest.mark.slow
def test_ops_of_tensorflow_are_said_and_rule_runtimes_out(calibration: np.ndarray, tmp_path: Path) -> None:
    import tensorflow as tf

    def count_values(inputs: Any) -> Any:
        values, _ = tf.raw_ops.UniqueV2(x=tf.reshape(inputs, [-1]), axis=[0])
        return inputs + tf.cast(tf.size(values), tf.float32)

    model = _with_layer(_layer(count_values))
    conversion = convert(model, "float32")
    assert conversion.select_tf_ops == ("FlexUniqueV2",)
    assert not conversion.verifiable
    assert "not verified" in conversion.notes[0]
    path = tmp_path / "model.tflite"
    path.write_bytes(conversion.content)
    for runtime in ("litert", "litert_builtin", "litert_reference", "tflm"):
        assert runtime in conversion.ruled_out
        acceptance = accepts(runtime, path)
        assert not acceptance.accepts
        assert "SELECT_TF_OPS" in str(acceptance.reason)
    with pytest.raises(ConversionError, match=r"int8.*calibration would have to execute FlexUniqueV2"):
        convert(model, "int8", representative=calibration)


@pytest.mark.slow
def test_a_layer_that_cannot_be_converted_is_named() -> None:
    import tensorflow as tf

    with pytest.raises(ConversionError, match=r"layer 'odd'.*op Asinh"):
        convert(_with_layer(_layer(tf.asinh)), "float32")


@pytest.mark.slow
def test_a_layer_that_cannot_be_traced_is_named() -> None:
    def touches_values(inputs: Any) -> Any:
        if inputs.__class__.__name__ != "KerasTensor":
            raise RuntimeError("values wanted")
        return inputs

    with pytest.raises(ConversionError, match=r"layer 'odd'"):
        convert(_with_layer(_layer(touches_values)), "float32")


@pytest.mark.slow
def test_what_stays_in_float_is_noted(calibration: np.ndarray) -> None:
    import tensorflow as tf

    conversion = convert(_with_layer(_layer(tf.sin)), "int8", representative=calibration)
    assert conversion.notes == ("not integer only: SIN runs in float32, for want of an integer kernel",)


def test_unknown_variants_and_missing_images_are_refused(samples: Path, mnist: Dataset) -> None:
    model = load_keras_model(samples / "model.keras")
    with pytest.raises(ConversionError, match=r"no variant 'int4' \(did you mean int8\?\); choose from float32"):
        convert(model, "int4")
    with pytest.raises(ConversionError, match="needs representative images"):
        convert(model, "int8")
    with pytest.raises(ConversionError, match="needs representative images"):
        convert(model, "int16x8", representative=np.empty((0, 28, 28, 1), np.uint8))
    with pytest.raises(ConversionError, match=r"takes images of shape \[28, 28, 1\]"):
        convert(model, "int8", representative=np.zeros((3, 32, 32, 1), np.uint8))
    with pytest.raises(TypeError, match="expected uint8 pixels"):
        convert(model, "int8", representative=np.zeros((3, 28, 28, 1), np.float32))


def test_models_of_other_shapes_are_refused() -> None:
    import keras

    with pytest.raises(ConversionError, match="has not been built"):
        convert(keras.Sequential([keras.layers.Dense(10)]), "float32")
    free = keras.Input((None, None, 1))
    with pytest.raises(ConversionError, match="must be fixed numbers"):
        convert(keras.Model(free, keras.layers.GlobalAveragePooling2D()(free)), "float32")
    two = [keras.Input((28, 28, 1)), keras.Input((28, 28, 1))]
    with pytest.raises(ConversionError, match="2 inputs and 1 output,"):
        convert(keras.Model(two, keras.layers.Add()(two)), "float32")
