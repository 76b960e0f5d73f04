"""Requantization of int32 sums to stored bytes: the cheapest exact form that multipliers, shifts and bounds allow, as a record.

The reference rounds twice (``arithmetic.multiply_by_quantized_multiplier``). Each form here equals it for every sum that the
layer can have; which one a layer gets is decided once, and ``requantize.c.j2`` writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen import affine, pieces
from glyphlite.compiler.codegen.affine import Sums
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Site
from glyphlite.compiler.values import Requantization

Parameter = int | Array
"""A multiplier or a shift: one for all channels, or an array with one per channel."""


@dataclass(frozen=True)
class Wide:
    """A multiplier above one, or sums beyond 30 bits: shifted left first, wrapping, in 64 bits."""

    kind: ClassVar[str] = "wide"

    bias: Array
    output_multiplier: Parameter
    output_shift: Parameter  # as TFLite has it: positive is to the left


@dataclass(frozen=True)
class HighMul:
    """The rounded high word of a 32 x 32 bit product, then a rounding right shift."""

    kind: ClassVar[str] = "high_mul"

    bias: Array
    output_multiplier: Parameter
    right_shift: Parameter


@dataclass(frozen=True)
class Scaled:
    """One long multiplication and one shift (``affine.py``), for cores that have one.

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
    """Two short multiplications and one shift (``pieces.py``), for cores without a long one.

    Attributes:
        scaling: ``words`` int32 of each channel: its start, its multiplier unless all share it, the high piece in the high half,
            and what is added to negative values unless all share it, or nothing is.
        multiplier: of all channels; None where each has its own.
        step: likewise, 0 where nothing is added to negative values.
        low, high: what sums are held within; None where they need not be.
    """

    scaling: Array
    words: int
    multiplier: int | None
    step: int | None
    coarse: int
    right: int
    addend: int
    shift: int
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Requantizer:
    """Everything that a layer's requantizing function needs.

    Attributes:
        scaled: on cores with a long multiplication; None where these take ``form``.
        pieces: on cores without; None where these take ``form``.
        form: the reference's own arithmetic, on any core; None where none takes it.
    """

    scaled: Scaled | None
    pieces: Pieces | None
    form: Wide | HighMul | None
    output_offset: int
    activation_min: int
    activation_max: int


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
    """Chooses the forms and lays down what they need.

    Args:
        site: where the layer is written.
        requantization: its multipliers, shifts, offset and clamp.
        rows: its weights, int8 ``(outputs, inputs)``.
        bias: int64 ``(outputs,)``, the input's zero point not yet folded in.
        folds: whether sums are of stored bytes, and the bias takes care of their zero point; else the kernel centres each byte,
            and may leave some out.
        fractions: the fractional bits that its sums may have, the preferred ones first.
        pairs: whether cores with the DSP extension read channels in pairs, so that an odd last one gets a neighbour of zeros.

    Returns:
        What templates are told of it, and the bias with the input's zero point folded in.
    """
    sums = (_sums if folds else _sums_of_centred)(site.layer.input.zero_point, rows, bias)
    return requantizer_of(site, requantization, sums, fractions=fractions, pairs=pairs), sums.bias


def requantizer_of(
    site: Site, requantization: Requantization, sums: Sums, *, fractions: Sequence[int] = affine.FRACTIONS, pairs: bool = False
) -> Requantizer:
    """Chooses the forms for sums within these bounds and lays down what they need; arguments as :func:`requantizer` has them."""
    steps = affine.steps_of(requantization, sums)
    scaled = affine.fit(steps, sums, fractions) if steps else None
    short = pieces.fit(steps, sums) if steps else None
    path = "both" if not scaled and not short else "long" if not scaled else "short"
    return Requantizer(
        scaled=_scaled(site, scaled, pairs=pairs) if scaled else None,
        pieces=_pieces(site, short) if short else None,
        form=None if scaled and short else _form(site, requantization, sums, path),
        output_offset=requantization.output_offset,
        activation_min=requantization.activation_min,
        activation_max=requantization.activation_max,
    )


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


def _form(site: Site, requantization: Requantization, sums: Sums, path: str) -> Wide | HighMul:
    """Lays down what the reference's own arithmetic needs, for the cores of a path."""
    shifts = np.array(requantization.output_shifts)
    bias = site.add("bias", "int32_t", sums.bias, path)
    multiplier = _parameter(site, "output_multiplier", "int32_t", np.array(requantization.output_multipliers), path)
    if np.any(shifts > 0) or int(max(np.abs(sums.high).max(), np.abs(sums.low).max())) >= 2**30:
        return Wide(bias, multiplier, _parameter(site, "output_shift", "int8_t", shifts, path))
    return HighMul(bias, multiplier, _parameter(site, "right_shift", "uint8_t", -shifts, path))


def _parameter(site: Site, name: str, c_type: str, values: np.ndarray, path: str) -> Parameter:
    """Returns the one value that all channels share, or lays down an array."""
    return int(values[0]) if np.all(values == values[0]) else site.add(name, c_type, values, path)


def _columns(starts: np.ndarray, multipliers: np.ndarray, steps: np.ndarray | None) -> tuple[np.ndarray, int | None, int | None]:
    """Returns each channel's numbers, int32 ``(channels, words)``, and the multiplier and the step that all channels share."""
    columns = [starts]
    multiplier, step = int(multipliers[0]), 0
    if np.any(multipliers != multiplier):
        multiplier = None
        columns.append(multipliers)
    if steps is not None:
        step = -int(steps[0])
        if np.any(steps != steps[0]):
            step = None
            columns.append(-steps)
    return np.stack(columns, axis=1).astype(np.uint32).view(np.int32), multiplier, step


def _scaled(site: Site, fitted: affine.Affine, *, pairs: bool) -> Scaled:
    """Lays down the numbers of each channel, but for those that all share."""
    columns, multiplier, step = _columns(fitted.starts, fitted.multipliers, fitted.steps)
    columns = np.pad(columns, ((0, len(columns) % 2 if pairs else 0), (0, 0)))
    array = site.add("scaling", "int32_t", columns, "long")
    return Scaled(array, columns.shape[1], fitted.fraction, multiplier, step, fitted.addend, fitted.shift)


def _pieces(site: Site, fitted: pieces.Pieces) -> Pieces:
    """Lays down the numbers of each channel, but for those that all share."""
    columns, multiplier, step = _columns(fitted.starts, (fitted.highs << 16) + fitted.lows, fitted.steps)
    low, high = fitted.limits or (None, None)
    return Pieces(
        scaling=site.add("short_scaling", "int32_t", columns, "short"),
        words=columns.shape[1],
        multiplier=multiplier,
        step=step,
        coarse=fitted.coarse,
        right=fitted.right,
        addend=fitted.addend,
        shift=fitted.shift,
        low=low,
        high=high,
    )
