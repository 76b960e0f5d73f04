"""MEAN and SUM on int16 over any axes: row after row where the height is reduced, else each row by itself."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Accumulator, Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.int16.scaling import LARGEST
from glyphlite.compiler.ops.reduction.reduce import HEIGHT, Row, reduction_of
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16MapReduction(Node):
    """A sum over the height, and other axes: every row adds to every result. A mean's division is within the multiplier."""

    streams: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True
    accumulates_alone: ClassVar[bool] = True

    row: Row
    output_multiplier: int
    output_shift: int

    def kernel(self, site: Site) -> "Int16MapReductionKernel":
        """Returns the kernel."""
        return Int16MapReductionKernel(
            layer=site.layer, row=self.row, output_multiplier=self.output_multiplier, output_shift=self.output_shift
        )


@dataclass(frozen=True, kw_only=True)
class Int16RowReduction(Node):
    """A sum over width, channels or both: each row by itself."""

    row: Row
    output_multiplier: int
    output_shift: int

    def kernel(self, site: Site) -> "Int16RowReductionKernel":
        """Returns the kernel."""
        return Int16RowReductionKernel(
            layer=site.layer, row=self.row, output_multiplier=self.output_multiplier, output_shift=self.output_shift
        )


@dataclass(frozen=True, kw_only=True)
class Int16RowReductionKernel(Kernel):
    """One result after the other."""

    template: ClassVar[str] = "int16/reduce.c.j2"
    over_rows: ClassVar[bool] = False

    row: Row
    output_multiplier: int
    output_shift: int


@dataclass(frozen=True, kw_only=True)
class Int16MapReductionKernel(Int16RowReductionKernel, Accumulator):
    """A row added to the sums, and these scaled."""

    over_rows: ClassVar[bool] = True


def lower_reduction(context: Context, operator: Operator) -> None:
    """Lowers MEAN and SUM. Source: ``micro/kernels/reduce_common.cc``."""
    source = context.value(operator)
    axes, row, count = reduction_of(context, operator, source)
    written = context.new_value(operator)
    if count * LARGEST >= 2**31:
        raise context.refuse(operator, f"a sum of {count} int16 does not fit 32 bits", "use fewer inputs")
    context.check_ratio(operator, source.scale / written.scale)
    if operator.name == "SUM":
        multiplier, shift = arithmetic.quantize_multiplier(source.scale / written.scale)
    else:
        multiplier, shift = arithmetic.mean_multiplier(source.scale, written.scale, count)
    height = 1 if HEIGHT in axes else source.height
    width, channels = (1, row.outer * row.inner) if HEIGHT in axes else (row.outer, row.inner)
    node = Int16MapReduction if HEIGHT in axes else Int16RowReduction
    context.nodes.append(
        node(
            **context.facts(operator),
            inputs=(source,),
            output=Value(written.index, written.name, height, width, channels, written.quantization, "int16"),
            row=row,
            output_multiplier=multiplier,
            output_shift=shift,
        )
    )
