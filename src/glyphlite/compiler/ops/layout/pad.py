"""PAD by zeros and PADV2 by any value, along height, width and channels."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Value, Window
from glyphlite.tflite.graph import Operator

Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Pad(Node):
    """PAD and PADV2: (before, after) of height, width and channels, filled with one stored byte."""

    windowed: ClassVar[bool] = True

    paddings: tuple[Pair, Pair, Pair]
    fill: int

    @property
    def window(self) -> Window:
        """Returns one row, found above the output's by the padding."""
        return Window(pad_top=self.paddings[0][0])

    def kernel(self, site: Site) -> "PadKernel":
        """Returns the kernel."""
        source, output = (value.row_bytes // value.width for value in (self.inputs[0], self.output))
        per_value = output // self.output.channels
        return PadKernel(
            layer=site.layer,
            pad_left=self.paddings[1][0],
            pad_bytes=self.paddings[2][0] * per_value,
            input_bytes=source,
            output_bytes=output,
            fill=self.fill,
        )


@dataclass(frozen=True, kw_only=True)
class PadKernel(Kernel):
    """One row.

    Attributes:
        pad_left: columns before the first.
        pad_bytes: those of the channels before the first.
        input_bytes: of a column of the input.
        output_bytes: of a column of the output.
    """

    template: ClassVar[str] = "pad.c.j2"

    pad_left: int
    pad_bytes: int
    input_bytes: int
    output_bytes: int
    fill: int


def lower_pad(context: Context, operator: Operator) -> None:
    """Lowers PAD and PADV2 along height, width and channels. Source: micro/kernels/pad_common.cc."""
    source = context.value(operator)
    output = context.new_value(operator)
    if "paddings" not in operator.options:
        raise context.refuse(operator, "its paddings are computed, not constant", "convert with a fixed input shape")
    paddings: list[Pair] = [(before, after) for before, after in operator.options["paddings"]]
    paddings = [(0, 0)] * (3 - len(paddings)) + paddings
    if any(pair != (0, 0) for pair in paddings[:-3]) or min(min(pair) for pair in paddings) < 0:
        raise context.refuse(operator, f"paddings {paddings}", "pad height, width or channels by zero or more")
    context.nodes.append(
        Pad(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            paddings=(paddings[-3], paddings[-2], paddings[-1]),
            fill=output.zero_point if operator.name == "PAD" else _fill(context, operator, output),
        )
    )


def _fill(context: Context, operator: Operator, output: Value) -> int:
    """Returns the byte that a PADV2 fills with; TFLite Micro wants it in the output's scale."""
    tensor = context.tensor(operator.inputs[2])
    if tensor.data is None:
        raise context.refuse(operator, "the value that it pads with is computed, not constant", "pad with a constant")
    if tensor.quantization != output.quantization:
        raise context.refuse(
            operator, "the value that it pads with differs in scale or zero point from its output", "as TFLite Micro does"
        )
    return int(tensor.data.ravel()[0]) + 128
