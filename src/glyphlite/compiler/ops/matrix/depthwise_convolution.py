"""DEPTHWISE_CONV_2D: one filter per channel."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.affine import FRACTIONS
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.filters import Filter
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.matrix.depthwise_columns import DistantColumns, NeighbourColumns, SingleColumns, fit_16_bits
from glyphlite.compiler.ops.matrix.vectors import (
    BLOCK,
    LANES_OF_COLUMN,
    ChannelMve,
    Vectors,
    Walk,
    channel_mve_of,
    channel_vectors_of,
    walk_of,
)
from glyphlite.compiler.ops.matrix.weighted import Filtered, weighted_facts
from glyphlite.tflite.graph import Operator

_WORDS_OF_TAPS = 6  # that stay in registers beside four sums
_MOST_MVE_COLUMNS = 64  # whose lanes lie on the stack, 64 bytes each
_MOST_COLUMNS = 1024  # and rows, under a window that wide vectors lay down


@dataclass(frozen=True, kw_only=True)
class DepthwiseConvolution(Filtered):
    """A depthwise convolution; weights are int8 ``(height, width, out)``."""

    depth_multiplier: int

    @property
    def by_fours(self) -> bool:
        """Returns whether four channels are computed at a time."""
        return self.depth_multiplier == 1 and self.output.channels % packing.GROUP == 0

    @property
    def in_columns(self) -> bool:
        """Returns whether channel after channel passes along a row, as is fastest; else pixel after pixel is computed.

        A channel's weights are made ready once a row, which pays from a few outputs on.
        """
        window = self.filter_window
        plain = self.depth_multiplier == 1 and window.dilation_x == 1 and window.pad_left >= 0
        fits = self.output.channels >= packing.GROUP and self.output.width > 2 and window.height * window.width <= 25
        return plain and fits and self.lanes.is_regular and self.plain_columns.is_regular

    @property
    def pairs_rows(self) -> bool:
        """Returns whether two rows of output are made a call: a channel's weights are made ready once for both, and what both
        look at is laid down once. That takes a register for every two of its weights.
        """
        window, rows = self.filter_window, self.output.height
        alike = window.stride_y == window.stride_x < window.height and window.dilation_y == 1
        few = window.height * len(self.lanes.taps) <= _WORDS_OF_TAPS
        return rows > 1 and alike and few and self.in_columns and self.lanes_of(2).is_regular

    @property
    def lanes(self) -> NeighbourColumns:
        """Returns the columns that cores with the DSP extension multiply for one row."""
        return self.lanes_of(1)

    def lanes_of(self, rows: int) -> NeighbourColumns:
        """Returns the columns that cores with the DSP extension multiply for so many rows of output at once."""
        return NeighbourColumns(self.filter_window, self.inputs[0], self.output, rows)

    @property
    def plain_columns(self) -> DistantColumns | SingleColumns:
        """Returns the columns that other cores multiply: two in a word where both sums fit it."""
        kind = DistantColumns if fit_16_bits(np.moveaxis(self.weights, 2, 0).reshape(self.output.channels, -1)) else SingleColumns
        return kind(self.filter_window, self.inputs[0], self.output)

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of columns, or of the window that is gathered at a border."""
        gathered = int(self.weights.shape[0] * self.weights.shape[1] * self.inputs[0].channels) if self.is_padded else 0
        if placement.optimize != "speed" or not self.in_columns:
            return gathered
        if placement.dsp:
            return 4 * packing.GROUP * self.lanes_of(placement.rows_at_once).pitch
        columns = self.plain_columns
        words = packing.GROUP * columns.pitch if isinstance(columns, DistantColumns) else columns.pitch + 2 * columns.steps
        return max(gathered, 4 * words)

    def filter(self) -> Filter | None:
        """Returns it as a filter of a table, if each output channel has an input channel of its own."""
        rows = np.moveaxis(self.weights, 2, 0).reshape(self.output.channels, -1)
        step = self.inputs[0].channels
        return (
            Filter(rows, step, self.bias, self.requantization, self.filter_window, self.int4)
            if self.depth_multiplier == 1
            else None
        )

    def kernel(self, site: Site) -> "DepthwiseKernel":
        """Returns the kernel, its weights packed as each path reads them."""
        rows = np.moveaxis(self.weights, 2, 0).reshape(self.output.channels, -1)
        if site.placement.optimize == "speed" and self.in_columns:
            return self._columns_kernel(site, rows)
        made, _ = requantizer(site, self.requantization, rows, self.bias)
        vectors = self._vectors(site, made)
        lay_down = self._int4_weights if self.int4 else self._int8_weights
        lanes, plain, wide = lay_down(site, vectors=vectors is not None)
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
            vectors=vectors,
            shares_sums=site.placement.optimize == "size" and not site.layer.reads_model_input,
        )

    def _columns_kernel(self, site: Site, rows: np.ndarray) -> "DepthwiseColumnsKernel":
        """Returns the kernel of channel after channel."""
        packed = packing.pack_int4_taps(rows) if self.int4 else rows
        weights = site.add("channel_weights", "int8_t", packed, "not wide")
        fraction = 12 if self.int4 else 8
        made, _ = requantizer(site, self.requantization, rows, self.bias, fractions=(fraction, *FRACTIONS))
        lanes = self.lanes_of(site.placement.rows_at_once)
        return DepthwiseColumnsKernel(
            layer=site.layer,
            requantizer=made,
            int4=self.int4,
            padded=self.is_padded,
            depth_multiplier=1,
            by_words=self.inputs[0].channels % 4 == 0,
            lane_weights=None,
            weights=weights,
            wide_weights=weights,
            vectors=self._vectors(site, made),
            mve=self._mve(site, made),
            shares_sums=False,
            channel_weights=weights,
            weight_bytes=packed.shape[1],
            fraction=fraction,
            prescaled=made.scaled is not None and made.scaled.fraction == fraction,
            lanes=lanes,
            lane_shape=site.add("lane_shape", "uint16_t", lanes.shape(), "dsp"),
            columns=self.plain_columns,
            column_shape=site.add("column_shape", "uint16_t", self.plain_columns.shape(), "narrow"),
        )

    def _mve(self, site: Site, made: Requantizer) -> ChannelMve | None:
        """Lays down weights for Helium; None where it takes what the DSP extension does."""
        window = self.filter_window
        columns = (self.output.width - 1) * window.stride_x + window.span_x
        fits = max(window.height, window.width) <= packing.GROUP and columns <= _MOST_MVE_COLUMNS
        if self.int4 and self.output.channels > BLOCK and self.output.channels % 2:
            fits = False  # the last sixteen channels begin in the middle of a pair
        return channel_mve_of(site, self.weights, made.scaled, int4=self.int4) if fits and made.scaled else None

    def _vectors(self, site: Site, made: Requantizer) -> Vectors | None:
        """Lays down weights for wide vectors; None where these run a loop over channels."""
        fits = self.filter_window.span_x * self.filter_window.height <= _MOST_COLUMNS
        return channel_vectors_of(site, self.weights, made) if self.depth_multiplier == 1 and fits else None

    def _int8_weights(self, site: Site, *, vectors: bool) -> tuple[Array | None, Array, Array]:
        lanes = site.add("lane_weights", "int32_t", packing.pack_depthwise(self.weights), "dsp") if self.by_fours else None
        path = ("narrow" if vectors else "plain") if self.by_fours else "not wide" if vectors else "both"
        plain = site.add("weights", "int8_t", self.weights, path)
        return lanes, plain, plain

    def _int4_weights(self, site: Site, *, vectors: bool) -> tuple[Array | None, Array, Array]:
        """Lays down INT4 weights: four channels in a word where they come in fours, for every core but one of wide vectors."""
        single = self.depth_multiplier == 1
        if self.by_fours:
            lanes = plain = site.add("int4_weights", "uint16_t", packing.pack_int4_depthwise(self.weights), "not wide")
        else:
            pairs = packing.pack_int4_channel_pairs(self.weights)
            lanes, plain = None, site.add("int4_weights", "uint8_t", pairs, "not wide" if single else "both")
        return lanes, plain, site.add("weights", "int8_t", self.weights, "wide") if single and not vectors else plain


