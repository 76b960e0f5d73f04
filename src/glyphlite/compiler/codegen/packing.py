"""Constants in the order in which the kernels read them.

Knows weights and layouts, no C. The DSP layout holds two outputs in one 16-bit lane, ``256 * w[odd] + w[even]``, which fits
because TFLite's weights are at least -127. One SMLAD then adds up ``256 * odd + even`` for two inputs, a second one on the
sign-extended low bytes (SXTB16) adds up ``even`` alone, and the difference is ``256 * odd``: three instructions for four
products, from weights of one byte each. The sums of ``odd`` must fit 24 bits; rows that could leave them are added up in blocks.

INT4 weights are never spread out in flash. A 32-bit word holds eight of them so that each AND with ``0xF000F000``, after
a shift by 0, 4, 8 or 12 that Arm's AND does on the way, leaves two 16-bit lanes of ``4096 * weight``, sign and all: one SMLAD for
two products. The sums must fit 20 bits. In 16-bit words for plain C, too, the first of four weights stands highest.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.codegen.constants import Array

GROUP = 4  # inputs taken in one step: two words of two 16-bit lanes, inputs (0, 2) and (1, 3)
_SAFE_GROUPS = 64  # 256 inputs * 255 * 127 < 2**23, and 256 * 255 * 8 < 2**19
_SUM_BITS, _INT4_SUM_BITS = 24, 20
ODD_FRACTION, INT4_FRACTION = 32 - _SUM_BITS, 32 - _INT4_SUM_BITS
"""Fractional bits of a sum in its lanes: of an odd filter, 256 times its value, and of any INT4 weights, 4096 times."""


@dataclass(frozen=True)
class Lanes:
    """Weights as cores with the DSP extension read them.

    Attributes:
        words: of each group of inputs.
        groups: of four inputs, in one filter.
        block: groups that are added up before the sums could leave their bits.
    """

    weights: Array
    words: int
    groups: int
    block: int

    @property
    def in_blocks(self) -> bool:
        """Returns whether sums are added up in several blocks."""
        return self.groups > self.block


def pack_int16_quads(rows: np.ndarray) -> np.ndarray:
    """Packs for int16 inputs, four outputs at a time: int32 (quad, pair of inputs, pair of outputs).

    A word's bytes are the weights of two outputs for the first input, then for the second; what is missing is 0.
    """
    padded = np.zeros((-(-rows.shape[0] // 4) * 4, -(-rows.shape[1] // 2) * 2), np.int8)
    padded[: rows.shape[0], : rows.shape[1]] = rows
    ordered = padded.reshape(-1, 2, 2, padded.shape[1] // 2, 2).transpose(0, 3, 1, 4, 2)
    return np.ascontiguousarray(ordered).reshape(-1).view("<i4")


def is_packable(weights: np.ndarray) -> bool:
    """Returns whether every weight leaves room for a borrow from the lane's low byte."""
    return int(weights.min(initial=0)) > -128


