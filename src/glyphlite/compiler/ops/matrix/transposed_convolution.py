"""TRANSPOSE_CONV: every output gathers the inputs that a filter would have spread to it."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.context import Context, filter_of, spread_of
from glyphlite.compiler.ops.matrix.weighted import Weighted, bias_of, check_sums, sum_requantization
from glyphlite.compiler.values import Window
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class TransposedConvolution(Weighted):
    """A transposed convolution; weights are int8 ``(out, height, width, in)``.

    Attributes:
        spread: the window, whose strides and paddings are those of the output.
    """

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False

    spread: Window

    def kernel(self, site: Site) -> "TransposedConvolutionKernel":
        """Returns the kernel."""
        rows = self.weights.reshape(len(self.weights), -1)
        made, _ = requantizer(site, self.requantization, rows, self.bias, folds=False)
        return TransposedConvolutionKernel(
            layer=site.layer, requantizer=made, spread=self.spread, weights=site.add("weights", "int8_t", rows)
        )


@dataclass(frozen=True, kw_only=True)
class TransposedConvolutionKernel(Kernel):
    """The whole map, one output after the other."""

    template: ClassVar[str] = "transposed_convolution.c.j2"

    requantizer: Requantizer
    spread: Window
    weights: Array


def lower_transposed_convolution(context: Context, operator: Operator) -> None:
    """Lowers TRANSPOSE_CONV. Source: ``CalculateOpData``, micro/kernels/transpose_conv.cc.

    The padding is that of the convolution that would turn the output's shape into the input's.
    """
    source, (tensor, weights) = context.value(operator, 2), filter_of(context, operator)
    if tensor.packed_bits:
        raise context.refuse(operator, "weights of four bits", "as TFLite Micro does: use eight")
    output = context.new_value(operator)
    bias = bias_of(context, operator, output.channels, position=3)
    check_sums(context, operator, weights, bias)
    context.nodes.append(
        TransposedConvolution(
            **context.facts(operator, first=2),
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            spread=spread_of(operator, (output.height, output.width), weights),
            weights=weights,
            bias=bias,
            requantization=sum_requantization(context, operator, source, output, output.channels),
        )
    )
