"""LOG_SOFTMAX over the channels of every position."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator

_MOST_CHANNELS = 4095
"""Sums of exponentials are Q12.19: 4,096 ones do not fit."""


@dataclass(frozen=True, kw_only=True)
class LogSoftmax(Node):
    """LOG_SOFTMAX; ``exponentials`` are int32: exp(-d) as Q0.31 for each difference d from the maximum.

    Attributes:
        scaling: multiplier and shift of a difference of stored values to Q5.26.
        inverse: multiplier and shift of Q5.26 to a difference of stored values.
    """

    takes_table: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    exponentials: np.ndarray
    scaling: tuple[int, int]
    inverse: tuple[int, int]

    def kernel(self, site: Site) -> "LogSoftmaxKernel":
        """Returns the kernel, its table of exponentials laid down."""
        return LogSoftmaxKernel(
            layer=site.layer,
            entries=len(self.exponentials),
            least_difference=-arithmetic.input_radius(5, self.scaling[1]) - 1,
            exponentials=site.add("exp", "int32_t", self.exponentials),
            scaling=self.scaling,
            inverse=self.inverse,
        )


@dataclass(frozen=True, kw_only=True)
class LogSoftmaxKernel(Kernel):
    """A row of vectors.

    Attributes:
        entries: of the table, past which exponentials count as nothing.
        least_difference: from the maximum, up to which a result is the least there is.
    """

    template: ClassVar[str] = "log_softmax.c.j2"

    entries: int
    least_difference: int
    exponentials: Array
    scaling: tuple[int, int]
    inverse: tuple[int, int]


def lower_log_softmax(context: Context, operator: Operator) -> None:
    """Lowers LOG_SOFTMAX. Source: ``CalculateOpData``, micro/kernels/log_softmax.cc."""
    source = context.value(operator)
    output = context.new_value(operator)
    if output.quantization.zero_point != 127 or output.scale != 16 / 256:
        raise context.refuse(operator, f"output scale {output.scale} and zero point, not 1/16 and 127")
    if not source.scale > 2.0**-26:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
    if source.channels > _MOST_CHANNELS:
        raise context.refuse(operator, f"{source.channels} channels; its sums hold {_MOST_CHANNELS}", "use fewer classes")
    scaling, inverse = arithmetic.log_softmax_scaling(source.scale)
    context.nodes.append(
        LogSoftmax(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            exponentials=arithmetic.softmax_exponentials(source.scale, 1.0),
            scaling=scaling,
            inverse=inverse,
        )
    )
