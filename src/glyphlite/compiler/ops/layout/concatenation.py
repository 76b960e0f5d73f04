"""CONCATENATION of parts of one scale, along any axis, and PACK; some of the parts may be constant."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.kernel import Kernel, Place, Rows, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.layout.move import FEWEST_COPIED
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator

HEIGHT, WIDTH, CHANNELS = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Concatenation(Node):
    """CONCATENATION along height (0), width (1) or channels (2).

    Attributes:
        axis: the one that the parts follow each other along.
        constants: the parts that are no inputs by their place among all, uint8 of their own shape.
    """

    continues_chain: ClassVar[bool] = False
    reads_model_input: ClassVar[bool] = False

    axis: int
    constants: Mapping[int, np.ndarray] = field(default_factory=dict[int, np.ndarray])

    def kernel(self, site: Site) -> "ConcatenationKernel":
        """Returns the kernel, constant parts laid down."""
        computed = iter(zip(site.layer.inputs, self.inputs, strict=True))
        rows: list[Rows] = []
        pixel_bytes: list[int] = []
        for number in range(len(self.inputs) + len(self.constants)):
            constant = self.constants.get(number)
            if constant is None:
                place, value = next(computed)
                rows.append(place)
                pixel_bytes.append(value.row_bytes // value.width)
            else:
                height, width, channels = constant.shape
                array = site.add(f"part_{number}", "uint8_t", constant)
                rows.append(Rows(Place("constant", array=array.name), height, height, width * channels))
                pixel_bytes.append(channels)
        layer = replace(site.layer, inputs=tuple(rows))
        return ConcatenationKernel(layer=layer, axis=self.axis, pixel_bytes=tuple(pixel_bytes))


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
    rank = len(context.tensor(operator.outputs[0]).shape)
    _join(context, operator, operator.options["axis"] % rank)


def lower_concatenation(context: Context, operator: Operator) -> None:
    """Lowers CONCATENATION of parts of one scale. Source: micro/kernels/concatenation.cc."""
    output = context.tensor(operator.outputs[0])
    parts = [context.tensor(index) for index in operator.inputs]
    if context.fused_activation(operator) != "none" or any(part.quantization != output.quantization for part in parts):
        raise context.refuse(operator, "its inputs differ in scale or zero point from its output", "as TFLite Micro does")
    _join(context, operator, operator.options["axis"] % len(output.shape))


def _join(context: Context, operator: Operator, axis: int) -> None:
    """Appends the node that joins an op's inputs before an axis of its output."""
    shape = context.tensor(operator.outputs[0]).shape
    tensors = [context.tensor(index) for index in operator.inputs]
    output = context.new_value(operator, any_batch=True)
    whole, place = output, axis - (len(shape) - 3)
    outer = int(np.prod(shape[:axis], dtype=np.int64))
    is_map = len(tensors[0].shape) == len(shape) and place >= 0 and np.prod(shape[:-3], dtype=np.int64) == 1
    if not is_map:  # the bytes behind each place before the axis, one part's after the other's
        whole, place = replace(output, height=outer, width=1, channels=output.elements // outer), CHANNELS
    inputs: list[Value] = []
    constants: dict[int, np.ndarray] = {}
    for position, tensor in enumerate(tensors):
        extents = context.extents(tensor, operator) if is_map else (outer, 1, tensor.elements // outer)
        if tensor.data is None:
            value = context.value(operator, position, any_batch=True)
            inputs.append(replace(value, height=extents[0], width=extents[1], channels=extents[2]))
        else:
            context.activation(tensor, operator, any_batch=True)  # its type and scale
            if tensor.dtype != np.int8:
                raise context.refuse(operator, f"its input {position} is a constant", "convert the model again")
            constants[position] = (tensor.data.astype(np.int16) + 128).astype(np.uint8).reshape(extents)
    facts = context.facts(operator, operands=len(tensors))
    context.nodes.append(Concatenation(**facts, inputs=tuple(inputs), output=whole, axis=place, constants=constants))
