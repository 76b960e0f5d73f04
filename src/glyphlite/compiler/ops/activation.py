"""Ops that take byte by byte: activations as tables, ADD and MUL, softmax, and QUANTIZE and DEQUANTIZE."""

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Softmax, Table, Value
from glyphlite.tflite.graph import Operator, Tensor
from glyphlite.tflite.quantization import Quantization


def lower_table(context: Context, operator: Operator) -> None:
    """Activations, and QUANTIZE from int8 to int8: 256 answers."""
    source = context.value(operator)
    output = context.new_value(operator)
    scales = (source.scale, source.quantization.zero_point, output.scale, output.quantization.zero_point)
    if operator.name not in ("LOGISTIC", "TANH", "RELU6"):
        context.check_ratio(operator, source.scale / output.scale)
    elif operator.name != "RELU6" and not 2.0**-27 <= source.scale < 2.0**35:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
    if operator.name in ("RELU6", "RELU_N1_TO_1"):
        context.check_fits(operator, 6.0, source if operator.name == "RELU6" else output)
    if operator.name == "HARD_SWISH" and not (source.scale < 128 * output.scale and source.scale < 2.0**20):
        raise context.refuse(operator, "its output's scale is too fine for its input's", "as TFLite Micro does")
    match operator.name:
        case "RELU":
            table = arithmetic.relu_table(*scales, "relu")
        case "RELU_N1_TO_1":
            table = arithmetic.relu_table(*scales, "relu_n1_to_1")
        case "RELU6":
            table = arithmetic.relu6_table(*scales[:2])
        case "HARD_SWISH":
            table = arithmetic.hard_swish_table(*scales)
        case "LOGISTIC":
            if output.quantization.zero_point != -128:
                raise context.refuse(operator, f"output zero point {output.quantization.zero_point}, not -128")
            table = arithmetic.logistic_table(*scales[:2])
        case "TANH":
            table = arithmetic.tanh_table(*scales[:2])
        case _:
            table = arithmetic.requantize_table(*scales)
    context.nodes.append(
        Table(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            table=stored_table(table),
        )
    )


def stored_table(table: np.ndarray) -> np.ndarray:
    """A table of int8 by int8, from -128 up, as uint8 by uint8."""
    return (table.astype(np.int16) + 128).astype(np.uint8)


def lower_softmax(context: Context, operator: Operator) -> None:
    """SOFTMAX over the channels. Source: ``kernels/softmax_common.cc``."""
    source = context.value(operator)
    output = context.new_value(operator)
    if output.quantization.zero_point != -128 or output.scale != 1 / 256:
        raise context.refuse(operator, f"output scale {output.scale} and zero point, not 1/256 and -128")
    if not source.scale * operator.options.get("beta", 1.0) > 2.0**-26:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
    context.nodes.append(
        Softmax(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            exponentials=arithmetic.softmax_exponentials(source.scale, operator.options.get("beta", 1.0)),
        )
    )


def lower_quantize(context: Context, operator: Operator) -> None:
    """QUANTIZE: at an edge it changes what the caller passes or gets, between int8 tensors it is a table."""
    source, output = context.tensor(operator.inputs[0]), context.tensor(operator.outputs[0])
    if source.dtype == np.int8 and output.dtype == np.int8:
        lower_table(context, operator)
        return
    at_input = operator.inputs[0] == context.graph.inputs[0]
    at_output = operator.outputs[0] == context.graph.outputs[0]
    if at_input and source.dtype == np.float32 and output.dtype == np.int8:
        context.input_kind = "float32"
        context.new_value(operator)
    elif at_input and source.dtype == np.uint8 and output.dtype == np.int8 and source.quantization and output.quantization:
        context.input_kind = "uint8"
        _byte_table(context, operator, source, output)
    elif at_output and source.dtype == np.int8 and output.dtype == np.uint8 and source.quantization and output.quantization:
        context.output_kind = "uint8"
        _byte_table(context, operator, source, output)
    else:
        raise context.refuse(operator, f"{source.dtype} to {output.dtype} inside the model", "convert with --to int8")


def _byte_table(context: Context, operator: Operator, source: Tensor, output: Tensor) -> None:
    """QUANTIZE between uint8 and int8: held as ``stored + 128`` or as it is, both are a byte, and so the op is a table."""
    assert source.quantization is not None
    assert output.quantization is not None

    def held(tensor: Tensor) -> Value:
        assert tensor.quantization is not None
        zero_point = tensor.quantization.zero_point - (128 if tensor.dtype == np.uint8 else 0)
        height, width, channels = context.extents(tensor, operator)
        quantization = Quantization(tensor.quantization.scales, (zero_point,))
        return Value(tensor.index, tensor.name, height, width, channels, quantization)

    before, after = held(source), held(output)
    before = context.values.get(source.index, before)
    context.values[source.index], context.values[output.index] = before, after
    context.check_ratio(operator, before.scale / after.scale)
    table = arithmetic.requantize_table(before.scale, before.quantization.zero_point, after.scale, after.quantization.zero_point)
    context.nodes.append(
        Table(
            **context.facts(operator),
            inputs=(before,),
            output=after,
            table=stored_table(table),
        )
    )


def lower_dequantize(context: Context, operator: Operator) -> None:
    """DEQUANTIZE, at the output alone: the caller gets float32."""
    if operator.outputs[0] != context.graph.outputs[0] or context.tensor(operator.outputs[0]).dtype != np.float32:
        raise context.refuse(operator, "float arithmetic inside the model", "convert with --to int8")
    context.output_kind = "float32"
    context.values[operator.outputs[0]] = context.value(operator)
