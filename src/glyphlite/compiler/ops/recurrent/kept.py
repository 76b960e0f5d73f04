"""Common checks of the tensors in which recurrent ops keep their state."""

from glyphlite.compiler.context import Context
from glyphlite.tflite.graph import Operator, Tensor


def check_kept(context: Context, operator: Operator, tensor: Tensor, *types: str) -> None:
    """Refuses state that another op reads, too, or that is not of one of these types with one scale."""
    readers = [each for each in context.graph.operators for index in each.inputs if index == tensor.index]
    if len(readers) > 1 or tensor.index in context.graph.outputs:
        raise context.refuse(operator, f"its state, tensor {tensor.index}, is read elsewhere, too")
    if tensor.dtype.name not in types or tensor.quantization is None or len(tensor.quantization.scales) != 1:
        advice = "convert with --to int8"
        raise context.refuse(operator, f"its state, tensor {tensor.index}, is {tensor.dtype}", advice)
