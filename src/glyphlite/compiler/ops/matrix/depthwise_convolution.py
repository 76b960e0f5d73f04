"""DEPTHWISE_CONV_2D: one filter per channel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.matrix.weighted import Filtered, weighted_facts
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class DepthwiseConvolution(Filtered):
    """A depthwise convolution; weights are int8 ``(height, width, out)``."""

    depth_multiplier: int

    @property
    def by_fours(self) -> bool:
        """Returns whether four channels are computed at a time."""
        return self.depth_multiplier == 1 and self.output.channels % packing.GROUP == 0

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of the window that is gathered at a border."""
        return int(self.weights.shape[0] * self.weights.shape[1] * self.inputs[0].channels) if self.is_padded else 0

    def kernel(self, site: Site) -> "DepthwiseKernel":
        """Returns the kernel, its weights packed as each path reads them."""
        rows = np.moveaxis(self.weights, 2, 0).reshape(self.output.channels, -1)
        lanes, plain, wide = self._int4_weights(site) if self.int4 else self._int8_weights(site)
        packs = self.by_fours and site.placement.optimize == "speed"
        made, _ = requantizer(site, self.requantization, rows, self.bias, packs=packs)
        return DepthwiseKernel(
            layer=site.layer,
            requantizer=made,
            int4=self.int4,
            padded=self.is_padded,
            depth_multiplier=self.depth_multiplier,
            by_words=self.inputs[0].channels % 4 == 0,
            lane_weights=lanes,
            weights=plain,
            wide_weights=wide,
            shares_sums=site.placement.optimize == "size" and not site.layer.reads_model_input,
        )

    def _int8_weights(self, site: Site) -> tuple[Array | None, Array, Array]:
        lanes = site.add("lane_weights", "int32_t", packing.pack_depthwise(self.weights), "dsp") if self.by_fours else None
        plain = site.add("weights", "int8_t", self.weights, "plain" if self.by_fours else "both")
        return lanes, plain, plain

    def _int4_weights(self, site: Site) -> tuple[Array | None, Array, Array]:
        """Lays down INT4 weights: four channels in a word where they come in fours, for every core but one of wide vectors."""
        if self.by_fours:
            lanes = site.add("int4_weights", "uint16_t", packing.pack_int4_depthwise(self.weights), "not wide")
            return lanes, lanes, site.add("weights", "int8_t", self.weights, "wide")
        single = self.depth_multiplier == 1
        pairs = packing.pack_int4_channel_pairs(self.weights)
        plain = site.add("int4_weights", "uint8_t", pairs, "not wide" if single else "both")
        return None, plain, site.add("weights", "int8_t", self.weights, "wide") if single else plain


@dataclass(frozen=True, kw_only=True)
class DepthwiseKernel(Kernel):
    """One pixel at a time, four channels at a time where they come in fours.

    Attributes:
        by_words: whether the window at a border is gathered word by word.
        lane_weights: of four channels at a time; None where channels are computed one by one.
        weights: for plain code, ``wide_weights`` for wide vectors.
        shares_sums: whether the loop over INT4 weights is a function that layers share.
    """

    template: ClassVar[str] = "depthwise_convolution.c.j2"

    requantizer: Requantizer
    int4: bool
    padded: bool
    depth_multiplier: int
    by_words: bool
    lane_weights: Array | None
    weights: Array
    wide_weights: Array
    shares_sums: bool

    @property
    def fill_word(self) -> int:
        """Returns four bytes of the input's zero point, as int32."""
        return int(np.array([self.layer.input.zero_point] * 4, np.uint8).view(np.int32)[0])


def lower_depthwise_convolution(context: Context, operator: Operator) -> None:
    """Lowers DEPTHWISE_CONV_2D. Source: ``kernels/depthwise_conv_common.cc``."""
    facts, weights = weighted_facts(context, operator, output_axis=3)
    (source,), output, (_, height, width, _) = facts["inputs"], facts["output"], weights.shape
    context.nodes.append(
        DepthwiseConvolution(
            **facts,
            filter_window=window_of(operator, source, output, height, width),
            weights=weights.reshape(height, width, -1),
            depth_multiplier=output.channels // source.channels,
        )
    )
