"""RESHAPE, SQUEEZE and EXPAND_DIMS: the same bytes, no node."""

from glyphlite.compiler.context import Context
from glyphlite.tflite.graph import Operator


def lower_reshape(context: Context, operator: Operator) -> None:
    """Lowers RESHAPE, SQUEEZE and EXPAND_DIMS to another view of the same bytes."""
    context.reshaped(operator, context.value(operator, any_batch=True))
