"""Scaling of sums of products to int16, in the three ways that TensorFlow Lite Micro has, as a record for the template.

A bias of 64 bits is added in 64 bits and the sum scaled by a multiplier of 15 bits, with one rounding; a bias of 32 bits is
scaled as for int8, with two. Where sum and bias stay within 32 bits, the first needs no 64 bits either.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from glyphlite.compiler import arithmetic, arithmetic_int16
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Site
from glyphlite.compiler.context import Context, filter_of, weight_scales
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator

LARGEST = 32768
"""Of int16, in magnitude."""

LONGEST_SUM = 510
"""Inputs whose products with any int8 weights stay within 32 bits; even, as they are multiplied in pairs."""

_MOST_SHIFT = 7
"""To the left, of a multiplier that scales 64 bits (kernels/internal/common.cc asserts it)."""

Parameter = int | Array
"""A multiplier or a shift: one for all channels, or an array with one per channel."""


@dataclass(frozen=True)
class Scaling:
    """The scaling of sums, and the clamp after it.

    Attributes:
        bias: int64 ``(outputs,)``.
        is_long: whether TensorFlow Lite Micro adds in 64 bits and rounds once.
        multipliers: of 31 bits, one for each output.
        shifts: positive to the left.
        activation_min: of the stored int16.
        activation_max: of the stored int16.
    """

    bias: np.ndarray
    is_long: bool
    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    activation_min: int
    activation_max: int

    def clamped(self, low: int, high: int) -> "Scaling":
        """Returns the same with a narrower clamp: a value that leaves ``low`` to ``high`` takes the nearer of them."""
        least, most = min(max(self.activation_min, low), high), max(min(self.activation_max, high), low)
        return replace(self, activation_min=least, activation_max=most)


@dataclass(frozen=True)
class Scaler:
    """Scaling function of a layer, as its template is told.

    Attributes:
        kind: ``single`` scales 32 bits and rounds once, ``long`` 64 bits, ``double`` 32 bits and rounds twice.
        long_sums: whether sums are handed over as 64 bits.
        output_shift: to the right of 16 bits (``single``), to the right (``long``), or to the left (``double``).
    """

    kind: Literal["single", "long", "double"]
    long_sums: bool
    bias: Array
    output_multiplier: Parameter
    output_shift: Parameter
    activation_min: int
    activation_max: int


def sums_fit(rows: np.ndarray) -> bool:
    """Returns whether no sum of products leaves 32 bits. ``rows`` are weights, int8 ``(outputs, inputs)``."""
    return int(np.abs(rows.astype(np.int64)).sum(axis=1).max(initial=0)) * LARGEST < 2**31


def scaled_once(scaling: Scaling, rows: np.ndarray) -> bool:
    """Returns whether sums and biases stay within 32 bits and are scaled there, with one rounding."""
    bounds = np.abs(rows.astype(np.int64)).sum(axis=1) * LARGEST + np.abs(scaling.bias)
    return scaling.is_long and int(bounds.max(initial=0)) < 2**31 and max(scaling.shifts) <= -2


def scaling_of(context: Context, operator: Operator, source: Value, output: Value, rows: np.ndarray, *, bias: int = 2) -> Scaling:
    """Returns the scaling of an op with weights.

    Source: ``ConvPerChannel``, reference/integer_ops/conv.h, ``DepthwiseConvPerChannel`` and ``FullyConnected`` beside it:
    their sums have the bias's type; without a bias 64 bits, or what the op's options ask for.

    Args:
        context: what lowering has found so far.
        operator: the op.
        source: what it reads.
        output: what it writes.
        rows: its weights, int8 ``(outputs, inputs)``.
        bias: which of its inputs that is.

    Raises:
        ArtifactError: a bias of another type, or sums or scales that the kernels leave undefined.
    """
    channels = len(rows)
    scales = weight_scales(context, operator, channels)
    ratios = [source.scale * scale / output.scale for scale in scales]
    for ratio in ratios:
        context.check_ratio(operator, ratio)
    multipliers, shifts = zip(*map(arithmetic.quantize_multiplier, ratios), strict=True)
    biases, is_long = _bias(context, operator, channels, bias)
    totals = np.abs(rows.astype(np.int64)).sum(axis=1) * LARGEST
    bound = max(int(total) + abs(int(each)) for total, each in zip(totals, biases, strict=True))
    if bound >= (2**47 if is_long else 2**31):
        raise context.refuse(operator, f"a sum of up to {bound} does not fit its bias's type", "use fewer inputs")
    if is_long and max(shifts) > _MOST_SHIFT:
        raise context.refuse(operator, f"its output's scale is {max(ratios):.3g} times too fine", "quantize the model again")
    low, high = context.clamp(operator, output)
    return Scaling(biases, is_long, multipliers, shifts, low, high)


def _bias(context: Context, operator: Operator, channels: int, position: int) -> tuple[np.ndarray, bool]:
    """Returns an op's biases, int64 ``(channels,)``, and whether its sums have 64 bits."""
    if len(operator.inputs) <= position or operator.inputs[position] < 0:
        return np.zeros(channels, np.int64), operator.options.get("bias_type") != "INT32"
    tensor = context.tensor(operator.inputs[position])
    types = ("int64", "int32") if operator.name in ("CONV_2D", "FULLY_CONNECTED") else ("int64",)
    if tensor.data is None or tensor.dtype.name not in types or tensor.elements != channels:
        raise context.refuse(operator, f"its bias is {tensor.dtype}, not {channels} constant int64", "convert with --to int16x8")
    return tensor.data.reshape(-1).astype(np.int64), tensor.dtype == np.int64


def narrow_weights(context: Context, operator: Operator) -> np.ndarray:
    """Returns an op's weights, constant int8.

    Raises:
        ArtifactError: they are something else, INT4 among it, as TensorFlow Lite Micro has no kernel for that.
    """
    tensor, weights = filter_of(context, operator)
    if tensor.packed_bits == 4:
        raise context.refuse(operator, "INT4 weights with int16 activations", "convert with --to int16x8, without INT4 weights")
    return weights


def scaler(site: Site, scaling: Scaling, rows: np.ndarray) -> Scaler:
    """Chooses the way of scaling and lays down what it needs. ``rows`` are the weights, int8 ``(outputs, inputs)``."""
    fits = sums_fit(rows)
    shifts, multipliers = np.array(scaling.shifts), np.array(scaling.multipliers, np.int64)
    if not scaling.is_long:
        kind = "double"
        multiplier = _parameter(site, "output_multiplier", "int32_t", multipliers)
        shift = _parameter(site, "output_shift", "int8_t", shifts)
    else:
        reduced = np.array([arithmetic_int16.reduced_multiplier(value) for value in scaling.multipliers])
        kind = "single" if scaled_once(scaling, rows) else "long"
        multiplier = _parameter(site, "output_multiplier", "int16_t", reduced)
        shift = _parameter(site, "output_shift", "uint8_t", (-1 if kind == "single" else 15) - shifts)
    return Scaler(
        kind=kind,
        long_sums=not fits,
        bias=site.add("bias", "int64_t" if kind == "long" else "int32_t", scaling.bias),
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=scaling.activation_min,
        activation_max=scaling.activation_max,
    )


def _parameter(site: Site, name: str, c_type: str, values: np.ndarray) -> Parameter:
    """Returns the one value that all channels share, or lays down an array."""
    return int(values[0]) if np.all(values == values[0]) else site.add(name, c_type, values)
