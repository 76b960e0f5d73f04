"""From the graph of a file to nodes with every constant decided; what generated C cannot express is refused by name.

Knows the file's ops and TensorFlow Lite Micro's preparation of them (``tensorflow/lite/micro/kernels/*_common.cc``); knows no C.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.nodes import (
    Binary,
    Concatenation,
    Convolution,
    Dense,
    Depthwise,
    Mean,
    Node,
    Pad,
    Pool,
    Program,
    Requantization,
    Softmax,
    Table,
    Value,
    Window,
)
from glyphlite.errors import ArtifactError
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization

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


_SHARED = frozenset(
    {"arena_t", "best", "classify", "dot_2x2", "dot_4", "dot_4_bytes", "expand", "high_mul", "input", "invoke", "load4", "pixels"}
    | {"dot_2x2_nibbles", "dot_4_nibbles", "dot_4_bytes_nibbles", "dot_nibbles", "nibble", "nibble_lanes"}
    | {"column_lanes", "depthwise_nibbles"}
    | {"product", "ring_row", "round_shift", "rows", "run", "scale_wide", "to_int8"}
)
"""What generated C names beside its layers."""

_OF_A_LAYER = (
    *("add_row", "bias", "constant", "dot", "excess", "exp", "finish", "gather", "lane_weights", "lanes", "multiplier"),
    "nibble_weights",
    *(
        "output",
        "pixel",
        "plain_dot",
        "reciprocal",
        "rounding",
        "row_weights",
        "scaling",
        "shift",
        "table",
        "tap_weights",
        "weights",
    ),
)
"""What it names after a layer, each behind the layer's name."""


def _is_taken(name: str, names: set[str]) -> bool:
    own = {f"{name}_{part}" for part in _OF_A_LAYER}
    return (
        name in _SHARED | names or any(f"{other}_{part}" == name for other in names for part in _OF_A_LAYER) or bool(own & names)
    )


