"""CONV_2D on int16, and FULLY_CONNECTED on several vectors: inputs under a filter side by side, four filters at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.int16.scaling import LONGEST_SUM, Scaler, Scaling, narrow_weights, scaled_once, scaler, scaling_of
from glyphlite.compiler.ops.matrix.weighted import PoolableFilter
from glyphlite.compiler.values import Value, Window
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16Convolution(PoolableFilter):
    """A convolution; weights are int8 ``(out, height, width, in)``.

    Attributes:
        groups: into which its channels fall; each filter reads those of one.
    """

    weights: np.ndarray
    scaling: Scaling
    groups: int = 1

    @property
    def takes_maximum(self) -> bool:
        """Returns whether a maximum may be taken over its sums: they are scaled in 32 bits, with one rounding."""
        scales_once = scaled_once(self.scaling, self.weights.reshape(len(self.weights), -1))
        return scales_once and self.groups == 1 and not self.pooled

    @property
    def is_point(self) -> bool:
        """Returns whether a filter reads the channels of one pixel, which lie side by side already."""
        return self.weights.shape[1:3] == (1, 1) and not self.is_padded

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of the inputs under one filter, and of the sums under a maximum."""
        del placement
        best = 4 * _padded(self.output.channels) if self.pooled else 0
        return best + (0 if self.is_point else 2 * int(np.prod(self.weights.shape[1:])))

    def kernel(self, site: Site) -> "Int16ConvolutionKernel":
        """Returns the kernel, its weights packed in pairs of inputs for the DSP extension."""
        rows = self.weights.reshape(len(self.weights), -1)
        block = rows.shape[1] if (made := scaler(site, self.scaling, rows)).long_sums is False else LONGEST_SUM
        return Int16ConvolutionKernel(
            layer=site.layer,
            scaler=made,
            is_point=self.is_point,
            padded=self.is_padded,
            groups=self.groups,
            pooled=self.pooled,
            depth=rows.shape[1],
            block=block,
            lane_weights=site.add("lane_weights", "int32_t", _packed(packing.pack_int16_quads, rows, self.groups), "dsp"),
            weights=site.add("weights", "uint8_t", _packed(packing.interleave_quads, rows, self.groups), "plain"),
        )


@dataclass(frozen=True, kw_only=True)
class Int16ConvolutionKernel(Kernel):
    """One pixel at a time.

    Attributes:
        is_point: whether inputs are read where they lie; else they are gathered first.
        groups: into which channels fall.
        depth: inputs under one filter.
        block: inputs whose products are added in 32 bits.
        lane_weights: for the DSP extension, ``weights`` for every other core.
    """

    template: ClassVar[str] = "int16/convolution.c.j2"

    scaler: Scaler
    is_point: bool
    padded: bool
    groups: int
    pooled: bool
    depth: int
    block: int
    lane_weights: Array
    weights: Array

    @property
    def padded_filters(self) -> int:
        """Returns the number of filters, rounded up to fours."""
        return _padded(self.layer.output.channels)


def _padded(filters: int) -> int:
    return -(-filters // 4) * 4


def _packed(pack: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, groups: int) -> np.ndarray:
    """Returns the weights of each group packed, one after the other."""
    return np.concatenate([pack(part) for part in np.split(rows, groups)])


def lower_convolution(context: Context, operator: Operator) -> None:
    """Lowers CONV_2D. Source: ``kernels/conv_common.cc``."""
    source, weights = context.value(operator), narrow_weights(context, operator)
    output = context.new_value(operator)
    window = window_of(operator, source, output, weights.shape[1], weights.shape[2])
    _append(context, operator, source, output, weights, window)


def _append(context: Context, operator: Operator, source: Value, output: Value, weights: np.ndarray, window: Window) -> None:
    """Appends the node of a convolution, or of what is one."""
    scaling = scaling_of(context, operator, source, output, weights.reshape(len(weights), -1))
    context.nodes.append(
        Int16Convolution(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            filter_window=window,
            weights=weights,
            scaling=scaling,
            groups=source.channels // weights.shape[3],
        )
    )


def lower_matrix_product(context: Context, operator: Operator) -> None:
    """Lowers FULLY_CONNECTED as a 1x1 convolution: of several vectors, or of sums that may leave 32 bits.

    Source: ``kernels/fully_connected_common.cc``.
    """
    source, weights = context.value(operator), narrow_weights(context, operator)
    channels, depth = weights.shape
    output, rows = context.new_value(operator), source.elements // depth
    seen = Value(source.index, source.name, 1, rows, depth, source.quantization, "int16")
    made = Value(output.index, output.name, 1, rows, channels, output.quantization, "int16")
    _append(context, operator, seen, made, weights.reshape(channels, 1, 1, depth), Window())
