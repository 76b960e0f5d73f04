"""One multiplication and one shift in place of the reference's two roundings, wherever that is exact.

The reference's stored value is a step function of the sum: it has at most 255 steps. ``t = sum * 2**fraction + start`` and
``(step + ((t * multiplier) >> 32)) >> shift`` have the same steps if start and multiplier are chosen well, since a shift of the
line by less than a sum leaves each of them where it is. So they are searched for, and proven step by step: a layer is refused
(None) where one step of one channel, within the sums that it can have, would lie elsewhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.values import Requantization

FRACTIONS = (8, 9, 10, 11, 12, 13, 14, 15, 16, 7, 6, 5, 4, 3, 2, 1, 0)
"""Fractional bits of the sums, in the order of preference: sums of weights that lie as 256 times their value need no shift."""

_DISTANCES = sorted({round(1.06**exponent) for exponent in range(150)})  # 1 to some thousands
_NEAREST_FIRST = np.array([0, *(sign * distance for distance in _DISTANCES for sign in (1, -1))])
"""Distance from the nearest multiplier to look at: few steps leave much room, and then many multipliers do."""
_AT_ONCE = 128  # multipliers of channels that are tried in one call
_HOPELESS = 24  # multipliers after which most channels have theirs, if there is a form at all
_FAR = 2**63 - 1
_MOST_SHIFT = 21  # an offset of 255 and what it is added to stay within int32


@dataclass(frozen=True)
class Affine:
    """Parameters that all channels share, and arrays of one int64 per channel.

    Attributes:
        fraction: by how many bits sums are shifted left before they are scaled.
        starts: what is added to the shifted sum; the bias is in it.
        multipliers: 0 to 2^31 - 1.
        shift: after the high multiplication, to the right.
        addend: added before that shift: the output's offset, and a half where halves go away from zero.
        steps: subtracted before it where the sum is negative, whose halves go the other way; None where nothing is.
    """

    fraction: int
    starts: np.ndarray
    multipliers: np.ndarray
    shift: int
    addend: int
    steps: np.ndarray | None


@dataclass(frozen=True)
class Sums:
    """The sums of a layer's channels, int64 ``(channels,)``.

    Attributes:
        bias: what they begin with, the zero point's share included.
        low: the least sum, bias included; no partial sum is less.
        high: the largest.
    """

    bias: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def reach(self) -> np.ndarray:
        """Returns the most that a partial sum differs from the bias by."""
        return np.maximum(self.bias - self.low, self.high - self.bias)


@dataclass(frozen=True)
class Steps:
    """The reference as steps, one for each value above the least: from which sum on it is reached.

    Attributes:
        values: int64 ``(values,)``.
        sums: int64 ``(channels, values)``, bias included, possibly outside of what a channel reaches.
        shifts: of each channel, to the right.
        constant: of each channel, whether its sums all give one value.
        two_sided: whether steps below zero are reached, whose halves go the other way.
    """

    values: np.ndarray
    sums: np.ndarray
    offset: int
    multipliers: np.ndarray
    shifts: np.ndarray
    constant: np.ndarray
    two_sided: bool


def steps_of(requantization: Requantization, sums: Sums) -> Steps | None:
    """Returns the steps of ``MultiplyByQuantizedMultiplier`` and the clamp; None where its left shift may wrap."""
    count = len(sums.bias)
    multipliers = np.broadcast_to(np.array(requantization.output_multipliers, np.int64), count)
    shifts = np.broadcast_to(-np.array(requantization.output_shifts, np.int64), count)
    left = np.maximum(-shifts, 0)
    if np.any(left > 20) or np.any(np.maximum(np.abs(sums.low), np.abs(sums.high)) << left >= 2**31):
        return None
    offset = requantization.output_offset
    values = np.arange(requantization.activation_min + 1, requantization.activation_max + 1, dtype=np.int64)
    right = np.maximum(shifts, 0)[:, np.newaxis]
    halves = (np.int64(1) << right) >> 1
    centred = values - offset
    scaled = (centred << right) - halves + ((centred <= 0) & (right > 0))  # least results of the high multiplication
    slopes = np.maximum(multipliers << left, 1)[:, np.newaxis]
    first = -((2**30 - np.clip(scaled, -(2**31), 2**31) * 2**31) // slopes)  # rounded up
    first = np.where(multipliers[:, np.newaxis] > 0, first, np.where(centred <= 0, -(2**62), 2**62))
    low, high = sums.low[:, np.newaxis], sums.high[:, np.newaxis]
    reached = (first > low) & (first <= high)
    two_sided = bool((reached & (first <= 0) & (right > 0)).any())
    return Steps(values, first, offset, multipliers, shifts, np.all(~reached, axis=1), two_sided)


def fit(steps: Steps, sums: Sums, fractions: Sequence[int] = FRACTIONS) -> Affine | None:
    """Returns the first exact form over the fractions; None where there is none."""
    return next((made for fraction in fractions if (made := _fit(steps, sums, fraction))), None)


@dataclass(frozen=True)
class _Line:
    """The part of a form that is decided before the search for each channel's multiplier and start.

    Attributes:
        below: what is subtracted from negative sums, of each channel.
        nearest: the multiplier that is nearest to the reference's, of each channel.
        least: the least start, of each channel; ``most`` the largest.
    """

    fraction: int
    shift: int
    addend: int
    below: np.ndarray
    nearest: np.ndarray
    least: np.ndarray
    most: np.ndarray


def _fit(steps: Steps, sums: Sums, fraction: int) -> Affine | None:
    """Returns the form with a fraction; None where it is not exact, or leaves int32."""
    scaled = steps.shifts[~steps.constant] if not steps.constant.all() else steps.shifts
    shift = min(fraction - 1 + int(scaled.min()), _MOST_SHIFT)
    reach, bias = sums.reach << fraction, sums.bias << fraction
    if shift < 0 or reach.max() >= 2**31:
        return None
    least, most = reach - 2**31 + 1, 2**31 - 1 - reach
    below = np.zeros_like(bias)
    if steps.two_sided:  # t has the sign of the sum, and none where one value is all that there is
        below = np.where(steps.shifts > 0, np.int64(1) << np.clip(shift - steps.shifts, 0, shift), 0)
        least = np.where(steps.constant, reach, np.maximum(least, bias))
        most = np.where(steps.constant, most, np.minimum(most, bias + 2**fraction - 1))
    line = _Line(
        fraction=fraction,
        shift=shift,
        addend=(steps.offset << shift) + ((1 << shift) >> 1 if steps.two_sided else 0),
        below=below,
        nearest=divided(steps.multipliers, fraction + steps.shifts - shift - 1),
        least=least,
        most=most,
    )
    found = search(line.nearest, lambda channels, tried: _starts(steps, sums, line, channels, tried))
    if found is None:
        return None
    return Affine(fraction, *found, shift, line.addend, below if steps.two_sided else None)


def divided(values: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Returns values / 2^exponent to the nearest, exponents of -20 and more."""
    right = np.clip(exponents, 0, 40)
    return ((values << np.clip(-exponents, 0, 20)) + ((np.int64(1) << right) >> 1)) >> right


