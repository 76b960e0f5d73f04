"""Lowering of a file's graph to nodes with every constant decided; what generated C cannot express is refused by name.

Knows the table of ops and what holds for all of them; knows no C.
"""

import numpy as np

from glyphlite.compiler.codegen.c_names import copy_name, parameter_names
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Edge, Program
from glyphlite.compiler.ops import ADVICE, BEGINS, OPS, TAKES_TRUTH
from glyphlite.compiler.ops.int16.table import INT16_OPS
from glyphlite.compiler.ops.recurrent.variables import finish_variables, take_variables
from glyphlite.compiler.values import ACTIVATION_TYPES, AS_IT_IS, ElementType, Value
from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.rewrite.folding import fold_constants, of_one_image


def lower(graph: Graph) -> Program:
    """Lowers a validated graph.

    Raises:
        ArtifactError: an op, a type or a shape that generated code cannot express, by name and with what would express it.
    """
    context = Context(graph := fold_constants(of_one_image(graph)))
    for operator in graph.operators:
        if operator.name not in OPS:
            raise context.refuse(operator, *_unsupported(operator))
        if any(context.tensor(index).is_behind for index in operator.inputs if index >= 0):
            raise context.refuse(
                operator,
                "its constants lie behind the FlatBuffer, where TFLite Micro does not find them",
                "convert the model again",
            )
    if not graph.operators:
        raise ArtifactError("the model has no ops, there is nothing to compile")
    names = {
        kind: parameter_names(kind, [graph.tensors[index].name for index in indices])
        for kind, indices in (("input", graph.inputs), ("output", graph.outputs))
    }
    context.names |= {*names["input"], *map(copy_name, names["output"])}  # of the layers that copy an edge
    context.names |= {"memory_invoke", "memory_classify"}
    context.names |= {
        f"{verb}_{name}" for verb in ("quantize", "dequantize", "memory") for each in names.values() for name in each
    }
    for index in graph.inputs:
        _take_input(context, context.tensor(index))
    take_variables(context)
    for operator in graph.operators:
        if operator.name not in BEGINS and not any(index in context.values for index in operator.inputs):
            tensor = context.tensor(operator.inputs[0])
            if tensor.is_constant and tensor.dtype.name in ACTIVATION_TYPES:
                raise context.refuse(operator, "it computes with constants alone", "convert the model again, which folds them")
            raise context.refuse(operator, f"its input is {tensor.dtype}", context.advice_on(tensor))
        _lower_operator(context, operator)
    variables = finish_variables(context)
    inputs, outputs = (
        tuple(_edge(context, context.tensor(index), name) for index, name in zip(indices, names[kind], strict=True))
        for kind, indices in (("input", graph.inputs), ("output", graph.outputs))
    )
    return Program(inputs, outputs, tuple(context.nodes), variables)


def _unsupported(operator: Operator) -> tuple[str, str]:
    """Says of an op that the table lacks that it does, and what would express it."""
    if operator.custom_code is not None:
        advice = "use a file of TensorFlow Lite's own ops, such as the one from before a compiler for an accelerator"
        return f"the custom op {printable(operator.custom_code)} is not supported", advice
    return "the op is not supported", ADVICE.get(operator.name, "the supported ops are " + ", ".join(OPS))


def _lower_operator(context: Context, operator: Operator) -> None:
    """Lowers an op by the type of the activations that it reads."""
    types = {context.values[index].element_type for index in operator.inputs if index in context.values}
    if "int32" in types and operator.name != "QUANTIZE":
        raise context.refuse(operator, "its input is int32, not int8 or int16", "convert with --to int8")
    if "bool" in types and operator.name not in TAKES_TRUTH:
        raise context.refuse(operator, "it reads bool", f"ops that read it are {', '.join(TAKES_TRUTH)}")
    if operator.name not in ("QUANTIZE", "DEQUANTIZE"):
        for index in operator.inputs:
            value = context.values.get(index)
            if value is not None and value.element_type == "int16" and value.zero_point:
                reason = f"it reads int16 with the zero point {value.zero_point}"
                raise context.refuse(operator, reason, "put a QUANTIZE before it")
    if "int16" not in types:
        OPS[operator.name](context, operator)
    elif operator.name in INT16_OPS:
        INT16_OPS[operator.name](context, operator)
    else:
        advice = f"convert with --to int8, or use one of {', '.join(INT16_OPS)}"
        raise context.refuse(operator, "the op is not supported on int16", advice)


def _take_input(context: Context, tensor: Tensor) -> None:
    """Makes an input of the model a value; a float32 one becomes one where it is quantized."""
    if tensor.dtype.name in ACTIVATION_TYPES:
        context.values[tensor.index] = context.activation(tensor, context.graph.operators[0], any_batch=True)
    elif tensor.dtype == np.bool_:
        extents = context.extents(tensor, context.graph.operators[0], any_batch=True)
        context.values[tensor.index] = Value(tensor.index, tensor.name, *extents, AS_IT_IS, "bool")
    elif tensor.dtype.name not in ("uint8", "float32") and not _is_shape(context.graph, tensor):
        readers = {operator.name for operator in context.graph.operators if tensor.index in operator.inputs}
        if tensor.dtype != np.int32 or readers != {"QUANTIZE"}:
            raise ArtifactError(
                f"the model's input is {tensor.dtype}; the compiler takes int8, int16, uint8 and float32, bool, and int32 that a "
                "QUANTIZE reads: convert with --to int8"
            )


def _is_shape(graph: Graph, tensor: Tensor) -> bool:
    """Says whether an int32 input of the model is read by ops alone that TensorFlow Lite Micro runs without looking at it.

    TRANSPOSE_CONV's output has the shape of its tensor. Source: ``TransposeConvEval``, micro/kernels/transpose_conv.cc.
    """
    reads = [
        (operator, place) for operator in graph.operators for place, index in enumerate(operator.inputs) if index == tensor.index
    ]
    is_shape = all(operator.name == "TRANSPOSE_CONV" and place == 0 for operator, place in reads)
    return tensor.dtype == np.int32 and bool(reads) and is_shape and tensor.index not in graph.outputs


def _edge(context: Context, tensor: Tensor, name: str) -> Edge:
    """Returns an input or output of the model, once every op is lowered.

    Raises:
        ArtifactError: it is an output that nothing computes, or one that is a float32 input, whose fractions C never sees.
    """
    is_both = tensor.index in context.graph.inputs and tensor.index in context.graph.outputs
    if tensor.dtype == np.float32 and is_both:
        raise ArtifactError(
            f"the model's output {printable(tensor.name)} is its own float32 input, which generated C takes as integers; "
            "leave that output out"
        )
    value = context.quantized_inputs.get(tensor.index) or context.values.get(tensor.index)
    if value is None and tensor.index in context.graph.inputs:  # nothing reads it
        parameters = tensor.quantization or Quantization((1.0,), (0,))
        zero_point = parameters.zero_point - (128 if tensor.dtype == np.uint8 else 0)
        extents = context.extents(tensor, context.graph.operators[0])
        element_type: ElementType = "int32" if tensor.dtype == np.int32 else "int8"
        value = Value(tensor.index, tensor.name, *extents, Quantization(parameters.scales[:1], (zero_point,)), element_type)
    if value is None:
        raise ArtifactError(f"the model's output {printable(tensor.name)} is not computed by its ops")
    is_shape = tensor.index in context.graph.inputs and _is_shape(context.graph, tensor)
    return Edge(value, name, tensor.name, tensor.shape, tensor.dtype.name, is_shape)
