"""How the sums of a layer are scaled to its output: the cheapest exact form that multipliers, shifts and bounds allow."""

from types import SimpleNamespace

import numpy as np

from glyphlite.compiler.codegen.constants import Constants
from glyphlite.compiler.ir import Convolution, Dense, Depthwise, Requantization


def scaling_of(
    node: Convolution | Dense | Depthwise,
    rows: np.ndarray,
    constants: Constants,
    uses: set[str],
    *,
    packs: bool,
    path: str = "both",
) -> tuple[SimpleNamespace, np.ndarray]:
    """Choose the form and lay down what it needs.

    Args:
        node: a layer of weights and biases.
        rows: its weights, ``(outputs, inputs)``.
        constants: where multipliers, shifts and biases go.
        uses: the helpers that are called; grows.
        packs: whether cores with the DSP extension may read all of a channel's numbers from one array.
        path: which kernels read the biases and the shifts.

    Returns:
        What templates are told of it, and the bias with the input's zero point folded in.
    """
    requantization = node.requantization
    wide = rows.astype(np.int64)
    folded = node.bias - node.inputs[0].zero_point * wide.sum(axis=1)
    high = np.maximum(wide, 0).sum(axis=1) * 255 + folded
    low = np.minimum(wide, 0).sum(axis=1) * 255 + folded
    bound = int(max(np.abs(high).max(), np.abs(low).max()))
    shifts = np.array(requantization.shifts)
    uniform = bool(np.all(shifts == shifts[0]))
    r = SimpleNamespace(
        offset=requantization.offset,
        low=requantization.low,
        high=requantization.high,
        factor=2,
        wide=False,
        no_shift=False,
    )
    if bound >= 2**30:
        r.wide = True
    elif np.any(shifts > 0):
        r.wide = not (uniform and bound * 2 ** (int(shifts[0]) + 1) < 2**31)
        if not r.wide:
            r.factor, r.no_shift = 2 ** (int(shifts[0]) + 1), True
    elif np.all(shifts == 0):
        r.no_shift = True
    r.pieces, r.packed, r.all_shift = None, False, not r.wide and bool(np.all(shifts < 0))
    r.positive = not r.wide and not r.no_shift and requantization.low >= requantization.offset
    if r.positive and r.all_shift and path == "both" and packs:
        r.packed, path = True, "plain"
        rounding = (1 << 30) + (1 << (30 - shifts.astype(np.int64)))
        words = (folded * np.array(requantization.multipliers, np.int64) + rounding).view(np.int32).reshape(-1, 2)
        columns = [words[:, 0], words[:, 1], np.array(requantization.multipliers), -shifts - 1]
        constants.add(node, "scaling", "int32_t", np.stack(columns, axis=1).astype(np.int32), "dsp")
    multipliers = set(requantization.multipliers)
    if len(multipliers) == 1:
        r.multiplier = str(requantization.multipliers[0])
    else:
        r.multiplier = (
            constants.add(node, "multiplier", "int32_t", np.array(requantization.multipliers), "plain" if r.packed else "both")
            + "[channel]"
        )
    if uniform:
        r.shift = str(shifts[0] if r.wide else -shifts[0])
    elif r.wide:
        r.shift = constants.add(node, "shift", "int8_t", shifts, path) + "[channel]"
    else:
        r.shift = constants.add(node, "shift", "uint8_t", -shifts, path) + "[channel]"
    constants.add(node, "bias", "int32_t", folded, path)
    uses |= {"scale_wide", "round_shift"} if r.wide else {"high_mul"}
    if not (r.wide or r.positive or r.no_shift or r.all_shift):
        uses.add("round_shift")
    if r.positive:
        r.pieces = _pieces(int(high.max()), shifts)
    return r, folded


def _pieces(largest: int, shifts: np.ndarray) -> int | None:
    """Bits of each of the three pieces of a multiplier that keep every product with a sum in 32 bits; None if none do."""
    bits = min(31 - max(largest, 1).bit_length(), 15)
    shift = -int(shifts.min())
    if 3 * bits < 31 or shift > 2 * bits:
        return None
    rounding = (1 << 30) + (1 << (30 + shift))
    top = (rounding >> (2 * bits)) + (max(largest, 1) << (31 - 2 * bits)) + max(largest, 1) + 1
    return bits if top < 2**32 else None


def clamp_of(requantization: Requantization) -> str:
    """The C that keeps a value within the bounds of an output."""
    low, high = requantization.low, requantization.high
    return f"value < {low} ? {low} : value > {high} ? {high} : value"
