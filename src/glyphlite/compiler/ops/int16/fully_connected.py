"""FULLY_CONNECTED on one int16 vector: at once, or a flattened map row by row."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Accumulator, Kernel, Placement, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.int16.scaling import Scaler, Scaling, narrow_weights, scaler, scaling_of
from glyphlite.compiler.values import Value
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16FullyConnected(Node):
    """A fully connected layer whose sums stay within 32 bits; weights are int8 ``(out, in)``."""

    streams: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True

    weights: np.ndarray
    scaling: Scaling

    def _row(self, placement: Placement) -> int:
        """Returns the inputs that it takes at a time: a row of the map before it, or all."""
        return self.inputs[0].elements if placement.row_bytes is None else placement.row_bytes // 2

    def kernel(self, site: Site) -> Kernel:
        """Returns the kernel of a vector, or of a map that comes row by row."""
        row = self._row(site.placement)
        parts = np.split(self.weights, self.weights.shape[1] // row, axis=1)
        lanes = np.concatenate([packing.pack_int16_quads(part) for part in parts])
        plain = np.concatenate([packing.interleave_quads(part) for part in parts])
        kind = Int16FullyConnectedKernel if site.placement.row_bytes is None else Int16FullyConnectedRowsKernel
        return kind(
            layer=site.layer,
            scaler=scaler(site, self.scaling, self.weights),
            row=row,
            lane_weights=site.add("lane_weights", "int32_t", lanes, "dsp"),
            weights=site.add("weights", "uint8_t", plain, "plain"),
        )


@dataclass(frozen=True, kw_only=True)
class Int16FullyConnectedKernel(Kernel):
    """Four outputs at a time over a vector.

    Attributes:
        row: inputs at a time.
        lane_weights: for the DSP extension, ``weights`` for every other core.
    """

    template: ClassVar[str] = "int16/fully_connected.c.j2"
    by_rows: ClassVar[bool] = False

    scaler: Scaler
    row: int
    lane_weights: Array
    weights: Array

    @property
    def quads(self) -> int:
        """Returns the groups of four outputs."""
        return -(-self.layer.output.channels // 4)


@dataclass(frozen=True, kw_only=True)
class Int16FullyConnectedRowsKernel(Int16FullyConnectedKernel, Accumulator):
    """Four outputs at a time over one row of a flattened map, added to the sums."""

    by_rows: ClassVar[bool] = True
    selects_row: ClassVar[bool] = True


def lower_fully_connected(context: Context, operator: Operator) -> None:
    """Lowers FULLY_CONNECTED of one vector, whose sums fit 32 bits. Source: ``kernels/fully_connected_common.cc``."""
    source, weights = context.value(operator), narrow_weights(context, operator)
    output = context.new_value(operator)
    context.nodes.append(
        Int16FullyConnected(
            **context.facts(operator),
            inputs=(Value(source.index, source.name, 1, 1, source.elements, source.quantization, "int16"),),
            output=output,
            macs=operator_macs(context.graph, operator),
            weights=weights,
            scaling=scaling_of(context, operator, source, output, weights),
        )
    )
