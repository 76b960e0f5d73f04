"""CONV_2D whose filters see a part of the channels each: as many groups as a filter's channels go into the input's."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.codegen.packing import Lanes
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.matrix.weighted import Filtered, weighted_facts
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class GroupedConvolution(Filtered):
    """A grouped convolution; weights are int8 ``(out, height, width, in / groups)``."""

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of one group under the filter, in whole words."""
        return 4 * -(-self.weights[0].size // packing.GROUP) if self._has_lanes(placement) and placement.dsp else 0

    def kernel(self, site: Site) -> "GroupedConvolutionKernel":
        """Returns the kernel."""
        rows = self.weights.reshape(len(self.weights), -1)
        made, _ = requantizer(site, self.requantization, rows, self.bias)
        depth = self.weights.shape[3]
        filters = len(self.weights) * depth // self.inputs[0].channels
        lanes = _lanes(site, rows, filters) if self._has_lanes(site.placement) else None
        return GroupedConvolutionKernel(
            layer=site.layer,
            requantizer=made,
            padded=self.is_padded,
            depth=depth,
            filters=filters,
            lanes=lanes,
            weights=site.add("weights", "int8_t", rows, "plain" if lanes else "both"),
        )

    def _has_lanes(self, placement: Placement) -> bool:
        """Returns whether cores with the DSP extension take four filters at a time."""
        return placement.optimize == "speed" and packing.is_packable(self.weights)


def _lanes(site: Site, rows: np.ndarray, filters: int) -> Lanes:
    """Lays down four filters at a time, those of each group by themselves."""
    words = [packing.pack_quads(rows[first : first + filters]) for first in range(0, len(rows), filters)]
    array = site.add("lane_weights", "int32_t", np.concatenate(words), "dsp")
    return Lanes(array, 4, -(-rows.shape[1] // packing.GROUP), packing.blocks_of(rows))


@dataclass(frozen=True, kw_only=True)
class GroupedConvolutionKernel(Kernel):
    """One filter after the other over the channels of its group.

    Attributes:
        padded: whether a filter ever reaches beyond the map.
        depth: channels of a group.
        filters: of a group.
        lanes: for the DSP extension, four filters of a group at a time; None where cores with it run the plain code.
    """

    template: ClassVar[str] = "grouped_convolution.c.j2"

    requantizer: Requantizer
    padded: bool
    depth: int
    filters: int
    lanes: Lanes | None
    weights: Array


def lower_grouped_convolution(context: Context, operator: Operator) -> None:
    """Lowers CONV_2D with groups. Source: ``ConvPerChannel``, kernels/internal/reference/integer_ops/conv.h."""
    facts, weights = weighted_facts(context, operator)
    window = window_of(operator, facts["inputs"][0], facts["output"], weights.shape[1], weights.shape[2])
    context.nodes.append(GroupedConvolution(**facts, filter_window=window, weights=weights))
