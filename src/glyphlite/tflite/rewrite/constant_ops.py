"""Values of ops on constants: what converters leave of shapes that a free batch made unknown. NumPy in, NumPy out.

Integers and booleans alone are computed with, within the range of their type; what lies outside, or is written in a way that
runtimes read differently, has no value here, and its op stays.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from glyphlite.tflite.checked_op import FREE
from glyphlite.tflite.graph import Operator, Tensor
from glyphlite.tflite.slicing import sliced, strided

MOST_ELEMENTS = 1 << 16
"""Of one value: shapes have a few elements, a buffer that FILL clears some thousand."""

Values = Sequence[np.ndarray]
"""What an op reads or writes, in order."""
_Evaluator = Callable[[Operator, Values, Sequence[Tensor]], np.ndarray | Values | None]


def evaluate(operator: Operator, values: Values, outputs: Sequence[Tensor]) -> Values | None:
    """Returns what an op writes where it reads constants alone; None where it is not for certain.

    Args:
        operator: an op that the reader has checked.
        values: its inputs.
        outputs: its output tensors.
    """
    if operator.name not in EVALUATORS or any(output.quantization is not None for output in outputs):
        return None
    if any(output.elements > MOST_ELEMENTS or FREE in output.shape for output in outputs):
        return None
    moves = operator.name in _MOVES
    if not moves and any(value.dtype.kind not in "iub" for value in values):
        return None
    try:
        found = EVALUATORS[operator.name](operator, values, outputs)
    except (ValueError, IndexError, KeyError, ZeroDivisionError, OverflowError):  # NumPy's for shapes that do not fit
        return None
    if found is None:
        return None
    found = [found] if isinstance(found, np.ndarray) else found
    written = [_as_stored(value, output) for value, output in zip(found, outputs, strict=True)]
    return [value for value in written if value is not None] if all(value is not None for value in written) else None


def _as_stored(value: np.ndarray, output: Tensor) -> np.ndarray | None:
    """Returns a value in its tensor's type; None where it does not fit, or is of another shape than the file says."""
    if value.shape != output.shape or (value.dtype != output.dtype and {value.dtype.kind, output.dtype.kind} - set("iu")):
        return None
    if value.dtype.kind in "iu" and value.size:
        limits = np.iinfo(output.dtype)
        if not limits.min <= int(value.min()) <= int(value.max()) <= limits.max:
            return None
    return np.array(value, output.dtype, order="C")  # ascontiguousarray would make a vector of a scalar


def _wide(value: np.ndarray) -> np.ndarray:
    """Returns integers such that a sum or product of two of 32 bits is exact; of 64 bits only small ones are taken."""
    if value.dtype.itemsize > 4 and value.size and np.abs(value).max() >= 1 << 31:
        raise OverflowError
    return value.astype(np.int64)


def _binary(compute: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Evaluator:
    def evaluator(operator: Operator, values: Values, _: Sequence[Tensor]) -> np.ndarray | None:
        if operator.options.get("activation", "none") != "none" or values[0].dtype != values[1].dtype:
            return None
        return np.asarray(compute(_wide(values[0]), _wide(values[1])))

    return evaluator


def _reduction(compute: Callable[..., np.ndarray]) -> _Evaluator:
    def evaluator(operator: Operator, values: Values, _: Sequence[Tensor]) -> np.ndarray:
        axes = tuple(operator.options["axes"])
        if np.abs(_wide(values[0])).astype(np.float64).clip(2).prod() >= 2.0**62:
            raise OverflowError
        return np.asarray(compute(_wide(values[0]), axis=axes, keepdims=operator.options["keep_dims"]))

    return evaluator


def _strided_slice(operator: Operator, values: Values, _: Sequence[Tensor]) -> np.ndarray | None:
    image, options = values[0], dict(operator.options)
    if options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]:
        return None
    for name, bound in zip(("begin", "end", "strides"), values[1:], strict=True):
        options[name] = tuple(bound.ravel().tolist())
        if len(options[name]) != image.ndim:
            return None
    taken = strided(image.shape, options)
    result = image[tuple(each.as_slice for each in taken)]
    return result.reshape([extent for extent, each in zip(result.shape, taken, strict=True) if not each.shrinks])


def _slice(operator: Operator, values: Values, _: Sequence[Tensor]) -> np.ndarray | None:
    image, begin, size = values
    if begin.size != image.ndim or size.size != image.ndim:
        return None
    options = {"begin": begin.ravel().tolist(), "size": size.ravel().tolist()}
    return image[tuple(each.as_slice for each in sliced(image.shape, options))]


