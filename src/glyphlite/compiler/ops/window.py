"""The window of a convolution or a pool, with what it sees beyond the map."""

from glyphlite.compiler.ir import Value, Window
from glyphlite.tflite.graph import Operator


def window_of(operator: Operator, source: Value, output: Value, height: int, width: int) -> Window:
    """The window of a convolution or pool. Source: ``ComputePaddingHeightWidth``, kernels/padding.h."""
    stride_y, stride_x = operator.options["strides"]
    dilation_y, dilation_x = operator.options.get("dilations", (1, 1))

    def before(size: int, out: int, extent: int, stride: int, dilation: int) -> int:
        return max((out - 1) * stride + (extent - 1) * dilation + 1 - size, 0) // 2

    same = operator.options["padding"] == "same"
    return Window(
        height,
        width,
        stride_y,
        stride_x,
        dilation_y,
        dilation_x,
        before(source.height, output.height, height, stride_y, dilation_y) if same else 0,
        before(source.width, output.width, width, stride_x, dilation_x) if same else 0,
    )
