"""SELECT and SELECT_V2: values of one map where a condition is true, of another where it is not, as they are stored."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.elementwise.operand import held, placed, shape_under
from glyphlite.tflite.graph import Operator

Shape = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Select(Node):
    """A choice between two maps; ``constants`` are those of the condition and both maps that are constant, as held."""

    reads_model_input: ClassVar[bool] = False

    shapes: tuple[Shape, Shape, Shape]
    constants: tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]

    def kernel(self, site: Site) -> "SelectKernel":
        """Returns the kernel, constant operands laid down."""
        return SelectKernel(layer=placed(site, self.constants), shapes=self.shapes)


@dataclass(frozen=True, kw_only=True)
class SelectKernel(Kernel):
    """A row of the output from a row of each operand."""

    template: ClassVar[str] = "select.c.j2"

    shapes: tuple[Shape, Shape, Shape]


def lower_select(context: Context, operator: Operator) -> None:
    """Lowers SELECT_V2, which looks at no scale. Source: ``SelectEval``, micro/kernels/select.cc."""
    tensors = [context.tensor(index) for index in operator.inputs]
    output = context.activation(context.tensor(operator.outputs[0]), operator, any_batch=True)
    if tensors[0].dtype != np.bool_ or {tensor.dtype for tensor in tensors[1:]} != {context.tensor(output.index).dtype}:
        found = ", ".join(tensor.dtype.name for tensor in tensors)
        raise context.refuse(operator, f"it reads {found}", "choose between two int8 or two int16 maps by a bool one")
    for tensor in tensors:
        if tensor.index not in context.values and tensor.data is None:
            raise context.refuse(operator, f"its input {tensor.index} is not available")
    condition, first, second = (shape_under(context, operator, tensor, output) for tensor in tensors)
    constants = [held(context, operator, tensor, output) for tensor in tensors]
    context.values[output.index] = output
    context.nodes.append(
        Select(
            **context.facts(operator, operands=3),
            inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
            output=output,
            shapes=(condition, first, second),
            constants=(constants[0], constants[1], constants[2]),
        )
    )
