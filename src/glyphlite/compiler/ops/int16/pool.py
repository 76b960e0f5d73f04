"""MAX_POOL_2D and AVERAGE_POOL_2D on int16, a window of any size."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.kernel import Site
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.reduction.pool import Pool, PoolKernel
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16Pool(Pool):
    """A maximum or an average over a window of int16, then a clamp."""

    takes_table: ClassVar[bool] = False

    def kernel(self, site: Site) -> "Int16PoolKernel":
        """Returns the kernel."""
        return Int16PoolKernel(**vars(super().kernel(site)))


@dataclass(frozen=True, kw_only=True)
class Int16PoolKernel(PoolKernel):
    """One channel of one window at a time."""

    template: ClassVar[str] = "int16/pool_2d.c.j2"


def lower_pool(context: Context, operator: Operator) -> None:
    """Lowers MAX_POOL_2D and AVERAGE_POOL_2D. Source: ``kernels/pooling_common.cc``."""
    source = context.value(operator)
    output = context.new_value(operator)
    if abs(source.scale - output.scale) > 1e-6:
        raise context.refuse(operator, "input and output differ in scale")
    low, high = context.clamp(operator, output)
    height, width = operator.options["window"]
    if height * width > 2**31 // 2**15 - 1:
        raise context.refuse(operator, f"a window of {height} x {width}: the sum of its int16 does not fit 32 bits")
    context.nodes.append(
        Int16Pool(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            kind="average" if operator.name == "AVERAGE_POOL_2D" else "max",
            pool_window=window_of(operator, source, output, height, width),
            activation_min=low,
            activation_max=high,
        )
    )
