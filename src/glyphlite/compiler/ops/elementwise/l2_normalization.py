"""L2_NORMALIZATION over the channels of every position."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator

_MOST_CHANNELS = (2**31 - 1) // 255**2


@dataclass(frozen=True, kw_only=True)
class L2Normalization(Node):
    """L2_NORMALIZATION; what it writes stands for 1/128 a step, whatever the file says."""

    takes_table: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    def kernel(self, site: Site) -> "L2NormalizationKernel":
        """Returns the kernel."""
        return L2NormalizationKernel(layer=site.layer)


@dataclass(frozen=True, kw_only=True)
class L2NormalizationKernel(Kernel):
    """A row of vectors."""

    template: ClassVar[str] = "l2_normalization.c.j2"


def lower_l2_normalization(context: Context, operator: Operator) -> None:
    """Lowers L2_NORMALIZATION. Source: ``L2NormPrepare``, micro/kernels/l2norm.cc."""
    source = context.value(operator)
    output = context.new_value(operator)
    if operator.options.get("activation", "none") != "none":
        raise context.refuse(operator, f"fused activation {operator.options['activation']}", "as TFLite Micro does")
    if source.channels > _MOST_CHANNELS:
        raise context.refuse(operator, f"a sum of {source.channels} squares does not fit int32", "use fewer channels")
    context.nodes.append(L2Normalization(**context.facts(operator), inputs=(source,), output=output))
