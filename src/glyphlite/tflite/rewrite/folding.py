"""Constant ops computed ahead: SHAPE, STRIDED_SLICE, PACK and their like, which converters leave where the batch was free.

What a SHAPE says is known once every extent is; so is everything that is computed from it alone. On graphs, for the compiler; the
file's bytes are :mod:`glyphlite.tflite.rewrite.optimize`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from glyphlite.tflite.checked_op import FREE
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.op_checks import check_operator
from glyphlite.tflite.options import options_from_inputs
from glyphlite.tflite.rewrite.constant_ops import EVALUATORS, MOST_ELEMENTS, evaluate

_READ_EXTENTS = ("SHAPE", "RANK")
COMPUTED_AHEAD = frozenset((*EVALUATORS, *_READ_EXTENTS))
"""The ops that are computed where what they read is constant."""

MOST_VALUES = 1 << 20
"""Elements of all that is computed: a file of many ops cannot make much of little."""


def of_one_image(graph: Graph) -> Graph:
    """Returns the graph with every free extent 1, as the file stores it.

    Raises:
        ArtifactError: shapes fit together only as long as an extent is free; the reader lets these pass.
    """
    if all(FREE not in tensor.shape for tensor in graph.tensors):
        return graph
    tensors = tuple(replace(tensor, shape=tuple(map(abs, tensor.shape))) for tensor in graph.tensors)
    for operator in graph.operators:
        check_operator(tensors, operator, "the model with a batch of 1")
    return replace(graph, tensors=tensors)


def folded_values(graph: Graph) -> dict[int, np.ndarray]:
    """Returns the values of the tensors that ops compute from constants and shapes alone, by their indices.

    Args:
        graph: a checked graph. A SHAPE of a free extent has no value.
    """
    values: dict[int, np.ndarray] = {}
    total = 0
    for operator in graph.operators:
        found = _written(graph, operator, values)
        if found is None:
            continue
        total += sum(value.size for value in found.values())
        if total > MOST_VALUES:
            break
        values |= found
    return values


def fold_constants(graph: Graph) -> Graph:
    """Returns the graph with constants in the place of what ops compute from constants and shapes alone; without those ops.

    Raises:
        ArtifactError: an op does not fit what was computed for it, as a RESHAPE to another number of elements.
    """
    values = folded_values(graph)
    if not values:
        return graph
    tensors = tuple(replace(tensor, data=values[tensor.index]) if tensor.index in values else tensor for tensor in graph.tensors)
    kept = [operator for operator in graph.operators if not is_computed(operator.outputs, values)]
    return replace(graph, tensors=tensors, operators=tuple(_informed(operator, tensors, values) for operator in kept))


def is_computed(outputs: Iterable[int], values: Mapping[int, np.ndarray]) -> bool:
    """Returns whether an op has nothing left to do: all that it writes is known.

    An op without outputs (ASSIGN_VARIABLE, CALL_ONCE) is there for what it leaves behind, and never is.
    """
    written = {int(index) for index in outputs}
    return bool(written) and written <= values.keys()


def _written(graph: Graph, operator: Operator, values: Mapping[int, np.ndarray]) -> dict[int, np.ndarray] | None:
    """Returns what an op writes, by tensor; None where it is not known. What the model gives out stays computed."""
    outputs = [graph.tensors[index] for index in operator.outputs]
    if not outputs or any(output.index in graph.outputs for output in outputs):
        return None
    inputs = [graph.tensors[index] for index in operator.inputs if index != -1]
    if len(inputs) < len(operator.inputs):
        return None
    if operator.name in _READ_EXTENTS:
        found = _extents(operator, inputs[0], outputs[0])
        return None if found is None else {outputs[0].index: found}
    read = [values.get(tensor.index, tensor.data) for tensor in inputs]
    known = [value for value in read if value is not None and value.size <= MOST_ELEMENTS]
    if not read or len(known) < len(read) or any(tensor.is_behind for tensor in inputs):
        return None
    with_options = replace(operator, options=operator.options | options_from_inputs(operator.name, known))
    written = evaluate(with_options, known, outputs)
    return None if written is None else dict(zip((output.index for output in outputs), written, strict=True))


def _extents(operator: Operator, source: Tensor, output: Tensor) -> np.ndarray | None:
    if FREE in source.shape or output.dtype.kind not in "iu":
        return None
    known = np.array(source.shape if operator.name == "SHAPE" else len(source.shape), output.dtype)
    return known if known.shape == output.shape else None


def _informed(operator: Operator, tensors: tuple[Tensor, ...], values: Mapping[int, np.ndarray]) -> Operator:
    """Returns an op with what its inputs say of it, now that they are constant, and checks it anew."""
    if not values.keys() & set(operator.inputs):
        return operator
    data = [None if index == -1 else tensors[index].data for index in operator.inputs]
    informed = replace(operator, options=operator.options | options_from_inputs(operator.name, data))
    check_operator(tensors, informed, "the model with its constants computed")
    return informed
