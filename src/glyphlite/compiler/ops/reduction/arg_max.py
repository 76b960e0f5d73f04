"""ARG_MAX and ARG_MIN: where along an axis the largest or the smallest value lies, the first of equal ones, as int32."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import AS_IT_IS, Value
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class ArgMax(Node):
    """The place of an extreme value: in a call ``outer`` runs of ``extent`` values, each ``inner`` apart."""

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False

    outer: int
    extent: int
    inner: int
    is_least: bool

    def kernel(self, site: Site) -> "ArgMaxKernel":
        """Returns the kernel."""
        return ArgMaxKernel(layer=site.layer, outer=self.outer, extent=self.extent, inner=self.inner, is_least=self.is_least)


@dataclass(frozen=True, kw_only=True)
class RowArgMax(ArgMax):
    """One along rows or channels: each row of the map gives a row of places."""

    streams: ClassVar[bool] = True
    continues_chain: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class ArgMaxKernel(Kernel):
    """A row of a map, or all of it."""

    template: ClassVar[str] = "arg_max.c.j2"

    outer: int
    extent: int
    inner: int
    is_least: bool


def lower_arg_max(context: Context, operator: Operator) -> None:
    """Lowers ARG_MAX and ARG_MIN at the model's output. Source: micro/kernels/arg_min_max.cc, reference/arg_min_max.h."""
    source = context.value(operator, any_batch=True)
    tensor = context.tensor(operator.outputs[0])
    if "axes" not in operator.options:
        raise context.refuse(operator, "its axis is computed, not constant", "convert with a constant axis")
    if tensor.dtype != np.int32:
        raise context.refuse(operator, f"it gives {tensor.dtype}, TFLite Micro int32", "ask for int32")
    shape = tuple(map(abs, context.tensor(operator.inputs[0]).shape))
    axis: int = operator.options["axes"][0] % len(shape)
    outer, inner = (int(np.prod(extents, dtype=np.int64)) for extents in (shape[:axis], shape[axis + 1 :]))
    by_rows = axis >= len(shape) - 2 and len(shape) > 2
    rows = source.height if by_rows else 1
    context.values[tensor.index] = output = Value(tensor.index, tensor.name, rows, outer * inner // rows, 1, AS_IT_IS, "int32")
    context.nodes.append(
        (RowArgMax if by_rows else ArgMax)(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            outer=outer // rows,
            extent=shape[axis],
            inner=inner,
            is_least=operator.name == "ARG_MIN",
        )
    )
