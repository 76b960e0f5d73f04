"""SOFTMAX on int16 over the channels of every position."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler import arithmetic_int16
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator

MOST_VALUES = 2**15
"""In one vector: so many exponentials, each at most 1 as Q0.15, add up within 31 bits."""


@dataclass(frozen=True, kw_only=True)
class Int16Softmax(Node):
    """SOFTMAX; a difference from the maximum is scaled to the steps of the exponential's table."""

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False
    in_place: ClassVar[bool] = True

    input_multiplier: int
    input_shift: int

    def kernel(self, site: Site) -> "Int16SoftmaxKernel":
        """Returns the kernel, its tables laid down."""
        return Int16SoftmaxKernel(
            layer=site.layer,
            depth=self.output.channels,
            rows=self.output.height * self.output.width,
            input_multiplier=self.input_multiplier,
            input_shift=self.input_shift,
            exponentials=site.add("exp", "int16_t", arithmetic_int16.exponential_lut()),
            reciprocals=site.add("reciprocal", "int16_t", arithmetic_int16.reciprocal_lut()),
        )


@dataclass(frozen=True, kw_only=True)
class Int16SoftmaxKernel(Kernel):
    """``rows`` vectors of ``depth`` values; tables of 513 entries, a line between two."""

    template: ClassVar[str] = "int16/softmax.c.j2"

    depth: int
    rows: int
    input_multiplier: int
    input_shift: int
    exponentials: Array
    reciprocals: Array


def lower_softmax(context: Context, operator: Operator) -> None:
    """Lowers SOFTMAX over the channels. Source: ``CalculateSoftmaxParams``, micro/kernels/softmax_common.cc."""
    source, output = context.value(operator), context.new_value(operator)
    if abs(output.scale - 1 / 32768) > 0.001 / 32768:
        raise context.refuse(operator, f"output scale {output.scale:.8g}, not 1/32768", "as TFLite Micro does")
    if source.channels > MOST_VALUES:
        raise context.refuse(operator, f"a softmax of {source.channels} values; its sum holds {MOST_VALUES}")
    multiplier, shift = arithmetic_int16.softmax_multiplier(source.scale, operator.options.get("beta", 1.0))
    if shift > 15:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
    context.nodes.append(
        Int16Softmax(**context.facts(operator), inputs=(source,), output=output, input_multiplier=multiplier, input_shift=shift)
    )
