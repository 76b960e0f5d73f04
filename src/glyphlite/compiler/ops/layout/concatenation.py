"""CONCATENATION of maps of one scale, along height, width or channels."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.kernel import Kernel, Rows, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.layout.move import FEWEST_COPIED
from glyphlite.tflite.graph import Operator

HEIGHT, WIDTH, CHANNELS = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Concatenation(Node):
    """CONCATENATION along height (0), width (1) or channels (2)."""

    continues_chain: ClassVar[bool] = False
    reads_model_input: ClassVar[bool] = False

    axis: int

    def kernel(self, site: Site) -> "ConcatenationKernel":
        """Returns the kernel."""
        return ConcatenationKernel(
            layer=site.layer,
            axis=self.axis,
            pixel_bytes=tuple(value.row_bytes // value.width for value in self.inputs),
        )


@dataclass(frozen=True, kw_only=True)
class ConcatenationKernel(Kernel):
    """A row of the output from a row of each input, or of one input along the height; ``pixel_bytes``: of each input."""

    template: ClassVar[str] = "concatenation.c.j2"

    fewest_copied: ClassVar[int] = FEWEST_COPIED

    axis: int
    pixel_bytes: tuple[int, ...]

    @property
    def takes_parts(self) -> tuple[Rows, ...]:
        """Returns the maps that follow each other along the height."""
        return self.layer.inputs if self.axis == HEIGHT else ()


def lower_pack(context: Context, operator: Operator) -> None:
    """Lowers PACK: a concatenation of the bytes behind each place before the axis. Source: micro/kernels/pack.cc."""
    output = context.new_value(operator, any_batch=True)
    shape = context.tensor(operator.inputs[0]).shape
    outer = int(np.prod(shape[: operator.options["axis"] % (len(shape) + 1)], dtype=np.int64))
    values = tuple(context.value(operator, position, any_batch=True) for position in range(len(operator.inputs)))
    parts = tuple(replace(value, height=outer, width=1, channels=value.elements // outer) for value in values)
    whole = replace(output, height=outer, width=1, channels=output.elements // outer)
    context.nodes.append(Concatenation(**context.facts(operator), inputs=parts, output=whole, axis=CHANNELS))


def lower_concatenation(context: Context, operator: Operator) -> None:
    """Lowers CONCATENATION of maps of one scale."""
    values = tuple(context.value(operator, position) for position in range(len(operator.inputs)))
    output = context.new_value(operator)
    if context.fused_activation(operator) != "none" or any(value.quantization != output.quantization for value in values):
        raise context.refuse(operator, "its inputs differ in scale or zero point from its output", "as TFLite Micro does")
    rank = len(context.tensor(operator.outputs[0]).shape)
    axis = operator.options["axis"] % rank - (rank - 3)
    if axis < 0:
        raise context.refuse(operator, "it concatenates images of a batch", "convert with a batch of 1")
    context.nodes.append(Concatenation(**context.facts(operator), inputs=values, output=output, axis=axis))
