"""SLICE and STRIDED_SLICE: a part of a map, or every other row, column or channel of it, forwards or backwards."""

from collections.abc import Sequence

from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.layout.move import add_move
from glyphlite.tflite.graph import Operator
from glyphlite.tflite.slicing import Taken, sliced, strided

_MOST_AXES = 5
"""Of a STRIDED_SLICE or SLICE (``kMaxDim``, micro/kernels/strided_slice_common.cc and slice.cc)."""


def lower_slice(context: Context, operator: Operator) -> None:
    """Lowers SLICE. Source: micro/kernels/slice.cc."""
    _constant(context, operator, ("begin", "size"))
    _add(context, operator, sliced(context.tensor(operator.inputs[0]).shape, operator.options))


def lower_strided_slice(context: Context, operator: Operator) -> None:
    """Lowers STRIDED_SLICE. Source: micro/kernels/strided_slice_common.cc, which has no ellipsis and no new axis."""
    options = operator.options
    for option in ("ellipsis_mask", "new_axis_mask", "offset"):
        if options[option]:
            raise context.refuse(
                operator, f"its {option.replace('_', ' ')} is set", "slice with a begin and an end for each axis"
            )
    _constant(context, operator, ("begin", "end", "strides"))
    taken = strided(context.tensor(operator.inputs[0]).shape, options)
    if any(each.shrinks and each.stride < 0 for each in taken):
        raise context.refuse(operator, "it removes an axis with a negative stride", "use a stride of 1 there")
    _add(context, operator, taken)


def _constant(context: Context, operator: Operator, bounds: tuple[str, ...]) -> None:
    """Refuses bounds that are computed, or that leave axes out: TFLite Micro reads beyond them."""
    rank = len(context.tensor(operator.inputs[0]).shape)
    if any(bound not in operator.options for bound in bounds):
        raise context.refuse(operator, "its bounds are computed, not constant", "convert with a fixed input shape")
    if any(len(operator.options[bound]) != rank for bound in bounds):
        raise context.refuse(operator, "its bounds leave axes out", f"give bounds for each of the {rank} axes")
    if rank > _MOST_AXES:
        raise context.refuse(operator, f"its input has {rank} dimensions", f"TFLite Micro slices at most {_MOST_AXES}")


def _add(context: Context, operator: Operator, taken: Sequence[Taken]) -> None:
    ranges = tuple(each.as_slice for each in taken)
    add_move(context, operator, lambda image: image[ranges])
