"""MEAN over height and width: a sum for each channel, then one scaling."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Accumulator, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Requantization, Value
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Mean(Node):
    """MEAN, or AVERAGE_POOL_2D over the whole map, whose division is its own: it has no requantization."""

    streams: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True
    accumulates_alone: ClassVar[bool] = True
    takes_table: ClassVar[bool] = True

    requantization: Requantization | None
    activation_min: int
    activation_max: int

    def kernel(self, site: Site) -> "MeanKernel":
        """Returns the kernel."""
        source = self.inputs[0]
        return MeanKernel(
            layer=site.layer,
            requantization=self.requantization,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
            by_words=self.output.channels % 4 == 0 and source.width <= 257,
            positions=source.height * source.width,
        )


@dataclass(frozen=True, kw_only=True)
class MeanKernel(Accumulator):
    """A row added to the sums, and the sums divided.

    Attributes:
        by_words: whether four channels are added at a time, two sums in each word.
        positions: in a map.
    """

    template: ClassVar[str] = "mean.c.j2"

    requantization: Requantization | None
    activation_min: int
    activation_max: int
    by_words: bool
    positions: int


def lower_mean(context: Context, operator: Operator) -> None:
    """Lowers MEAN over height and width. Source: ``kernels/reduce_common.cc``."""
    source = context.value(operator)
    rank = len(context.tensor(operator.inputs[0]).shape)
    if "axes" not in operator.options:
        raise context.refuse(operator, "its axes are computed, not constant", "take the mean over height and width")
    axes = sorted(axis % rank for axis in operator.options["axes"])
    if rank != 4 or axes != [1, 2]:
        raise context.refuse(operator, f"mean over axes {axes} of {rank}", "take the mean over height and width")
    tensor = context.tensor(operator.outputs[0])
    written = context.new_value(operator)
    output = Value(tensor.index, tensor.name, 1, 1, source.channels, written.quantization)
    context.check_ratio(operator, source.scale / output.scale)
    multiplier, shift = arithmetic.mean_multiplier(source.scale, output.scale, source.height * source.width)
    context.nodes.append(
        Mean(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            requantization=Requantization((multiplier,), (shift,), output.zero_point, 0, 255),
            activation_min=0,
            activation_max=255,
        )
    )
