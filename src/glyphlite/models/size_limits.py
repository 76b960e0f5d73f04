"""Limits on what a model file may make Keras allocate: layers ask for weights and activations of any size in a few bytes."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphlite.errors import ModelError

if TYPE_CHECKING:
    import keras

_FREE = 16 << 20
"""Bytes of weights that any model may ask for."""
_RATIO = 8
"""How many times the stored bytes its layers may ask for: Keras stores quantized weights in 4 bits."""
MOST_VALUES = 1 << 26
"""Values that a layer may give for one image: 256 MiB of float32."""
MOST_VALUES_AT_A_TIME = 1 << 27
"""Values that it may give for a batch whose size the model fixes."""


@contextmanager
def bounded_weights(stored: int, path: Path) -> Iterator[None]:
    """Refuses, inside the block, a layer that asks for far more weights than a file stores, before they are allocated.

    Args:
        stored: bytes of the weights in the file.
        path: the file, for the error.

    Raises:
        ModelError: a layer asks for them.
    """
    import keras

    largest, total = max(_FREE, _RATIO * stored), 0
    original = keras.layers.Layer.add_weight

    def add_weight(layer: Any, *arguments: Any, **options: Any) -> Any:
        nonlocal total
        shape = options.get("shape") or (arguments[0] if arguments else ())
        total += 4 * math.prod(shape if isinstance(shape, tuple | list) else (shape,))
        if total > largest:
            raise ModelError(
                f"{path} stores {stored:,} bytes of weights, but its layers ask for {total:,} or more; the file is damaged"
            )
        return original(layer, *arguments, **options)

    layer_class: Any = keras.layers.Layer
    layer_class.add_weight = add_weight
    try:
        yield
    finally:
        layer_class.add_weight = original


def check_activations(model: "keras.Model", path: Path) -> None:
    """Refuses a model that would fill the memory with what a layer gives for one image, or for as many as it takes at a time.

    Raises:
        ModelError: a layer gives more than :data:`MOST_VALUES` for one, or :data:`MOST_VALUES_AT_A_TIME` for all of a batch.
    """
    for operation in getattr(model, "operations", model.layers):
        for node in operation._inbound_nodes:
            if (padded := _padded_values(operation, node)) > MOST_VALUES:
                raise ModelError(
                    f"{path} has a layer {operation.name!r} whose dilation pads its input to {padded:,} values per image, more "
                    f"than the {MOST_VALUES:,} allowed"
                )
            for tensor in node.outputs:
                values = math.prod(extent or 1 for extent in tensor.shape[1:])
                if values > MOST_VALUES:
                    raise ModelError(
                        f"{path} has a layer {operation.name!r} that gives {values:,} values per image, more than the "
                        f"{MOST_VALUES:,} allowed"
                    )
                batch = (tensor.shape[0] if len(tensor.shape) else None) or 1
                if batch * values > MOST_VALUES_AT_A_TIME:
                    raise ModelError(
                        f"{path} takes {batch:,} images at a time, for which its layer {operation.name!r} gives "
                        f"{batch * values:,} values, more than the {MOST_VALUES_AT_A_TIME:,} allowed"
                    )


def _padded_values(operation: Any, node: Any) -> int:
    """Returns the values that TensorFlow's convolutions pad one image to for a dilated window (``SpaceToBatchND``); else 0."""
    rates, window = getattr(operation, "dilation_rate", None), getattr(operation, "kernel_size", None)
    if not isinstance(rates, tuple) or not isinstance(window, tuple) or max(rates, default=1) == 1:
        return 0
    reaches = [rate * (extent - 1) for rate, extent in zip(rates, window, strict=False)]
    shapes = [[extent or 1 for extent in tensor.shape[1:]] for tensor in node.input_tensors]
    return max((math.prod(map(sum, zip_longest(shape, reaches, fillvalue=0))) for shape in shapes), default=0)
