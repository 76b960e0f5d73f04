"""Keras models of MLPerf Tiny's shapes, untrained and quantized to int8: for kernels and memory plans of that size and wiring.

The benchmark's own files are not part of this repository. Weights are random, so no channel is constant and every class is as
likely; shapes, strides, paddings and the way through the network are those of https://github.com/mlcommons/tiny.
"""

from typing import Any

import numpy as np


def ds_cnn(keras: Any) -> Any:
    """Keyword spotting: a 10x4 convolution of stride 2 on 49x10, four depthwise-separable blocks of 64 channels."""
    source = keras.Input(batch_shape=(1, 49, 10, 1))
    x = _normalized(keras, keras.layers.Conv2D(64, (10, 4), strides=2, padding="same"), source)
    for _ in range(4):
        x = _separable(keras, x, 64)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D((25, 5))(x))
    return keras.Model(source, keras.layers.Dense(12, activation="softmax")(x))


def resnet_8(keras: Any) -> Any:
    """Image classification: three residual blocks of 16, 32 and 64 channels on 32x32x3."""
    layers = keras.layers
    source = keras.Input(batch_shape=(1, 32, 32, 3))
    x = _normalized(keras, layers.Conv2D(16, 3, padding="same"), source)
    for filters, stride in ((16, 1), (32, 2), (64, 2)):
        y = _normalized(keras, layers.Conv2D(filters, 3, strides=stride, padding="same"), x)
        y = layers.Conv2D(filters, 3, padding="same")(y)
        x = x if stride == 1 else layers.Conv2D(filters, 1, strides=stride, padding="same")(x)
        x = layers.ReLU()(layers.Add()([x, y]))
    x = layers.Flatten()(layers.AveragePooling2D(8)(x))
    return keras.Model(source, layers.Dense(10, activation="softmax")(x))


def mobilenet(keras: Any) -> Any:
    """Visual wake words: MobileNetV1 of width 0.25 on 96x96x3."""
    source = keras.Input(batch_shape=(1, 96, 96, 3))
    x = _normalized(keras, keras.layers.Conv2D(8, 3, strides=2, padding="same"), source)
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *(((128, 1),) * 5), (256, 2), (256, 1)):
        x = _separable(keras, x, filters, stride)
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(3)(x))
    return keras.Model(source, keras.layers.Dense(2, activation="softmax")(x))


def autoencoder(keras: Any) -> Any:
    """Anomaly detection: 640 values through dense layers of 128 and 8, and back."""
    source = x = keras.Input(batch_shape=(1, 640))
    for units in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = keras.layers.Dense(units, activation="relu")(x)
    return keras.Model(source, keras.layers.Dense(640)(x))


def wake_word(keras: Any) -> Any:
    """Streaming wake word: a 1-D separable network over 30 slices of 40 features, as maps of width 1."""
    layers = keras.layers
    source = x = keras.Input(batch_shape=(1, 30, 1, 40))
    for taps, filters in ((3, 128), (5, 128), (10, 128), (15, 32)):
        x = layers.DepthwiseConv2D((taps, 1))(x)
        x = layers.Conv2D(filters, 1, activation="relu")(x)
    return keras.Model(source, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))


SHAPES = {"kws": ds_cnn, "ic": resnet_8, "vww": mobilenet, "ad": autoencoder, "sww": wake_word}
"""Builders by the benchmark's names for its models."""


def tiny_file(name: str) -> bytes:
    """Returns the int8 .tflite file of a model of :data:`SHAPES`, the same for the same TensorFlow."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(24)
    model = SHAPES[name](keras)
    rng = np.random.default_rng(24)
    _keep_the_spread(model, rng)
    samples = rng.normal(0, 1, (8, *model.input_shape)).astype(np.float32)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _keep_the_spread(model: Any, rng: np.random.Generator) -> None:
    """Draws weights with which the values of a deep, untrained network neither vanish nor grow."""
    for layer in model.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is not None:
            shape = tuple(kernel.shape)
            products = np.prod(shape[:2]) if "Depthwise" in type(layer).__name__ else np.prod(shape[:-1])
            kernel.assign(rng.normal(0, np.sqrt(2 / products), shape).astype(np.float32))


def _normalized(keras: Any, layer: Any, source: Any) -> Any:
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(layer(source)))


def _separable(keras: Any, source: Any, filters: int, stride: int = 1) -> Any:
    x = _normalized(keras, keras.layers.DepthwiseConv2D(3, strides=stride, padding="same"), source)
    return _normalized(keras, keras.layers.Conv2D(filters, 1), x)
