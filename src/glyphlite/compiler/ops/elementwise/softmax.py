"""SOFTMAX of int8 over the channels of every position, to int8 or to all 16 bits of int16."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator

_FEWEST_HALVES = 24
"""Exponentials of 16 bits from which on a table of their own takes less flash, with the choice between the two."""

_DIFFERENCES = 256
"""Values of the difference of two int8."""

_MOST_KEPT = 64
"""Exponentials that a host keeps on its stack."""

_MOST_CHANNELS = 2**12 - 1
"""In one vector: so many exponentials, each at most 1 as Q12.19, add up within 31 bits."""

_VANISHING = 512
"""Channels from which on, where all are alike, TFLite Micro shifts a share by 32 bits and its assertion ends the program."""


@dataclass(frozen=True, kw_only=True)
class Softmax(Node):
    """SOFTMAX; ``exponentials`` are int32: exp(-d) as Q0.31 for each difference d from the maximum.

    A row is all it needs, but it always stands at the end, on a vector, and so runs on its whole input.
    """

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False
    in_place: ClassVar[bool] = True

    exponentials: np.ndarray

    def kernel(self, site: Site) -> "SoftmaxKernel":
        """Returns the kernel, its table of exponentials laid down."""
        halves = self.exponentials < 2**16
        first = len(self.exponentials)
        if site.placement.optimize == "size" and int(halves.sum()) >= _FEWEST_HALVES:
            first = int(np.argmax(halves))  # they only fall
        whole = first == len(self.exponentials)
        every_difference = np.pad(self.exponentials, (0, _DIFFERENCES - len(self.exponentials)))
        return SoftmaxKernel(
            layer=site.layer,
            depth=self.output.channels,
            rows=self.output.height * self.output.width,
            entries=len(self.exponentials),
            exponentials=site.add("exp", "int32_t", self.exponentials[:first], "not wide" if whole else "both"),
            wide_exponentials=site.add("wide_exp", "int32_t", every_difference, "wide") if whole else None,
            tail=None if whole else site.add("exp_tail", "uint16_t", self.exponentials[first:]),
        )


@dataclass(frozen=True, kw_only=True)
class SoftmaxKernel(Kernel):
    """``rows`` vectors of ``depth`` values.

    Attributes:
        entries: of the table, past which exponentials count as nothing.
        wide_exponentials: for every difference, 0 past the table: hosts look them up without a branch;
            None where there is a tail.
        tail: the table's last entries, of 16 bits; None where all are in ``exponentials``.
    """

    template: ClassVar[str] = "softmax.c.j2"

    depth: int
    rows: int
    entries: int
    exponentials: Array
    wide_exponentials: Array | None
    tail: Array | None

    @property
    def keeps_exponentials(self) -> bool:
        """Returns whether hosts keep what they looked up for the sum until they scale it."""
        return self.depth <= _MOST_KEPT

    @property
    def may_vanish(self) -> bool:
        """Returns whether all shares of a vector may be less than half a step of int8."""
        return self.depth >= _VANISHING and self.layer.output.element_type == "int8"


def lower_softmax(context: Context, operator: Operator) -> None:
    """Lowers SOFTMAX over the channels. Source: ``kernels/softmax_common.cc``."""
    source = context.value(operator)
    output = context.new_value(operator)
    zero_point = output.quantization.zero_point
    if output.element_type == "int16":
        if zero_point != -32768 or abs(output.scale - 1 / 65536) > 0.001 / 65536:
            reason = f"int8 to int16 with the output scale {output.scale:.8g} and zero point {zero_point}, not 1/65536 and -32768"
            raise context.refuse(operator, reason, "as TFLite Micro does")
    elif zero_point != -128 or output.scale != 1 / 256:
        raise context.refuse(operator, f"output scale {output.scale} and zero point, not 1/256 and -128")
    if source.channels > _MOST_CHANNELS:
        raise context.refuse(operator, f"{source.channels} channels; its sums hold {_MOST_CHANNELS}", "use fewer classes")
    if not source.scale * operator.options.get("beta", 1.0) > 2.0**-26:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
    context.nodes.append(
        Softmax(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            exponentials=arithmetic.softmax_exponentials(source.scale, operator.options.get("beta", 1.0)),
        )
    )
