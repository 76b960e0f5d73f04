"""SPLIT, SPLIT_V and UNPACK: the parts of a map along one axis, a node for each part that is read."""

from itertools import accumulate

import numpy as np

from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.layout.move import add_move
from glyphlite.tflite.graph import Operator


def lower_split(context: Context, operator: Operator) -> None:
    """Lowers SPLIT and SPLIT_V. Source: micro/kernels/split.cc and split_v.cc."""
    source = 1 if operator.name == "SPLIT" else 0
    if "axes" not in operator.options or (source == 0 and "sizes" not in operator.options):
        raise context.refuse(operator, "its axis or sizes are computed, not constant", "convert with a fixed input shape")
    shape = context.tensor(operator.inputs[source]).shape
    _add_parts(context, operator, source, operator.options["axes"][0] % len(shape))


def lower_unpack(context: Context, operator: Operator) -> None:
    """Lowers UNPACK, whose parts have no extent left along the axis. Source: micro/kernels/unpack.cc."""
    shape = context.tensor(operator.inputs[0]).shape
    _add_parts(context, operator, 0, operator.options["axis"] % len(shape), unpacks=True)


def _add_parts(context: Context, operator: Operator, source: int, axis: int, *, unpacks: bool = False) -> None:
    """Appends a node for each output, of the extent that the reader has checked."""
    sizes = [1 if unpacks else context.tensor(index).shape[axis] for index in operator.outputs]
    for output, (size, end) in enumerate(zip(sizes, accumulate(sizes), strict=True)):

        def part(image: np.ndarray, size: int = size, end: int = end) -> np.ndarray:
            return image[(slice(None),) * axis + (slice(end - size, end),)]

        add_move(context, operator, part, source=source, output=output)
