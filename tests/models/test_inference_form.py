"""Layers that only augment: the identity at inference, in every kind of model; recurrent ones written out step by step."""

from typing import Any

import numpy as np
import pytest

from glyphlite.models.inference_form import can_unroll, is_augmenting, unrolled, without_augmentation

IMAGES = np.random.default_rng(0).random((2, 8, 8, 1), dtype=np.float32)


def augmenting_layers() -> list[str]:
    from keras import layers

    return [name for name in dir(layers) if name.startswith("Rand")] + ["MixUp", "CutMix", "AugMix", "Solarization"]


def made(name: str) -> Any:
    """The layer of that name."""
    from keras import layers

    given = {
        "RandomBrightness": (0.1,),
        "RandomContrast": (0.1,),
        "RandomCrop": (4, 4),
        "RandomHue": (0.1,),
        "RandomPosterization": (4,),
        "RandomRotation": (0.1,),
        "RandomSaturation": (0.1,),
        "RandomSharpness": (0.1,),
        "RandomTranslation": (0.1, 0.1),
        "RandomZoom": (0.1,),
        "RandomColorDegeneration": (0.1,),
        "GaussianNoise": (0.1,),
        "GaussianDropout": (0.1,),
        "AlphaDropout": (0.1,),
        "Dropout": (0.1,),
        "SpatialDropout2D": (0.1,),
    }
    return getattr(layers, name)(*given.get(name, ()))


def test_what_is_left_out_changes_nothing_at_inference() -> None:
    names = [*augmenting_layers(), "GaussianNoise", "GaussianDropout", "AlphaDropout", "Dropout", "SpatialDropout2D"]
    assert len(names) > 25
    for name in names:
        layer = made(name)
        assert is_augmenting(layer), name
        np.testing.assert_array_equal(np.asarray(layer(IMAGES, training=False)), IMAGES, err_msg=name)


def test_what_computes_stays() -> None:
    from keras import layers

    kinds = (layers.Dense(2), layers.Rescaling(2.0), layers.CenterCrop(4, 4), layers.Resizing(4, 4), layers.Normalization())
    assert not any(is_augmenting(layer) for layer in kinds)


def model_of(kind: str) -> Any:
    """The same classifier, its augmentation where each kind of model keeps it."""
    import keras
    from keras import layers

    def augmentation() -> Any:
        return keras.Sequential([layers.RandomFlip(), layers.RandomSharpness(0.1)])  # the second counts even at inference

    if kind == "sequential":
        return keras.Sequential([keras.Input((8, 8, 1)), augmentation(), layers.Flatten(), layers.Dense(3, name="scores")])
    image = keras.Input((8, 8, 1))
    if kind == "functional":
        tensor = layers.GaussianNoise(0.5)(augmentation()(layers.RandomContrast(0.2)(image)))
        return keras.Model(image, layers.Dense(3, name="scores")(layers.Flatten()(tensor * 0.5 + 0.1)))

    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.augmentation, self.flatten, self.scores = augmentation(), layers.Flatten(), layers.Dense(3)

        def call(self, images: Any, training: bool = False) -> Any:
            return self.scores(self.flatten(self.augmentation(images, training=training)))

    return keras.Model(image, Own()(image))


@pytest.mark.parametrize("kind", ["sequential", "functional", "subclassed"])
def test_every_kind_of_model_is_left_as_it_was(kind: str) -> None:
    import tensorflow as tf

    model = model_of(kind)
    expected = np.asarray(model(IMAGES, training=False))

    def operations() -> set[str]:
        traced: Any = tf.function(lambda images: model(images, training=False))
        return {operation.type for operation in traced.get_concrete_function(tf.TensorSpec((1, 8, 8, 1))).graph.get_operations()}

    assert any("Assign" in name for name in operations())
    with without_augmentation(model):
        assert not any("Assign" in name or "Random" in name for name in operations())
        np.testing.assert_allclose(np.asarray(model(IMAGES, training=False)), expected, atol=1e-6)
    assert any("Assign" in name for name in operations())
    assert not any("call" in vars(layer) for layer in model._flatten_layers())


def test_recurrent_layers_are_unrolled_for_a_while_where_their_steps_are_few() -> None:
    import keras
    from keras import layers

    def model(inner: Any, steps: int | None = 4) -> Any:
        return keras.Sequential([keras.Input((steps, 2)), inner, layers.Dense(3)])

    both = model(layers.Bidirectional(layers.LSTM(2)))
    assert can_unroll(both)
    with unrolled(both):
        assert both.layers[0].forward_layer.unroll
        assert both.layers[0].backward_layer.unroll
    assert not both.layers[0].forward_layer.unroll
    assert not can_unroll(model(layers.GRU(2), 1000))
    assert not can_unroll(model(layers.GRU(2), None))
    assert not can_unroll(model(layers.Dense(2)))
