"""DEPTHWISE_CONV_2D on int16: one filter per channel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.int16.scaling import Scaler, Scaling, narrow_weights, scaler, scaling_of
from glyphlite.compiler.ops.matrix.weighted import FilterNode
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16DepthwiseConvolution(FilterNode):
    """A depthwise convolution; weights are int8 ``(height, width, out)``."""

    weights: np.ndarray
    scaling: Scaling
    depth_multiplier: int

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of the window that is gathered at a border."""
        del placement
        return 2 * int(np.prod(self.weights.shape[:2])) * self.inputs[0].channels if self.is_padded else 0

    def kernel(self, site: Site) -> "Int16DepthwiseKernel":
        """Returns the kernel."""
        rows = np.moveaxis(self.weights, 2, 0).reshape(self.output.channels, -1)
        return Int16DepthwiseKernel(
            layer=site.layer,
            scaler=scaler(site, self.scaling, rows),
            padded=self.is_padded,
            depth_multiplier=self.depth_multiplier,
            weights=site.add("weights", "int8_t", self.weights),
        )


@dataclass(frozen=True, kw_only=True)
class Int16DepthwiseKernel(Kernel):
    """One channel of one pixel at a time."""

    template: ClassVar[str] = "int16/depthwise_convolution.c.j2"

    scaler: Scaler
    padded: bool
    depth_multiplier: int
    weights: Array


def lower_depthwise_convolution(context: Context, operator: Operator) -> None:
    """Lowers DEPTHWISE_CONV_2D. Source: ``kernels/depthwise_conv_common.cc``."""
    source, weights = context.value(operator), narrow_weights(context, operator)
    output = context.new_value(operator)
    height, width = weights.shape[1], weights.shape[2]
    taps = weights.reshape(height, width, -1)
    scaling = scaling_of(context, operator, source, output, np.moveaxis(taps, 2, 0).reshape(output.channels, -1))
    context.nodes.append(
        Int16DepthwiseConvolution(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            filter_window=window_of(operator, source, output, height, width),
            weights=taps,
            scaling=scaling,
            depth_multiplier=output.channels // source.channels,
        )
    )
