"""RESIZE_BILINEAR: four values around a place, weighted in steps of 1/1024."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator

_ONE = 1 << 10
"""A place of the input in fixed point: ten bits of fraction (``ComputeInterpolationValuesInteger``, resize_bilinear.h)."""


@dataclass(frozen=True)
class Steps:
    """The places along one axis, in 1/1024 of the input's elements: where the first one is, and from one to the next."""

    start: int
    step: int

    def last(self, size: int) -> int:
        """Returns the element before the last place."""
        return max((self.start + (size - 1) * self.step) // _ONE, 0)


@dataclass(frozen=True, kw_only=True)
class ResizeBilinear(Node):
    """RESIZE_BILINEAR of one map."""

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False
    takes_table: ClassVar[bool] = True

    rows: Steps
    columns: Steps

    def kernel(self, site: Site) -> "ResizeBilinearKernel":
        """Returns the kernel."""
        return ResizeBilinearKernel(layer=site.layer, rows=self.rows, columns=self.columns)


@dataclass(frozen=True, kw_only=True)
class ResizeBilinearKernel(Kernel):
    """The whole map, row by row."""

    template: ClassVar[str] = "resize_bilinear.c.j2"

    rows: Steps
    columns: Steps


def lower_resize_bilinear(context: Context, operator: Operator) -> None:
    """Lowers RESIZE_BILINEAR. Source: ``ResizeBilinearInteger``, kernels/internal/reference/resize_bilinear.h."""
    options = operator.options
    source, output = context.value(operator), context.new_value(operator)
    if "size" not in options:
        raise context.refuse(operator, "its size is computed, not constant", "convert with a fixed input shape")
    if options["align_corners"] and options["half_pixel_centers"]:
        raise context.refuse(operator, "it has both align_corners and half_pixel_centers", "set one of them")
    sizes = zip((source.height, source.width), (output.height, output.width), strict=True)
    rows, columns = (_steps(context, operator, extent, size) for extent, size in sizes)
    context.nodes.append(ResizeBilinear(**context.facts(operator), inputs=(source,), output=output, rows=rows, columns=columns))


def _steps(context: Context, operator: Operator, extent: int, size: int) -> Steps:
    """Returns the places of ``size`` elements of the output in an input of ``extent``."""
    aligned = operator.options["align_corners"] and size > 1
    step = (_ONE * (extent - 1) + (size - 1) // 2) // (size - 1) if aligned else (_ONE * extent + size // 2) // size
    steps = Steps(step // 2 - _ONE // 2 if operator.options["half_pixel_centers"] else 0, step)
    if steps.last(size) >= extent:
        raise context.refuse(
            operator, f"TFLite Micro reads beyond the {extent} elements that it makes {size} of", "resize by less"
        )
    return steps
