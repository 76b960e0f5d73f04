"""Tiles of pixels on cores without the DSP extension: how many of them one filter meets at a time, and how they lie in words.

Each word holds a pixel's byte; with small weights it holds the bytes of two pixels, 65536 * second + first. One multiplication
then makes both products, and both sums stay apart as long as neither leaves 16 bits. The compiler knows the weights, so it
knows how many inputs that holds for.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.codegen.packing import GROUP

_WORTHWHILE = 4  # groups after which sums may be taken apart without losing what pairs gain
_WORDS = {False: range(1, 6), True: range(1, 5)}  # of an input: what Cortex-M0 has registers for


@dataclass(frozen=True)
class Tile:
    """Pixels that one filter is multiplied with at a time.

    Attributes:
        pixels: of the output.
        in_pairs: whether a word holds two of them.
        groups: of four inputs, in one filter.
        block: groups that are added up before the sums of pairs could leave 16 bits.
    """

    pixels: int
    in_pairs: bool
    groups: int
    block: int

    @property
    def words(self) -> int:
        """Returns the words of each input."""
        return -(-self.pixels // 2) if self.in_pairs else self.pixels

    @property
    def blocks(self) -> tuple[int, ...]:
        """Returns the groups of each block."""
        whole, rest = divmod(self.groups, self.block)
        return (self.block,) * whole + ((rest,) if rest else ())

    @property
    def scratch_bytes(self) -> int:
        """Returns the bytes of a patch."""
        return 4 * self.words * GROUP * self.groups


def tile_of(rows: np.ndarray, width: int, *, int4: bool, pooled: bool) -> Tile:
    """Returns the cheapest tile for rows of so many pixels.

    Args:
        rows: the weights, int8 (filters, inputs).
        width: pixels of a row of the output.
        int4: whether they are stored in four bits, which pairs always take.
        pooled: whether a tile is the four pixels under a 2x2 maximum.
    """
    groups = -(-rows.shape[1] // GROUP)
    block = _pair_block(rows)
    in_pairs = int4 or ((pooled or width > 1) and block >= min(groups, _WORTHWHILE))
    if pooled:
        return Tile(4, in_pairs, groups, block if in_pairs else groups)
    per_word = 2 if in_pairs else 1
    words = min(_WORDS[in_pairs], key=lambda words: -(-width // (per_word * words)) * _cost(words))
    return Tile(min(per_word * words, width), in_pairs, groups, block if in_pairs else groups)


def _cost(words: int) -> float:
    """Returns the instructions of one input on Cortex-M0: loads of words, a weight, a product and a sum for each word."""
    return {1: 0.25, 2: 0.5, 5: 2}.get(words, 1) + 1.5 + 2 * words


def _pair_block(rows: np.ndarray) -> int:
    """Returns how many groups of inputs, 255 each, keep every sum of a filter within 16 bits; 0 where one group does not.

    INT4 weights, at least -8, always allow four groups.
    """
    groups = -(-rows.shape[1] // GROUP)
    padded = np.zeros((len(rows), groups * GROUP), np.int64)
    padded[:, : rows.shape[1]] = rows
    block = 0
    for parts in range(1, groups + 1):
        size = -(-groups // parts)
        if all(_fits(padded[:, start : start + size * GROUP]) for start in range(0, groups * GROUP, size * GROUP)):
            block = size
            break
    return block


def _fits(rows: np.ndarray) -> bool:
    most = np.maximum(rows, 0).sum(axis=1).max(initial=0), np.maximum(-rows, 0).sum(axis=1).max(initial=0)
    return 255 * int(max(most)) < 2**15
