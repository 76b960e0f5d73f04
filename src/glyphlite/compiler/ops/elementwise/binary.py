"""Ops of two maps, either of them broadcast, one of them possibly constant; a table where one byte decides.

ADD, SUB, MUL, DIV by a constant, SQUARED_DIFFERENCE, MAXIMUM, MINIMUM and PRELU.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.affine import Sums
from glyphlite.compiler.codegen.kernel import Kernel, Place, Rows, Site
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer_of
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Requantized
from glyphlite.compiler.ops.elementwise.line import Line, fit_line
from glyphlite.compiler.ops.elementwise.lookup import EVERY_BYTE, Lookup
from glyphlite.compiler.ops.elementwise.operand import KINDS, Kind, Operand, held, shape_under
from glyphlite.compiler.values import Requantization, Value
from glyphlite.escaping import printable
from glyphlite.tflite.graph import Operator, Tensor

LEFT_SHIFTS: dict[Kind, int] = {"add": 20, "sub": 20, "squared_difference": 7}
"""Bits by which operands of sums and differences are scaled up before they are scaled to one another (``add_common.cc``,
``squared_difference.cc``)."""


@dataclass(frozen=True, kw_only=True)
class Binary(Requantized):
    """An op of two operands; ``constant`` is one of them, uint8 of its own shape, where it is constant."""

    in_place: ClassVar[bool] = True

    kind: Kind
    operands: tuple[Operand, Operand]
    constant: np.ndarray | None
    constant_first: bool

    def kernel(self, site: Site) -> "BinaryKernel":
        """Returns the kernel, the constant operand laid down."""
        layer = site.layer
        if self.constant is not None:
            height, width, channels = self.constant.shape
            array = site.add("constant", "uint8_t", self.constant)
            constant = Rows(Place("constant", array=array.name), height, height, width * channels)
            inputs = (constant, *layer.inputs) if self.constant_first else (*layer.inputs, constant)
            layer = replace(layer, inputs=inputs)
        return BinaryKernel(
            layer=layer,
            kind=self.kind,
            operands=self.operands,
            requantization=self.requantization,
            line=self._line(),
            requantizer=self._product_requantizer(site),
        )

    def _product_requantizer(self, site: Site) -> Requantizer | None:
        """Returns how products are scaled, as sums of a layer of weights are; None for other ops."""
        if self.kind != "mul":
            return None
        left, right = ((-each.zero_point, 255 - each.zero_point) for each in self.operands)
        ends = [first * second for first in left for second in right]
        least, most = (np.array([end], np.int64) for end in (min(ends), max(ends)))
        return requantizer_of(site, self.requantization, Sums(np.zeros(1, np.int64), least, most))

    def _line(self) -> Line | None:
        """Returns what gives the results of a sum or a difference in one step; None where nothing does."""
        if self.kind not in ("add", "sub"):
            return None
        left, right = self.operands
        scaling = self.requantization
        unit = scaling.output_multipliers[0] * 2.0 ** (scaling.output_shifts[0] - 31) * 2.0 ** LEFT_SHIFTS[self.kind]
        first, second = (each.multiplier * 2.0 ** (each.shift - 31) * unit for each in (left, right))
        return fit_line(
            self.result(EVERY_BYTE[:, np.newaxis], EVERY_BYTE[np.newaxis]),
            (first, second if self.kind == "add" else -second),
            (left.zero_point, right.zero_point),
            (scaling.activation_min, scaling.activation_max),
        )

    def result(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Returns what the generated C computes from stored bytes.

        Source: ``AddFunc`` and ``MulElementwise``, kernels/internal/reference/integer_ops/{add,mul}.h; ``SubElementwise``,
        ``DivElementwise`` and ``BroadcastPrelu4DSlow``, kernels/internal/reference/{sub,div,prelu}.h; ``SquaredDifference``,
        micro/kernels/squared_difference.cc; ``MaximumMinimumBroadcastSlow`` compares what is stored, whatever the scales.
        """
        requantization = self.requantization
        limits = requantization.activation_min, requantization.activation_max
        scaling = requantization.output_multipliers[0], requantization.output_shifts[0]
        if self.kind in ("maximum", "minimum"):
            extreme = (np.maximum if self.kind == "maximum" else np.minimum)(first, second)
            return np.clip(extreme, *limits).astype(np.uint8)
        left, right = (
            np.asarray(stored, np.int64) - operand.zero_point
            for stored, operand in zip((first, second), self.operands, strict=True)
        )
        if self.kind in ("mul", "prelu"):
            total = left * right
        elif self.kind == "div":
            return np.clip(arithmetic.quotient(left, right, *scaling) + requantization.output_offset, *limits).astype(np.uint8)
        else:
            left, right = (
                arithmetic.multiply_by_quantized_multiplier(side << LEFT_SHIFTS[self.kind], operand.multiplier, operand.shift)
                for side, operand in zip((left, right), self.operands, strict=True)
            )
            total = left + right if self.kind == "add" else left - right
            total = total * total if self.kind == "squared_difference" else total
        if self.kind == "prelu":
            operand = self.operands[1]
            below = arithmetic.multiply_by_quantized_multiplier(total, operand.multiplier, operand.shift)
            output = np.where(left >= 0, arithmetic.multiply_by_quantized_multiplier(left, *scaling), below)
        else:
            output = arithmetic.multiply_by_quantized_multiplier(total, *scaling)
        return np.clip(output + requantization.output_offset, *limits).astype(np.uint8)

    @property
    def never_falls(self) -> bool:
        """Returns whether it computes with a constant for each channel, and of a larger byte never a smaller result."""
        if self.constant is None or self.constant.shape[:2] != (1, 1) or self.inputs[0].shape != self.output.shape:
            return False
        pair = EVERY_BYTE[:, np.newaxis], self.constant.reshape(1, -1)
        results = self.result(*(pair[::-1] if self.constant_first else pair))
        if self.table is not None:
            results = self.table[results]
        return bool((np.diff(results.astype(np.int16), axis=0) >= 0).all())

    def as_lookup(self) -> Lookup | None:
        """Returns a table where one stored byte decides: the other operand is one number, or the same tensor again."""
        same = self.inputs[0].elements == self.output.elements  # the constant makes no more of the other operand
        if self.constant is not None and same and (self.constant == self.constant.flat[0]).all():
            scalar = self.constant.reshape(-1)[:1]
            answers = self.result(scalar, EVERY_BYTE) if self.constant_first else self.result(EVERY_BYTE, scalar)
        elif len(self.inputs) == 2 and self.inputs[0].index == self.inputs[1].index and self._alike:
            answers = self.result(EVERY_BYTE, EVERY_BYTE)
        else:
            return None
        return Lookup(
            name=self.name, op=self.op, inputs=self.inputs[:1], output=self.output, sources=self.sources, answers=answers
        )

    @property
    def _alike(self) -> bool:
        return self.operands[0].shape == self.operands[1].shape


