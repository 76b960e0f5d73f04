"""The identity of models: compares the weights of two .tflite files to tell whether they are variants of one model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from glyphlite.evaluation.variant import variant_of
from glyphlite.tflite.graph import Graph, Tensor

_WEIGHT_TYPES = ("float32", "float16", "int8", "uint8")
_FLOAT_ERROR = 2e-3
"""Fraction of a tensor's largest weight: twice the error of rounding to float16."""

_SHARE = 0.99
"""Fraction of the weights that must agree; those at the ends of a channel's range may have been clipped."""


@dataclass(frozen=True)
class _Weights:
    """One tensor of weights as real numbers, and how far its storage may have moved each, broadcast to its shape."""

    values: np.ndarray
    error: np.ndarray


def same_model(first: Graph, second: Graph) -> bool:
    """Returns whether two files hold the same weights up to what storing them in fewer bits has moved.

    Two trainings of one architecture differ in nearly every weight, so that they are told apart; files without weights are
    nobody's variants.
    """
    mine, others = list(_stored_weights(first)), list(_stored_weights(second))
    return bool(mine) and _all_found(mine, others) and _all_found(others, mine)


def float32_variant_of(graph: Graph, others: Mapping[str, Graph]) -> str | None:
    """Returns the name of the float32 file among others that is the same model; None where there is none."""
    return next((name for name, other in others.items() if variant_of(other) == "float32" and same_model(graph, other)), None)


def _stored_weights(graph: Graph) -> Iterator[_Weights]:
    """Yields the weights of every op, as often as they are read; those of float16 lie behind an op that widens them."""
    for operator in graph.operators:
        for tensor in (graph.tensors[index] for index in operator.inputs if index >= 0):
            if tensor.data is not None and tensor.dtype.name in _WEIGHT_TYPES and len(tensor.shape) > 1 and tensor.elements > 1:
                yield _as_real(tensor, tensor.data)


def _as_real(tensor: Tensor, data: np.ndarray) -> _Weights:
    quantization = tensor.quantization
    if tensor.dtype.kind == "f" or quantization is None:
        values = data.astype(np.float32)
        return _Weights(values, np.float32(_FLOAT_ERROR * np.abs(values).max(initial=0)) * np.ones(1, np.float32))
    along = [-1 if axis == quantization.axis else 1 for axis in range(data.ndim)] if len(quantization.scales) > 1 else [1]
    scales, zero_points = (
        np.asarray(each, np.float32).reshape(along) for each in (quantization.scales, quantization.zero_points)
    )
    return _Weights((data.astype(np.float32) - zero_points) * scales, scales)


def _all_found(weights: list[_Weights], among: list[_Weights]) -> bool:
    return all(any(_agree(each, other) for other in among) for each in weights)


def _agree(first: _Weights, second: _Weights) -> bool:
    if first.values.shape != second.values.shape:
        return False
    close = np.abs(first.values - second.values) <= first.error + second.error
    return bool(close.mean() >= _SHARE)
