"""From the graph of a file to nodes with every constant decided; what generated C cannot express is refused by name.

Knows the file's ops and TensorFlow Lite Micro's preparation of them (``tensorflow/lite/micro/kernels/*_common.cc``); knows no C.
"""

from glyphlite.compiler.lowering.ops import LOWERINGS, lower

__all__ = ["LOWERINGS", "lower"]
