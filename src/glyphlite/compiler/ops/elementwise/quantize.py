"""QUANTIZE and DEQUANTIZE: at an edge they change what the caller passes or gets, between int8 tensors a QUANTIZE is a table.

From or to int16 a QUANTIZE scales each value; from an int32 input of the model and from int16 to an int32 output too.
"""

from dataclasses import replace

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ops.elementwise.lookup import add_lookup
from glyphlite.compiler.ops.int16.rescale import requantize
from glyphlite.compiler.values import ACTIVATION_TYPES, Value
from glyphlite.escaping import printable
from glyphlite.tflite.graph import Operator, Tensor
from glyphlite.tflite.quantization import Quantization


def lower_quantize(context: Context, operator: Operator) -> None:
    """Lowers QUANTIZE. Source: ``Requantize``, kernels/internal/reference/requantize.h."""
    source, output = context.tensor(operator.inputs[0]), context.tensor(operator.outputs[0])
    edge = (source.dtype, output.dtype) if source.quantization and output.quantization else None
    at_input = operator.inputs[0] in context.graph.inputs
    at_output = operator.outputs[0] in context.graph.outputs
    if source.dtype == np.int8 and output.dtype == np.int8:
        _requantize(context, operator, context.value(operator, any_batch=True), context.new_value(operator, any_batch=True))
    elif source.dtype.name in ACTIVATION_TYPES and output.dtype.name in ACTIVATION_TYPES:
        requantize(context, operator, context.value(operator, any_batch=True), context.new_value(operator, any_batch=True))
    elif at_output and source.dtype == np.int16 and output.dtype == np.int32 and output.quantization:
        requantize(context, operator, context.value(operator), _int32_value(context, operator, output))
    elif at_input and source.dtype == np.int32 and source.quantization and output.dtype.name in ACTIVATION_TYPES:
        taken = context.values.get(source.index) or _int32_value(context, operator, source)
        requantize(context, operator, taken, context.new_value(operator))
    elif at_input and source.dtype == np.float32 and output.dtype.name in ACTIVATION_TYPES:
        taken = context.quantized_inputs.setdefault(source.index, value := context.new_value(operator))
        if taken != replace(value, index=taken.index, name=taken.name):  # generated code takes an input in one scale
            raise context.refuse(operator, "the model's input is quantized more than once", "quantize it once")
        context.values[output.index] = replace(value, index=taken.index, name=taken.name)
    elif (edge == (np.uint8, np.int8) and at_input) or (edge == (np.int8, np.uint8) and at_output):
        _requantize(context, operator, *_bytes(context, operator, source, output))
    else:
        raise context.refuse(operator, f"{source.dtype} to {output.dtype} inside the model", context.advice_on(source, output))


def _requantize(context: Context, operator: Operator, before: Value, after: Value) -> None:
    """Appends the table from one scale and zero point to another."""
    context.check_ratio(operator, before.scale / after.scale)
    answers = arithmetic.requantize_table(
        before.scale, before.quantization.zero_point, after.scale, after.quantization.zero_point
    )
    add_lookup(context, operator, before, after, answers)


def uint8_value(context: Context, operator: Operator, tensor: Tensor) -> Value:
    """Returns a tensor of uint8 as the value that holds its bytes: ``stored + 128`` of an int8 that is 128 less."""
    assert tensor.quantization is not None
    quantization = Quantization(tensor.quantization.scales, (tensor.quantization.zero_point - 128,))
    return Value(tensor.index, tensor.name, *context.extents(tensor, operator), quantization)


def _int32_value(context: Context, operator: Operator, tensor: Tensor) -> Value:
    """Returns an input or output of int32, which no other op may read."""
    assert tensor.quantization is not None
    if len(tensor.quantization.scales) != 1 or tensor.quantization.zero_point != 0:
        raise context.refuse(operator, "to int32 with a zero point or several scales", "quantize int32 symmetrically")
    value = Value(tensor.index, tensor.name, *context.extents(tensor, operator), tensor.quantization, "int32")
    context.values[tensor.index] = value
    return value


def _bytes(context: Context, operator: Operator, source: Tensor, output: Tensor) -> tuple[Value, Value]:
    """Returns both values of a QUANTIZE between uint8 and int8: held as ``stored + 128`` or as it is, both are a byte."""

    def held(tensor: Tensor) -> Value:
        is_unsigned = tensor.dtype == np.uint8
        return uint8_value(context, operator, tensor) if is_unsigned else context.activation(tensor, operator)

    before, after = held(source), held(output)
    before = context.values.get(source.index, before)
    context.values[source.index], context.values[output.index] = before, after
    return before, after


def lower_dequantize(context: Context, operator: Operator) -> None:
    """Lowers DEQUANTIZE, at the output alone: the caller gets int8 or int16 and may scale it."""
    output = context.tensor(operator.outputs[0])
    if output.index not in context.graph.outputs or output.dtype != np.float32:
        raise context.refuse(operator, *_float_part(context, operator))
    context.values[output.index] = context.value(operator)


def _float_part(context: Context, operator: Operator) -> tuple[str, str]:
    """Says which ops behind a DEQUANTIZE compute in float, and what to do: end the model before them where they are its tail."""
    reached, ops, is_tail = {operator.outputs[0]}, list[str](), True
    for other in context.graph.operators[operator.index + 1 :]:
        if reached.isdisjoint(other.inputs):
            continue
        if other.name == "QUANTIZE":
            is_tail = False
        else:
            reached |= set(other.outputs)
            ops.append(f"{other.name} (op {other.index})")
    named = ", ".join(dict.fromkeys(ops[:4])) + (f" and {len(ops) - 4} more" if len(ops) > 4 else "") or "nothing"
    if is_tail and ops:
        tensor = printable(context.tensor(operator.inputs[0]).name)
        advice = f"end the model at tensor {tensor} and compute the rest in your program, or convert with --to int8"
        return f"from here to its output the model computes in float: {named}", advice
    return f"float arithmetic inside the model: {named}", "convert with full integer quantization (--to int8)"
