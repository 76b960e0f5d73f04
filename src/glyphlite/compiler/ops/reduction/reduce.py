"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN over any axes: row after row where the height is reduced, else each row by itself."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Accumulator, Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.reduction.sum_line import MOST_BYTES, SumLine, fit_sum_line
from glyphlite.compiler.values import Requantization, Value
from glyphlite.tflite.graph import Operator

Kind = Literal["sum", "max", "min"]

_KINDS: dict[str, Kind] = {"MEAN": "sum", "SUM": "sum", "REDUCE_MAX": "max", "REDUCE_MIN": "min"}

HEIGHT, WIDTH, CHANNELS = 0, 1, 2


@dataclass(frozen=True)
class Row:
    """A row of the input as ``outer * reduced * inner`` bytes, of which ``outer * inner`` results come."""

    outer: int
    reduced: int
    inner: int


def row_of(source: Value, axes: set[int]) -> Row:
    """Returns how a row of a map is reduced along ``WIDTH`` and ``CHANNELS``."""
    if CHANNELS not in axes:
        return Row(1, source.width, source.channels) if WIDTH in axes else Row(1, 1, source.width * source.channels)
    return Row(1, source.width * source.channels, 1) if WIDTH in axes else Row(source.width, source.channels, 1)


@dataclass(frozen=True, kw_only=True)
class Reduced(Node):
    """A reduction; AVERAGE_POOL_2D over the whole map is one whose division is its own: it has no requantization.

    Attributes:
        count: values that one result is made of.
    """

    takes_table: ClassVar[bool] = True

    kind: Kind
    row: Row
    count: int
    requantization: Requantization | None
    activation_min: int
    activation_max: int

    def kernel(self, site: Site) -> "RowReductionKernel":
        """Returns the kernel that takes each row by itself."""
        return RowReductionKernel(
            layer=site.layer,
            kind=self.kind,
            row=self.row,
            count=self.count,
            requantization=self.requantization,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
            line=self._line(),
        )

    def _line(self) -> SumLine | None:
        """Returns what makes a stored byte of a sum in one step; None where nothing does, or extremes are taken."""
        if self.kind != "sum" or self.count > MOST_BYTES:
            return None
        limits = self.activation_min, self.activation_max
        sums = np.arange(255 * self.count + 1, dtype=np.int64)
        if (scaling := self.requantization) is None:
            centred = sums - 128 * self.count  # of the stored int8 values: halves go away from zero
            rounded = 128 + np.sign(centred) * ((np.abs(centred) + self.count // 2) // self.count)
            return fit_sum_line(np.clip(rounded, *limits).astype(np.uint8), 1 / self.count, limits)
        multiplier, shift = scaling.output_multipliers[0], scaling.output_shifts[0]
        centred = sums - self.inputs[0].zero_point * self.count
        scaled = arithmetic.multiply_by_quantized_multiplier(centred, multiplier, shift) + scaling.output_offset
        return fit_sum_line(np.clip(scaled, *limits).astype(np.uint8), multiplier * 2.0 ** (shift - 31), limits)

    def clamped(self, low: int, high: int) -> Self:
        """Returns the node with its output clamped to ``low`` to ``high``."""
        return replace(
            self,
            activation_min=min(max(self.activation_min, low), high),
            activation_max=max(min(self.activation_max, high), low),
        )


@dataclass(frozen=True, kw_only=True)
class MapReduction(Reduced):
    """A reduction over the height, and other axes: every row adds to every result."""

    streams: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True
    accumulates_alone: ClassVar[bool] = True

    def kernel(self, site: Site) -> "MapReductionKernel":
        """Returns the kernel that gets row after row."""
        by_words = self.kind == "sum" and self.row.outer == 1 and self.row.inner % 4 == 0 and self.row.reduced <= 257
        kernel = super().kernel(site)
        in_pairs = by_words and site.layer.unrolls and self.count <= 257 and kernel.line is not None
        return MapReductionKernel(**vars(kernel), by_words=by_words, in_pairs=in_pairs)


@dataclass(frozen=True, kw_only=True)
class RowReduction(Reduced):
    """A reduction over width, channels or both: each row by itself."""


@dataclass(frozen=True, kw_only=True)
class RowReductionKernel(Kernel):
    """One result after the other."""

    template: ClassVar[str] = "reduce.c.j2"
    over_rows: ClassVar[bool] = False

    kind: Kind
    row: Row
    count: int
    requantization: Requantization | None
    activation_min: int
    activation_max: int
    line: SumLine | None


@dataclass(frozen=True, kw_only=True)
class MapReductionKernel(RowReductionKernel, Accumulator):
    """A row added to the sums or compared with the extremes so far, and these finished.

    Attributes:
        by_words: whether four channels are added at a time, two sums in each word.
        in_pairs: whether the sums of all rows lie so, too, none of them over 16 bits; that is a little longer.
    """

    over_rows: ClassVar[bool] = True

    by_words: bool
    in_pairs: bool

    @property
    def is_aligned(self) -> bool:
        """Returns whether the rows begin at whole words: all but the caller's do, if words are what they consist of."""
        place = self.layer.inputs[0].place
        whole = all(each % 4 == 0 for each in (place.offset, place.plain_offset, self.layer.input.row_bytes))
        return place.base == "arena" and whole


def reduction_of(context: Context, operator: Operator, source: Value) -> tuple[set[int], Row, int]:
    """Returns the axes that an op reduces, how it reduces a row, and how many values one result is made of."""
    rank = len(context.tensor(operator.inputs[0]).shape)
    if "axes" not in operator.options:
        raise context.refuse(operator, "its axes are computed, not constant", "convert with a fixed input shape")
    axes = {axis % rank - (rank - 3) for axis in operator.options["axes"]} & {HEIGHT, WIDTH, CHANNELS}
    row = row_of(source, axes)
    return axes, row, row.reduced * (source.height if HEIGHT in axes else 1)


def lower_reduction(context: Context, operator: Operator) -> None:
    """Lowers MEAN, SUM, REDUCE_MAX and REDUCE_MIN. Source: ``micro/kernels/reduce_common.cc``."""
    source = context.value(operator)
    axes, row, count = reduction_of(context, operator, source)
    written = context.new_value(operator)
    if count * 255 >= 2**31:
        raise context.refuse(operator, f"a sum of {count} values does not fit int32", "use fewer inputs")
    height = 1 if HEIGHT in axes else source.height
    width, channels = (1, row.outer * row.inner) if HEIGHT in axes else (row.outer, row.inner)
    node = MapReduction if HEIGHT in axes else RowReduction
    context.nodes.append(
        node(
            **context.facts(operator),
            inputs=(source,),
            output=Value(written.index, written.name, height, width, channels, written.quantization),
            kind=_KINDS[operator.name],
            row=row,
            count=count,
            requantization=_requantization(context, operator, source, written, count),
            activation_min=0,
            activation_max=255,
        )
    )


def lower_average_of_map(context: Context, operator: Operator) -> None:
    """Lowers AVERAGE_POOL_2D over the whole map, a mean. Source: ``kernels/pooling_common.cc``."""
    source, output = context.value(operator), context.new_value(operator)
    context.require_same_scale(operator, source, output)
    low, high = context.clamp(operator, output)
    context.nodes.append(
        MapReduction(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            kind="sum",
            row=Row(1, source.width, source.channels),
            count=source.height * source.width,
            requantization=None,
            activation_min=low + 128,
            activation_max=high + 128,
        )
    )


def _requantization(context: Context, operator: Operator, source: Value, output: Value, count: int) -> Requantization | None:
    """Returns the scaling of sums; None for extremes, which keep the input's scale.

    Source: ``QuantizedMeanOrSum``, kernels/internal/reference/reduce.h; ``EvalMinMaxHelper``, micro/kernels/reduce_common.cc.
    """
    if operator.name in ("REDUCE_MAX", "REDUCE_MIN"):
        if source.quantization != output.quantization:
            raise context.refuse(operator, "its input and output differ in scale or zero point", "as TFLite Micro does")
        return None
    context.check_ratio(operator, source.scale / output.scale)
    if operator.name == "SUM":
        multiplier, shift = arithmetic.quantize_multiplier(source.scale / output.scale)
    else:
        multiplier, shift = arithmetic.mean_multiplier(source.scale, output.scale, count)
    return Requantization((multiplier,), (shift,), output.zero_point, 0, 255)
