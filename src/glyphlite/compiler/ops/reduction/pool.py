"""MAX_POOL_2D and AVERAGE_POOL_2D, a window of any size."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Window
from glyphlite.tflite.graph import Operator


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
        return PoolKernel(
            layer=site.layer,
            kind=self.kind,
            padded=self.is_padded,
            activation_min=self.activation_min,
            activation_max=self.activation_max,
        )


@dataclass(frozen=True, kw_only=True)
class PoolKernel(Kernel):
    """One channel of one window at a time."""

    template: ClassVar[str] = "pool_2d.c.j2"

    kind: Literal["max", "average"]
    padded: bool
    activation_min: int
    activation_max: int


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
