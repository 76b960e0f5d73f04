"""Weights and scaling as processors with wide vectors read them: sixteen outputs side by side.

One layout serves every family of vectors: of each block of sixteen outputs, four inputs at a time, an output's four weights lie
together. Instructions that add four products of bytes to 32 bits (VNNI, SDOT) take them as they are; others (VPMADDWD, the
dot products of WebAssembly) spread them over 16 bits first. Knows weights and numbers, no C.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Site
from glyphlite.compiler.codegen.requantization import Requantizer, Scaled
from glyphlite.compiler.values import Window

BLOCK = 16  # outputs side by side
GROUP = 4  # inputs taken in one step
LANES_OF_COLUMN = 64  # of sixteen channels, four rows of a column
_PIXELS = 4  # computed at a time
_LANES = 16384  # of a strip, which lies on the stack


@dataclass(frozen=True)
class VectorScaling:
    """The numbers that make bytes of sums, sixteen at a time.

    Attributes:
        numbers: int32: the start of every output, then each one's multiplier, then what is added to each one's negative sums.
        width: outputs in each of the three, whole blocks.
    """

    scaled: Scaled
    numbers: Array
    width: int


@dataclass(frozen=True)
class Vectors:
    """A layer's weights for wide vectors.

    Attributes:
        weights: int8 (part, block of outputs, segment of the window, group of inputs, output, input).
        excess: int32 (part, output): 128 times the sum of the output's weights, for families whose lanes hold inputs as int8.
        scaling: None where sums are scaled as the reference does.
        blocks: of outputs.
        groups: of inputs, in each segment.
    """

    weights: Array
    excess: Array
    scaling: VectorScaling | None
    blocks: int
    groups: int

    @property
    def segment_lanes(self) -> int:
        """Returns the lanes of a segment, whole groups."""
        return GROUP * self.groups


@dataclass(frozen=True)
class Walk:
    """The steps in which a layer's windows pass along a row: a strip of it is laid down as lanes, for some pixels at a time.

    Attributes:
        chunk: pixels of one strip.
        columns: of the map under these.
    """

    chunk: int
    columns: int


def vectors_of(site: Site, parts: Sequence[np.ndarray], made: Requantizer, *, segments: int = 1) -> Vectors:
    """Lays down weights, int8 ``(outputs, inputs)`` of each part of the input that comes alone.

    A window's inputs lie in segments, each next to each other in the map.
    """
    blocks = -(-len(parts[0]) // BLOCK)
    packed = [in_blocks(part.reshape(len(part), segments, -1)) for part in parts]
    weights = site.add("vector_weights", "int8_t", np.stack(packed), "wide")
    return Vectors(weights, _excess(site, parts, blocks), _scaling(site, made), blocks, packed[0].shape[2])


def channel_vectors_of(site: Site, taps: np.ndarray, made: Requantizer) -> Vectors:
    """Lays down depthwise weights, int8 ``(height, width, channels)``: of sixteen channels, four rows of a column at a time.

    The last sixteen channels overlap those before them where they are not whole blocks.
    """
    height, width, channels = taps.shape
    quads = -(-height // GROUP)
    padded = np.zeros((quads * GROUP, width, max(channels, BLOCK)), np.int8)
    padded[:height, :, :channels] = taps
    blocks = [padded[:, :, first : first + BLOCK] for first in firsts_of(channels)]
    ordered = [block.reshape(quads, GROUP, width, BLOCK).transpose(0, 2, 3, 1) for block in blocks]
    weights = site.add("vector_weights", "int8_t", np.stack(ordered), "wide")
    excess = _excess(site, [taps.reshape(-1, channels).T], -(-channels // BLOCK))
    return Vectors(weights, excess, _scaling(site, made), len(blocks), quads)


@dataclass(frozen=True)
class ChannelMve:
    """A depthwise layer's weights for Helium.

    Attributes:
        weights: int8 (channel, column, row), four of both; INT4 ones of two channels in one byte, weight + 8.
        numbers: int32: the start of every channel, what inputs as int8 lack in it, then each one's multiplier, then what is added
            to each one's negative sums.
        width: channels in each of the three.
    """

    weights: Array
    numbers: Array
    width: int


def channel_mve_of(site: Site, taps: np.ndarray, scaled: Scaled, *, int4: bool) -> ChannelMve:
    """Lays down depthwise weights, int8 ``(height, width, channels)``, each extent at most four, and how sums become bytes."""
    height, width, channels = taps.shape
    padded = np.zeros((max(channels, BLOCK), GROUP, GROUP), np.int8)
    padded[:channels, :width, :height] = taps.transpose(2, 1, 0)
    numbers = _numbers(scaled, len(padded))
    numbers[0, :channels] += 128 * taps.astype(np.int64).sum(axis=(0, 1)) << scaled.fraction
    wrapped = numbers.astype(np.uint64).astype(np.uint32).view(np.int32)
    if int4:
        weights = site.add("mve_weights", "uint8_t", pairs_plus_8(padded.reshape(len(padded), -1)), "mve")
    else:
        weights = site.add("mve_weights", "int8_t", padded, "mve")
    return ChannelMve(weights, site.add("mve_numbers", "int32_t", wrapped, "mve"), len(padded))


def plus_128(weights: np.ndarray) -> np.ndarray:
    """Returns int8 weights as weight + 128, uint8: Helium multiplies bytes of one kind alone."""
    return (weights.astype(np.int16) + 128).astype(np.uint8)


def pairs_plus_8(rows: np.ndarray) -> np.ndarray:
    """Returns INT4 weights, int8 ``(outputs, inputs)``, as weight + 8; of two outputs the first in the lower half of a byte."""
    padded = np.pad(rows.astype(np.int16), ((0, len(rows) % 2), (0, 0))) + 8
    return (padded[::2] | padded[1::2] << 4).astype(np.uint8)


def firsts_of(channels: int) -> list[int]:
    """Returns the first channel of each sixteen."""
    return [max(0, min(first, channels - BLOCK)) for first in range(0, channels, BLOCK)]


def walk_of(window: Window, width: int, lanes_of_column: int, *, least: int = 1) -> Walk:
    """Returns how a row of so many outputs is walked, ``least`` of them at a time where more lanes would take too much memory."""

    def columns(pixels: int) -> int:
        return (pixels - 1) * window.stride_x + window.span_x

    for chunk in (width, 64 * _PIXELS, 16 * _PIXELS, 4 * _PIXELS, _PIXELS):
        if chunk <= width and columns(chunk) * lanes_of_column <= _LANES:
            return Walk(chunk, columns(chunk))
    return Walk(least, columns(least))


def in_blocks(rows: np.ndarray) -> np.ndarray:
    """Orders weights, int8 ``(outputs, segments, inputs)``, by block, segment, group, output and input; what is missing is 0."""
    outputs, segments, inputs = rows.shape
    padded = np.zeros((-(-outputs // BLOCK) * BLOCK, segments, -(-inputs // GROUP) * GROUP), np.int8)
    padded[:outputs, :, :inputs] = rows
    return padded.reshape(-1, BLOCK, segments, padded.shape[2] // GROUP, GROUP).transpose(0, 2, 3, 1, 4)


def _excess(site: Site, parts: Sequence[np.ndarray], blocks: int) -> Array:
    sums = np.zeros((len(parts), blocks * BLOCK), np.int64)
    for number, part in enumerate(parts):
        sums[number, : len(part)] = 128 * part.astype(np.int64).sum(axis=1)
    return site.add("vector_excess", "int32_t", sums, "signed")


def _scaling(site: Site, made: Requantizer) -> VectorScaling | None:
    """Lays down the numbers of the one long multiplication, each kind by itself."""
    scaled = made.scaled
    if scaled is None:
        return None
    width = -(-(scaled.scaling.values.size // scaled.words) // BLOCK) * BLOCK
    return VectorScaling(scaled, site.add("vector_scaling", "int32_t", _numbers(scaled, width), "wide"), width)


def _numbers(scaled: Scaled, width: int) -> np.ndarray:
    """Returns the numbers of so many channels, each kind by itself: int64 ``(3, width)``, 0 beyond the last channel."""
    columns = scaled.scaling.values.reshape(-1, scaled.words)[:width]
    numbers = np.zeros((3, width), np.int64)
    given = list(columns.T)
    numbers[0, : len(columns)] = given.pop(0)
    numbers[1, : len(columns)] = given.pop(0) if scaled.multiplier is None else scaled.multiplier
    numbers[2, : len(columns)] = given.pop(0) if scaled.step is None else scaled.step
    return numbers