@dataclass(frozen=True, kw_only=True)
class BinaryKernel(Kernel):
    """A row of the output from a row of each operand.

    Attributes:
        line: what gives the results of a sum or a difference in one step; None where the reference's own steps are taken.
        requantizer: what scales the products of a MUL.
    """

    template: ClassVar[str] = "binary.c.j2"

    kind: Kind
    operands: tuple[Operand, Operand]
    requantization: Requantization
    line: Line | None
    requantizer: Requantizer | None

    @property
    def is_callers(self) -> tuple[bool, ...]:
        """Returns of each operand whether it is an input of the model, whose bytes may be int8."""
        return tuple(rows.place.base == "input" for rows in self.layer.inputs)

    @property
    def left_shift(self) -> int | None:
        """Returns the bits by which operands are scaled up; None where they are not scaled to one another."""
        return LEFT_SHIFTS.get(self.kind)


def lower_binary(context: Context, operator: Operator) -> None:
    """Lowers an op of two maps.

    Source: ``kernels/{add,sub,mul,prelu}_common.cc``, ``micro/kernels/{div,squared_difference,maximum_minimum}.cc``.
    ``sub_common.cc`` and ``div.cc`` are written to divide the scales in float32; the released build divides them in double, as
    ADD's (tests/compiler/test_scales.py).
    """
    tensors = [context.tensor(index) for index in operator.inputs[:2]]
    for tensor in tensors:
        if tensor.index not in context.values:
            if tensor.data is None:
                raise context.refuse(operator, f"tensor {printable(tensor.name)} is not available")
            context.activation(tensor, operator, any_batch=True)  # its type and scale
    values = (context.values.get(tensor.index) or context.activation(tensor, operator, any_batch=True) for tensor in tensors)
    first, second = values
    output = context.new_value(operator, any_batch=True)
    kind = KINDS[operator.name]
    low, high = context.clamp(operator, output)
    scales, real = _ratios(context, operator, first, second, output)
    for ratio in (scales[1], real):
        context.check_ratio(operator, ratio)
    multiplier, shift = arithmetic.quantize_multiplier(real)
    if kind == "div":
        _check_divisors(context, operator, tensors[1], shift)
    constant = next((tensor for tensor in tensors if tensor.index not in context.values), None)
    node = Binary(
        **context.facts(operator, operands=2),
        inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
        output=output,
        kind=kind,
        operands=(
            _operand(shape_under(context, operator, tensors[0], output), first, scales[0]),
            _operand(shape_under(context, operator, tensors[1], output), second, scales[1]),
        ),
        constant=None if constant is None else held(context, operator, constant, output),
        constant_first=tensors[0].index not in context.values,
        requantization=Requantization((multiplier,), (shift,), output.zero_point, low + 128, high + 128),
    )
    context.nodes.append(node.as_lookup() or node)


