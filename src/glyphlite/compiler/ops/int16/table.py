"""The ops that read int16 activations: those of this family, and those of others that move bytes whatever these stand for."""

from collections.abc import Callable

from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.elementwise.quantize import lower_dequantize, lower_quantize
from glyphlite.compiler.ops.elementwise.select import lower_select
from glyphlite.compiler.ops.int16.batch_matmul import lower_batch_matmul
from glyphlite.compiler.ops.int16.binary import lower_binary
from glyphlite.compiler.ops.int16.convolution import lower_convolution, lower_matrix_product
from glyphlite.compiler.ops.int16.depthwise_convolution import lower_depthwise_convolution
from glyphlite.compiler.ops.int16.fully_connected import lower_fully_connected
from glyphlite.compiler.ops.int16.pool import lower_pool
from glyphlite.compiler.ops.int16.reduce import lower_reduction
from glyphlite.compiler.ops.int16.rescale import lower_abs, lower_leaky_relu, lower_relu, lower_relu6
from glyphlite.compiler.ops.int16.rsqrt import lower_rsqrt
from glyphlite.compiler.ops.int16.scaling import narrow_weights, sums_fit
from glyphlite.compiler.ops.int16.sigmoid import lower_sigmoid
from glyphlite.compiler.ops.int16.softmax import lower_softmax
from glyphlite.compiler.ops.int16.transposed_convolution import lower_transposed_convolution
from glyphlite.compiler.ops.layout.concatenation import lower_concatenation, lower_pack
from glyphlite.compiler.ops.layout.gather import lower_resize_nearest
from glyphlite.compiler.ops.layout.pad import lower_pad
from glyphlite.compiler.ops.layout.reshape import lower_reshape
from glyphlite.compiler.ops.layout.slice import lower_slice, lower_strided_slice
from glyphlite.compiler.ops.layout.split import lower_split, lower_unpack
from glyphlite.compiler.ops.layout.transpose import lower_broadcast_to, lower_reverse, lower_transpose
from glyphlite.compiler.ops.recurrent.variables import lower_assign_variable
from glyphlite.tflite.graph import Operator


def _fully_connected(context: Context, operator: Operator) -> None:
    """Lowers FULLY_CONNECTED by whether it is of one vector whose sums fit 32 bits."""
    weights = narrow_weights(context, operator)
    is_plain = context.value(operator).elements == weights.shape[1] and sums_fit(weights)
    (lower_fully_connected if is_plain else lower_matrix_product)(context, operator)


INT16_OPS: dict[str, Callable[[Context, Operator], None]] = {
    "CONV_2D": lower_convolution,
    "DEPTHWISE_CONV_2D": lower_depthwise_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": lower_batch_matmul,
    "TRANSPOSE_CONV": lower_transposed_convolution,
    "MAX_POOL_2D": lower_pool,
    "AVERAGE_POOL_2D": lower_pool,
    "MEAN": lower_reduction,
    "SUM": lower_reduction,
    "ADD": lower_binary,
    "SUB": lower_binary,
    "MUL": lower_binary,
    "SQUARED_DIFFERENCE": lower_binary,
    "MAXIMUM": lower_binary,
    "MINIMUM": lower_binary,
    "SELECT_V2": lower_select,
    "PAD": lower_pad,
    "CONCATENATION": lower_concatenation,
    "RESHAPE": lower_reshape,
    "SQUEEZE": lower_reshape,
    "EXPAND_DIMS": lower_reshape,
    "SLICE": lower_slice,
    "STRIDED_SLICE": lower_strided_slice,
    "SPLIT": lower_split,
    "SPLIT_V": lower_split,
    "UNPACK": lower_unpack,
    "PACK": lower_pack,
    "TRANSPOSE": lower_transpose,
    "REVERSE_V2": lower_reverse,
    "BROADCAST_TO": lower_broadcast_to,
    "RESIZE_NEAREST_NEIGHBOR": lower_resize_nearest,
    "RELU": lower_relu,
    "RELU6": lower_relu6,
    "LEAKY_RELU": lower_leaky_relu,
    "ABS": lower_abs,
    "RSQRT": lower_rsqrt,
    "LOGISTIC": lower_sigmoid,
    "TANH": lower_sigmoid,
    "SOFTMAX": lower_softmax,
    "QUANTIZE": lower_quantize,
    "DEQUANTIZE": lower_dequantize,
    "ASSIGN_VARIABLE": lower_assign_variable,
}
"""Lowerings of the ops that read int16, by their names in the TFLite schema: those that TensorFlow Lite Micro has kernels for."""
