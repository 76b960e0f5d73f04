"""PAD by zeros along height, width and channels."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Window
from glyphlite.tflite.graph import Operator

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Pad(Node):
    """PAD: (before, after) of height, width and channels, filled with the zero point."""

    windowed: ClassVar[bool] = True

    paddings: tuple[Pair, Pair, Pair]

    @property
    def window(self) -> Window:
        """Returns one row, found above the output's by the padding."""
        return Window(pad_top=self.paddings[0][0])

    def kernel(self, site: Site) -> "PadKernel":
        """Returns the kernel."""
        return PadKernel(layer=site.layer, pad_left=self.paddings[1][0], pad_channels=self.paddings[2][0])


@dataclass(frozen=True, kw_only=True)
class PadKernel(Kernel):
    """One row; ``pad_left`` and ``pad_channels`` are those before the first column and channel."""

    template: ClassVar[str] = "pad.c.j2"

    pad_left: int
    pad_channels: int


def lower_pad(context: Context, operator: Operator) -> None:
    """Lowers PAD by zeros along height, width and channels."""
    source = context.value(operator)
    output = context.new_value(operator)
    if "paddings" not in operator.options:
        raise context.refuse(operator, "its paddings are computed, not constant", "convert with a fixed input shape")
    paddings: list[Pair] = [(before, after) for before, after in operator.options["paddings"]]
    paddings = [(0, 0)] * (3 - len(paddings)) + paddings
    if any(pair != (0, 0) for pair in paddings[:-3]) or min(min(pair) for pair in paddings) < 0:
        raise context.refuse(operator, f"paddings {paddings}", "pad height, width or channels by zero or more")
    context.nodes.append(
        Pad(**context.facts(operator), inputs=(source,), output=output, paddings=(paddings[-3], paddings[-2], paddings[-1]))
    )
