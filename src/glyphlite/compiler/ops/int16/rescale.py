"""RELU, RELU6, LEAKY_RELU and ABS on int16, and QUANTIZE from or to it: each value scaled on its own, then clamped."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator

Scale = tuple[int, int]
"""A multiplier and a shift."""


@dataclass(frozen=True, kw_only=True)
class Rescale(Node):
    """Values of either type scaled to values of either type.

    Attributes:
        identity: what scales values from the zero point up; None where they stay as they are.
        alpha: what scales the values below it; None where that is the same.
        activation_min: of the output as held: of int8 stored + 128.
        activation_max: of the output as held.
    """

    in_place: ClassVar[bool] = True

    identity: Scale | None
    alpha: Scale | None
    activation_min: int
    activation_max: int

    def kernel(self, site: Site) -> "RescaleKernel":
        """Returns the kernel."""
        return RescaleKernel(
            layer=site.layer,
            identity=self.identity,
            alpha=self.alpha,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
        )


@dataclass(frozen=True, kw_only=True)
class RescaleKernel(Kernel):
    """A row, value by value."""

    template: ClassVar[str] = "int16/rescale.c.j2"

    identity: Scale | None
    alpha: Scale | None
    activation_min: int
    activation_max: int

    @property
    def elements(self) -> int:
        """Returns the values of a row."""
        return self.layer.output.width * self.layer.output.channels


def lower_relu(context: Context, operator: Operator) -> None:
    """Lowers RELU. Source: ``CalculateReluOpData``, micro/kernels/activations_common.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    _append(context, operator, source, output, _scale(context, operator, source.scale / output.scale), None, 0, 32767)


def lower_relu6(context: Context, operator: Operator) -> None:
    """Lowers RELU6: a clamp in the input's own scale. Source: ``Relu6Prepare``, micro/kernels/activations_common.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    context.check_fits(operator, 6.0, source)
    six = arithmetic.round_half_away(float(np.float32(6.0) / np.float32(source.scale)))
    _append(context, operator, source, output, None, None, 0, min(six, 32767))


def lower_leaky_relu(context: Context, operator: Operator) -> None:
    """Lowers LEAKY_RELU. Source: ``CalculateOpDataLeakyRelu``, micro/kernels/leaky_relu_common.cc."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    alpha = operator.options.get("alpha", 0.0)
    if not (math.isfinite(alpha) and alpha >= 0):
        raise context.refuse(operator, f"an alpha of {alpha:g}", "use zero or more")
    identity = _scale(context, operator, source.scale / output.scale)
    leak = _scale(context, operator, source.scale * alpha / output.scale)
    _append(context, operator, source, output, identity, leak, -32768, 32767)


def lower_abs(context: Context, operator: Operator) -> None:
    """Lowers ABS: values below 0 are scaled by as much with the other sign, which rounds alike.

    Source: ``PrepareAbsRsqrt`` and ``AbsEvalQuantized``, micro/kernels/elementwise.cc, which scales nothing between equal scales.
    """
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    multiplier, shift = _scale(context, operator, source.scale / output.scale)
    _append(context, operator, source, output, (multiplier, shift), (-multiplier, shift), -32768, 32767)


def requantize(context: Context, operator: Operator, source: Value, output: Value) -> None:
    """Appends a QUANTIZE between integers. Source: ``Requantize``, kernels/internal/reference/requantize.h."""
    ratio = source.scale / output.scale
    if source.element_type == "int32" and ratio >= 1.0:
        raise context.refuse(operator, f"it scales int32 up, by {ratio:.3g}", "quantize the model again")
    low, high = {"int8": (0, 255), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1)}[output.element_type]
    _append(context, operator, source, output, _scale(context, operator, ratio), None, low, high)


def _scale(context: Context, operator: Operator, real: float) -> Scale:
    context.check_ratio(operator, real)
    return arithmetic.quantize_multiplier(real)


def _append(
    context: Context,
    operator: Operator,
    source: Value,
    output: Value,
    identity: Scale | None,
    alpha: Scale | None,
    low: int,
    high: int,
) -> None:
    context.nodes.append(
        Rescale(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            identity=identity,
            alpha=alpha,
            activation_min=low,
            activation_max=high,
        )
    )
