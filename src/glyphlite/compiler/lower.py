"""Which op is lowered by what, and a whole graph op by op."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Program
from glyphlite.compiler.ops.activation import lower_dequantize, lower_quantize, lower_softmax, lower_table
from glyphlite.compiler.ops.binary import lower_binary
from glyphlite.compiler.ops.convolution import lower_convolution, lower_dense, lower_depthwise
from glyphlite.compiler.ops.pool import lower_concatenation, lower_mean, lower_pad, lower_pool, lower_reshape
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph, Operator
from glyphlite.tflite.shapes import check_operator
from glyphlite.tflite.site import FREE

LOWERINGS: dict[str, Callable[[Context, Operator], None]] = {
    "CONV_2D": lower_convolution,
    "DEPTHWISE_CONV_2D": lower_depthwise,
    "FULLY_CONNECTED": lower_dense,
    "MAX_POOL_2D": lower_pool,
    "AVERAGE_POOL_2D": lower_pool,
    "MEAN": lower_mean,
    "ADD": lower_binary,
    "MUL": lower_binary,
    "PAD": lower_pad,
    "CONCATENATION": lower_concatenation,
    "RESHAPE": lower_reshape,
    "SQUEEZE": lower_reshape,
    "EXPAND_DIMS": lower_reshape,
    "RELU": lower_table,
    "RELU6": lower_table,
    "RELU_N1_TO_1": lower_table,
    "HARD_SWISH": lower_table,
    "LOGISTIC": lower_table,
    "TANH": lower_table,
    "SOFTMAX": lower_softmax,
    "QUANTIZE": lower_quantize,
    "DEQUANTIZE": lower_dequantize,
}


ADVICE = {
    "SHAPE": "convert the model with a fixed batch of 1",
    "STRIDED_SLICE": "convert the model with a fixed batch of 1, or crop the images before",
    "PACK": "convert the model with a fixed batch of 1",
    "LEAKY_RELU": "use RELU or HARD_SWISH",
    "PRELU": "use RELU or HARD_SWISH",
    "ELU": "use RELU or HARD_SWISH",
    "GELU": "use HARD_SWISH",
    "EXP": "use LOGISTIC or SOFTMAX",
    "SUB": "use ADD with the weights before it negated",
    "DIV": "use MUL with the reciprocal",
    "TRANSPOSE_CONV": "use CONV_2D",
    "CONV_3D": "use CONV_2D",
    "BATCH_MATMUL": "use FULLY_CONNECTED",
    "L2_POOL_2D": "use AVERAGE_POOL_2D",
    "SUM": "use MEAN over height and width",
    "REDUCE_MAX": "use MAX_POOL_2D over the whole map",
    "MAXIMUM": "use RELU or MAX_POOL_2D",
    "MINIMUM": "use RELU6",
    "PADV2": "use PAD, which pads with zeros",
    "MIRROR_PAD": "use PAD, which pads with zeros",
    "SPLIT": "use separate convolutions",
    "LOG_SOFTMAX": "use SOFTMAX",
    "RESIZE_BILINEAR": "resize the images before",
    "RESIZE_NEAREST_NEIGHBOR": "resize the images before",
}


def lower(graph: Graph) -> Program:
    """Lower a validated graph.

    Raises:
        ArtifactError: an op, a type or a shape that generated code cannot express, by name and with what would express it.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ArtifactError(
            f"the compiler takes models of one input and one output, this one has {len(graph.inputs)} and {len(graph.outputs)}"
        )
    context = Context(graph)
    for operator in graph.operators:
        if operator.name not in LOWERINGS:
            advice = ADVICE.get(operator.name, "the supported ops are " + ", ".join(LOWERINGS))
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
    elif graph.input.dtype not in (np.uint8, np.float32):
        raise ArtifactError(
            f"the model's input is {graph.input.dtype}; the compiler takes int8, uint8 and float32: convert with --to int8"
        )
    for operator in graph.operators:
        if any(index in context.values or context.tensor(index).is_constant for index in operator.inputs if index >= 0) or (
            operator.name == "QUANTIZE"
        ):
            LOWERINGS[operator.name](context, operator)
        else:
            raise context.refuse(operator, f"its input is {context.tensor(operator.inputs[0]).dtype}", "convert with --to int8")
    if graph.output.index not in context.values:
        raise ArtifactError(f"the model's output {graph.output.name} is not computed by its ops")
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
