"""Ops of two int16 maps, either of them broadcast, one of them possibly constant.

ADD, SUB, MUL, SQUARED_DIFFERENCE, MAXIMUM and MINIMUM.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Kernel, Place, Rows, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.elementwise.operand import KINDS, Kind, Operand, held, shape_under
from glyphlite.compiler.values import Requantization
from glyphlite.escaping import printable
from glyphlite.tflite.graph import Operator

LEFT_SHIFTS: dict[Kind, int] = {"add": 15, "sub": 15, "squared_difference": 0}
"""Bits by which operands of sums and differences are scaled up before they are scaled to one another (``add_common.cc``,
``squared_difference.cc``)."""


@dataclass(frozen=True, kw_only=True)
class Int16Binary(Node):
    """An op of two operands; ``constant`` is one of them, int16 of its own shape, where it is constant."""

    in_place: ClassVar[bool] = True

    kind: Kind
    operands: tuple[Operand, Operand]
    requantization: Requantization
    constant: np.ndarray | None
    constant_first: bool

    def kernel(self, site: Site) -> "Int16BinaryKernel":
        """Returns the kernel, the constant operand laid down."""
        layer = site.layer
        if self.constant is not None:
            height, width, channels = self.constant.shape
            array = site.add("constant", "int16_t", self.constant)
            place = Place("constant", array=array.name)
            constant = Rows(place, height, height, 2 * width * channels)
            inputs = (constant, *layer.inputs) if self.constant_first else (*layer.inputs, constant)
            layer = replace(layer, inputs=inputs)
        return Int16BinaryKernel(layer=layer, kind=self.kind, operands=self.operands, requantization=self.requantization)


@dataclass(frozen=True, kw_only=True)
class Int16BinaryKernel(Kernel):
    """A row of the output from a row of each operand."""

    template: ClassVar[str] = "int16/binary.c.j2"
    kind: Kind
    operands: tuple[Operand, Operand]
    requantization: Requantization

    @property
    def left_shift(self) -> int | None:
        """Returns the bits by which operands are scaled up; None where they are not scaled to one another."""
        return LEFT_SHIFTS.get(self.kind)


def lower_binary(context: Context, operator: Operator) -> None:
    """Lowers an op of two maps; MAXIMUM and MINIMUM compare what is stored.

    Source: ``kernels/{add,sub,mul}_common.cc``, ``micro/kernels/{squared_difference,maximum_minimum}.cc``.
    """
    tensors = [context.tensor(index) for index in operator.inputs[:2]]
    for tensor in tensors:
        if tensor.index not in context.values and tensor.data is None:
            raise context.refuse(operator, f"tensor {printable(tensor.name)} is not available")
    values = (context.values.get(tensor.index) or context.activation(tensor, operator, any_batch=True) for tensor in tensors)
    first, second = values
    output = context.new_value(operator, any_batch=True)
    kind = KINDS[operator.name]
    low, high = context.clamp(operator, output)
    if kind in ("maximum", "minimum"):
        scales, real = (0.0, 0.0), 0.0
    elif kind == "mul":
        scales, real = (0.0, 0.0), first.scale * second.scale / output.scale
    else:
        twice_max = 2.0 * max(first.scale, second.scale)
        scales = first.scale / twice_max, second.scale / twice_max
        squared = kind == "squared_difference"
        real = twice_max * (twice_max if squared else 1.0) / (2.0 ** LEFT_SHIFTS[kind] * output.scale)
        if real >= 1.0 and not squared:
            raise context.refuse(operator, "the output's scale is too small for the inputs'")
    context.check_ratio(operator, real)
    multiplier, shift = arithmetic.quantize_multiplier(real)
    constant = next((tensor for tensor in tensors if tensor.index not in context.values), None)
    context.nodes.append(
        Int16Binary(
            **context.facts(operator, operands=2),
            inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
            output=output,
            kind=kind,
            operands=(
                _operand(shape_under(context, operator, tensors[0], output), scales[0]),
                _operand(shape_under(context, operator, tensors[1], output), scales[1]),
            ),
            constant=None if constant is None else held(context, operator, constant, output),
            constant_first=tensors[0].index not in context.values,
            requantization=Requantization((multiplier,), (shift,), 0, low, high),
        )
    )


def _operand(shape: tuple[int, int, int], scale: float) -> Operand:
    return Operand(shape, 0, *arithmetic.quantize_multiplier(scale))
