"""Requantization of int32 sums to stored bytes: the cheapest exact form that multipliers, shifts and bounds allow, as a record.

The reference rounds twice (``arithmetic.multiply_by_quantized_multiplier``). Each form here equals it for every sum that the
layer can have; which one a layer gets is decided once, and ``requantize.c.j2`` writes it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

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
class Packed:
    """Requantization for cores with the DSP extension: bias and rounding in 64 bits, multiplier and shift in one array, four
    words per channel.
    """

    scaling: Array


@dataclass(frozen=True)
class Pieces:
    """Requantization for Cortex-M0, which multiplies 32 bits by 32 to 32: the multiplier in three pieces of ``bits`` bits."""

    bits: int


@dataclass(frozen=True)
class Requantizer:
    """Everything that a layer's requantizing function needs.

    Attributes:
        form: on any core.
        packed: what cores with the DSP extension do instead; None where they do the same.
        pieces: what Cortex-M0 does instead.
    """

    form: Wide | HighMul
    packed: Packed | None
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
    packs: bool,
    path: str = "both",
    folds: bool = True,
) -> tuple[Requantizer, np.ndarray]:
    """Chooses the form and lays down what it needs.

    Args:
        site: where the layer is written.
        requantization: its multipliers, shifts, offset and clamp.
        rows: its weights, int8 ``(outputs, inputs)``.
        bias: int64 ``(outputs,)``, the input's zero point not yet folded in.
        packs: whether cores with the DSP extension may read all of a channel's numbers from one array.
        path: which kernels read the biases and the shifts.
        folds: whether sums are of stored bytes, and the bias takes care of their zero point; else the kernel centres each byte,
            and may leave some out.

    Returns:
        What templates are told of it, and the bias with the input's zero point folded in.
    """
    folded, low, high = (_sums if folds else _sums_of_centred)(site.layer.input.zero_point, rows, bias)
    shifts = np.array(requantization.output_shifts)
    form = _choose(shifts, int(max(np.abs(high).max(), np.abs(low).max())), requantization)
    packed, multiplier_path = None, "both"
    if packs and path == "both" and form is Rounding.UP and bool(np.all(shifts < 0)):
        packed, path, multiplier_path = _pack(site, requantization, folded), "plain", "plain"
    multiplier = _parameter(site, "output_multiplier", "int32_t", np.array(requantization.output_multipliers), multiplier_path)
    if form is None:
        shift = _parameter(site, "output_shift", "int8_t", shifts, path)
        chosen = Wide(multiplier, shift)
    else:
        factor = 2 ** (int(shifts[0]) + 1) if np.any(shifts > 0) else 2
        shift = _parameter(site, "right_shift", "uint8_t", -shifts, path)
        chosen = HighMul(multiplier, shift, factor, form)
    pieces = _pieces(int(high.max()), shifts) if form is Rounding.UP else None
    made = Requantizer(
        form=chosen,
        packed=packed,
        pieces=pieces,
        bias=site.add("bias", "int32_t", folded, path),
        output_offset=requantization.output_offset,
        activation_min=requantization.activation_min,
        activation_max=requantization.activation_max,
    )
    return made, folded


def _sums(zero_point: int, rows: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the bias with the zero point folded in, and the least and the largest sum of each output, all int64."""
    wide = rows.astype(np.int64)
    folded = bias - zero_point * wide.sum(axis=1)
    return folded, np.minimum(wide, 0).sum(axis=1) * 255 + folded, np.maximum(wide, 0).sum(axis=1) * 255 + folded


def _sums_of_centred(zero_point: int, rows: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the bias, and bounds of the sums of each output where any of the products may be missing, all int64."""
    wide = rows.astype(np.int64)
    ends = np.stack([-zero_point * wide, (255 - zero_point) * wide, 0 * wide])
    return bias, ends.min(axis=0).sum(axis=1) + bias, ends.max(axis=0).sum(axis=1) + bias


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


def _pack(site: Site, requantization: Requantization, folded: np.ndarray) -> Packed:
    shifts = np.array(requantization.output_shifts, np.int64)
    multipliers = np.array(requantization.output_multipliers, np.int64)
    rounding = (1 << 30) + (1 << (30 - shifts))
    words = (folded * multipliers + rounding).view(np.int32).reshape(-1, 2)
    columns = np.stack([words[:, 0], words[:, 1], multipliers, -shifts - 1], axis=1)
    return Packed(site.add("scaling", "int32_t", columns.astype(np.int32), "dsp"))


def _pieces(largest: int, shifts: np.ndarray) -> Pieces | None:
    """Returns pieces of a multiplier that keep every product with a sum in 32 bits; None if none do."""
    bits = min(31 - max(largest, 1).bit_length(), 15)
    shift = -int(shifts.min())
    if 3 * bits < 31 or shift > 2 * bits:
        return None
    rounding = (1 << 30) + (1 << (30 + shift))
    top = (rounding >> (2 * bits)) + (max(largest, 1) << (31 - 2 * bits)) + max(largest, 1) + 1
    return Pieces(bits) if top < 2**32 else None
