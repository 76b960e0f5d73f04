"""Strips of lanes: how CONV_2D lays the inputs of a few neighbouring pixels down for the DSP extension.

Where channels are whole groups, or the filter looks at one pixel alone, a strip is columns, each from top to bottom: neighbours
share those that both look at. Else every pixel has lanes of its own, row after row of the filter. Knows shapes, no weights and
no C.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.codegen.packing import GROUP
from glyphlite.compiler.values import Window

_PAYS = 10_000
"""Multiply-accumulates of a layer that code for pairs of pixels must save."""
_REACH = 247
"""Words that a load of two registers reaches, in a round of the hot loop."""


@dataclass(frozen=True)
class Run:
    """Pixels of a row of the output that are computed so many at a time; the last ones may be some of those before again."""

    pixels: int
    first: int
    end: int


@dataclass(frozen=True)
class Strip:
    """The lanes of a few pixels.

    Attributes:
        columns: whether they lie column by column, so that the filter's order is (column, row, channel).
        shared: whether neighbours share columns.
        step: words from one pixel's lanes to the next one's.
        words: of all lanes.
        patch: words where bytes are gathered that do not lie in the map in whole words; 0 where none need that.
        unrolled: groups of inputs in one round of the hot loop.
        runs: how a row of the output is divided.
    """

    columns: bool
    shared: bool
    step: int
    words: int
    patch: int
    unrolled: int
    runs: tuple[Run, ...]


def strip_of(window: Window, channels: int, width: int, *, macs: int, padded: bool, pooled: bool) -> Strip:
    """Lays out a strip.

    Args:
        window: the filter's.
        channels: of the input.
        width: of the output.
        macs: multiply-accumulates of the layer.
        padded: whether windows lie beyond the map.
        pooled: whether a 2x2 maximum is taken, so that two pixels are computed at a time.
    """
    single = window.height == window.width == 1 and channels > GROUP
    columns = single or (channels % GROUP == 0 and window.dilation_x == 1)
    shared = columns and window.width >= window.stride_x
    groups = -(-window.height * window.width * channels // GROUP)
    step = 2 * groups if single or not shared else window.stride_x * window.height * channels // 2
    runs = (Run(2, 0, width),) if pooled else _runs(width, macs, 3 if step <= _REACH else 2)
    most = max(run.pixels for run in runs)
    whole_rows = window.dilation_x == 1 and window.width * channels % GROUP == 0
    return Strip(
        columns=columns,
        shared=shared,
        step=step,
        words=(most - 1) * step + 2 * groups,
        patch=0 if columns or (whole_rows and not padded) else groups,
        unrolled=_unrolled(groups),
        runs=runs,
    )


def column_order(weights: np.ndarray) -> np.ndarray:
    """Returns filters ``(out, height, width, in)`` as rows in a strip's order of columns: ``(out, width * height * in)``."""
    return weights.transpose(0, 2, 1, 3).reshape(len(weights), -1)


def _unrolled(groups: int) -> int:
    """Returns how many groups one round of the hot loop takes: few rounds, little code, and all at once where there are few."""

    def cost(unrolled: int) -> int:
        rounds = groups // unrolled
        return 4 * rounds + 3 * (unrolled + groups % unrolled) if rounds > 1 else 3 * groups

    return min((4, 3, 2), key=cost)


def _runs(width: int, macs: int, most: int) -> tuple[Run, ...]:
    """Divides a row into threes, and pairs where threes alone would compute much in vain."""
    if most == 2 or width < 3 or width == 4:
        return (Run(min(width, 2), 0, width),)
    if -width % 3 * macs <= _PAYS * width:
        return (Run(3, 0, width),)
    threes = width // 3 - width % 3 % 2
    return Run(3, 0, 3 * threes), Run(2, 3 * threes, width)
