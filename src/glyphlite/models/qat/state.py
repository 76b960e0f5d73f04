"""A whole model's state of quantization: whether its layers simulate int8, and the ranges that they begin to learn from.

Knows models by the layers in them; imports Keras only when it is called.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

_OUTLIERS = 1e-5
"""The part of the values, at either end, that a range need not hold at first."""


def is_quantization_aware(model: "keras.Model") -> bool:
    """Returns whether a model has layers that can simulate int8."""
    return bool(_layers(model))


def is_quantized(model: "keras.Model") -> bool:
    """Returns whether a model's layers simulate int8 now, with ranges of their own: what needs no calibration to become int8."""
    return any(layer.quantized for layer in _layers(model))


def has_narrow_weights(model: "keras.Model") -> bool:
    """Returns whether any layer's weights are trained for fewer than eight bits, or were rounded to fewer."""
    return bool(_narrow(model)) or any(getattr(layer, "narrowed", False) for layer in _layers(model))


def set_quantized(model: "keras.Model", *, quantized: bool) -> None:
    """Lets a model simulate int8, or compute in float32 with the same weights. What was compiled before does not change."""
    for layer in _layers(model):
        layer.quantized = quantized
    for layer in _narrow(model):
        layer.stepped = layer.stepped or quantized


@contextmanager
def in_float(model: "keras.Model") -> Iterator["keras.Model"]:
    """Makes the model compute in float32 inside the block: the float twin of what int8 is made of."""
    before = is_quantized(model)
    set_quantized(model, quantized=False)
    try:
        yield model
    finally:
        set_quantized(model, quantized=before)


def measure_ranges(model: "keras.Model", images: np.ndarray) -> None:
    """Sets each layer's range to what it gives on some images, computed in float32, but for a few outliers.

    And the steps of weights of fewer than eight bits to those that express them best.

    Args:
        model: of quantization-aware layers.
        images: float32 ``(n, height, width, channels)``.
    """
    layers = [layer for layer in _layers(model) if layer.learns_range]
    try:
        for layer in layers:
            layer.observe = partial(_begin_range, layer)
        with in_float(model):
            model(images, training=False)
    finally:
        for layer in layers:
            layer.observe = None
    for layer in _narrow(model):
        layer.begin_steps()


def _begin_range(layer: Any, use: int, values: Any) -> None:
    """Lets the range of one use of a layer begin as wide as what it gave, but for a few outliers."""
    low, high = np.quantile(np.asarray(values), [_OUTLIERS, 1 - _OUTLIERS])
    layer.set_range(float(low), float(high), use)


def begin_freezing(model: "keras.Model") -> None:
    """Lets the weights of fewer than eight bits be frozen progressively; before that they train on, not rounded.

    It concerns training alone: a model that is asked, not trained, rounds all its weights.
    """
    for layer in _narrow(model):
        layer.begin_freezing()


def frozen_codes(model: "keras.Model") -> list[Any]:
    """Returns a TensorFlow variable for each layer that has begun to freeze: codes, NaN for the weights that still train."""
    return [layer.frozen for layer in _narrow(model) if layer.frozen is not None]


def all_frozen(model: "keras.Model") -> bool:
    """Returns whether every weight of fewer than eight bits is frozen."""
    return not any(np.isnan(codes.numpy()).any() for codes in frozen_codes(model))


def freeze_weights(model: "keras.Model", guide: "keras.Model", share: float) -> None:
    """Freezes a share of each layer's weights on their codes: the more, those that are nearest to one.

    Source: A. Zhou et al., "Incremental Network Quantization" (ICLR 2017), which freezes in four rounds and the largest first.

    Args:
        model: that has begun to freeze.
        guide: of the same layers; where its weights lie decides.
        share: of the weights that are frozen afterwards, from 0 to 1; what is frozen stays so.
    """
    for layer, other in zip(_narrow(model), _narrow(guide), strict=True):
        layer.frozen.assign(with_nearest_frozen(other.codes(), layer.frozen.numpy(), share))


def express_frozen(model: "keras.Model", source: "keras.Model") -> None:
    """Puts the weights of a model exactly on the codes that they are frozen on in another of the same layers."""
    for layer, other in zip(_narrow(model), _narrow(source), strict=True):
        if other.frozen is not None:
            layer.express(other.frozen.numpy())


def with_nearest_frozen(codes: np.ndarray, frozen: np.ndarray, share: float) -> np.ndarray:
    """Codes that are frozen, NaN elsewhere: those that were, and of the others those nearest to whole numbers.

    Args:
        codes: weights in steps, not rounded.
        frozen: of the same shape, codes or NaN.
        share: of the weights, how many are frozen in all.
    """
    is_free = np.isnan(frozen)
    more = round(share * codes.size) - int(np.count_nonzero(~is_free))
    if more <= 0:
        return frozen
    distances = np.where(is_free, np.abs(codes - np.round(codes)), np.inf).reshape(-1)
    chosen = np.argsort(distances, kind="stable")[:more]
    result = frozen.copy()
    result.reshape(-1)[chosen] = np.round(codes).reshape(-1)[chosen]
    return result


def _layers(model: "keras.Model") -> list[Any]:
    """Returns the quantization-aware layers of a model, in order; found without importing them."""
    return [layer for layer in getattr(model, "layers", []) if hasattr(layer, "quantized") and hasattr(layer, "set_range")]


def _narrow(model: "keras.Model") -> list[Any]:
    """Returns the layers with weights of fewer than eight bits."""
    return [layer for layer in _layers(model) if getattr(layer, "weight_bits", 8) < 8]
