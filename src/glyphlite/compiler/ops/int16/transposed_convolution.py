"""TRANSPOSE_CONV on int16: every output gathers the inputs that a filter would have spread to it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context, spread_of
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.int16.scaling import Scaler, Scaling, narrow_weights, scaler, scaling_of
from glyphlite.compiler.values import Window
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16TransposedConvolution(Node):
    """A transposed convolution; weights are int8 ``(out, height, width, in)``.

    Attributes:
        spread: the window, whose strides and paddings are those of the output.
    """

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False

    spread: Window
    weights: np.ndarray
    scaling: Scaling

    def kernel(self, site: Site) -> "Int16TransposedConvolutionKernel":
        """Returns the kernel."""
        rows = self.weights.reshape(len(self.weights), -1)
        return Int16TransposedConvolutionKernel(
            layer=site.layer,
            scaler=scaler(site, self.scaling, rows),
            spread=self.spread,
            weights=site.add("weights", "int8_t", rows),
        )


@dataclass(frozen=True, kw_only=True)
class Int16TransposedConvolutionKernel(Kernel):
    """The whole map, one output after the other."""

    template: ClassVar[str] = "int16/transposed_convolution.c.j2"

    scaler: Scaler
    spread: Window
    weights: Array


def lower_transposed_convolution(context: Context, operator: Operator) -> None:
    """Lowers TRANSPOSE_CONV. Source: ``CalculateOpData``, micro/kernels/transpose_conv.cc."""
    source, weights = context.value(operator, 2), narrow_weights(context, operator)
    output = context.new_value(operator)
    rows = weights.reshape(len(weights), -1)
    context.nodes.append(
        Int16TransposedConvolution(
            **context.facts(operator, first=2),
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            spread=spread_of(operator, (output.height, output.width), weights),
            weights=weights,
            scaling=scaling_of(context, operator, source, output, rows, bias=3),
        )
    )