Found = tuple[np.ndarray, np.ndarray]
"""Starts and multipliers, or starts and whether they are exact, of each channel."""


def search(nearest: np.ndarray, starts_of: Callable[[np.ndarray, np.ndarray], Found]) -> Found | None:
    """Returns a start and a multiplier for each channel, the same multiplier where one does for all; None where one has none.

    Args:
        nearest: the multiplier that is nearest to the reference's, of each channel.
        starts_of: what channels' starts are with multipliers, and whether these are exact.
    """
    return (_one_for_all(nearest, starts_of) if np.all(nearest == nearest[0]) else None) or _one_each(nearest, starts_of)


def _one_for_all(nearest: np.ndarray, starts_of: Callable[[np.ndarray, np.ndarray], Found]) -> Found | None:
    """Returns the first multiplier that does for all channels; one that it does not do for is asked of all that are left."""
    channels, left = np.arange(len(nearest)), _NEAREST_FIRST
    while len(left):
        tried = nearest + left[0]
        starts, exact = starts_of(channels, tried)
        if exact.all():
            return starts, tried
        doubtful = np.full(len(left) - 1, channels[~exact][0])
        left = left[1:][starts_of(doubtful, nearest[doubtful] + left[1:])[1]]
    return None


def _one_each(nearest: np.ndarray, starts_of: Callable[[np.ndarray, np.ndarray], Found]) -> Found | None:
    """Returns each channel's first multiplier, as many candidates at once as are worth a call of NumPy."""
    starts, multipliers = np.zeros_like(nearest), np.zeros_like(nearest)
    waiting, number, candidates = np.arange(len(nearest)), 0, _candidates(nearest)
    while number < len(candidates):
        upto = number + max(1, _AT_ONCE // len(waiting))
        if number <= _HOPELESS:
            upto = min(upto, _HOPELESS + 1)
        tried = candidates[number:upto, waiting]
        found, exact = (each.reshape(tried.shape) for each in starts_of(np.tile(waiting, len(tried)), tried.ravel()))
        first, has = exact.argmax(axis=0), exact.any(axis=0)
        starts[waiting[has]] = found[first, np.arange(len(waiting))][has]
        multipliers[waiting[has]] = tried[first, np.arange(len(waiting))][has]
        waiting, number = waiting[~has], number + len(tried)
        if not len(waiting):
            return starts, multipliers
        if number == _HOPELESS + 1 and len(waiting) > len(nearest) // 2:
            return None
    return None


def _candidates(nearest: np.ndarray) -> np.ndarray:
    """Returns multipliers of each channel; where next to no step is reached, steeper lines may do, whose starts are smaller."""
    near = nearest + _NEAREST_FIRST[:, np.newaxis]
    return np.concatenate([near, np.broadcast_to(1 << np.arange(31, dtype=np.int64)[:, np.newaxis], (31, len(nearest)))])


def _starts(
    steps: Steps, sums: Sums, line: _Line, channels: np.ndarray, multipliers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns starts with which every step of the channels lies in its place, and of which channels they do."""
    usable = (multipliers > 0) & (multipliers < 2**31)
    multipliers = np.where(usable, multipliers, 1)
    low, high = _constants(steps, sums, line, channels, multipliers)
    least = np.maximum(-(-low // multipliers), line.least[channels])
    most = np.minimum(high // multipliers, line.most[channels])
    return np.clip(sums.bias[channels] << line.fraction, least, most), usable & (least <= most)


def _constants(
    steps: Steps, sums: Sums, line: _Line, channels: np.ndarray, multipliers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the largest number that, added to the products, leaves every step in its place.

    Products are of sums without the bias: it is part of that number.
    """
    bias = sums.bias[channels, np.newaxis]
    slopes = (multipliers << line.fraction)[:, np.newaxis]
    drops = np.where(steps.constant, 0, line.below << 32)[channels, np.newaxis]
    wanted = (((steps.values << line.shift) - line.addend) << 32)[np.newaxis]

    def missing(at: np.ndarray) -> np.ndarray:
        return wanted - (at - bias) * slopes + np.where(at < 0, drops, 0)

    return bounds(steps, sums, channels, missing)


def bounds(
    steps: Steps, sums: Sums, channels: np.ndarray, missing: Callable[[np.ndarray], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the largest number that, added to what channels' sums are scaled to, leaves every step in its place.

    Args:
        steps: the reference.
        sums: of the layer.
        channels: which of them.
        missing: what sums ``(channels, values)`` lack to reach each value.
    """
    lowest, highest = (each[channels, np.newaxis] for each in (sums.low, sums.high))
    first = steps.sums[channels]
    reached = np.where(first <= highest, missing(np.clip(first, lowest, highest)), -_FAR)
    not_yet = np.where(first > lowest, missing(np.clip(first - 1, lowest, highest)), _FAR)
    return reached.max(axis=1, initial=-_FAR), not_yet.min(axis=1, initial=_FAR) - 1
