"""Scaling of int32 sums to stored bytes by one word a channel: a short multiplier and a shift that give TFLite Micro's bytes.

A result takes 256 values, so that a multiplier of fewer bits gives the same step function over the sums that a channel can have;
whether it does is checked at every step.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.values import Requantization


@dataclass(frozen=True)
class ShortForm:
    """A multiplier of ``pieces * bits`` bits, in pieces whose products with a sum fit 32 bits, and below it the shift.

    Attributes:
        headroom: bits before the multiplier's binary point, for ratios of one and more.
    """

    pieces: int
    bits: int
    headroom: int = 0

    @property
    def fraction(self) -> int:
        """Returns the bits behind the multiplier's binary point."""
        return self.multiplier_bits - self.headroom

    @property
    def multiplier_bits(self) -> int:
        """Returns the bits of the whole multiplier."""
        return self.pieces * self.bits

    @property
    def shift_bits(self) -> int:
        """Returns the bits that the word has left for the shift."""
        return 32 - self.multiplier_bits

    @property
    def sum_limit(self) -> int:
        """Returns the magnitude that every sum stays below: no product with a piece leaves 32 bits then."""
        return 1 << (31 - self.bits)


FORMS = tuple(ShortForm(pieces, bits, headroom) for pieces, bits in ((2, 14), (3, 9)) for headroom in (0, 1, 3))
"""For sums of up to 17 bits with their sign, and of up to 22; the first that does is the best."""


@dataclass(frozen=True)
class ShortScaling:
    """Multipliers and shifts of a layer's channels.

    Attributes:
        multipliers: int64 ``(channels,)``.
        shifts: int64 ``(channels,)``: what the rounded product is shifted by.
    """

    multipliers: np.ndarray
    shifts: np.ndarray

    def words(self, form: ShortForm) -> np.ndarray:
        """Returns a word a channel, uint32."""
        return (self.multipliers << form.shift_bits | self.shifts).astype(np.uint32)


def short_scaling(form: ShortForm, requantization: Requantization, low: np.ndarray, high: np.ndarray) -> ShortScaling | None:
    """Returns the scaling of a layer's sums in a form; None where it gives another byte for some sum.

    Args:
        form: the pieces of the multipliers.
        requantization: what TFLite Micro is told.
        low: int64 ``(channels,)``, the least sum of each channel.
        high: the largest.
    """
    if max(int(np.abs(low).max()), int(np.abs(high).max())) >= form.sum_limit:
        return None
    multipliers = np.array(requantization.output_multipliers, np.int64)
    left = np.array(requantization.output_shifts, np.int64)
    if left.max() > 0 and (max(int(np.abs(low).max()), int(np.abs(high).max())) << int(left.max())) >= 2**30:
        return None
    if left.max() > form.headroom:
        return None
    most = (1 << form.shift_bits) - 1
    shifts = np.clip(-left, 0, most)
    dropped = np.minimum(31 - form.fraction - left - shifts, 40)
    nearest = (multipliers + (np.int64(1) << dropped >> 1)) >> dropped
    channels = np.arange(len(multipliers))
    chosen = np.full(len(multipliers), -1, np.int64)
    points = _points(requantization, low, high)
    wanted = _reference(points, requantization)
    if not _pins_down(points, wanted):
        return None
    for step in (0, 1, -1, 2, -2, 3, -3):
        waiting = channels[chosen < 0]
        if not len(waiting):
            break
        tried = np.clip(nearest[waiting] + step, 0, (1 << form.multiplier_bits) - 1)
        scaled = (((points[waiting] * tried[:, None]) >> (form.fraction - 1)) + 1) >> 1
        scaled -= scaled < 0
        shift = shifts[waiting][:, None]
        values = ((scaled + ((1 << shift) >> 1)) >> shift) + requantization.output_offset
        values = np.clip(values, requantization.activation_min, requantization.activation_max)
        agrees = (values == wanted[waiting]).all(axis=1)
        chosen[waiting[agrees]] = tried[agrees]
    return None if (chosen < 0).any() else ShortScaling(chosen, shifts)


def _points(requantization: Requantization, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Returns sums around every step of each channel's results, and its least and largest one, ascending: int64 (channels, n)."""
    levels = np.arange(requantization.activation_min, requantization.activation_max + 1) - requantization.output_offset
    multipliers = np.array(requantization.output_multipliers, np.float64)
    real = np.maximum(multipliers, 1) * np.exp2(np.array(requantization.output_shifts, np.float64) - 31)
    steps = np.clip(np.floor((levels - 0.5) / real[:, None]), -(2.0**40), 2.0**40).astype(np.int64)
    around = (steps[:, :, None] + np.arange(-2, 4)).reshape(len(real), -1)
    points = np.concatenate([low[:, None], around, high[:, None]], axis=1)
    return np.sort(np.clip(points, low[:, None], high[:, None]), axis=1)


def _reference(points: np.ndarray, requantization: Requantization) -> np.ndarray:
    """Returns TFLite Micro's stored bytes of sums, a row a channel."""
    scalings = zip(points, requantization.output_multipliers, requantization.output_shifts, strict=True)
    rows = [arithmetic.multiply_by_quantized_multiplier(row, multiplier, shift) for row, multiplier, shift in scalings]
    return np.clip(np.stack(rows) + requantization.output_offset, requantization.activation_min, requantization.activation_max)


def _pins_down(points: np.ndarray, values: np.ndarray) -> bool:
    """Returns whether a function that never falls and has these values at these points can have no others between them."""
    return bool(((np.diff(points, axis=1) <= 1) | (np.diff(values, axis=1) == 0)).all())
