"""ADD_N: a sum of maps of one shape, scale and zero point."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Requantized
from glyphlite.compiler.ops.elementwise.operand import held, placed
from glyphlite.compiler.values import Requantization
from glyphlite.tflite.graph import Operator

LEFT_SHIFT = 19
"""Bits by which a sum is scaled up before it is scaled to the output: 20, and half of it (``add_n.cc``)."""

_MOST = 15
"""Maps whose sum, scaled up, stays within 32 bits, where TFLite Micro adds."""


@dataclass(frozen=True, kw_only=True)
class AddN(Requantized):
    """A sum of maps. TFLite Micro begins it with a zero point taken away once more than there are maps.

    Attributes:
        constants: the maps that are constant, as held; None where they are computed.
        zero_point: theirs, as stored + 128.
    """

    in_place: ClassVar[bool] = True
    reads_model_input: ClassVar[bool] = False

    constants: tuple[np.ndarray | None, ...]
    zero_point: int

    def kernel(self, site: Site) -> "AddNKernel":
        """Returns the kernel, constant maps laid down."""
        taken = 128 * len(self.constants)  # as stored, the sum begins at the negative zero point; held bytes are 128 more
        offset = -(self.zero_point - 128) * (len(self.constants) + 1) - taken
        return AddNKernel(layer=placed(site, self.constants), offset=offset, requantization=self.requantization)


@dataclass(frozen=True, kw_only=True)
class AddNKernel(Kernel):
    """A row of the output from a row of each map; ``offset`` is added to the sum of bytes."""

    template: ClassVar[str] = "add_n.c.j2"
    left_shift: ClassVar[int] = LEFT_SHIFT

    offset: int
    requantization: Requantization


def lower_add_n(context: Context, operator: Operator) -> None:
    """Lowers ADD_N. Source: micro/kernels/add_n.cc, kernels/internal/reference/add_n.h."""
    tensors = [context.tensor(index) for index in operator.inputs]
    values = [context.values.get(tensor.index) or context.activation(tensor, operator, any_batch=True) for tensor in tensors]
    output = context.new_value(operator, any_batch=True)
    first = values[0]
    if any(value.quantization != first.quantization for value in values):
        raise context.refuse(operator, "its inputs differ in scale or zero point", "use ADD, or quantize them alike")
    if len(values) > _MOST:
        raise context.refuse(operator, f"it adds {len(values)} maps; 32 bits hold the sum of {_MOST}", "add in two steps")
    real = 2.0 * first.scale / (2.0 ** (LEFT_SHIFT + 1) * output.scale)
    if real >= 1.0:
        raise context.refuse(operator, "the output's scale is too small for the inputs'")
    multiplier, shift = arithmetic.quantize_multiplier(real)
    context.nodes.append(
        AddN(
            **context.facts(operator, operands=len(values)),
            inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
            output=output,
            constants=tuple(held(context, operator, tensor, output) for tensor in tensors),
            zero_point=first.zero_point,
            requantization=Requantization((multiplier,), (shift,), output.zero_point, 0, 255),
        )
    )
