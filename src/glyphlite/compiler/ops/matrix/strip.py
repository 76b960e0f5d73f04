"""Strips of lanes: how CONV_2D lays the inputs of a few neighbouring pixels down for the DSP extension.

Where channels are whole groups, or the filter looks at one pixel alone, a strip is columns, each from top to bottom: neighbours
share those that both look at. Else every pixel has lanes of its own, row after row of the filter. Knows shapes and no C.
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
        order: the places in a filter ``(height, width, channels)`` of the inputs in lanes, -1 where a lane is empty.
        columns: whether they lie column by column.
        shared: whether neighbours share columns.
        run: bytes under one row of the filter.
        step: words from one pixel's lanes to the next one's.
        words: of all lanes.
        patch: words where bytes are gathered that do not lie in the map in whole words; 0 where none need that.
        unrolled: groups of inputs in one round of the hot loop.
        runs: how a row of the output is divided.
    """

    order: tuple[int, ...]
    columns: bool
    shared: bool
    run: int
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
    run = window.width * channels
    order = _order_of_columns(window, channels) if columns and not single else _order_of_runs(window.height, run)
    groups = len(order) // GROUP
    step = 2 * groups if single or not shared else window.stride_x * window.height * channels // 2
    runs = (Run(2, 0, width),) if pooled else _runs(width, macs, 3 if step <= _REACH else 2)
    most = max(run.pixels for run in runs)
    return Strip(
        order=order,
        columns=columns,
        shared=shared,
        run=run,
        step=step,
        words=(most - 1) * step + 2 * groups,
        patch=0 if columns or (window.dilation_x == 1 and not padded) else -(-window.height * run // 4),
        unrolled=_unrolled(groups, most),
        runs=runs,
    )


def in_order(rows: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Returns filters ``(out, inputs)`` in the order of lanes, zeros for those that are empty."""
    return np.pad(rows, ((0, 0), (0, 1)))[:, list(order)]


def _order_of_columns(window: Window, channels: int) -> tuple[int, ...]:
    """Returns the order (column, row, channel)."""
    places = np.arange(window.height * window.width * channels).reshape(window.height, window.width, channels)
    return tuple(places.transpose(1, 0, 2).reshape(-1).tolist())


def _order_of_runs(height: int, run: int) -> tuple[int, ...]:
    """Returns the order of whole groups, row after row, and then of the one, two or three bytes that each row has left over."""
    whole, rest = divmod(run, GROUP)
    order = [row * run + place for row in range(height) for place in range(GROUP * whole)]
    rows_per_group = GROUP // rest if rest else 1
    for first in range(0, height if rest else 0, rows_per_group):
        left = [
            (row + 1) * run - rest + place for row in range(first, min(first + rows_per_group, height)) for place in range(rest)
        ]
        order += left + [-1] * (GROUP - len(left))
    return tuple(order)


def _unrolled(groups: int, pixels: int) -> int:
    """Returns how many groups one round of the hot loop takes: few rounds, little code, and all at once where there are few."""
    if pixels == 1 and groups % 8 == 0:  # a group of one pixel is little code
        return 8

    def cost(unrolled: int) -> int:
        rounds = groups // unrolled
        return 4 * rounds + 3 * (unrolled + groups % unrolled) if rounds > 1 else 3 * groups

    return min((6, 5, 4, 3, 2), key=cost)


def _runs(width: int, macs: int, most: int) -> tuple[Run, ...]:
    """Divides a row into threes, and pairs where threes alone would compute much in vain."""
    if most == 2 or width < 3 or width == 4:
        return (Run(min(width, 2), 0, width),)
    waste = -width % 3
    if 20 * waste <= width or waste * macs <= _PAYS * width:
        return (Run(3, 0, width),)
    threes = width // 3 - width % 3 % 2
    return Run(3, 0, 3 * threes), Run(2, 3 * threes, width)