def _gather(operator: Operator, values: Values, _: Sequence[Tensor]) -> np.ndarray | None:
    image, indices = values
    axis = operator.options["axis"]
    if operator.options["batch_dims"] or not -image.ndim <= axis < image.ndim or (indices.size and indices.min() < 0):
        return None
    return np.asarray(np.take(image, indices, axis))


def _cast(_: Operator, values: Values, outputs: Sequence[Tensor]) -> np.ndarray | None:
    if outputs[0].dtype.kind not in "iu":
        return None
    return values[0].astype(np.int64)


def _fill(_: Operator, values: Values, outputs: Sequence[Tensor]) -> np.ndarray | None:
    if values[1].size != 1 or tuple(values[0].ravel().tolist()) != outputs[0].shape:
        return None
    return np.full(outputs[0].shape, values[1].reshape(()))


def _range(_: Operator, values: Values, outputs: Sequence[Tensor]) -> np.ndarray | None:
    start, limit, step = (int(value.reshape(())) for value in values)
    if abs(limit - start) > MOST_ELEMENTS * abs(step):
        return None
    return np.arange(start, limit, step)


def _reshape(_: Operator, values: Values, outputs: Sequence[Tensor]) -> np.ndarray:
    return values[0].reshape(outputs[0].shape)


def _unpack(operator: Operator, values: Values, outputs: Sequence[Tensor]) -> Values | None:
    axis = operator.options["axis"]
    parts = np.moveaxis(values[0], axis, 0)
    return list(parts) if len(parts) == len(outputs) else None


def _concatenation(operator: Operator, values: Values, _: Sequence[Tensor]) -> np.ndarray | None:
    if operator.options["activation"] != "none":
        return None
    return np.concatenate(list(values), operator.options["axis"])


def _compare(compute: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> _Evaluator:
    def evaluator(_: Operator, values: Values, __: Sequence[Tensor]) -> np.ndarray:
        return np.asarray(compute(values[0], values[1]))

    return evaluator


def _select(_: Operator, values: Values, outputs: Sequence[Tensor]) -> np.ndarray | None:
    condition, yes, no = values
    return np.where(condition, yes, no) if condition.dtype.kind == "b" and yes.dtype == no.dtype else None


def _quotient(dividend: np.ndarray, divisor: np.ndarray) -> np.ndarray:
    if not divisor.all():
        raise ZeroDivisionError
    return dividend // divisor


_MOVES = frozenset(
    ("STRIDED_SLICE", "SLICE", "PACK", "UNPACK", "GATHER", "CONCATENATION", "FILL", "RESHAPE", "SQUEEZE", "EXPAND_DIMS")
)
"""Ops that only move what they read, whatever its type."""

EVALUATORS: Mapping[str, _Evaluator] = MappingProxyType(
    {
        "STRIDED_SLICE": _strided_slice,
        "SLICE": _slice,
        "PACK": lambda operator, values, _: np.stack(list(values), operator.options["axis"]),
        "UNPACK": _unpack,
        "GATHER": _gather,
        "CONCATENATION": _concatenation,
        "RESHAPE": _reshape,
        "SQUEEZE": _reshape,
        "EXPAND_DIMS": _reshape,
        "CAST": _cast,
        "FILL": _fill,
        "RANGE": _range,
        "ADD": _binary(np.add),
        "SUB": _binary(np.subtract),
        "MUL": _binary(np.multiply),
        "FLOOR_DIV": _binary(_quotient),
        "MAXIMUM": _binary(np.maximum),
        "MINIMUM": _binary(np.minimum),
        "REDUCE_PROD": _reduction(np.prod),
        "REDUCE_MAX": _reduction(np.max),
        "REDUCE_MIN": _reduction(np.min),
        "SUM": _reduction(np.sum),
        "EQUAL": _compare(np.equal),
        "NOT_EQUAL": _compare(np.not_equal),
        "LESS": _compare(np.less),
        "LESS_EQUAL": _compare(np.less_equal),
        "GREATER": _compare(np.greater),
        "GREATER_EQUAL": _compare(np.greater_equal),
        "SELECT_V2": _select,
        "SELECT": _select,
    }
)
"""How each op is computed. SHAPE and RANK are not here: they read a tensor's extents, not its values."""
