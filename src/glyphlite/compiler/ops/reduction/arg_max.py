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
    """The place of an extreme value: ``outer`` runs of ``extent`` values, each ``inner`` apart."""

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
class ArgMaxKernel(Kernel):
    """All of a map."""

    template: ClassVar[str] = "arg_max.c.j2"

    outer: int
    extent: int
    inner: int
    is_least: bool


def lower_arg_max(context: Context, operator: Operator) -> None:
    """Lowers ARG_MAX and ARG_MIN at the model's output. Source: micro/kernels/arg_min_max.cc, reference/arg_min_max.h."""
    source = context.value(operator, any_batch=True)
    tensor = context.tensor(operator.outputs[0])
    if "axis" not in operator.options:
        raise context.refuse(operator, "its axis is computed, not constant", "convert with a constant axis")
    if tensor.dtype != np.int32:
        raise context.refuse(operator, f"it gives {tensor.dtype}, TFLite Micro int32", "ask for int32")
    shape = tuple(map(abs, context.tensor(operator.inputs[0]).shape))
    axis: int = operator.options["axis"][0] % len(shape)
    extents = context.extents(tensor, operator, any_batch=True)
    context.values[tensor.index] = output = Value(tensor.index, tensor.name, *extents, AS_IT_IS, "int32")
    context.nodes.append(
        ArgMax(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            outer=int(np.prod(shape[:axis], dtype=np.int64)),
            extent=shape[axis],
            inner=int(np.prod(shape[axis + 1 :], dtype=np.int64)),
            is_least=operator.name == "ARG_MIN",
        )
    )
