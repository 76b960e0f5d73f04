"""The value that a sum of bytes is stored as, as one line, ``(sum * factor + start) >> shift``, wherever that is exact.

Sums are few, at most 255 times the bytes that are added: each candidate is tried on all of them. Knows numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MOST_BYTES = 1024
"""Bytes in a sum beyond which no line is looked for: its steps lie too close for factors of 32 bits."""

_DISTANCE = 8  # steps by which the factor is moved from the nearest one


@dataclass(frozen=True)
class SumLine:
    """The numbers of ``(sum * factor + start) >> shift``.

    Attributes:
        signed: whether it is computed in int32; else in uint32, which has a bit more and no value below 0.
        clamps_low: whether a value may be below the least; ``clamps_high`` whether one may be above the largest.
    """

    factor: int
    start: int
    shift: int
    signed: bool
    clamps_low: bool
    clamps_high: bool


def fit_sum_line(answers: np.ndarray, ratio: float, limits: tuple[int, int]) -> SumLine | None:
    """Returns a line; None where none of those tried gives every answer.

    Args:
        answers: uint8, clamped, of each sum from 0 on.
        ratio: what a step of the sum is worth in steps of the output.
        limits: the clamp.
    """
    reach = min(max(len(answers) * ratio, 1.0), 2.0**40)
    for signed in (False, True):
        bits = 31 if signed else 32
        most_shift = min(bits + 1 - int(reach).bit_length(), 30)
        for shift in range(most_shift, max(most_shift - 4, 0), -1):
            if line := _with_shift(answers, ratio, limits, shift, signed=signed):
                return line
    return None


def fit_sum_lines(answers: Sequence[np.ndarray], ratios: Sequence[float]) -> tuple[SumLine, ...]:
    """Returns unsigned lines of one shift for several kinds of sums, none of which needs a clamp; nothing where there are none.

    Args:
        answers: of each kind, uint8 of each sum from 0 on.
        ratios: of each kind what a step of the sum is worth in steps of the output.
    """
    for shift in range(24, 15, -1):
        lines = [_with_shift(each, ratio, (0, 255), shift, signed=False) for each, ratio in zip(answers, ratios, strict=True)]
        found = tuple(line for line in lines if line is not None and not (line.clamps_low or line.clamps_high))
        if len(found) == len(lines):
            return found
    return ()


def _with_shift(answers: np.ndarray, ratio: float, limits: tuple[int, int], shift: int, *, signed: bool) -> SumLine | None:
    bits = 31 if signed else 32
    sums, wanted = np.arange(len(answers), dtype=np.int64), answers.astype(np.int64)
    for factor in (round(ratio * 2**shift) + moved for moved in sorted(range(-_DISTANCE, _DISTANCE + 1), key=abs)):
        products = sums * factor
        if factor <= 0 or products[-1] >= 2**bits:
            continue
        least = int(((wanted << shift) - products)[answers > limits[0]].max(initial=-(2**30)))
        most = int((((wanted + 1) << shift) - products)[answers < limits[1]].min(initial=2**30)) - 1
        start = least if signed else max(least, 0)
        if start <= most and products[-1] + start < 2**bits and start >= -(2**31):
            low, high = start >> shift, (int(products[-1]) + start) >> shift
            return SumLine(factor, start, shift, signed, low < limits[0], high > limits[1])
    return None
