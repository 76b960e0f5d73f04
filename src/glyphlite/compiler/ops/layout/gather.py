"""GATHER with constant positions, MIRROR_PAD and RESIZE_NEAREST_NEIGHBOR: a list of places along each axis."""

from collections.abc import Sequence

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.layout.move import add_walk, walk_through
from glyphlite.tflite.graph import Operator

_MOST_LISTED = 1 << 16


def lower_gather(context: Context, operator: Operator) -> None:
    """Lowers GATHER. Source: micro/kernels/gather.cc."""
    places = context.tensor(operator.inputs[1])
    if places.data is None:
        raise context.refuse(operator, "its positions are computed, not constant", "gather by constant positions")
    if operator.options["batch_dims"]:
        raise context.refuse(operator, f"it has {operator.options['batch_dims']} batch dimensions", "gather along one axis")
    shape = context.tensor(operator.inputs[0]).shape
    axis = operator.options["axis"] % len(shape)
    _add(
        context, operator, [places.data.ravel().tolist() if place == axis else range(shape[place]) for place in range(len(shape))]
    )


def lower_mirror_pad(context: Context, operator: Operator) -> None:
    """Lowers MIRROR_PAD. Source: micro/kernels/mirror_pad.cc."""
    if "paddings" not in operator.options:
        raise context.refuse(operator, "its paddings are computed, not constant", "convert with a fixed input shape")
    mode = operator.options["mode"]
    shape = context.tensor(operator.inputs[0]).shape
    axes = [
        np.pad(np.arange(_listed(context, operator, extent)), pair, mode).tolist() if any(pair) else range(extent)
        for extent, pair in zip(shape, operator.options["paddings"], strict=True)
    ]
    _add(context, operator, axes)


def _listed(context: Context, operator: Operator, extent: int) -> int:
    """Returns the extent of an axis whose places are listed one by one; refuses one that asks for a table beyond reason."""
    if extent > _MOST_LISTED:
        reason = f"it mirrors an axis of {extent:,} elements; generated C lists the places of at most {_MOST_LISTED:,}"
        raise context.refuse(operator, reason, "pad a smaller map")
    return extent


def lower_resize_nearest(context: Context, operator: Operator) -> None:
    """Lowers RESIZE_NEAREST_NEIGHBOR. Source: kernels/internal/reference/resize_nearest_neighbor.h."""
    options = operator.options
    if "size" not in options:
        raise context.refuse(operator, "its size is computed, not constant", "convert with a fixed input shape")
    batch, height, width, channels = context.tensor(operator.inputs[0]).shape
    rows, columns = (
        arithmetic.nearest_neighbors(
            extent, size, align_corners=options["align_corners"], half_pixel_centers=options["half_pixel_centers"]
        )
        for extent, size in zip((height, width), options["size"], strict=True)
    )
    _add(context, operator, [range(batch), rows, columns, range(channels)])


def _add(context: Context, operator: Operator, places: Sequence[Sequence[int]]) -> None:
    """Appends the node that takes those places along each axis, a range for all of them in their order."""
    value = context.value(operator, any_batch=True)
    size = value.bytes // value.elements
    shape = context.tensor(operator.inputs[0]).shape
    steps = [size * int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape))]
    offsets = [
        range(0, len(axis) * step, step) if isinstance(axis, range) else [place * step for place in axis]
        for axis, step in zip(places, steps, strict=True)
    ]
    add_walk(context, operator, walk_through([*offsets, range(size)]))
