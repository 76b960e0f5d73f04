"""The variant of a .tflite file and its inputs and outputs, read from its tensors alone. Knows no names of files."""

from collections import Counter

import numpy as np

from glyphlite.tflite.graph import Graph, Operator

_EDGES = ("QUANTIZE", "DEQUANTIZE", "CAST", "SHAPE", "RESHAPE")
"""Ops that bring numbers into another form or place; what a file computes with is what the others read and write."""

_INTEGER = {"int16": "int16x8", "int8": "int8", "uint8": "uint8"}
COMPILED = tuple(_INTEGER.values())
"""Variants that compute with integers, of which C can be generated."""


def variant_of(graph: Graph) -> str:
    """Returns which of the five variants a file is, or ``uint8``: by what its weighted ops compute with, then by its weights.

    State that an op keeps (the int16 cell of an int8 LSTM) and ports of another type (uint8 pixels into an int8 network) do not
    count. Of ops that compute with different integers, the kind of most of them counts.
    """
    weighted = [operator for operator in graph.operators if _weights(graph, operator)]
    others = [operator for operator in graph.operators if operator.name not in _EDGES]
    for operators in (weighted, others, graph.operators):
        computed = Counter(kind for operator in operators if (kind := _computed_with(graph, operator)) in _INTEGER)
        if computed:
            return _INTEGER[computed.most_common(1)[0][0]]
    constants = {tensor.dtype for tensor in graph.tensors if tensor.is_constant}
    if np.dtype(np.float16) in constants:
        return "float16"
    if any(_is_narrow(graph, operator) for operator in weighted):
        return "dynamic"
    return "float32"


def type_name_of(graph: Graph) -> str:
    """Returns what a file is called: its variant, but ``uint8`` for an int8 network between a uint8 input and a uint8 output.

    TensorFlow's converter makes uint8 files so: it computes with int8 and requantizes at both ends.
    """
    variant = variant_of(graph)
    return "uint8" if variant == "int8" and ports_of(graph) == ("uint8", "uint8") else variant


def ports_of(graph: Graph) -> tuple[str, str]:
    """Returns the element types of a file's first input and first output."""
    return graph.input.dtype.name, graph.output.dtype.name


def _weights(graph: Graph, operator: Operator) -> list[int]:
    """Returns the constants of an op that can be weights: of two or more dimensions, and more than one number."""
    if operator.name in _EDGES:
        return []
    tensors = [graph.tensors[index] for index in operator.inputs if index >= 0]
    return [tensor.index for tensor in tensors if tensor.is_constant and len(tensor.shape) > 1 and tensor.elements > 1]


def _is_narrow(graph: Graph, operator: Operator) -> bool:
    return any(graph.tensors[index].dtype.name in ("int8", "uint8") for index in _weights(graph, operator))


def _computed_with(graph: Graph, operator: Operator) -> str | None:
    """Returns the element type of the first activation that an op reads, of what it writes where it reads none.

    State is none, and neither are int32 and int64, which hold shapes and places. A custom op is known by what it writes: those
    of accelerators read commands and scratch memory as uint8.
    """
    read = [graph.tensors[index] for index in operator.inputs if index >= 0 and operator.custom_code is None]
    written = [graph.tensors[index] for index in operator.outputs if index >= 0]
    found = [tensor for tensor in (*read, *written) if not tensor.is_constant and not tensor.is_variable]
    return next((tensor.dtype.name for tensor in found if tensor.dtype.name not in ("int32", "int64")), None)