def _ratios(
    context: Context, operator: Operator, first: Value, second: Value, output: Value
) -> tuple[tuple[float, float], float]:
    """Returns what either operand and the result are scaled by; 0 where nothing is."""
    match kind := KINDS[operator.name]:
        case "maximum" | "minimum":
            return (0.0, 0.0), 0.0
        case "mul":
            return (0.0, 0.0), first.scale * second.scale / output.scale
        case "prelu":
            return (0.0, first.scale * second.scale / output.scale), first.scale / output.scale
        case "div":
            return (0.0, 0.0), first.scale / (second.scale * output.scale)
        case _:
            twice_max = 2.0 * max(first.scale, second.scale)
            scales = first.scale / twice_max, second.scale / twice_max
    if kind == "squared_difference":
        return scales, twice_max * twice_max / (2.0 ** (2 * LEFT_SHIFTS[kind]) * output.scale)
    real = twice_max / (2.0 ** LEFT_SHIFTS[kind] * output.scale)
    if real >= 1.0:
        raise context.refuse(operator, "the output's scale is too small for the inputs'")
    return scales, real


def _check_divisors(context: Context, operator: Operator, tensor: Tensor, shift: int) -> None:
    """Refuses a division whose shift leaves 0 to 31 in TFLite Micro, and one by zero, which it leaves undefined."""
    if tensor.index in context.values or tensor.data is None:
        raise context.refuse(
            operator, "it divides by a computed value, which may be 0", "multiply by a constant, or divide by one"
        )
    assert tensor.quantization is not None
    divisors = np.abs(tensor.data.astype(np.int64) - tensor.quantization.zero_point)
    if divisors.min(initial=1) == 0:
        raise context.refuse(operator, "one of its divisors is 0", "divide by numbers that int8 tells from 0")
    if not int(divisors.max(initial=1)).bit_length() - 1 <= shift <= 23:
        raise context.refuse(operator, "its output's scale is far from that of its quotients", "quantize the model again")


def _operand(shape: tuple[int, int, int], value: Value, scale: float) -> Operand:
    return Operand(shape, value.zero_point, *arithmetic.quantize_multiplier(scale))
