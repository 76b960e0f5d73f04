"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS and LESS_EQUAL of two int8 maps, and LOGICAL_AND, _OR and _NOT: what is true."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.elementwise.operand import Operand, held, placed, shape_under
from glyphlite.compiler.values import AS_IT_IS, Value
from glyphlite.tflite.graph import Operator, Tensor

LEFT_SHIFT = 8
"""Bits by which operands are scaled up before they are scaled to the numbers that they stand for (``comparisons.cc``)."""

OPERATIONS = {
    "EQUAL": "==",
    "NOT_EQUAL": "!=",
    "GREATER": ">",
    "GREATER_EQUAL": ">=",
    "LESS": "<",
    "LESS_EQUAL": "<=",
    "LOGICAL_AND": "&",
    "LOGICAL_OR": "|",
    "LOGICAL_NOT": "==",
}
"""The C operator of each; a LOGICAL_NOT compares with 0."""


@dataclass(frozen=True, kw_only=True)
class Comparison(Node):
    """A comparison, 0 or 1 for each pair of values.

    Attributes:
        operation: in C.
        operands: both sides, or the one that is compared with 0.
        constants: a side that is constant, as held; None where it is computed.
        is_scaled: whether sides are int8 of a scale, not truth.
    """

    in_place: ClassVar[bool] = True
    reads_model_input: ClassVar[bool] = False

    operation: str
    operands: tuple[Operand, ...]
    constants: tuple[np.ndarray | None, ...]
    is_scaled: bool

    def kernel(self, site: Site) -> "ComparisonKernel":
        """Returns the kernel, constant operands laid down."""
        return ComparisonKernel(
            layer=placed(site, self.constants),
            operation=self.operation,
            operands=self.operands,
            is_scaled=self.is_scaled,
        )


@dataclass(frozen=True, kw_only=True)
class ComparisonKernel(Kernel):
    """A row of the output from a row of each operand."""

    template: ClassVar[str] = "comparison.c.j2"
    left_shift: ClassVar[int] = LEFT_SHIFT

    operation: str
    operands: tuple[Operand, ...]
    is_scaled: bool


def lower_comparison(context: Context, operator: Operator) -> None:
    """Lowers a comparison of int8, or an op of truth. Source: ``micro/kernels/{comparisons,logical_common}.cc``."""
    tensors = [context.tensor(index) for index in operator.inputs]
    types = {tensor.dtype.name for tensor in tensors}
    takes_truth = operator.name.startswith("LOGICAL")
    if types != {"bool"} and (takes_truth or types != {"int8"}):
        raise context.refuse(operator, f"it reads {' and '.join(sorted(types))}", "compare int8")
    if types == {"bool"} and not (takes_truth or operator.name in ("EQUAL", "NOT_EQUAL")):
        raise context.refuse(operator, "it reads bool", "compare int8")
    output = truth(context, operator)
    context.nodes.append(
        Comparison(
            **context.facts(operator, operands=len(tensors)),
            inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
            output=output,
            operation=OPERATIONS[operator.name],
            operands=tuple(_operand(context, operator, tensor, output) for tensor in tensors),
            constants=tuple(held(context, operator, tensor, output) for tensor in tensors),
            is_scaled=types == {"int8"},
        )
    )


def truth(context: Context, operator: Operator) -> Value:
    """Returns what an op finds true, bool."""
    tensor = context.tensor(operator.outputs[0])
    if tensor.dtype != np.bool_:
        raise context.refuse(operator, f"its output is {tensor.dtype}, not bool", "convert the model again")
    extents = context.extents(tensor, operator, any_batch=True)
    context.values[tensor.index] = value = Value(tensor.index, tensor.name, *extents, AS_IT_IS, "bool")
    return value


def _operand(context: Context, operator: Operator, tensor: Tensor, output: Value) -> Operand:
    """Returns a side; a scale of 1 or more ends TFLite Micro (``QuantizeMultiplierSmallerThanOneExp``)."""
    shape = shape_under(context, operator, tensor, output)
    if tensor.dtype == np.bool_:
        return Operand(shape, 0, 0, 0)
    value = context.values.get(tensor.index) or context.activation(tensor, operator, any_batch=True)
    if value.scale >= 1.0:
        raise context.refuse(operator, f"it compares in a scale of {value.scale:.3g}, not below 1", "quantize the model again")
    return Operand(shape, value.zero_point, *arithmetic.quantize_multiplier(value.scale))
