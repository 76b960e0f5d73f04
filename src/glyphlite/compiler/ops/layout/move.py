"""The node of every op that puts values in another order, leaves some out or repeats some, without looking at them.

Slices, parts, permutations, blocks, reversals and broadcasts differ in which element of the input an element of the output is,
and all of them say it by a start and a stride along each axis. So they share one node and one kernel.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Value, Window
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True)
class Axis:
    """One loop over elements of the input: how many, and how far apart in bytes."""

    extent: int
    stride: int


@dataclass(frozen=True)
class Walk:
    """The input's bytes in the output's order: nested loops from a byte on, outermost first."""

    start: int
    axes: tuple[Axis, ...]

    @property
    def is_contiguous(self) -> bool:
        """Returns whether it takes neighbouring bytes in their order."""
        return len(self.axes) <= 1 and all(axis.stride == 1 for axis in self.axes)

    @property
    def reach(self) -> tuple[int, int]:
        """Returns the first and the last byte of the input that it takes."""
        spans = [(axis.extent - 1) * axis.stride for axis in self.axes]
        return self.start + sum(min(span, 0) for span in spans), self.start + sum(max(span, 0) for span in spans)

    def by_rows(self, rows: int) -> tuple[Axis, "Walk"] | None:
        """Returns the loop over that many rows of the output, and the walk over its first row; None where none loops so."""
        left, axes = rows, list(self.axes)
        if rows == 1:
            return Axis(1, 0), self
        first = axes.pop(0)
        if first.extent % left:
            return None
        inner = first.extent // left
        rest = (Axis(inner, first.stride), *axes) if inner > 1 else tuple(axes)
        return Axis(rows, first.stride * inner), Walk(self.start, rest)


def walk_of(view: np.ndarray, source: np.ndarray) -> Walk:
    """Returns how a view of an array of bytes walks over it, in as few loops as can be."""
    start = view.__array_interface__["data"][0] - source.__array_interface__["data"][0]
    axes: list[Axis] = []
    for extent, stride in zip(view.shape, view.strides, strict=True):
        if extent == 1:
            continue
        if axes and axes[-1].stride == extent * stride:
            axes[-1] = Axis(axes[-1].extent * extent, stride)
        else:
            axes.append(Axis(extent, stride))
    return Walk(start, tuple(axes))


@dataclass(frozen=True, kw_only=True)
class Move(Node):
    """A move that needs its whole input: it may take rows in any order. ``walk``: over all of the input."""

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False
    takes_table: ClassVar[bool] = True

    walk: Walk

    def kernel(self, site: Site) -> "MoveKernel":
        """Returns the kernel."""
        return MoveKernel(layer=site.layer, walk=self.walk)


@dataclass(frozen=True, kw_only=True)
class RowMove(Move):
    """A move that makes each row of its output of one row of its input, top to bottom.

    Attributes:
        row: the walk over one row of the input.
        first_row: of the input that it takes.
        row_step: from a row that it takes to the next.
    """

    streams: ClassVar[bool] = True
    continues_chain: ClassVar[bool] = True
    windowed: ClassVar[bool] = True

    row: Walk
    first_row: int
    row_step: int

    @property
    def window(self) -> Window:
        """Returns one row of the input, below the output's by the rows that are left out."""
        return Window(stride_y=self.row_step, pad_top=-self.first_row)

    def kernel(self, site: Site) -> "MoveKernel":
        """Returns the kernel."""
        return MoveKernel(layer=site.layer, walk=self.row)


@dataclass(frozen=True, kw_only=True)
class MoveKernel(Kernel):
    """The loops over a row, or over the whole map."""

    template: ClassVar[str] = "move.c.j2"

    walk: Walk


def add_move(
    context: Context,
    operator: Operator,
    rearranged: Callable[[np.ndarray], np.ndarray],
    *,
    source: int = 0,
    output: int = 0,
) -> None:
    """Appends the node of an op that moves values; none where the same bytes stay in their order.

    Args:
        context: what lowering has found so far.
        operator: the op.
        rearranged: what the op does, as NumPy's views do it: it takes an array of the input's shape and returns a view of it
            that, read in C order, holds the output.
        source: which input of the op it moves.
        output: which output of the op it makes.
    """
    value = context.value(operator, source, any_batch=True)
    shape = tuple(map(abs, context.tensor(operator.inputs[source]).shape))
    whole = np.empty((*shape, value.bytes // value.elements), np.uint8)
    view = rearranged(whole[..., 0])
    walk = walk_of(np.lib.stride_tricks.as_strided(view, (*view.shape, whole.shape[-1]), (*view.strides, 1)), whole)
    if walk.is_contiguous and walk.start == 0 and view.size == value.elements:
        context.reshaped(operator, value, output)
        return
    made = context.new_value(operator, output, any_batch=True)
    assert made.elements == view.size
    context.nodes.append(_node(context, operator, value, made, walk, output))


def _node(context: Context, operator: Operator, source: Value, made: Value, walk: Walk, output: int) -> Move | RowMove:
    """Returns the node that reads as few rows at a time as it can."""
    facts = context.facts(operator, output=output)
    split = walk.by_rows(made.height)
    if split is not None:
        rows, row = split
        first, last = (byte // source.row_bytes for byte in row.reach)
        step, rest = divmod(rows.stride, source.row_bytes)
        if first == last and rest == 0 and (step > 0 or made.height == 1):
            within = Walk(row.start - first * source.row_bytes, row.axes)
            return RowMove(**facts, inputs=(source,), output=made, walk=walk, row=within, first_row=first, row_step=max(step, 1))
    return Move(**facts, inputs=(source,), output=made, walk=walk)
