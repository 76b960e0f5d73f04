"""One file per op, in a folder per family: its lowering, its node and traits, its kernel's parameters. ``OPS`` registers all.

Adding an op: ``TEMPLATE.py`` here, ``docs/how-to/add-an-op.md``.
"""

from collections.abc import Callable

from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.elementwise.activation import (
    lower_abs,
    lower_elu,
    lower_hard_swish,
    lower_leaky_relu,
    lower_logistic,
    lower_relu,
    lower_relu6,
    lower_rsqrt,
    lower_tanh,
)
from glyphlite.compiler.ops.elementwise.add_n import lower_add_n
from glyphlite.compiler.ops.elementwise.binary import lower_binary
from glyphlite.compiler.ops.elementwise.comparison import lower_comparison
from glyphlite.compiler.ops.elementwise.l2_normalization import lower_l2_normalization
from glyphlite.compiler.ops.elementwise.log_softmax import lower_log_softmax
from glyphlite.compiler.ops.elementwise.quantize import lower_dequantize, lower_quantize
from glyphlite.compiler.ops.elementwise.select import lower_select
from glyphlite.compiler.ops.elementwise.softmax import lower_softmax
from glyphlite.compiler.ops.layout.concatenation import lower_concatenation, lower_pack
from glyphlite.compiler.ops.layout.gather import lower_gather, lower_mirror_pad, lower_resize_nearest
from glyphlite.compiler.ops.layout.pad import lower_pad
from glyphlite.compiler.ops.layout.reshape import lower_reshape
from glyphlite.compiler.ops.layout.resize_bilinear import lower_resize_bilinear
from glyphlite.compiler.ops.layout.slice import lower_slice, lower_strided_slice
from glyphlite.compiler.ops.layout.split import lower_split, lower_unpack
from glyphlite.compiler.ops.layout.transpose import (
    lower_blocks,
    lower_broadcast_to,
    lower_reverse,
    lower_tile,
    lower_transpose,
)
from glyphlite.compiler.ops.matrix.batch_matmul import lower_batch_matmul
from glyphlite.compiler.ops.matrix.convolution import lower_convolution, lower_depthwise_on_one_channel, lower_matrix_product
from glyphlite.compiler.ops.matrix.depthwise_convolution import lower_depthwise_convolution
from glyphlite.compiler.ops.matrix.fully_connected import lower_fully_connected
from glyphlite.compiler.ops.matrix.grouped_convolution import lower_grouped_convolution
from glyphlite.compiler.ops.matrix.transposed_convolution import lower_transposed_convolution
from glyphlite.compiler.ops.recurrent.lstm import lower_lstm
from glyphlite.compiler.ops.recurrent.svdf import lower_svdf
from glyphlite.compiler.ops.recurrent.variables import lower_assign_variable, lower_nothing, lower_read_variable
from glyphlite.compiler.ops.reduction.arg_max import lower_arg_max
from glyphlite.compiler.ops.reduction.pool import lower_pool
from glyphlite.compiler.ops.reduction.reduce import lower_average_of_map, lower_reduction
from glyphlite.tflite.graph import Operator

Lowering = Callable[[Context, Operator], None]


def _convolution(context: Context, operator: Operator) -> None:
    """Lowers CONV_2D by whether each filter sees all channels of its input."""
    takes_all = context.tensor(operator.inputs[1]).shape[3] == context.value(operator).channels
    (lower_convolution if takes_all else lower_grouped_convolution)(context, operator)


def _depthwise_convolution(context: Context, operator: Operator) -> None:
    """Lowers DEPTHWISE_CONV_2D by whether it has channels to keep apart."""
    is_depthwise = context.value(operator).channels > 1
    (lower_depthwise_convolution if is_depthwise else lower_depthwise_on_one_channel)(context, operator)


def _fully_connected(context: Context, operator: Operator) -> None:
    """Lowers FULLY_CONNECTED by whether it is of one row or of several."""
    is_one_row = context.value(operator).elements == context.tensor(operator.inputs[1]).shape[1]
    (lower_fully_connected if is_one_row else lower_matrix_product)(context, operator)


