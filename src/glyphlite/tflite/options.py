"""An op's options as a dict of plain values, named after the schema's fields in words that C code and people share.

Some ops keep in a constant input what others keep in their options (new shape, axes, paddings); both end up in the same dict.
Knows the options tables, not whether the values fit the tensors.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from glyphlite.tflite.flatbuffer import Table, empty_table
from glyphlite.tflite.graph import Tensor
from glyphlite.tflite.schema import TENSOR_TYPES

ACTIVATIONS = ("none", "relu", "relu_n1_to_1", "relu6", "tanh", "sign_bit")
PADDINGS = ("same", "valid")
WEIGHTS_FORMATS = ("default", "shuffled4x16int8")
MIRROR_MODES = ("reflect", "symmetric")

_REDUCTIONS = ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL")
_PADDING_OPS = ("PAD", "PADV2", "MIRROR_PAD")
_INPUT_OPTIONS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {name: {"axes": 1} for name in _REDUCTIONS}
    | {name: {"paddings": 1} for name in _PADDING_OPS}
    | {
        "RESIZE_BILINEAR": {"size": 1},
        "RESIZE_NEAREST_NEIGHBOR": {"size": 1},
        "RESHAPE": {"new_shape": 1},
        "TRANSPOSE": {"permutation": 1},
        "STRIDED_SLICE": {"begin": 1, "end": 2, "strides": 3},
        "SLICE": {"begin": 1, "size": 2},
        "SPLIT": {"axes": 0},
        "SPLIT_V": {"sizes": 1, "axes": 2},
        "REVERSE_V2": {"axes": 1},
        "BROADCAST_TO": {"new_shape": 1},
        "ARG_MAX": {"axes": 1},
        "ARG_MIN": {"axes": 1},
        "TILE": {"multiples": 1},
        "SPACE_TO_BATCH_ND": {"block": 1, "paddings": 2},
        "BATCH_TO_SPACE_ND": {"block": 1, "crops": 2},
    }
)
"""Which options of an op are the numbers in a constant input of it, and in which."""
_PAIRS = frozenset(("paddings", "crops"))
"""Options of two numbers per axis."""
_MOST_INPUT_VALUES = 64
"""Shapes, axes and paddings have a few values; a larger constant in their place is left for the shape check to refuse."""


def decode_options(name: str, options_type: int, table: Table | None, inputs: Sequence[Tensor | None]) -> dict[str, Any]:
    """Returns the options of one op.

    Args:
        name: the op's name in the schema.
        options_type: the number that the file gives for the kind of its options table.
        table: that table, not yet decoded; None where the op has none: the defaults of the schema then.
        inputs: the op's input tensors, None for an absent one.

    Returns:
        Plain values by name; empty for ops without options and for ops whose options glyphlite has no use for.

    Raises:
        ArtifactError: the table is of another op's kind or holds a value that the schema lacks.
    """
    values = [None if tensor is None else tensor.data for tensor in inputs]
    if name not in _DECODERS:
        return options_from_inputs(name, values)
    expected, decode = _DECODERS[name]
    if table is not None and options_type != expected:
        raise table.buffer.malformed(f"a {name} op holds the options of another op (kind {options_type} instead of {expected})")
    options = decode(table or empty_table(name)) | options_from_inputs(name, values)
    if name == "RESHAPE" and (values[1] is None if len(values) > 1 else table is None):
        del options["new_shape"]
    return options


def options_from_inputs(name: str, values: Sequence[np.ndarray | None]) -> dict[str, Any]:
    """Returns what constant inputs say of how an op computes. Absent where it is only known at run time.

    Args:
        name: the op's name in the schema.
        values: its inputs; None for what is no constant, or no input.
    """
    found: dict[str, Any] = {}
    for option, position in _INPUT_OPTIONS.get(name, {}).items():
        numbers = _small_integers(values[position]) if len(values) > position else None
        if numbers is not None and option not in _PAIRS:
            found[option] = tuple(numbers.ravel().tolist())
        elif numbers is not None and numbers.ndim == 2 and numbers.shape[1] == 2:
            found[option] = tuple((int(before), int(after)) for before, after in numbers)
    return found


def _small_integers(values: np.ndarray | None) -> np.ndarray | None:
    if values is None or values.dtype.kind != "i" or values.size > _MOST_INPUT_VALUES:
        return None
    return values


def _choice(table: Table, field: int, names: tuple[str, ...], what: str) -> str:
    value = table.integer(field, "int8")
    if not 0 <= value < len(names):
        raise table.buffer.malformed(f"{what} number {value} is unknown (0 to {len(names) - 1})")
    return names[value]


def _activation(table: Table, field: int) -> dict[str, Any]:
    return {"activation": _choice(table, field, ACTIVATIONS, "the fused activation")}


def _bias_type(table: Table, field: int) -> dict[str, Any]:
    """Returns the type of sums where no bias tells it; files that leave it open have FLOAT32, the first one."""
    name = _choice(table, field, TENSOR_TYPES, "the bias type")
    return {"bias_type": name} if name != TENSOR_TYPES[0] else {}


def _padding(table: Table) -> dict[str, Any]:
    return {"padding": _choice(table, 0, PADDINGS, "the padding")}


def _strides(table: Table) -> dict[str, Any]:
    return {"strides": (table.integer(2, "int32"), table.integer(1, "int32"))}


def _conv_2d(table: Table) -> dict[str, Any]:
    dilations = (table.integer(5, "int32", 1), table.integer(4, "int32", 1))
    return _padding(table) | _strides(table) | {"dilations": dilations} | _activation(table, 3) | _bias_type(table, 6)


def _depthwise_conv_2d(table: Table) -> dict[str, Any]:
    dilations = (table.integer(6, "int32", 1), table.integer(5, "int32", 1))
    multiplier = {"depth_multiplier": table.integer(3, "int32")}
    return _padding(table) | _strides(table) | {"dilations": dilations} | _activation(table, 4) | multiplier


def _pool_2d(table: Table) -> dict[str, Any]:
    window = (table.integer(4, "int32"), table.integer(3, "int32"))
    return _padding(table) | _strides(table) | {"window": window} | _activation(table, 5)


def _transpose_conv(table: Table) -> dict[str, Any]:
    return _padding(table) | _strides(table) | _activation(table, 3)


def _fully_connected(table: Table) -> dict[str, Any]:
    return _activation(table, 0) | {
        "weights_format": _choice(table, 1, WEIGHTS_FORMATS, "the weights format"),
        "keep_dims": table.flag(2),
        "asymmetric_quantize_inputs": table.flag(3),
        **_bias_type(table, 4),
    }


def _sum(table: Table) -> dict[str, Any]:
    return _activation(table, 0) | {"pot_scale_int16": table.flag(1, True)}


def _product(table: Table) -> dict[str, Any]:
    return _activation(table, 0)


def _concatenation(table: Table) -> dict[str, Any]:
    return {"axis": table.integer(0, "int32")} | _activation(table, 1)


def _resize_bilinear(table: Table) -> dict[str, Any]:
    return {"align_corners": table.flag(2), "half_pixel_centers": table.flag(3)}


def _resize_nearest(table: Table) -> dict[str, Any]:
    return {"align_corners": table.flag(0), "half_pixel_centers": table.flag(1)}


def _strided_slice(table: Table) -> dict[str, Any]:
    masks = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
    return {mask: table.integer(field, "int32") for field, mask in enumerate(masks)} | {"offset": table.flag(5)}


def _reducer(table: Table) -> dict[str, Any]:
    return {"keep_dims": table.flag(0)}


def _sequence_lstm(table: Table) -> dict[str, Any]:
    clips = {"cell_clip": table.real(1), "projection_clip": table.real(2)}
    return _activation(table, 0) | clips | {"time_major": table.flag(3)}


def _batch_matmul(table: Table) -> dict[str, Any]:
    return {"adjoint_x": table.flag(0), "adjoint_y": table.flag(1)}


_POOL = (5, _pool_2d)
_REDUCER = (27, _reducer)

_DECODERS: Mapping[str, tuple[int, Callable[[Table], dict[str, Any]]]] = MappingProxyType(
    {
        "CONV_2D": (1, _conv_2d),
        "DEPTHWISE_CONV_2D": (2, _depthwise_conv_2d),
        "MAX_POOL_2D": _POOL,
        "AVERAGE_POOL_2D": _POOL,
        "L2_POOL_2D": _POOL,
        "FULLY_CONNECTED": (8, _fully_connected),
        "SOFTMAX": (9, lambda table: {"beta": table.real(0)}),
        "CONCATENATION": (10, _concatenation),
        "ADD": (11, _sum),
        "L2_NORMALIZATION": (12, _product),
        "RESIZE_BILINEAR": (15, _resize_bilinear),
        "RESHAPE": (17, lambda table: {"new_shape": table.integers(0)}),
        "MUL": (21, _product),
        "MEAN": _REDUCER,
        "SUM": _REDUCER,
        "REDUCE_PROD": _REDUCER,
        "REDUCE_MAX": _REDUCER,
        "REDUCE_MIN": _REDUCER,
        "REDUCE_ANY": _REDUCER,
        "REDUCE_ALL": _REDUCER,
        "SUB": (28, _sum),
        "DIV": (29, _product),
        "SPLIT": (35, lambda table: {"parts": table.integer(0, "int32")}),
        "SPLIT_V": (79, lambda table: {"parts": table.integer(0, "int32")}),
        "UNPACK": (64, lambda table: {"parts": table.integer(0, "int32"), "axis": table.integer(1, "int32")}),
        "GATHER": (23, lambda table: {"axis": table.integer(0, "int32"), "batch_dims": table.integer(1, "int32")}),
        "SPACE_TO_DEPTH": (19, lambda table: {"block": table.integer(0, "int32")}),
        "DEPTH_TO_SPACE": (94, lambda table: {"block": table.integer(0, "int32")}),
        "SQUEEZE": (30, lambda table: {"axes": table.integers(0)}),
        "STRIDED_SLICE": (32, _strided_slice),
        "TRANSPOSE_CONV": (49, _transpose_conv),
        "PACK": (59, lambda table: {"parts": table.integer(0, "int32"), "axis": table.integer(1, "int32")}),
        "SVDF": (6, lambda table: {"rank": table.integer(0, "int32")} | _activation(table, 1)),
        "UNIDIRECTIONAL_SEQUENCE_LSTM": (71, _sequence_lstm),
        "RESIZE_NEAREST_NEIGHBOR": (74, _resize_nearest),
        "LEAKY_RELU": (75, lambda table: {"alpha": table.real(0)}),
        "MIRROR_PAD": (77, lambda table: {"mode": _choice(table, 0, MIRROR_MODES, "the mirror mode")}),
        "BATCH_MATMUL": (101, _batch_matmul),
        "CALL_ONCE": (103, lambda table: {"subgraph": table.integer(0, "int32")}),
        "VAR_HANDLE": (111, lambda table: {"container": table.text(0), "name": table.text(1)}),
        "GELU": (116, lambda table: {"approximate": table.flag(0)}),
    }
)
"""The kind number of an op's options table and how to read it."""
