"""RSQRT on int16: each value's reciprocal square root, by Newton's iteration."""

import math
from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator

FRACTION_BITS = 20
"""Of a reciprocal square root before it is scaled to the output."""


@dataclass(frozen=True, kw_only=True)
class Int16Rsqrt(Node):
    """RSQRT; ``output_multiplier`` and ``output_shift`` scale a root with its fraction bits to the output."""

    in_place: ClassVar[bool] = True

    output_multiplier: int
    output_shift: int

    def kernel(self, site: Site) -> "Int16RsqrtKernel":
        """Returns the kernel."""
        return Int16RsqrtKernel(
            layer=site.layer, output_multiplier=self.output_multiplier, output_shift=self.output_shift - FRACTION_BITS
        )


@dataclass(frozen=True, kw_only=True)
class Int16RsqrtKernel(Kernel):
    """A row, value by value."""

    template: ClassVar[str] = "int16/rsqrt.c.j2"
    fraction_bits: ClassVar[int] = FRACTION_BITS

    output_multiplier: int
    output_shift: int

    @property
    def elements(self) -> int:
        """Returns the values of a row."""
        return self.layer.output.width * self.layer.output.channels


def lower_rsqrt(context: Context, operator: Operator) -> None:
    """Lowers RSQRT. TFLite Micro stops at a value below 0; generated C goes on as if it were 0.

    Source: ``PrepareAbsRsqrt`` and ``RsqrtEvalQuantized``, micro/kernels/elementwise.cc.
    """
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    ratio = 1.0 / (math.sqrt(source.scale) * output.scale)
    if not 2.0**-11 < ratio < 2.0**30:
        raise context.refuse(operator, f"its scales are far apart, by a factor of {ratio:.3g}", "quantize the model again")
    multiplier, shift = arithmetic.quantize_multiplier(ratio)
    context.nodes.append(
        Int16Rsqrt(**context.facts(operator), inputs=(source,), output=output, output_multiplier=multiplier, output_shift=shift)
    )
