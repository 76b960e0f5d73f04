"""The node of every op that puts values in another order, leaves some out or repeats some, without looking at them.

Slices, parts, permutations, blocks, reversals and broadcasts differ in which element of the input an element of the output is,
and all of them say it by a start and a stride along each axis. So they share one node and one kernel.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Value, Window
from glyphlite.tflite.graph import Operator

FEWEST_COPIED = 8
"""Bytes for which a call pays."""


@dataclass(frozen=True)
class Axis:
    """One loop over elements of the input: how many, and how far apart in bytes; or where each is, if that differs.

    Attributes:
        extent: turns of the loop.
        stride: bytes from one turn's elements to the next one's.
        offsets: bytes to the elements of each turn; none where the stride says it.
    """

    extent: int
    stride: int
    offsets: tuple[int, ...] = ()

    @property
    def ends(self) -> tuple[int, int]:
        """Returns the least and the most bytes that it moves by from its first turn's element."""
        last = (self.extent - 1) * self.stride
        return (min(self.offsets), max(self.offsets)) if self.offsets else (min(last, 0), max(last, 0))


@dataclass(frozen=True)
class Walk:
    """The input's bytes in the output's order: nested loops from a byte on, outermost first."""

    start: int
    axes: tuple[Axis, ...]

    @property
    def is_contiguous(self) -> bool:
        """Returns whether it takes neighbouring bytes in their order."""
        return len(self.axes) <= 1 and all(axis.stride == 1 and not axis.offsets for axis in self.axes)

    @property
    def reach(self) -> tuple[int, int]:
        """Returns the first and the last byte of the input that it takes."""
        ends = [axis.ends for axis in self.axes]
        return self.start + sum(low for low, _ in ends), self.start + sum(high for _, high in ends)

    def by_rows(self, rows: int) -> tuple[Axis, "Walk"] | None:
        """Returns the loop over that many rows of the output, and the walk over its first row; None where none loops so."""
        axes = list(self.axes)
        if rows == 1:
            return Axis(1, 0), self
        first = axes.pop(0)
        if first.extent % rows or first.offsets:
            return None
        inner = first.extent // rows
        rest = (Axis(inner, first.stride), *axes) if inner > 1 else tuple(axes)
        return Axis(rows, first.stride * inner), Walk(self.start, rest)


def walk_of(view: np.ndarray, source: np.ndarray) -> Walk:
    """Returns how a view of an array of bytes walks over it, in as few loops as can be."""
    start = view.__array_interface__["data"][0] - source.__array_interface__["data"][0]
    return Walk(start, _merged(Axis(extent, stride) for extent, stride in zip(view.shape, view.strides, strict=True)))


def walk_through(axes: Sequence[Sequence[int]]) -> Walk:
    """Returns the walk over elements whose place is a sum of one offset in bytes of each axis."""
    start = sum(offsets[0] for offsets in axes)
    return Walk(start, _merged(axis for offsets in axes for axis in _axes_of(offsets)))


def _axes_of(offsets: Sequence[int]) -> Sequence[Axis]:
    """Returns the loops over offsets from the first of them: equal steps, each of them several times, or any."""
    if isinstance(offsets, range):  # of as many elements as a tensor may have
        return (Axis(len(offsets), offsets.step),)
    steps = np.diff(offsets)
    if len(set(steps.tolist())) <= 1:
        return (Axis(len(offsets), int(steps[0]) if len(steps) else 0),)
    times = len(offsets) // len(set(offsets))
    table = np.array(offsets)
    if len(offsets) % times == 0:
        blocks = table.reshape(-1, times)
        if (blocks == blocks[:, :1]).all() and len(set(np.diff(blocks[:, 0]).tolist())) == 1:
            return Axis(len(blocks), int(blocks[1, 0] - blocks[0, 0])), Axis(times, 0)
    return (Axis(len(offsets), 0, tuple(offset - offsets[0] for offset in offsets)),)


def _merged(axes: Iterable[Axis]) -> tuple[Axis, ...]:
    """Returns the same loops, those of one turn left out, and two made one where they go on from each other."""
    merged: list[Axis] = []
    for axis in axes:
        before = merged[-1] if merged else None
        if axis.extent == 1:
            continue
        if before and not before.offsets and not axis.offsets and before.stride == axis.extent * axis.stride:
            merged[-1] = Axis(before.extent * axis.extent, axis.stride)
        else:
            merged.append(axis)
    return tuple(merged)


@dataclass(frozen=True, kw_only=True)
class Move(Node):
    """A move that needs its whole input: it may take rows in any order. ``walk``: over all of the input."""

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False
    takes_table: ClassVar[bool] = True

    walk: Walk

    def kernel(self, site: Site) -> "MoveKernel":
        """Returns the kernel."""
        return move_kernel(site, self.walk)


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
        return move_kernel(site, self.row)


@dataclass(frozen=True, kw_only=True)
class MoveKernel(Kernel):
    """The loops over a row, or over the whole map; ``tables``: the offsets of each loop that has any."""

    template: ClassVar[str] = "move.c.j2"

    walk: Walk
    tables: tuple[Array | None, ...]

    @property
    def run_bytes(self) -> int:
        """Returns the bytes that are copied as they are in one go; 1 where each is looked at, or few lie together."""
        looked_at = self.layer.table is not None or self.layer.reads_model_input
        last = self.walk.axes[-1:]
        return last[0].extent if last and last[0].stride == 1 and last[0].extent >= FEWEST_COPIED and not looked_at else 1


def move_kernel(site: Site, walk: Walk) -> MoveKernel:
    """Returns the kernel of a walk, its offsets laid down."""
    tables: list[Array | None] = []
    for number, axis in enumerate(walk.axes, 1):
        least, most = axis.ends
        c_type = "int16_t" if least >= -(1 << 15) and most < 1 << 15 else "int32_t"
        tables.append(site.add(f"offsets_{number}", c_type, np.array(axis.offsets)) if axis.offsets else None)
    return MoveKernel(layer=site.layer, walk=walk, tables=tuple(tables))


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
    add_walk(context, operator, walk, source=source, output=output)


def add_walk(context: Context, operator: Operator, walk: Walk, *, source: int = 0, output: int = 0) -> None:
    """Appends the node of an op that walks over its input; none where the same bytes stay in their order."""
    value = context.value(operator, source, any_batch=True)
    made = context.activation(context.tensor(operator.outputs[output]), operator, any_batch=True)
    if walk.is_contiguous and walk.start == 0 and made.bytes == value.bytes:
        context.reshaped(operator, value, output)
        return
    made = context.new_value(operator, output, any_batch=True)
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
