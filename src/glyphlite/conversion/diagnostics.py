"""Search for the layer at which a conversion fails: read from the converter's own message, or found by trying the model's
first layers.

Knows Keras models and the converter's messages; converts nothing itself.
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from glyphlite.tflite.rewrite.names import layer_of_path

if TYPE_CHECKING:
    import keras

_LOCATION = re.compile(r'fused\["(\w+):", "([^"@]+)')
"""MLIR's location of an op: its type, and its path of name scopes, which are layers' names."""

_CALLED = re.compile(r"Exception encountered when calling (?:layer ['\"])?([\w.-]+?)['\"]?(?:\.call\(\)| \(type)")
_FLEX = re.compile(r"\((Flex\w+)\)")
_OUTER = {"StatefulPartitionedCall", "PartitionedCall"}


def layer_and_op(model: "keras.Model", message: str) -> tuple[str | None, str | None]:
    """Returns the layer and the op that an error message of the converter or of Keras names; None for what it does not.

    Args:
        model: whose layers are looked for.
        message: the error's whole text.
    """
    names = layer_names(model)
    flex = _FLEX.search(message)
    operator = flex.group(1) if flex else None
    for kind, path in _LOCATION.findall(message):
        if kind in _OUTER:
            continue
        return layer_of_path(path, names), operator or kind
    if called := _CALLED.search(message):
        kinds = {type(layer).__name__: layer.name for layer in _layers(model)}
        return (called.group(1) if called.group(1) in names else kinds.get(called.group(1))), operator
    return None, operator


def layer_by_prefix(model: "keras.Model", converts: Callable[["keras.Model"], bool]) -> str | None:
    """Returns the first layer with which the model's beginning no longer converts; None when it cannot be told.

    Args:
        model: a functional or sequential model.
        converts: tries a model made of the first layers.
    """
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        try:
            prefix = keras.Model(model.inputs[0], layer.output)
        except (AttributeError, ValueError, TypeError):
            continue
        if not converts(prefix):
            return layer.name
    return None


def layer_names(model: "keras.Model") -> list[str]:
    """Names of every layer, those of nested models included."""
    return [layer.name for layer in _layers(model)]


def _layers(model: "keras.Model") -> Iterator["keras.layers.Layer"]:
    """Yields every layer, those of nested models included, outer before inner."""
    for layer in getattr(model, "layers", []):
        yield layer
        yield from _layers(layer)
