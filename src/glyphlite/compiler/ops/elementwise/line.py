"""A sum or a difference of two bytes as one line, ``(x1 * a + x2 * b + c) >> shift``, wherever it gives the reference's bytes.

There are 65,536 pairs of bytes: each candidate is tried on all of them. Knows numbers only.
"""

from dataclasses import dataclass

import numpy as np

_DISTANCE = 8  # steps by which both factors together are moved from the nearest ones


@dataclass(frozen=True)
class Line:
    """The numbers of ``value = x1 * factors[0] + x2 * factors[1] + start``, then ``(value + addend) >> shift``.

    The value is of 32 bits with its sign; products on the way to it may wrap.

    Attributes:
        away: whether one is taken from a negative value before the shift: halves go away from zero.
    """

    factors: tuple[int, int]
    start: int
    addend: int
    shift: int
    away: bool


def fit_line(
    answers: np.ndarray, ratios: tuple[float, float], zero_points: tuple[int, int], limits: tuple[int, int]
) -> Line | None:
    """Returns a line; None where none of those tried gives every answer.

    Args:
        answers: uint8 ``(256, 256)``, clamped, of each first and second stored byte.
        ratios: what a step of either is worth in steps of the output, negative for what is subtracted.
        zero_points: of the operands, as stored + 128.
        limits: the clamp.
    """
    ends = ([-zero_point * ratio, (255 - zero_point) * ratio] for ratio, zero_point in zip(ratios, zero_points, strict=True))
    low_end, high_end = (sum(each) for each in zip(*(sorted(end) for end in ends), strict=True))
    shift = min(30 - int(max(-low_end, high_end) + 258).bit_length() + 1, 24)
    if shift < 1:
        return None
    nearest = [round(ratio * 2**shift) for ratio in ratios]
    wanted = answers.astype(np.int64) << shift
    low, high = wanted[answers > limits[0]], wanted[answers < limits[1]] + (1 << shift)
    first, second = (np.arange(256, dtype=np.int64) - zero_point for zero_point in zero_points)
    moves = [(i, j) for i in range(-_DISTANCE, _DISTANCE + 1) for j in range(-_DISTANCE, _DISTANCE + 1)]
    moves = sorted(
        (move for move in moves if abs(move[0]) + abs(move[1]) <= _DISTANCE), key=lambda move: abs(move[0]) + abs(move[1])
    )
    for away in (False, True):
        for i, j in moves:
            factors = nearest[0] + i, nearest[1] + j
            values = first[:, np.newaxis] * factors[0] + second[np.newaxis] * factors[1]
            values = values - (values < 0) if away else values
            least = int((low - values[answers > limits[0]]).max(initial=-(2**30)))
            most = int((high - values[answers < limits[1]]).min(initial=2**30)) - 1
            if least > most:
                continue
            start = -zero_points[0] * factors[0] - zero_points[1] * factors[1]
            line = Line(factors, start, least, shift, away) if away else Line(factors, start + least, 0, shift, away)
            if max(abs(int(values.min())), abs(int(values.max()))) + abs(least) < 2**31 - 1:
                return line
    return None
