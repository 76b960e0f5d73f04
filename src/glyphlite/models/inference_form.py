"""A Keras model as it is at inference: what only trains it left out, its recurrent layers without loops.

Within each context the model's own layers behave otherwise, whatever kind of model holds them (sequential, functional, nested,
subclassed), so that tracing it gives another graph from the same weights. Knows Keras, nothing of conversion.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

_AUGMENTING = ("MixUp", "CutMix", "AugMix", "Solarization", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Dropout")
"""Keras's layers that change nothing at inference, beside RandomSomething and RandAugment."""

LONGEST_UNROLLED = 256
"""Steps of a recurrent layer: each becomes some ten ops."""


def is_augmenting(layer: Any) -> bool:
    """Returns whether a layer is one of Keras's that change images or features in training alone, or a subclass of one."""
    return any(
        kind.__module__.startswith("keras.src.layers.") and (kind.__name__ in _AUGMENTING or kind.__name__.startswith("Rand"))
        for kind in type(layer).__mro__
    )


@contextmanager
def without_augmentation(model: "keras.Model") -> Iterator[None]:
    """Makes layers that only augment the identity inside the block, as they are at inference.

    They count their random numbers even then, which no .tflite file can express.
    """
    with ExitStack() as stack:
        for layer in model._flatten_layers():
            if is_augmenting(layer):
                stack.enter_context(_replaced(layer, "call", _identity))
        yield


@contextmanager
def unrolled(model: "keras.Model") -> Iterator[None]:
    """Makes Keras trace recurrent layers step by step inside the block rather than as a loop, which the converter cannot
    quantize.
    """
    with ExitStack() as stack:
        for layer in recurrent_layers(model):
            stack.enter_context(_replaced(layer, "unroll", True))
        yield


def recurrent_layers(model: "keras.Model") -> list[Any]:
    """Returns the model's layers that compute in a loop over time, those inside of wrappers included."""
    return [layer for layer in model._flatten_layers() if hasattr(layer, "unroll")]


def can_unroll(model: "keras.Model") -> bool:
    """Returns whether a model has recurrent layers and all have few enough steps to unroll."""
    steps = [_steps(layer) for layer in recurrent_layers(model)]
    return bool(steps) and all(count is not None and count <= LONGEST_UNROLLED for count in steps)


def _steps(layer: Any) -> int | None:
    """Returns the number of steps of a recurrent layer per image; None if it is not fixed."""
    shapes = getattr(layer, "_build_shapes_dict", None) or {}
    shape = shapes.get("sequences_shape") or shapes.get("input_shape") or next(iter(shapes.values()), None)
    return shape[1] if shape and len(shape) > 2 else None


@contextmanager
def _replaced(layer: Any, name: str, value: Any) -> Iterator[None]:
    """Replaces an attribute of a layer for a while; what its class defines shows again afterwards."""
    own = vars(layer).get(name)
    setattr(layer, name, value)
    try:
        yield
    finally:
        if own is None:
            delattr(layer, name)
        else:
            setattr(layer, name, own)


def _identity(inputs: Any, *_: Any, **__: Any) -> Any:
    return inputs