def _average_pool(context: Context, operator: Operator) -> None:
    """Lowers AVERAGE_POOL_2D by whether its only window is the whole map."""
    source, output = context.value(operator), context.tensor(operator.outputs[0])
    is_mean = tuple(operator.options["window"]) == (source.height, source.width) and tuple(output.shape[1:3]) == (1, 1)
    (lower_average_of_map if is_mean else lower_pool)(context, operator)


OPS: dict[str, Lowering] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise_convolution,
    "TRANSPOSE_CONV": lower_transposed_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": lower_batch_matmul,
    "MAX_POOL_2D": lower_pool,
    "AVERAGE_POOL_2D": _average_pool,
    "MEAN": lower_reduction,
    "SUM": lower_reduction,
    "REDUCE_MAX": lower_reduction,
    "REDUCE_MIN": lower_reduction,
    "ARG_MAX": lower_arg_max,
    "ARG_MIN": lower_arg_max,
    "ADD": lower_binary,
    "ADD_N": lower_add_n,
    "SUB": lower_binary,
    "MUL": lower_binary,
    "DIV": lower_binary,
    "SQUARED_DIFFERENCE": lower_binary,
    "MAXIMUM": lower_binary,
    "MINIMUM": lower_binary,
    "PRELU": lower_binary,
    "EQUAL": lower_comparison,
    "NOT_EQUAL": lower_comparison,
    "GREATER": lower_comparison,
    "GREATER_EQUAL": lower_comparison,
    "LESS": lower_comparison,
    "LESS_EQUAL": lower_comparison,
    "LOGICAL_AND": lower_comparison,
    "LOGICAL_OR": lower_comparison,
    "LOGICAL_NOT": lower_comparison,
    "SELECT_V2": lower_select,
    "PAD": lower_pad,
    "PADV2": lower_pad,
    "MIRROR_PAD": lower_mirror_pad,
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
    "SPACE_TO_DEPTH": lower_blocks,
    "DEPTH_TO_SPACE": lower_blocks,
    "REVERSE_V2": lower_reverse,
    "BROADCAST_TO": lower_broadcast_to,
    "TILE": lower_tile,
    "GATHER": lower_gather,
    "RESIZE_NEAREST_NEIGHBOR": lower_resize_nearest,
    "RESIZE_BILINEAR": lower_resize_bilinear,
    "RELU": lower_relu,
    "RELU6": lower_relu6,
    "RELU_N1_TO_1": lower_relu,
    "LEAKY_RELU": lower_leaky_relu,
    "ELU": lower_elu,
    "HARD_SWISH": lower_hard_swish,
    "LOGISTIC": lower_logistic,
    "TANH": lower_tanh,
    "ABS": lower_abs,
    "RSQRT": lower_rsqrt,
    "SOFTMAX": lower_softmax,
    "LOG_SOFTMAX": lower_log_softmax,
    "L2_NORMALIZATION": lower_l2_normalization,
    "QUANTIZE": lower_quantize,
    "DEQUANTIZE": lower_dequantize,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lower_lstm,
    "SVDF": lower_svdf,
    "CALL_ONCE": lower_nothing,
    "VAR_HANDLE": lower_nothing,
    "READ_VARIABLE": lower_read_variable,
    "ASSIGN_VARIABLE": lower_assign_variable,
}
"""Lowerings by the ops' names in the TFLite schema: the one table of supported ops."""

BEGINS = frozenset(("QUANTIZE", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE"))
"""Ops that need no activation to begin from."""

TAKES_TRUTH = ("EQUAL", "NOT_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", "SELECT_V2")
"""Ops that read bool."""

ADVICE = {
    "SHAPE": "convert the model with a fixed batch of 1",
    "GELU": "use HARD_SWISH",
    "EXP": "use LOGISTIC or SOFTMAX",
    "NEG": "use MUL by -1",
    "SQUARE": "use MUL of the value with itself",
    "CONV_3D": "use CONV_2D",
    "L2_POOL_2D": "use AVERAGE_POOL_2D",
}
"""What would express an op that is not supported."""
