"""Lowering of a file's graph to nodes with every constant decided; what generated C cannot express is refused by name.

Knows the table of ops and what holds for all of them; knows no C.
"""

from dataclasses import replace

import numpy as np

from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Program
from glyphlite.compiler.ops import ADVICE, OPS
from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable
from glyphlite.tflite.checked_op import FREE
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.op_checks import check_operator


def lower(graph: Graph) -> Program:
    """Lowers a validated graph.

    Raises:
        ArtifactError: an op, a type or a shape that generated code cannot express, by name and with what would express it.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ArtifactError(
            f"the compiler takes models of one input and one output, this one has {len(graph.inputs)} and {len(graph.outputs)}"
        )
    context = Context(graph)
    for operator in graph.operators:
        if operator.name not in OPS:
            advice = ADVICE.get(operator.name, "the supported ops are " + ", ".join(OPS))
            raise context.refuse(operator, "the op is not supported", advice)
        if any(context.tensor(index).is_behind for index in operator.inputs if index >= 0):
            raise context.refuse(
                operator,
                "its constants lie behind the FlatBuffer, where TFLite Micro does not find them",
                "convert the model again",
            )
    if not graph.operators:
        raise ArtifactError("the model has no ops, there is nothing to compile")
    context = Context(graph := _of_one_image(graph))
    if graph.input.dtype == np.int8:
        context.values[graph.input.index] = context.activation(graph.input, graph.operators[0])
    elif graph.input.dtype.name not in ("uint8", "float32"):
        raise ArtifactError(
            f"the model's input is {graph.input.dtype}; the compiler takes int8, uint8 and float32: convert with --to int8"
        )
    for operator in graph.operators:
        if operator.name != "QUANTIZE" and not any(index in context.values for index in operator.inputs):
            tensor = context.tensor(operator.inputs[0])
            if tensor.is_constant and tensor.dtype == np.int8:
                raise context.refuse(operator, "it computes with constants alone", "convert the model again, which folds them")
            raise context.refuse(operator, f"its input is {tensor.dtype}", "convert with --to int8")
        OPS[operator.name](context, operator)
    if graph.output.index not in context.values:
        raise ArtifactError(f"the model's output {printable(graph.output.name)} is not computed by its ops")
    first = context.values[next(iter(context.values))]
    return Program(
        input=first,
        output=context.values[graph.output.index],
        nodes=tuple(context.nodes),
        input_kind=context.input_kind,
        output_kind=context.output_kind,
    )


def _of_one_image(graph: Graph) -> Graph:
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
