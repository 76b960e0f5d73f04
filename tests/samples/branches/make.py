"""Makes model_int8.tflite beside it: an untrained little network with every kind of branch, for readers, pictures and mutants.

A residual, three ways into one concatenation, and squeeze and excitation: CONV_2D, DEPTHWISE_CONV_2D, ADD, AVERAGE_POOL_2D,
MAX_POOL_2D, HARD_SWISH, CONCATENATION, PAD, MEAN, LOGISTIC, MUL, FULLY_CONNECTED, SOFTMAX.
"""

from pathlib import Path

from glyphlite.console import quiet_tensorflow

quiet_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402

from glyphlite.conversion.converter import convert  # noqa: E402

if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    image = keras.Input((28, 28, 1), name="image")
    trunk = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(image)
    branch = keras.layers.DepthwiseConv2D(3, padding="same", activation="relu6")(trunk)
    branch = keras.layers.Conv2D(8, 1)(branch)
    trunk = keras.layers.Add()([trunk, branch])
    ways = [
        keras.layers.AveragePooling2D(2)(trunk),
        keras.layers.MaxPooling2D(2)(trunk),
        keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="hard_swish")(trunk),
    ]
    joined = keras.layers.ZeroPadding2D(1)(keras.layers.Concatenate()(ways))
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True)(joined)
    gate = keras.layers.Conv2D(20, 1, activation="sigmoid")(gate)
    joined = keras.layers.Multiply()([joined, gate])
    scores = keras.layers.Dense(10, activation="softmax")(keras.layers.GlobalAveragePooling2D()(joined))
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28, 1), np.uint8)
    conversion = convert(keras.Model(image, scores, name="branches"), "int8", representative=images)
    Path(__file__).with_name("model_int8.tflite").write_bytes(conversion.content)
