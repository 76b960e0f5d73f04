"""The steps of ``affine.py`` without a long multiplication: a multiplier in two pieces, each product within 32 bits.

``value(sum) = (step + start + sum * high + (((sum >> coarse) * low) >> right)) >> shift``, modulo 2^32, never falls as the sum
grows, so that it is proven at each step of the reference alone. Cores that multiply 32 bits by 32 to 32 use it.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.codegen.affine import Found, Steps, Sums, bounds, divided, search

_PIECE = 16  # bits: two pieces share a word


@dataclass(frozen=True)
class Pieces:
    """Parameters that all channels share, and arrays of one int64 per channel.

    Attributes:
        highs: the high piece of each multiplier.
        lows: the low piece.
        starts: what is added, the bias in it.
        coarse: the bits that the sum loses before it is multiplied with the low piece.
        right: the shift of that product.
        shift: of the whole.
        addend: added before that shift.
        steps: subtracted before it where the value is negative; None where nothing is.
        limits: what sums are held within first: beyond, no step of any channel lies; None where they need not be.
    """

    highs: np.ndarray
    lows: np.ndarray
    starts: np.ndarray
    coarse: int
    right: int
    shift: int
    addend: int
    steps: np.ndarray | None
    limits: tuple[int, int] | None


@dataclass(frozen=True)
class _Form:
    """The part of a form that is decided before the search for each channel's multiplier and start."""

    low_bits: int
    coarse: int
    shift: int
    addend: int
    below: np.ndarray
    limits: tuple[int, int]

    def products(self, sums: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
        """Returns what sums without the bias, ``(channels, any)``, are scaled to."""
        sums = np.clip(sums, *self.limits)
        highs, lows = (multipliers >> self.low_bits)[:, np.newaxis], (multipliers & (2**self.low_bits - 1))[:, np.newaxis]
        return sums * highs + (((sums >> self.coarse) * lows) >> (self.low_bits - self.coarse))


def fit(steps: Steps, sums: Sums) -> Pieces | None:
    """Returns the first exact form, sums as they are before those held within limits; None where there is none."""
    ends = int((sums.low - sums.bias).min()), int((sums.high - sums.bias).max())
    for limits in (ends, _limits(steps, sums, ends)):
        most = max(-limits[0], limits[1]).bit_length()
        for coarse in range(4):
            low_bits = min(_PIECE, 31 - most + coarse)
            if low_bits > coarse and (made := _fit(steps, sums, low_bits, coarse, limits, held=limits != ends)):
                return made
            if low_bits == _PIECE:
                break
    return None


def _limits(steps: Steps, sums: Sums, ends: tuple[int, int]) -> tuple[int, int]:
    """Returns the sums without the bias below and above which no channel has a step."""
    low, high = sums.low[:, np.newaxis], sums.high[:, np.newaxis]
    reached = (steps.sums > low) & (steps.sums <= high)
    if not reached.any():
        return ends
    places = (steps.sums - sums.bias[:, np.newaxis])[reached]
    return max(ends[0], int(places.min()) - 1), min(ends[1], int(places.max()))


def _fit(steps: Steps, sums: Sums, low_bits: int, coarse: int, limits: tuple[int, int], *, held: bool) -> Pieces | None:
    real = np.where(steps.constant, 0, steps.multipliers * 2.0 ** (-31 - steps.shifts))
    farthest = np.maximum(np.abs(limits[0] + sums.bias), np.abs(limits[1] + sums.bias))
    largest = float((real * farthest).max(initial=1)) + 256
    steepest = max(float(real.max()), 2.0**-20)
    shift = min(30 - int(largest).bit_length(), int(np.floor(_PIECE - 0.01 - np.log2(steepest))))
    if shift < 0:
        return None
    below = np.where((steps.shifts > 0) & steps.two_sided, np.int64(1) << np.clip(shift - steps.shifts, 0, shift), 0)
    addend = (steps.offset << shift) + ((1 << shift) >> 1) if steps.two_sided else 0
    form = _Form(low_bits, coarse, shift, addend, below, limits)
    nearest = divided(steps.multipliers, 31 + steps.shifts - low_bits - shift)
    found = search(nearest, lambda channels, tried: _starts(steps, sums, form, channels, tried))
    if found is None:
        return None
    starts, multipliers = found
    return Pieces(
        highs=multipliers >> low_bits,
        lows=multipliers & (2**low_bits - 1),
        starts=starts,
        coarse=coarse,
        right=low_bits - coarse,
        shift=shift,
        addend=addend,
        steps=below if steps.two_sided else None,
        limits=limits if held else None,
    )


def _starts(steps: Steps, sums: Sums, form: _Form, channels: np.ndarray, multipliers: np.ndarray) -> Found:
    """Returns starts with which every step of the channels lies in its place, and of which channels they do."""
    usable = (multipliers >= 0) & (multipliers < 2 ** (form.low_bits + _PIECE))
    multipliers = np.where(usable, multipliers, 0)
    bias, lowest, highest = (each[channels, np.newaxis] for each in (sums.bias, sums.low, sums.high))
    drops = form.below[channels, np.newaxis]
    wanted = ((steps.values << form.shift) - form.addend)[np.newaxis]

    def missing(at: np.ndarray) -> np.ndarray:
        return wanted - form.products(at - bias, multipliers) + np.where(at < 0, drops, 0)

    least, most = bounds(steps, sums, channels, missing)
    ends = form.products(np.concatenate([lowest, highest], axis=1) - bias, multipliers)
    if steps.two_sided:  # the scaled sum is negative where the sum is
        zero, before = (form.products(np.clip(at, lowest, highest) - bias, multipliers)[:, 0] for at in (0 * bias, 0 * bias - 1))
        least = np.where(highest[:, 0] >= 0, np.maximum(least, -zero), least)
        most = np.where(lowest[:, 0] < 0, np.minimum(most, -before - 1), most)
    least = np.maximum(least, -(2**30) - ends[:, 0])
    most = np.minimum(most, 2**30 - ends[:, 1])
    return np.clip(0, least, most), usable & (least <= most) & (np.abs(np.clip(0, least, most)) < 2**31)
