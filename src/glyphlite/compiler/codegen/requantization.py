"""Requantization of int32 sums to stored bytes: the cheapest exact form that multipliers, shifts and bounds allow, as a record.

The reference rounds twice (``arithmetic.multiply_by_quantized_multiplier``). Each form here equals it for every sum that the
layer can have; which one a layer gets is decided once, and ``requantize.c.j2`` writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import affine
from glyphlite.compiler.codegen.affine import Sums
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Site
from glyphlite.compiler.values import Requantization

Parameter = int | Array
"""A multiplier or a shift: one for all channels, or an array with one per channel."""


class Rounding(StrEnum):
    """The division by a power of two after the high multiplication."""

    NONE = "none"
    """There is no shift."""
    UP = "up"
    """Halves go up: the clamp makes all results below the zero point equal, so that their sign does not matter."""
    AWAY_ALWAYS = "away, every channel shifted"
    """Halves go away from zero, and every shift is at least one."""
    AWAY = "away"
    """Halves go away from zero, shifts of zero among them."""


@dataclass(frozen=True)
class Wide:
    """A multiplier above one, or sums beyond 30 bits: shifted left first, wrapping, in 64 bits."""

    kind: ClassVar[str] = "wide"

    output_multiplier: Parameter
    output_shift: Parameter  # as TFLite has it: positive is to the left


@dataclass(frozen=True)
class HighMul:
    """The high word of a 32 x 32 bit product, then a right shift."""

    kind: ClassVar[str] = "high_mul"

    output_multiplier: Parameter
    right_shift: Parameter
    sum_factor: int  # what sums are multiplied by first: 2, or more in place of a left shift
    rounding: Rounding


@dataclass(frozen=True)
class Scaled:
    """Requantization for cores with the DSP extension, in two or three instructions (``affine.py``).

    A byte comes of ``t``, the sum times ``2**fraction`` plus the channel's start, in which its bias is. So a kernel may begin its
    sum at the start, if its weights lie as so many times their value, and hand it over as it is.

    Attributes:
        scaling: ``words`` int32 of each channel: its start, its multiplier unless all share it, and what is added to negative
            sums unless all share it, or nothing is.
        multiplier: of all channels; None where each has its own.
        step: likewise, 0 where nothing is added to negative sums.
    """

    scaling: Array
    words: int
    fraction: int
    multiplier: int | None
    step: int | None
    addend: int
    shift: int


@dataclass(frozen=True)
class Pieces:
    """Requantization for Cortex-M0, which multiplies 32 bits by 32 to 32: the multiplier in three pieces of ``bits`` bits."""

    bits: int


@dataclass(frozen=True)
class Requantizer:
    """Everything that a layer's requantizing function needs.

    Attributes:
        form: on any core.
        scaled: what cores with the DSP extension do instead; None where they do the same.
        pieces: what Cortex-M0 does instead.
    """

    form: Wide | HighMul
    scaled: Scaled | None
    pieces: Pieces | None
    bias: Array
    output_offset: int
    activation_min: int
    activation_max: int

    @property
    def rounds_up(self) -> bool:
        """Returns whether the clamp lets halves be rounded up."""
        return isinstance(self.form, HighMul) and self.form.rounding is Rounding.UP


def requantizer(
    site: Site,
    requantization: Requantization,
    rows: np.ndarray,
    bias: np.ndarray,
    *,
    folds: bool = True,
    fractions: Sequence[int] = affine.FRACTIONS,
    pairs: bool = False,
) -> tuple[Requantizer, np.ndarray]:
    """Chooses the form and lays down what it needs.

    Args:
        site: where the layer is written.
        requantization: its multipliers, shifts, offset and clamp.
        rows: its weights, int8 ``(outputs, inputs)``.
        bias: int64 ``(outputs,)``, the input's zero point not yet folded in.
        folds: whether sums are of stored bytes, and the bias takes care of their zero point; else the kernel centres each byte,
            and may leave some out.
        fractions: the fractional bits that its sums for the DSP extension may have, the preferred ones first.
        pairs: whether cores with the DSP extension read channels in pairs, so that an odd last one gets a neighbour of zeros.

    Returns:
        What templates are told of it, and the bias with the input's zero point folded in.
    """
    sums = (_sums if folds else _sums_of_centred)(site.layer.input.zero_point, rows, bias)
    shifts = np.array(requantization.output_shifts)
    form = _choose(shifts, int(max(np.abs(sums.high).max(), np.abs(sums.low).max())), requantization)
    scaled, plain = None, "both"
    if fitted := affine.fit(requantization, sums, fractions):
        scaled, plain = _scaled(site, fitted, pairs=pairs), "plain"
    multiplier = _parameter(site, "output_multiplier", "int32_t", np.array(requantization.output_multipliers), plain)
    if form is None:
        shift = _parameter(site, "output_shift", "int8_t", shifts, plain)
        chosen = Wide(multiplier, shift)
    else:
        factor = 2 ** (int(shifts[0]) + 1) if np.any(shifts > 0) else 2
        shift = _parameter(site, "right_shift", "uint8_t", -shifts, plain)
        chosen = HighMul(multiplier, shift, factor, form)
    pieces = _pieces(int(sums.high.max()), shifts) if form is Rounding.UP else None
    made = Requantizer(
        form=chosen,
        scaled=scaled,
        pieces=pieces,
        bias=site.add("bias", "int32_t", sums.bias, plain),
        output_offset=requantization.output_offset,
        activation_min=requantization.activation_min,
        activation_max=requantization.activation_max,
    )
    return made, sums.bias


def _sums(zero_point: int, rows: np.ndarray, bias: np.ndarray) -> Sums:
    """Returns the sums of stored bytes, the zero point folded into the bias."""
    wide = rows.astype(np.int64)
    folded = bias - zero_point * wide.sum(axis=1)
    low, high = (255 * part.sum(axis=1) for part in (np.minimum(wide, 0), np.maximum(wide, 0)))
    return Sums(folded, folded + low, folded + high)


def _sums_of_centred(zero_point: int, rows: np.ndarray, bias: np.ndarray) -> Sums:
    """Returns the sums of centred bytes, any of which may be missing."""
    wide = rows.astype(np.int64)
    ends = np.stack([-zero_point * wide, (255 - zero_point) * wide, 0 * wide])
    low, high = ends.min(axis=0).sum(axis=1), ends.max(axis=0).sum(axis=1)
    return Sums(bias, bias + low, bias + high)


def _choose(shifts: np.ndarray, bound: int, requantization: Requantization) -> Rounding | None:
    """Returns the rounding after a high multiplication; None where that does not do."""
    if bound >= 2**30:
        return None
    if np.any(shifts > 0):
        uniform = bool(np.all(shifts == shifts[0]))
        return Rounding.NONE if uniform and bound * 2 ** (int(shifts[0]) + 1) < 2**31 else None
    if np.all(shifts == 0):
        return Rounding.NONE
    if requantization.activation_min >= requantization.output_offset:
        return Rounding.UP
    return Rounding.AWAY_ALWAYS if np.all(shifts < 0) else Rounding.AWAY


def _parameter(site: Site, name: str, c_type: str, values: np.ndarray, path: str) -> Parameter:
    """Returns the one value that all channels share, or lays down an array."""
    return int(values[0]) if np.all(values == values[0]) else site.add(name, c_type, values, path)


def _scaled(site: Site, fitted: affine.Affine, *, pairs: bool) -> Scaled:
    """Lays down the numbers of each channel, but for those that all share."""
    columns = [fitted.starts]
    multiplier, step = int(fitted.multipliers[0]), 0
    if np.any(fitted.multipliers != multiplier):
        multiplier = None
        columns.append(fitted.multipliers)
    if fitted.steps is not None:
        step = -int(fitted.steps[0])
        if np.any(fitted.steps != fitted.steps[0]):
            step = None
            columns.append(-fitted.steps)
    numbers = np.stack(columns, axis=1).astype(np.int32)
    numbers = np.pad(numbers, ((0, len(numbers) % 2 if pairs else 0), (0, 0)))
    array = site.add("scaling", "int32_t", numbers, "dsp")
    return Scaled(array, len(columns), fitted.fraction, multiplier, step, fitted.addend, fitted.shift)


def _pieces(largest: int, shifts: np.ndarray) -> Pieces | None:
    """Returns pieces of a multiplier that keep every product with a sum in 32 bits; None if none do."""
    bits = min(31 - max(largest, 1).bit_length(), 15)
    shift = -int(shifts.min())
    if 3 * bits < 31 or shift > 2 * bits:
        return None
    rounding = (1 << 30) + (1 << (30 + shift))
    top = (rounding >> (2 * bits)) + (max(largest, 1) << (31 - 2 * bits)) + max(largest, 1) + 1
    return Pieces(bits) if top < 2**32 else None
