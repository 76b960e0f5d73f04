"""The range that a slice takes along each axis, as TFLite Micro's kernels read its begin, end, strides and masks.

Knows shapes and options alone; the reader's checks and the compiler both ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Taken:
    """The elements of one axis that a slice takes: ``count`` of them from ``start`` on, ``stride`` apart.

    ``shrinks``: the axis is gone in the output.
    """

    start: int
    count: int
    stride: int = 1
    shrinks: bool = False

    @property
    def as_slice(self) -> slice:
        """Returns the same as Python's slice."""
        end = self.start + self.count * self.stride
        return slice(self.start, end if end >= 0 else None, self.stride)


def strided(shape: Sequence[int], options: dict[str, Any]) -> list[Taken]:
    """Returns what a STRIDED_SLICE takes of each axis; a count may be 0 or less, where begin and end cross.

    ``begin``, ``end`` and ``strides`` have one number per axis, and no stride is 0. Source: ``StartForAxis`` and
    ``StopForAxis``, kernels/internal/strided_slice_logic.h; ``CheckOutputSize``, micro/kernels/strided_slice_common.cc.
    """
    taken: list[Taken] = []
    for axis, (extent, begin, end, stride) in enumerate(
        zip(shape, options["begin"], options["end"], options["strides"], strict=True)
    ):
        low, high = (0, extent) if stride > 0 else (-1, extent - 1)
        start = begin + extent if begin < 0 else begin
        start = min(max(start, low), high)
        if options["begin_mask"] >> axis & 1:
            start = low if stride > 0 else high
        stop = min(max(end + extent if end < 0 else end, low), high)
        if options["end_mask"] >> axis & 1:
            stop = high if stride > 0 else low
        shrinks = bool(options["shrink_axis_mask"] >> axis & 1)
        if shrinks:
            stop = start + 1
        taken.append(Taken(start, -((start - stop) // stride), stride, shrinks))
    return taken


def sliced(shape: Sequence[int], options: dict[str, Any]) -> list[Taken]:
    """Returns what a SLICE takes of each axis; a size of -1 takes the rest. Source: micro/kernels/slice.cc."""
    return [
        Taken(begin, extent - begin if size == -1 else size)
        for extent, begin, size in zip(shape, options["begin"], options["size"], strict=True)
    ]