@dataclass
class _Context:
    """What lowering has found so far: the value of each tensor, and the nodes in order."""

    graph: Graph
    values: dict[int, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    input_kind: str = "int8"
    output_kind: str = "int8"

    def tensor(self, index: int) -> Tensor:
        return self.graph.tensors[index]

    def value(self, operator: Operator, position: int = 0) -> Value:
        """The activation that an op reads."""
        index = operator.inputs[position]
        if index not in self.values and self.tensor(index).data is None:
            dtype = self.tensor(index).dtype
            raise _refuse(operator, self.graph, f"its input is {dtype}, not int8", "convert with --to int8")
        if index not in self.values:
            raise _refuse(operator, self.graph, f"its input {position} is a constant")
        return self.values[index]

    def new_value(self, operator: Operator) -> Value:
        """The activation that an op writes, as int8 with one scale."""
        tensor = self.tensor(operator.outputs[0])
        value = _value(tensor, operator, self.graph)
        self.values[tensor.index] = value
        return value

    def reshaped(self, operator: Operator, source: Value) -> None:
        """Let an op's output be another view of the bytes of its input."""
        tensor = self.tensor(operator.outputs[0])
        height, width, channels = _extents(tensor, operator, self.graph)
        self.values[tensor.index] = Value(source.index, source.name, height, width, channels, source.quantization)

    def name(self, operator: Operator) -> str:
        """A C identifier for an op, from the layer that made it; nothing else in the generated C is called so."""
        layer = layer_name(self.graph, operator)
        name, count = layer, 2
        while _is_taken(name, self.names):
            name, count = f"{layer}_{count}", count + 1
        self.names.add(name)
        return name


def layer_name(graph: Graph, operator: Operator) -> str:
    """The Keras layer that an op came from, as its output tensor's name tells it, made a C identifier."""
    parts = graph.tensors[operator.outputs[0]].name.split(";")[0].split("/")
    layer = parts[-2] if len(parts) > 1 else parts[0]
    layer = re.sub(r"[^0-9a-zA-Z]+", "_", re.sub(r"_1$", "", layer)).strip("_").lower()
    if not layer or layer.startswith("statefulpartitionedcall") or layer[0].isdigit():
        layer = operator.name.lower()
    return layer


def _refuse(operator: Operator, graph: Graph, reason: str, advice: str = "") -> ArtifactError:
    where = f"{operator.name} (op {operator.index}, layer {layer_name(graph, operator)})"
    return ArtifactError(f"the compiler cannot express {where}: {reason}" + (f"; {advice}" if advice else ""))


def _extents(tensor: Tensor, operator: Operator, graph: Graph) -> tuple[int, int, int]:
    """Height, width and channels of a tensor of one image, whatever its rank."""
    shape = [1 if extent == -1 else extent for extent in tensor.shape]
    shape = [1] * (3 - len(shape)) + shape
    if int(np.prod(shape[:-3], dtype=np.int64)) != 1:
        raise _refuse(
            operator, graph, f"tensor {tensor.name} has shape {list(tensor.shape)}", "convert the model with a batch of 1"
        )
    return shape[-3], shape[-2], shape[-1]


def _value(tensor: Tensor, operator: Operator, graph: Graph) -> Value:
    if tensor.dtype != np.int8:
        raise _refuse(
            operator,
            graph,
            f"tensor {tensor.name} is {tensor.dtype}, not int8",
            "convert with --to int8 (full integer quantization)",
        )
    if tensor.quantization is None or len(tensor.quantization.scales) != 1:
        raise _refuse(operator, graph, f"tensor {tensor.name} has no single scale", "convert with full integer quantization")
    height, width, channels = _extents(tensor, operator, graph)
    return Value(tensor.index, tensor.name, height, width, channels, tensor.quantization)


def _window(operator: Operator, source: Value, output: Value, height: int, width: int) -> Window:
    """The window of a convolution or pool. Source: ``ComputePaddingHeightWidth``, kernels/padding.h."""
    stride_y, stride_x = operator.options["strides"]
    dilation_y, dilation_x = operator.options.get("dilations", (1, 1))

    def before(size: int, out: int, extent: int, stride: int, dilation: int) -> int:
        return max((out - 1) * stride + (extent - 1) * dilation + 1 - size, 0) // 2

    same = operator.options["padding"] == "same"
    return Window(
        height,
        width,
        stride_y,
        stride_x,
        dilation_y,
        dilation_x,
        before(source.height, output.height, height, stride_y, dilation_y) if same else 0,
        before(source.width, output.width, width, stride_x, dilation_x) if same else 0,
    )


def _filter(context: _Context, operator: Operator) -> Tensor:
    tensor = context.tensor(operator.inputs[1])
    quantization = tensor.quantization
    if tensor.data is None:
        raise _refuse(operator, context.graph, "its weights are computed, not constant")
    if tensor.dtype != np.int8 or quantization is None:
        raise _refuse(operator, context.graph, f"its weights are {tensor.dtype}, not int8", "convert with --to int8")
    if any(quantization.zero_points):
        raise _refuse(operator, context.graph, "its weights have a zero point", "convert with symmetric weights, the default")
    return tensor


def _bias(context: _Context, operator: Operator, channels: int) -> np.ndarray:
    if len(operator.inputs) < 3 or operator.inputs[2] < 0:
        return np.zeros(channels, np.int64)
    tensor = context.tensor(operator.inputs[2])
    if tensor.data is None or tensor.dtype != np.int32 or tensor.elements != channels:
        raise _refuse(operator, context.graph, f"its bias is {tensor.dtype}, not {channels} constant int32")
    return tensor.data.reshape(-1).astype(np.int64)


def _sum_scaling(context: _Context, operator: Operator, source: Value, output: Value, channels: int) -> Requantization:
    """The scaling of sums of products. Source: ``PopulateConvolutionQuantizationParams``, kernels/kernel_util.cc.

    ``GetQuantizedConvolutionMultipler``, of a FULLY_CONNECTED with one weight scale, is written to multiply the scales in
    float32; the released build multiplies them in double there too (tests/compiler/test_scales.py).
    """
    quantization = context.tensor(operator.inputs[1]).quantization
    assert quantization is not None
    scales = quantization.scales
    scales = scales * channels if len(scales) == 1 else scales
    pairs = [arithmetic.quantize_multiplier(source.scale * scale / output.scale) for scale in scales]
    low, high = arithmetic.activation_range(_activation(context, operator), output.scale, output.quantization.zero_point)
    multipliers, shifts = zip(*pairs, strict=True)
    for scale in scales:
        _check_ratio(context, operator, source.scale * scale / output.scale)
    return Requantization(multipliers, shifts, output.zero_point, low + 128, high + 128)


def _check_ratio(context: _Context, operator: Operator, ratio: float) -> None:
    """Refuse what leaves 31 bits on the way: TFLite Micro's shifts are undefined there."""
    if not ratio < 2.0**30:
        raise _refuse(operator, context.graph, f"its output's scale is {ratio:.3g} times too fine", "quantize the model again")


def _activation(context: _Context, operator: Operator) -> str:
    activation = operator.options.get("activation", "none")
    if activation not in ("none", "relu", "relu6", "relu_n1_to_1"):
        raise _refuse(operator, context.graph, f"fused activation {activation}", "use a RELU form, or the activation as a layer")
    return activation


def _check_sums(context: _Context, operator: Operator, weights: np.ndarray, bias: np.ndarray) -> None:
    """Refuse sums that could leave int32: weights are (out, ...)."""
    bound = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(axis=1) * 255 + np.abs(bias)
    if bound.max(initial=0) >= 2**31:
        raise _refuse(operator, context.graph, f"a sum of up to {int(bound.max())} does not fit int32", "use fewer inputs")
    inputs = weights[0].size
    if inputs * 255 * 255 >= 2**31:
        raise _refuse(operator, context.graph, f"{inputs} inputs to one sum; int32 holds {(2**31 - 1) // 255**2}")


def _lower_convolution(context: _Context, operator: Operator) -> None:
    source, weights = context.value(operator), _filter(context, operator)
    assert weights.data is not None
    if weights.data.shape[3] != source.channels:
        raise _refuse(
            operator,
            context.graph,
            f"grouped convolution ({source.channels} channels, filters of {weights.data.shape[3]})",
            "use DEPTHWISE_CONV_2D or one convolution a group",
        )
    output = context.new_value(operator)
    bias = _bias(context, operator, output.channels)
    _check_sums(context, operator, weights.data, bias)
    window = _window(operator, source, output, weights.data.shape[1], weights.data.shape[2])
    context.nodes.append(
        Convolution(
            name=context.name(operator),
            op=operator.name,
            inputs=(source,),
            output=output,
            sources=(describe(context.graph, operator),),
            macs=operator_macs(context.graph, operator),
            filter_window=window,
            weights=weights.data,
            bias=bias,
            requantization=_sum_scaling(context, operator, source, output, output.channels),
            nibbles=weights.packed_bits == 4,
        )
    )


def _lower_depthwise(context: _Context, operator: Operator) -> None:
    source, weights = context.value(operator), _filter(context, operator)
    assert weights.data is not None
    output = context.new_value(operator)
    bias = _bias(context, operator, output.channels)
    height, width = weights.data.shape[1], weights.data.shape[2]
    taps = weights.data.reshape(height, width, -1)
    _check_sums(context, operator, np.moveaxis(taps, 2, 0), bias)
    context.nodes.append(
        Depthwise(
            name=context.name(operator),
            op=operator.name,
            inputs=(source,),
            output=output,
            sources=(describe(context.graph, operator),),
            macs=operator_macs(context.graph, operator),
            filter_window=_window(operator, source, output, height, width),
            weights=taps,
            bias=bias,
            requantization=_sum_scaling(context, operator, source, output, output.channels),
            multiplier=output.channels // source.channels,
            nibbles=weights.packed_bits == 4,
        )
    )


def _lower_dense(context: _Context, operator: Operator) -> None:
    source, weights = context.value(operator), _filter(context, operator)
    assert weights.data is not None
    if operator.options.get("weights_format", "default") != "default":
        raise _refuse(operator, context.graph, "its weights are shuffled", "convert without weight shuffling, the default")
    channels, depth = weights.data.shape
    rows = source.elements // depth
    output = context.new_value(operator)
    bias = _bias(context, operator, channels)
    _check_sums(context, operator, weights.data, bias)
    common: dict[str, Any] = {
        "name": context.name(operator),
        "op": operator.name,
        "sources": (describe(context.graph, operator),),
        "macs": operator_macs(context.graph, operator),
        "bias": bias,
        "requantization": _sum_scaling(context, operator, source, output, channels),
        "nibbles": weights.packed_bits == 4,
    }
    if rows == 1:
        flat = Value(source.index, source.name, 1, 1, source.elements, source.quantization)
        context.nodes.append(Dense(inputs=(flat,), output=output, weights=weights.data, **common))
        return
    flat = Value(source.index, source.name, 1, rows, depth, source.quantization)
    context.nodes.append(
        Convolution(
            inputs=(flat,),
            output=Value(output.index, output.name, 1, rows, channels, output.quantization),
            filter_window=Window(),
            weights=weights.data.reshape(channels, 1, 1, depth),
            **common,
        )
    )


def _lower_pool(context: _Context, operator: Operator) -> None:
    source = context.value(operator)
    output = context.new_value(operator)
    if source.zero_point != output.zero_point or abs(source.scale - output.scale) > 1e-6:
        raise _refuse(operator, context.graph, "input and output differ in scale or zero point")
    low, high = arithmetic.activation_range(_activation(context, operator), output.scale, output.quantization.zero_point)
    height, width = operator.options["window"]
    window = _window(operator, source, output, height, width)
    average = operator.name == "AVERAGE_POOL_2D"
    common: dict[str, Any] = {
        "name": context.name(operator),
        "op": operator.name,
        "inputs": (source,),
        "output": output,
        "sources": (describe(context.graph, operator),),
        "macs": 0,
        "low": low + 128,
        "high": high + 128,
    }
    covers_all = window.pad_top == window.pad_left == 0 and (height, width) == (source.height, source.width)
    if average and covers_all and output.height == output.width == 1:
        context.nodes.append(Mean(requantization=None, **common))
    else:
        context.nodes.append(Pool(kind="average" if average else "max", pool_window=window, **common))


def _lower_mean(context: _Context, operator: Operator) -> None:
    source = context.value(operator)
    rank = len(context.tensor(operator.inputs[0]).shape)
    if "axes" not in operator.options:
        raise _refuse(operator, context.graph, "its axes are computed, not constant", "take the mean over height and width")
    axes = sorted(axis % rank for axis in operator.options["axes"])
    if rank != 4 or axes != [1, 2]:
        raise _refuse(operator, context.graph, f"mean over axes {axes} of {rank}", "take the mean over height and width")
    tensor = context.tensor(operator.outputs[0])
    written = context.new_value(operator)
    output = Value(tensor.index, tensor.name, 1, 1, source.channels, written.quantization)
    context.values[tensor.index] = written
    _check_ratio(context, operator, source.scale / output.scale)
    multiplier, shift = arithmetic.mean_multiplier(source.scale, output.scale, source.height * source.width)
    context.nodes.append(
        Mean(
            name=context.name(operator),
            op=operator.name,
            inputs=(source,),
            output=output,
            sources=(describe(context.graph, operator),),
            requantization=Requantization((multiplier,), (shift,), output.zero_point, 0, 255),
            low=0,
            high=255,
        )
    )


def _lower_binary(context: _Context, operator: Operator) -> None:
    tensors = [context.tensor(index) for index in operator.inputs[:2]]
    for tensor in tensors:
        if tensor.index not in context.values:
            if tensor.data is None:
                raise _refuse(operator, context.graph, f"tensor {tensor.name} is not available")
            _value(tensor, operator, context.graph)  # its type and scale
    values = [context.values.get(tensor.index) or _value(tensor, operator, context.graph) for tensor in tensors]
    output = context.new_value(operator)
    kind = operator.name.lower()
    low, high = arithmetic.activation_range(_activation(context, operator), output.scale, output.quantization.zero_point)
    if kind == "add":
        twice_max = 2.0 * max(values[0].scale, values[1].scale)
        pairs = (
            arithmetic.quantize_multiplier(values[0].scale / twice_max),
            arithmetic.quantize_multiplier(values[1].scale / twice_max),
        )
        real = twice_max / (2.0**20 * output.scale)
        if real >= 1.0:
            raise _refuse(operator, context.graph, "the output's scale is too small for the inputs'")
    else:
        pairs = ((0, 0), (0, 0))
        real = values[0].scale * values[1].scale / output.scale
    _check_ratio(context, operator, real)
    multiplier, shift = arithmetic.quantize_multiplier(real)
    node = Binary(
        name=context.name(operator),
        op=operator.name,
        inputs=tuple(context.values[tensor.index] for tensor in tensors if tensor.index in context.values),
        output=output,
        sources=(describe(context.graph, operator),),
        kind=kind,
        constant=next(
            (_stored(tensor, operator, context.graph) for tensor in tensors if tensor.index not in context.values), None
        ),
        constant_first=tensors[0].index not in context.values,
        shapes=(_extents(tensors[0], operator, context.graph), _extents(tensors[1], operator, context.graph)),
        zero_points=(values[0].zero_point, values[1].zero_point),
        input_multipliers=pairs,
        requantization=Requantization((multiplier,), (shift,), output.zero_point, low + 128, high + 128),
    )
    context.nodes.append(_as_table(node) or node)


def _stored(tensor: Tensor, operator: Operator, graph: Graph) -> np.ndarray:
    assert tensor.data is not None
    return (tensor.data.astype(np.int16) + 128).astype(np.uint8).reshape(_extents(tensor, operator, graph))


def binary_result(node: Binary, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """ADD or MUL of stored bytes, as the generated C computes it.

    Source: ``AddFunc`` and ``MulElementwise``, kernels/internal/reference/integer_ops/{add,mul}.h.
    """
    requantization = node.requantization
    operands = [np.asarray(first, np.int64) - node.zero_points[0], np.asarray(second, np.int64) - node.zero_points[1]]
    if node.kind == "add":
        scaled = [
            arithmetic.multiply_by_quantized_multiplier(operand << 20, *pair)
            for operand, pair in zip(operands, node.input_multipliers, strict=True)
        ]
        total = scaled[0] + scaled[1]
    else:
        total = operands[0] * operands[1]
    output = arithmetic.multiply_by_quantized_multiplier(total, requantization.multipliers[0], requantization.shifts[0])
    return np.clip(output + requantization.offset, requantization.low, requantization.high).astype(np.uint8)


def _as_table(node: Binary) -> Table | None:
    """One stored byte decides the result when the other operand is one constant, or the same tensor again."""
    every = np.arange(256)
    if node.constant is not None and node.constant.size == 1:
        scalar = node.constant.reshape(-1)
        table = binary_result(node, scalar, every) if node.constant_first else binary_result(node, every, scalar)
    elif len(node.inputs) == 2 and node.inputs[0].index == node.inputs[1].index and node.shapes[0] == node.shapes[1]:
        table = binary_result(node, every, every)
    else:
        return None
    return Table(
        name=node.name, op=node.op, inputs=node.inputs[:1], output=node.output, sources=node.sources, macs=node.macs, table=table
    )


def _lower_concatenation(context: _Context, operator: Operator) -> None:
    values = tuple(context.value(operator, position) for position in range(len(operator.inputs)))
    output = context.new_value(operator)
    if _activation(context, operator) != "none" or any(value.quantization != output.quantization for value in values):
        raise _refuse(operator, context.graph, "its inputs differ in scale or zero point from its output", "as TFLite Micro does")
    rank = len(context.tensor(operator.outputs[0]).shape)
    axis = operator.options["axis"] % rank - (rank - 3)
    if axis < 0:
        raise _refuse(operator, context.graph, "it concatenates images of a batch", "convert with a batch of 1")
    context.nodes.append(
        Concatenation(
            name=context.name(operator),
            op=operator.name,
            inputs=values,
            output=output,
            sources=(describe(context.graph, operator),),
            axis=axis,
        )
    )


def _lower_pad(context: _Context, operator: Operator) -> None:
    source = context.value(operator)
    output = context.new_value(operator)
    paddings: list[tuple[int, int]] = [(before, after) for before, after in operator.options["paddings"]]
    paddings = [(0, 0)] * (3 - len(paddings)) + paddings
    if any(pair != (0, 0) for pair in paddings[:-3]) or min(min(pair) for pair in paddings) < 0:
        raise _refuse(operator, context.graph, f"paddings {paddings}", "pad height, width or channels by zero or more")
    context.nodes.append(
        Pad(
            name=context.name(operator),
            op=operator.name,
            inputs=(source,),
            output=output,
            sources=(describe(context.graph, operator),),
            paddings=(paddings[-3], paddings[-2], paddings[-1]),
        )
    )


def _lower_reshape(context: _Context, operator: Operator) -> None:
    context.reshaped(operator, context.value(operator))


def _lower_table(context: _Context, operator: Operator) -> None:
    source = context.value(operator)
    output = context.new_value(operator)
    scales = (source.scale, source.quantization.zero_point, output.scale, output.quantization.zero_point)
    if operator.name not in ("LOGISTIC", "TANH", "RELU6"):
        _check_ratio(context, operator, source.scale / output.scale)
    elif operator.name != "RELU6" and not 2.0**-27 <= source.scale < 2.0**35:
        raise _refuse(operator, context.graph, f"an input scale of {source.scale:.3g}", "quantize the model again")
    if operator.name == "HARD_SWISH" and not (source.scale < 128 * output.scale and source.scale < 2.0**20):
        raise _refuse(operator, context.graph, "its output's scale is too fine for its input's", "as TFLite Micro does")
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
                raise _refuse(operator, context.graph, f"output zero point {output.quantization.zero_point}, not -128")
            table = arithmetic.logistic_table(*scales[:2])
        case "TANH":
            table = arithmetic.tanh_table(*scales[:2])
        case _:
            table = arithmetic.requantize_table(*scales)
    context.nodes.append(
        Table(
            name=context.name(operator),
            op=operator.name,
            inputs=(source,),
            output=output,
            sources=(describe(context.graph, operator),),
            table=stored_table(table),
        )
    )


def stored_table(table: np.ndarray) -> np.ndarray:
    """A table of int8 by int8, from -128 up, as uint8 by uint8."""
    return (table.astype(np.int16) + 128).astype(np.uint8)


def _lower_softmax(context: _Context, operator: Operator) -> None:
    source = context.value(operator)
    output = context.new_value(operator)
    if output.quantization.zero_point != -128 or output.scale != 1 / 256:
        raise _refuse(operator, context.graph, f"output scale {output.scale} and zero point, not 1/256 and -128")
    if not source.scale * operator.options.get("beta", 1.0) > 2.0**-26:
        raise _refuse(operator, context.graph, f"an input scale of {source.scale:.3g}", "quantize the model again")
    context.nodes.append(
        Softmax(
            name=context.name(operator),
            op=operator.name,
            inputs=(source,),
            output=output,
            sources=(describe(context.graph, operator),),
            exponentials=arithmetic.softmax_exponentials(source.scale, operator.options.get("beta", 1.0)),
        )
    )


def _lower_quantize(context: _Context, operator: Operator) -> None:
    """QUANTIZE: at an edge it changes what the caller passes or gets, between int8 tensors it is a table."""
    source, output = context.tensor(operator.inputs[0]), context.tensor(operator.outputs[0])
    if source.dtype == np.int8 and output.dtype == np.int8:
        _lower_table(context, operator)
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
        raise _refuse(operator, context.graph, f"{source.dtype} to {output.dtype} inside the model", "convert with --to int8")


def _byte_table(context: _Context, operator: Operator, source: Tensor, output: Tensor) -> None:
    """QUANTIZE between uint8 and int8: held as ``stored + 128`` or as it is, both are a byte, and so the op is a table."""
    assert source.quantization is not None
    assert output.quantization is not None

    def held(tensor: Tensor) -> Value:
        assert tensor.quantization is not None
        zero_point = tensor.quantization.zero_point - (128 if tensor.dtype == np.uint8 else 0)
        height, width, channels = _extents(tensor, operator, context.graph)
        quantization = Quantization(tensor.quantization.scales, (zero_point,))
        return Value(tensor.index, tensor.name, height, width, channels, quantization)

    before, after = held(source), held(output)
    before = context.values.get(source.index, before)
    context.values[source.index], context.values[output.index] = before, after
    table = arithmetic.requantize_table(before.scale, before.quantization.zero_point, after.scale, after.quantization.zero_point)
    context.nodes.append(
        Table(
            name=context.name(operator),
            op=operator.name,
            inputs=(before,),
            output=after,
            sources=(describe(context.graph, operator),),
            table=stored_table(table),
        )
    )


def _lower_dequantize(context: _Context, operator: Operator) -> None:
    if operator.outputs[0] != context.graph.outputs[0] or context.tensor(operator.outputs[0]).dtype != np.float32:
        raise _refuse(operator, context.graph, "float arithmetic inside the model", "convert with --to int8")
    context.output_kind = "float32"
    context.reshaped(operator, context.value(operator))


LOWERINGS: dict[str, Callable[[_Context, Operator], None]] = {
    "CONV_2D": _lower_convolution,
    "DEPTHWISE_CONV_2D": _lower_depthwise,
    "FULLY_CONNECTED": _lower_dense,
    "MAX_POOL_2D": _lower_pool,
    "AVERAGE_POOL_2D": _lower_pool,
    "MEAN": _lower_mean,
    "ADD": _lower_binary,
    "MUL": _lower_binary,
    "PAD": _lower_pad,
    "CONCATENATION": _lower_concatenation,
    "RESHAPE": _lower_reshape,
    "SQUEEZE": _lower_reshape,
    "EXPAND_DIMS": _lower_reshape,
    "RELU": _lower_table,
    "RELU6": _lower_table,
    "RELU_N1_TO_1": _lower_table,
    "HARD_SWISH": _lower_table,
    "LOGISTIC": _lower_table,
    "TANH": _lower_table,
    "SOFTMAX": _lower_softmax,
    "QUANTIZE": _lower_quantize,
    "DEQUANTIZE": _lower_dequantize,
}


def describe(graph: Graph, operator: Operator) -> str:
    """One op of the file in words, for the comment above its function."""
    shapes = " and ".join(
        "x".join(str(abs(extent)) for extent in graph.tensors[index].shape)
        for index in operator.inputs[: 2 if operator.name in ("ADD", "MUL") else 1]
    )
    output = graph.tensors[operator.outputs[0]]
    words = f"op {operator.index}, {operator.name}: {shapes} -> {'x'.join(str(abs(extent)) for extent in output.shape)}"
    activation = operator.options.get("activation", "none")
    return words + (f", {activation}" if activation != "none" else "")


def lower(graph: Graph) -> Program:
    """Lower a validated graph.

    Raises:
        ArtifactError: an op, a type or a shape that generated code cannot express, by name and with what would express it.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ArtifactError(
            f"the compiler takes models of one input and one output, this one has {len(graph.inputs)} and {len(graph.outputs)}"
        )
    for operator in graph.operators:
        if operator.name not in LOWERINGS:
            advice = ADVICE.get(operator.name, "the supported ops are " + ", ".join(LOWERINGS))
            raise _refuse(operator, graph, "the op is not supported", advice)
    context = _Context(graph)
    if not graph.operators:
        raise ArtifactError("the model has no ops, there is nothing to compile")
    if graph.input.dtype == np.int8:
        context.values[graph.input.index] = _value(graph.input, graph.operators[0], graph)
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
            raise _refuse(operator, graph, f"its input is {context.tensor(operator.inputs[0]).dtype}", "convert with --to int8")
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