def blocks_of(rows: np.ndarray, *, int4: bool = False) -> int:
    """Counts the groups that can be added up before the sums leave their bits. ``rows`` are int8 (outputs, inputs)."""
    groups = -(-rows.shape[1] // GROUP)
    wide = rows.astype(np.int64) * 255
    positive, negative = np.maximum(wide, 0).sum(axis=1), -np.minimum(wide, 0).sum(axis=1)
    limit = 2 ** ((_INT4_SUM_BITS if int4 else _SUM_BITS) - 1)
    return groups if max(positive.max(initial=0), negative.max(initial=0)) < limit else _SAFE_GROUPS


def _padded(rows: np.ndarray, outputs: int) -> np.ndarray:
    """Adds zero rows and columns up to a multiple of ``outputs`` and of a group."""
    height = -(-rows.shape[0] // outputs) * outputs
    width = -(-rows.shape[1] // GROUP) * GROUP
    padded = np.zeros((height, width), np.int64)
    padded[: rows.shape[0], : rows.shape[1]] = rows
    return padded


def _lanes(rows: np.ndarray) -> np.ndarray:
    """Makes words for pairs of outputs: int64 (pairs, groups, 2), each the pair's weights of two inputs."""
    even, odd = rows[0::2], rows[1::2]
    halves = (256 * odd + even).reshape(len(even), -1, GROUP)
    low, high = halves[:, :, 0:2] & 0xFFFF, halves[:, :, 2:4] & 0xFFFF
    return low | (high << 16)


def _as_int32(words: np.ndarray) -> np.ndarray:
    return words.astype(np.uint32).view(np.int32).reshape(-1)


def pack_pairs(rows: np.ndarray) -> np.ndarray:
    """Packs for two outputs at a time: words (pair, group, 2)."""
    return _as_int32(_lanes(_padded(rows, 2)))


def pack_quads(rows: np.ndarray) -> np.ndarray:
    """Packs for four outputs at a time: words (quad, group, inputs' word, pair)."""
    lanes = _lanes(_padded(rows, 4))
    pairs, groups, _ = lanes.shape
    return _as_int32(np.ascontiguousarray(lanes.reshape(pairs // 2, 2, groups, 2).transpose(0, 2, 3, 1)))


def interleave_quads(rows: np.ndarray) -> np.ndarray:
    """Packs for four outputs at a time in plain C: uint8 (quad, input, 4), each weight + 128."""
    height = -(-rows.shape[0] // 4) * 4
    padded = np.zeros((height, rows.shape[1]), np.int16)
    padded[: len(rows)] = rows
    quads = padded.reshape(height // 4, 4, -1).transpose(0, 2, 1)
    return (np.ascontiguousarray(quads).reshape(-1) + 128).astype(np.uint8)


def pack_columns_3x3(weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Packs a 3x3 filter of one channel by columns, for rows taken in pairs: words (filter, column, [(w0, w1), (w1, w2)]).

    Args:
        weights: int8 (filters, 3, 3).
        scales: the power of two that each filter is multiplied by, so that all share one shift.
    """
    wide = weights.astype(np.int64) * scales[:, None, None]
    first = (wide[:, 0] & 0xFFFF) | ((wide[:, 1] & 0xFFFF) << 16)
    second = (wide[:, 1] & 0xFFFF) | ((wide[:, 2] & 0xFFFF) << 16)
    return _as_int32(np.stack([first, second], axis=-1))


def pack_depthwise(taps: np.ndarray) -> np.ndarray:
    """Packs depthwise weights as 16-bit lanes of channels (0, 2) and (1, 3): words (group of channels, tap, 2)."""
    height, width, channels = taps.shape
    wide = taps.astype(np.int64).reshape(height * width, channels // GROUP, GROUP) & 0xFFFF
    words = np.stack([wide[..., 0] | (wide[..., 2] << 16), wide[..., 1] | (wide[..., 3] << 16)], axis=-1)
    return _as_int32(np.ascontiguousarray(words.transpose(1, 0, 2)))


def pack_int4_pairs(rows: np.ndarray) -> np.ndarray:
    """Packs for two outputs at a time: uint32 (pair, group), lanes of inputs (0, 2) for either output, then of inputs (1, 3)."""
    padded = _padded(rows, 2)
    grouped = padded.reshape(len(padded) // 2, 2, -1, 2, 2)  # pair, output, group, lane, inputs' word
    return _int4_lanes(grouped.transpose(0, 2, 4, 1, 3))


def pack_int4_quads(rows: np.ndarray) -> np.ndarray:
    """Packs for four outputs at a time: uint32 (quad, group, inputs' word), lanes of two inputs for each output."""
    padded = _padded(rows, 4)
    grouped = padded.reshape(len(padded) // 4, 4, -1, 2, 2)
    return _int4_lanes(grouped.transpose(0, 2, 4, 1, 3))


def pack_int4_rows(rows: np.ndarray) -> np.ndarray:
    """Packs for one output at a time in plain C: uint16 (output, group), four inputs each."""
    return _int4_words(_padded(rows, 1))


def interleave_int4_quads(rows: np.ndarray) -> np.ndarray:
    """Packs for four outputs at a time in plain C: uint16 (quad, input), four outputs each."""
    height = -(-rows.shape[0] // 4) * 4
    padded = np.zeros((height, rows.shape[1]), np.int64)
    padded[: len(rows)] = rows
    return _int4_words(padded.reshape(height // 4, 4, -1).transpose(0, 2, 1))


def pack_int4_columns_3x3(weights: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Packs a 3x3 filter of one channel by columns: uint16 (filter, column), below the three weights the exponent of its scale.

    Args:
        weights: int8 (filters, 3, 3), from -8 to 7.
        exponents: 0 to 15, of the power of two that each filter is multiplied by, so that all share one shift.
    """
    columns = weights.transpose(0, 2, 1)
    below = np.broadcast_to(exponents[:, None, None], (len(weights), 3, 1))
    return _int4_words(np.concatenate([columns, below], axis=2))


def pack_int4_depthwise(taps: np.ndarray) -> np.ndarray:
    """Packs depthwise weights for four channels at a time: uint16 (group of channels, tap)."""
    height, width, channels = taps.shape
    return _int4_words(taps.reshape(height * width, channels // GROUP, GROUP).transpose(1, 0, 2))


def pack_int4_channel_pairs(taps: np.ndarray) -> np.ndarray:
    """Packs depthwise weights for one channel at a time: uint8 (tap, pair of channels), the even channel in the high half."""
    height, width, channels = taps.shape
    padded = np.zeros((height * width, channels + channels % 2), np.uint8)
    padded[:, :channels] = taps.reshape(height * width, channels).astype(np.uint8) & 0xF
    return ((padded[:, 0::2] << 4) | padded[:, 1::2]).reshape(-1)


def pack_int4_taps(rows: np.ndarray) -> np.ndarray:
    """Packs two taps of a channel in a byte, the last tap in the low half of the first one: int8 (channels, bytes).

    A channel has two bytes at least; any two neighbours hold four taps, the first of them in the highest bits.
    """
    taps = max(rows.shape[1] + rows.shape[1] % 2, 4)
    padded = np.zeros((rows.shape[0], taps), np.uint8)
    padded[:, : rows.shape[1]] = rows.astype(np.uint8) & 0xF
    backwards = padded[:, ::-1]
    return (backwards[:, 0::2] | (backwards[:, 1::2] << 4)).view(np.int8)


def _int4_lanes(weights: np.ndarray) -> np.ndarray:
    """Makes words of four pairs of lanes, from the highest four bits of either half down: uint32 from (..., 4, lanes)."""
    four_bits = (weights.reshape(-1, 4, 2) & 0xF).astype(np.uint32)
    halves = four_bits[:, 0] << 12 | four_bits[:, 1] << 8 | four_bits[:, 2] << 4 | four_bits[:, 3]
    return halves[:, 0] | halves[:, 1] << 16


def _int4_words(weights: np.ndarray) -> np.ndarray:
    """Packs four weights in 16 bits, the first one highest: uint16 from (..., 4)."""
    four_bits = (weights.reshape(-1, 4) & 0xF).astype(np.uint16)
    return four_bits[:, 0] << 12 | four_bits[:, 1] << 8 | four_bits[:, 2] << 4 | four_bits[:, 3]
