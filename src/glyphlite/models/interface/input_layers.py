"""The input convention that a Keras model's first layers imply: a Rescaling of 1/255 implies pixels from 0 to 255.

The layers before the first one that was trained are run on images of one grey. How they change it tells the range that they were
made for, whatever they are: Rescaling, Normalization, ``keras.applications`` preprocessing, ``x / 255`` in a functional model,
crops and resizings before it. A BatchNormalization was trained; it says nothing here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.models.interface.input_convention import OURS, InputConvention, named_convention

if TYPE_CHECKING:
    import keras

PROBES = (0, 1, 128, 255)
"""The greys that are shown to the first layers."""

PIXEL_FACTOR = 30 / 255
"""A factor below this makes small numbers of pixels to 255; one above it has small numbers before it already."""

LARGEST_PROBE = 512
"""Side of the image that stands for a size that the model leaves free."""


def stated_by_layers(model: "keras.Model") -> InputConvention | None:
    """Returns what a model's input type and first layers say of its range, None where they say nothing."""
    try:
        taken = model.inputs[0]
    except (AttributeError, TypeError, ValueError, IndexError):
        return None
    dtype = str(taken.dtype)
    if dtype.startswith(("uint", "int")):
        found = named_convention("0..255", f"its input holds {dtype}: whole pixels")
    else:
        try:
            found = _by_first_layers(model)
        except Exception:  # whatever a stranger's layer raises, it says nothing of the range
            return None
    return found.at(tuple(taken.shape[1:]), dtype) if found else None


def training_convention(model: "keras.Model", chosen: InputConvention | None) -> InputConvention:
    """Returns how pixels enter a model that is trained here: as the user has ``chosen``, as its layers say, else pixel / 255."""
    shape, dtype = tuple(model.inputs[0].shape[1:]), model.inputs[0].dtype
    return chosen.at(shape, dtype) if chosen else stated_by_layers(model) or OURS.at(shape, dtype)


def _by_first_layers(model: "keras.Model") -> InputConvention | None:
    steps, names = _prefix(model)
    shape = [extent or LARGEST_PROBE // 2 for extent in model.inputs[0].shape[1:]]
    outputs = []
    for grey in PROBES:
        values: Any = np.full((1, *shape), grey, np.float32)
        for step in steps:
            values = step(values)
        outputs.append(np.asarray(values, np.float64).ravel())
    zero, one, middle, full = outputs
    factors = (full - zero) / 255
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = -zero / factors
    straight = np.isfinite(crossings) & (np.abs(middle - zero - 128 * factors) <= 1e-3 * np.abs(full - zero) + 1e-6)
    straight &= np.abs(one - zero - factors) <= 1e-3 * np.abs(full - zero) + 1e-6
    if straight.sum() < 0.25 * straight.size:  # borders that are padded may be otherwise
        return None
    # Where single pixels are normalized, those that never change have the least deviation that is allowed.
    moved = straight & (np.abs(crossings) > 1e-6)
    factor, crossing = (
        float(np.median(factors[moved if moved.any() else straight])),
        float(np.quantile(crossings[straight], 0.95)),
    )
    if factor == 1 and crossing == 0:
        return None
    source = f"its {'layer' if len(names) == 1 else 'layers'} {', '.join(names)}" if names else "its first layers"
    if factor < PIXEL_FACTOR or crossing > 2:
        return named_convention("0..255", source)
    return named_convention("-1..1" if crossing < -0.05 else "0..1", source)


def _prefix(model: "keras.Model") -> tuple[list[Callable[[Any], Any]], list[str]]:
    """Returns the calls before the first trained layer, in order, and the names of the layers that scale."""
    import keras

    function: Any = getattr(model, "_functional", None) or model
    untrained = {id(tensor) for tensor in model.inputs}
    names: list[str] = []
    last, inner = None, None
    for _, nodes in sorted(function._nodes_by_depth.items(), reverse=True):
        for node in nodes:
            operation = node.operation
            if not node.input_tensors:
                untrained.update(id(tensor) for tensor in node.outputs)
                continue
            if not all(id(tensor) in untrained for tensor in node.input_tensors):
                continue
            if _is_trained(operation):
                last = last or node.input_tensors[0]
                inner = inner or (operation if isinstance(operation, keras.Model) else None)
                continue
            untrained.update(id(tensor) for tensor in node.outputs)
            names += _scaling_names(operation)
        if last is not None:
            break
    steps: list[Callable[[Any], Any]] = []
    if last is not None and not any(last is tensor for tensor in model.inputs):
        part = keras.Model(model.inputs[0], last)
        steps.append(lambda values: part(values, training=False))
    if inner is not None:
        inside, more = _prefix(inner)
        return steps + inside, names + more
    return steps, names


def _is_trained(operation: Any) -> bool:
    import keras

    if isinstance(operation, keras.Model):
        return any(_is_trained(layer) for layer in operation.layers)
    return bool(getattr(operation, "weights", ())) and not isinstance(operation, keras.layers.Normalization)


def _scaling_names(operation: Any) -> list[str]:
    """Returns the names of the layers in an operation that scale, in order."""
    import keras

    if isinstance(operation, keras.Model):
        return [name for layer in operation.layers for name in _scaling_names(layer)]
    arithmetic = type(operation).__name__ in ("TrueDivide", "Divide", "Multiply", "Subtract", "Add", "Lambda")
    scales = isinstance(operation, keras.layers.Rescaling | keras.layers.Normalization) or arithmetic
    return [str(operation.name)] if scales else []