@dataclass(frozen=True, kw_only=True)
class DepthwiseKernel(Kernel):
    """One pixel at a time, four channels at a time where they come in fours.

    Attributes:
        by_words: whether the window at a border is gathered word by word.
        lane_weights: of four channels at a time; None where channels are computed one by one.
        weights: for plain code, ``wide_weights`` for wide vectors that run a loop over channels.
        vectors: for wide vectors; None where these run that loop.
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
    vectors: Vectors | None
    shares_sums: bool

    @property
    def walk(self) -> Walk:
        """Returns how wide vectors walk along a row."""
        quads = -(-self.layer.window.height // packing.GROUP)
        return walk_of(self.layer.window, self.layer.output.width, LANES_OF_COLUMN * quads)

    @property
    def fill_word(self) -> int:
        """Returns four bytes of the input's zero point, as int32."""
        return int(np.array([self.layer.input.zero_point] * 4, np.uint8).view(np.int32)[0])


@dataclass(frozen=True, kw_only=True)
class DepthwiseColumnsKernel(DepthwiseKernel):
    """One channel at a time along a row, two outputs in a step.

    Attributes:
        mve: for Helium; None where it takes what the DSP extension does.
        channel_weights: channel after channel.
        weight_bytes: of one channel there.
        fraction: by how many bits weights are shifted left in lanes.
        prescaled: whether that is what sums need to be scaled.
        lanes: which columns and taps share a word on cores with the DSP extension, ``lane_shape`` as a constant.
        columns: which columns share a word on others, ``column_shape`` as a constant.
    """

    template: ClassVar[str] = "depthwise_columns.c.j2"

    mve: ChannelMve | None
    channel_weights: Array
    weight_bytes: int
    fraction: int
    prescaled: bool
    lanes: NeighbourColumns
    lane_shape: Array
    columns: DistantColumns | SingleColumns
    column_shape: Array

    @property
    def paired(self) -> bool:
        """Returns whether cores with the DSP extension make two rows a call."""
        return self.lanes.rows_at_once > 1

    @property
    def two_in_a_word(self) -> bool:
        """Returns whether plain code computes two outputs in one word."""
        return isinstance(self.columns, DistantColumns)


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
