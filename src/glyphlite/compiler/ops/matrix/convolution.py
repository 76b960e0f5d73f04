"""CONV_2D, and FULLY_CONNECTED on several rows: three kernels, by what is optimized for and by the filter."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.affine import FRACTIONS
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.filters import Filter
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.codegen.packing import Lanes
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.codegen.tiles import Tile, tile_of
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.matrix.strip import Strip, in_order, strip_of
from glyphlite.compiler.ops.matrix.vectors import Vectors, Walk, pairs_plus_8, plus_128, vectors_of, walk_of
from glyphlite.compiler.ops.matrix.weighted import Filtered, PoolableFilter, weighted_facts
from glyphlite.compiler.values import Value, Window
from glyphlite.tflite.graph import Operator

_MANY_PRODUCTS = 2048  # of a pixel: a call is less than half a percent of them


@dataclass(frozen=True, kw_only=True)
class Convolution(PoolableFilter, Filtered):
    """A convolution; weights are int8 ``(out, height, width, in)``."""

    @property
    def has_lanes(self) -> bool:
        """Returns whether its weights fit the lanes of the DSP extension."""
        return packing.is_packable(self.weights)

    @property
    def is_3x3_maxpool(self) -> bool:
        """Returns whether it is the commonest first layer, which has a kernel of its own."""
        window = self.filter_window
        steps = (window.stride_y, window.stride_x, window.dilation_y, window.dilation_x)
        return self.pooled and self.weights.shape[1:] == (3, 3, 1) and not self.is_padded and steps == (1, 1, 1, 1)

    @property
    def strip(self) -> Strip:
        """Returns how the DSP extension lays its inputs down."""
        width, padded, pooled = self.output.width, self.is_padded, self.pooled
        return strip_of(self.filter_window, self.weights.shape[3], width, macs=self.macs, padded=padded, pooled=pooled)

    @property
    def tile(self) -> Tile:
        """Returns the pixels that cores without the DSP extension compute at a time."""
        rows = self.weights.reshape(len(self.weights), -1)
        return tile_of(rows, self.output.width, int4=self.int4, pooled=self.pooled)

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes of a patch or of lanes, and of the sums under a maximum."""
        if self.is_3x3_maxpool:
            if placement.dsp:
                return 8 * (2 * self.output.width + 2)
            return 4 * 9 * (4 if _takes_words(self, placement) else 1)
        depth = int(np.prod(self.weights.shape[1:]))
        groups = -(-depth // packing.GROUP)
        best = 4 * (self.output.channels + self.output.channels % 2) if self.pooled else 0
        if placement.optimize != "speed":
            return 4 * groups + best
        strip = self.strip
        return 4 * (strip.words + strip.patch) + best if self.has_lanes and placement.dsp else self.tile.scratch_bytes

    @property
    def lies_for_mve(self) -> bool:
        """Returns whether Helium reads pixels where they lie."""
        window = self.filter_window
        return window.height == window.width == 1 and not self.is_padded and not self.pooled

    @property
    def mve_pixels(self) -> int:
        """Returns the pixels that Helium computes at a time; 0 where it computes one after the other.

        They are gathered in the scratch memory that the DSP extension needs.
        """
        most = 3 if self.int4 else 4  # of two filters at once: Helium has seven registers for sums
        depth, wanted = int(np.prod(self.weights.shape[1:])), 4 if self.pooled else min(most, self.output.width)
        room = self.scratch_bytes(Placement("speed")) // depth
        pixels = wanted if self.lies_for_mve else min(wanted, room)
        return 0 if pixels < (4 if self.pooled else 3) else pixels

    def has_mve(self, placement: Placement) -> bool:
        """Returns whether Helium has a kernel: not where a window has no room in scratch memory."""
        if not self.has_lanes or self.is_3x3_maxpool or placement.optimize == "size":
            return False
        if placement.optimize == "ram":
            return not self.pooled
        room = self.scratch_bytes(Placement("speed"))
        return self.mve_pixels > 0 or (not self.pooled and (self.lies_for_mve or int(np.prod(self.weights.shape[1:])) <= room))

    def filter(self) -> Filter | None:
        """Returns it as a filter of a table; a pooled one is none."""
        rows = self.weights.reshape(len(self.weights), -1)
        return None if self.pooled else Filter(rows, 1, self.bias, self.requantization, self.filter_window, self.int4)

    def kernel(self, site: Site) -> Kernel:
        """Returns the kernel that its shape and the placement call for."""
        if self.is_3x3_maxpool:
            return _kernel_3x3_maxpool(self, site)
        rows = self.weights.reshape(len(self.weights), -1)
        compact = site.placement.optimize != "speed"
        lanes = _lanes(self, site, rows, compact=compact)
        tile = self.tile
        if compact and not self.int4:
            plain = site.add("weights", "int8_t", rows, "plain" if lanes else "both")
        elif compact:
            plain = site.add("int4_weights", "uint16_t", packing.pack_int4_rows(rows), "plain")
        else:
            plain = _plain_weights(site, rows, tile, int4=self.int4, path="narrow" if lanes else "not wide")
        fractions = FRACTIONS if compact or not self.int4 else (packing.INT4_FRACTION, *FRACTIONS)
        made, _ = requantizer(
            site, self.requantization, rows, self.bias, fractions=fractions, pairs=lanes is not None and not compact
        )
        kind = ConvolutionCompactKernel if compact else ConvolutionKernel
        return kind(
            layer=site.layer,
            requantizer=made,
            int4=self.int4,
            pooled=self.pooled,
            padded=self.is_padded,
            depth=rows.shape[1],
            lanes=lanes,
            weights=plain,
            mve_weights=self._mve_weights(site, rows) if self.has_mve(site.placement) else None,
            mve_pixels=self.mve_pixels,
            lies_for_mve=self.lies_for_mve and not site.layer.reads_model_input,
            vectors=None if compact else self.vectors_for(site, rows, made),
            tile=tile,
            strip=self.strip,
        )

    def _mve_weights(self, site: Site, rows: np.ndarray) -> Array:
        """Lays down weights for Helium, filter after filter, of INT4 pair after pair."""
        return site.add("mve_weights", "uint8_t", pairs_plus_8(rows) if self.int4 else plus_128(rows), "mve")

    def vectors_for(self, site: Site, rows: np.ndarray, made: Requantizer) -> Vectors:
        """Lays down weights for wide vectors: a row of the window lies together, unless dilation parts its columns."""
        window = self.filter_window
        segments = window.height * (1 if window.dilation_x == 1 else window.width)
        return vectors_of(site, [rows], made, segments=segments)


@dataclass(frozen=True, kw_only=True)
class VectorConvolutionKernel(Kernel):
    """A convolution that wide vectors have a kernel for.

    Attributes:
        pooled: whether a 2x2 maximum is taken of the sums.
        vectors: weights for wide vectors; None where these run the plain code.
    """

    requantizer: Requantizer
    pooled: bool
    padded: bool
    vectors: Vectors | None

    @property
    def pixels(self) -> int:
        """Returns the pixels of sums in a row."""
        return self.layer.output.width * (2 if self.pooled else 1)

    @property
    def columns(self) -> int:
        """Returns the segments of a row of the window."""
        return 1 if self.layer.window.dilation_x == 1 else self.layer.window.width

    @property
    def strip_rows(self) -> int:
        """Returns the rows that wide vectors lay down as lanes."""
        return self.layer.span if self.pooled else self.layer.window.height

    @property
    def walk(self) -> Walk:
        """Returns how wide vectors walk along a row; there is no limit, as a sum has no more inputs than int32 holds."""
        lanes = self.layer.input.channels * self.strip_rows
        return walk_of(self.layer.window, self.pixels, lanes, least=2 if self.pooled else 1)

    @property
    def lies_as_lanes(self) -> bool:
        """Returns whether rows may be read where they are by wide vectors whose lanes are stored bytes."""
        segment = self.layer.input.channels * (self.layer.window.width if self.columns == 1 else 1)
        return not self.padded and not self.layer.reads_model_input and segment % packing.GROUP == 0


@dataclass(frozen=True, kw_only=True)
class ConvolutionKernel(VectorConvolutionKernel):
    """A few pixels at a time, every filter multiplied with their patches.

    Attributes:
        depth: inputs under one filter.
        lanes: for the DSP extension; None where cores with it run the plain code.
        mve_weights: for Helium, which reads ``mve_pixels`` at a time where they lie, or gathers them; None where it takes what
            the DSP extension does.
        weights: for plain code.
        tile: the pixels that plain code computes at a time.
        strip: how the DSP extension lays inputs down.
    """

    template: ClassVar[str] = "convolution.c.j2"

    int4: bool
    depth: int
    mve_weights: Array | None
    mve_pixels: int
    lies_for_mve: bool
    lanes: Lanes | None
    weights: Array
    tile: Tile
    strip: Strip

    @property
    def starts_scaled(self) -> bool:
        """Returns whether sums for the DSP extension begin at their channel's start, and are scaled as they are."""
        scaled = self.requantizer.scaled
        if scaled is None or self.lanes is None or self.lanes.in_blocks:
            return False
        return scaled.fraction == (packing.INT4_FRACTION if self.int4 else packing.ODD_FRACTION)

    @property
    def calls_fill(self) -> bool:
        """Returns whether what fills a pixel of a tile is a function that plain code calls: compilers would write it once for
        each pixel. The call is nothing beside the products of a pixel where these are many; a lone run of bytes needs none.
        """
        is_run = self.layer.window.height == 1 and not self.padded
        return not is_run and self.layer.output.channels * self.depth >= _MANY_PRODUCTS

    @property
    def even_filters(self) -> int:
        """Returns the number of filters, rounded up to pairs."""
        return self.layer.output.channels + self.layer.output.channels % 2


@dataclass(frozen=True, kw_only=True)
class ConvolutionCompactKernel(ConvolutionKernel):
    """One pixel at a time: the least memory, the least code."""

    template: ClassVar[str] = "convolution_compact.c.j2"


def _plain_weights(site: Site, rows: np.ndarray, tile: Tile, *, int4: bool, path: str) -> Array:
    """Lays down the weights that meet a tile: groups of four, of pairs as they are, else weight + 128, which is one load."""
    if int4:
        return site.add("int4_weights", "uint16_t", packing.pack_int4_rows(rows), path)
    padded = np.zeros((len(rows), tile.groups * packing.GROUP), np.int16)
    padded[:, : rows.shape[1]] = rows if tile.in_pairs else rows.astype(np.int16) + 128
    return site.add("plain_weights", "int8_t" if tile.in_pairs else "uint8_t", padded, path)


def _lanes(node: Convolution, site: Site, rows: np.ndarray, *, compact: bool) -> Lanes | None:
    if not node.has_lanes:
        return None
    if not compact:
        rows = in_order(rows, node.strip.order)
    path = "dsp, no mve" if node.has_mve(site.placement) else "dsp"
    if node.int4:
        words = packing.pack_int4_quads(rows) if compact else packing.pack_int4_pairs(rows)
        array = site.add("lane_weights", "uint32_t", words, path)
    else:
        words = packing.pack_quads(rows) if compact else packing.pack_pairs(rows)
        array = site.add("lane_weights", "int32_t", words, path)
    groups = -(-rows.shape[1] // packing.GROUP)
    per_group = (2 if compact else 1) * (1 if node.int4 else 2)
    return Lanes(array, per_group, groups, packing.blocks_of(rows, int4=node.int4))


@dataclass(frozen=True, kw_only=True)
class Convolution3x3MaxPoolKernel(VectorConvolutionKernel):
    """3x3 filters on one channel, stride 1, no padding, a 2x2 maximum after them.

    Attributes:
        lane_weights: for the DSP extension, by columns; of INT4 the weights of every core without wide vectors.
        weights: for plain code.
        mve_weights: for Helium: a word of zeros before each filter, then its rows, each a word, and zeros at the end.
        mve_excess: for Helium: 128 times the sum of each filter's weights.
        prescaled: whether the weights for the DSP extension lie scaled, so that its sums have their fractional bits.
        in_words: whether plain code takes bytes and weights as words.
    """

    template: ClassVar[str] = "convolution_3x3_maxpool.c.j2"

    int4: bool
    lane_weights: Array
    weights: Array
    mve_weights: Array
    mve_excess: Array
    prescaled: bool
    in_words: bool


def _words_of_3x3(filters: np.ndarray) -> np.ndarray:
    """Returns filters, int8 ``(filters, 3, 3)``, as Helium loads them, so that four bytes further on each lies a row higher."""
    words = np.zeros((len(filters), 4, 4), np.int8)
    words[:, 1:, :3] = filters
    return np.append(words.reshape(-1), np.zeros(4, np.int8))


def _takes_words(node: Convolution, placement: Placement) -> bool:
    """Returns whether plain code of the 3x3 kernel takes words: Cortex-M0 loads four by one instruction."""
    return placement.optimize == "speed" and not node.int4


def _kernel_3x3_maxpool(node: Convolution, site: Site) -> Convolution3x3MaxPoolKernel:
    rows = node.weights.reshape(len(node.weights), -1)
    size = site.placement.optimize == "size"  # Cortex-M0: a signed byte takes two instructions
    plain = None if node.int4 else site.add("weights", "int8_t" if size else "int32_t", rows, "narrow")
    made, _ = requantizer(site, node.requantization, rows, node.bias)
    fits = made.scaled is not None and made.scaled.fraction <= (12 if node.int4 else 8)  # weights in 16 bits
    fraction = made.scaled.fraction if made.scaled and fits else 0
    exponents = np.full(len(rows), fraction)
    columns = node.weights[..., 0]
    if plain is None:
        packed = packing.pack_int4_columns_3x3(columns, exponents)
        plain = lanes = site.add("int4_weights", "uint16_t", packed, "not wide")
    else:
        lanes = site.add("lane_weights", "int32_t", packing.pack_columns_3x3(columns, 2**exponents), "dsp, no mve")
    return Convolution3x3MaxPoolKernel(
        layer=site.layer,
        requantizer=made,
        int4=node.int4,
        lane_weights=lanes,
        weights=plain,
        mve_weights=site.add("mve_weights", "int8_t", _words_of_3x3(columns), "mve"),
        mve_excess=site.add("mve_excess", "int32_t", 128 * rows.astype(np.int64).sum(axis=1), "mve"),
        pooled=True,
        padded=False,
        vectors=node.vectors_for(site, rows, made),
        prescaled=fits,
        in_words=_takes_words(node, site.placement),
    )


def lower_convolution(context: Context, operator: Operator) -> None:
    """Lowers CONV_2D. Source: ``kernels/conv_common.cc``."""
    facts, weights = weighted_facts(context, operator)
    window = window_of(operator, facts["inputs"][0], facts["output"], weights.shape[1], weights.shape[2])
    context.nodes.append(Convolution(**facts, filter_window=window, weights=weights))


def lower_depthwise_on_one_channel(context: Context, operator: Operator) -> None:
    """Lowers DEPTHWISE_CONV_2D on one channel, which is a CONV_2D. Source: ``kernels/depthwise_conv_common.cc``."""
    facts, weights = weighted_facts(context, operator, output_axis=3)
    window = window_of(operator, facts["inputs"][0], facts["output"], weights.shape[1], weights.shape[2])
    filters = np.ascontiguousarray(np.moveaxis(weights, 3, 0)).reshape(-1, window.height, window.width, 1)
    context.nodes.append(Convolution(**facts, filter_window=window, weights=filters))


def lower_matrix_product(context: Context, operator: Operator) -> None:
    """Lowers FULLY_CONNECTED on several rows, a 1x1 CONV_2D over them. Source: ``kernels/fully_connected_common.cc``."""
    facts, weights = weighted_facts(context, operator)
    (source,), output, (channels, depth) = facts["inputs"], facts["output"], weights.shape
    rows = source.elements // depth
    facts["inputs"] = (Value(source.index, source.name, 1, rows, depth, source.quantization),)
    facts["output"] = Value(output.index, output.name, 1, rows, channels, output.quantization)
    context.nodes.append(Convolution(**facts, filter_window=Window(), weights=weights.reshape(channels, 1, 1, depth)))
