"""MAX_POOL_2D and AVERAGE_POOL_2D, a window of any size."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.reduction.sum_line import MOST_BYTES, SumLine, fit_sum_lines
from glyphlite.compiler.values import Window
from glyphlite.tflite.graph import Operator

_MOST_IN_TABLE = 25  # bytes under a window at a border: two words of a table for each


@dataclass(frozen=True, kw_only=True)
class Pool(Node):
    """A maximum or an average over a window, then a clamp."""

    windowed: ClassVar[bool] = True
    takes_table: ClassVar[bool] = True

    kind: Literal["max", "average"]
    pool_window: Window
    activation_min: int
    activation_max: int

    @property
    def window(self) -> Window:
        """Returns the pool's window."""
        return self.pool_window

    @property
    def is_plain_2x2_max(self) -> bool:
        """Returns whether it is a 2x2 maximum of windows side by side, all inside the map."""
        source = self.inputs[0]
        inside = self.output.height * 2 <= source.height and self.output.width * 2 <= source.width
        return self.kind == "max" and self.pool_window == Window(2, 2, 2, 2) and inside

    def kernel(self, site: Site) -> "PoolKernel":
        """Returns the kernel."""
        counts, table = self._counts(), None
        lines = self._lines(counts)
        if len(lines) > 1:
            held = np.zeros((max(counts) + 1, 2), np.uint32)
            held[list(counts)] = [(line.factor, line.start) for line in lines]
            table = site.add("lines", "uint32_t", held)
        return PoolKernel(
            layer=site.layer,
            kind=self.kind,
            padded=self.is_padded,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
            lines=lines,
            line_table=table,
            sums_fit_16_bits=255 * max(counts) < 2**16,
        )

    def _counts(self) -> tuple[int, ...]:
        """Returns how many bytes of the map a window may lie on, ascending."""
        window, source, output = self.pool_window, self.inputs[0], self.output
        rows = _inside(output.height, window.stride_y, window.pad_top, window.height, source.height)
        columns = _inside(output.width, window.stride_x, window.pad_left, window.width, source.width)
        return tuple(sorted({height * width for height in rows for width in columns}))

    def _lines(self, counts: tuple[int, ...]) -> tuple[SumLine, ...]:
        """Returns how sums of so many bytes become their means, all by the same shift; nothing where a division does it.

        Source: ``AveragePool``, kernels/internal/reference/integer_ops/pooling.h.
        """
        if self.kind == "max" or max(counts) > (MOST_BYTES if len(counts) == 1 else _MOST_IN_TABLE):
            return ()
        answers: list[np.ndarray] = []
        for count in counts:
            sums = np.arange(255 * count + 1) - 128 * count
            answers.append((np.sign(sums) * ((np.abs(sums) + count // 2) // count) + 128).astype(np.uint8))
        return fit_sum_lines(answers, [1 / count for count in counts])


@dataclass(frozen=True, kw_only=True)
class PoolKernel(Kernel):
    """One channel of one window at a time, or four.

    Attributes:
        lines: how sums become means, one for each number of bytes that a window may lie on; empty where a division does it.
        line_table: the factor and the start of each number of bytes, where there are several.
        sums_fit_16_bits: whether sums of bytes do.
    """

    template: ClassVar[str] = "pool_2d.c.j2"

    kind: Literal["max", "average"]
    padded: bool
    activation_min: int
    activation_max: int
    lines: tuple[SumLine, ...]
    line_table: Array | None
    sums_fit_16_bits: bool


def _inside(outputs: int, stride: int, pad: int, extent: int, size: int) -> set[int]:
    """Returns how many places of a window may lie in a map along one axis."""
    starts = [at * stride - pad for at in range(outputs)]
    return {min(start + extent, size) - max(start, 0) for start in starts}


def lower_pool(context: Context, operator: Operator) -> None:
    """Lowers MAX_POOL_2D and AVERAGE_POOL_2D. Source: ``kernels/pooling_common.cc``."""
    source = context.value(operator)
    output = context.new_value(operator)
    context.require_same_scale(operator, source, output)
    low, high = context.clamp(operator, output)
    height, width = operator.options["window"]
    window = window_of(operator, source, output, height, width)
    context.nodes.append(
        Pool(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            kind="average" if operator.name == "AVERAGE_POOL_2D" else "max",
            pool_window=window,
            activation_min=low + 128,
            activation_max=high + 128,
        )
    )
