"""Multiply-accumulates of Keras layers, against sums done by hand."""

import pytest

from glyphlite.models.cost import keras_macs


def _macs(*layers, shape=(9, 8, 3)):
    import keras

    return keras_macs(keras.Sequential([keras.Input(shape), *layers]))


@pytest.mark.parametrize(
    ("layer", "arguments", "expected"),
    [
        ("Conv2D", {"filters": 4, "kernel_size": 3}, 7 * 6 * 3 * 3 * 3 * 4),
        ("Conv2D", {"filters": 4, "kernel_size": (3, 2), "strides": 2, "padding": "same"}, 5 * 4 * 3 * 2 * 3 * 4),
        ("Conv2D", {"filters": 6, "kernel_size": 3, "groups": 3}, 7 * 6 * 3 * 3 * 1 * 6),
        ("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, 7 * 6 * 3 * 3 * 3 * 2),
        ("SeparableConv2D", {"filters": 5, "kernel_size": 3}, 7 * 6 * (3 * 3 * 3 + 3 * 5)),
        ("Conv2DTranspose", {"filters": 2, "kernel_size": 2, "strides": 2}, 9 * 8 * 2 * 2 * 3 * 2),
        ("Dense", {"units": 5}, 9 * 8 * 3 * 5),
        ("MaxPooling2D", {}, 0),
        ("BatchNormalization", {}, 0),
    ],
)
def test_layer(layer, arguments, expected):
    import keras

    assert _macs(getattr(keras.layers, layer)(**arguments)) == expected


def test_shared_and_nested_layers_count_each_use():
    import keras

    shared = keras.layers.Dense(4)
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6)])
    image = keras.Input((4,))
    assert keras_macs(keras.Model(image, inner(shared(shared(image))))) == 2 * 16 + 24
