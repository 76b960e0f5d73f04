"""The state of lowering, and what every op asks of the file's tensors while it is lowered."""

import re
from dataclasses import dataclass, field, replace
from typing import TypedDict

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.ir import Node, VariableState
from glyphlite.compiler.values import ACTIVATION_TYPES, ElementType, Value, Window
from glyphlite.errors import ArtifactError
from glyphlite.escaping import LONGEST, printable
from glyphlite.tflite.checked_op import convolved
from glyphlite.tflite.graph import Graph, Operator, Tensor

_CHANGES_TYPE = ("QUANTIZE", "SOFTMAX")
"""Ops that may write another type of activation than they read; each checks itself which."""


class Facts(TypedDict):
    """The facts that every node keeps of the op that it came from."""

    name: str
    op: str
    sources: tuple[str, ...]


@dataclass
class Context:
    """The state of lowering so far: the value of each tensor, and the nodes in order."""

    graph: Graph
    values: dict[int, Value] = field(default_factory=dict[int, Value])
    nodes: list[Node] = field(default_factory=list[Node])
    names: set[str] = field(default_factory=set[str])
    quantized_inputs: dict[int, Value] = field(default_factory=dict[int, Value])
    """What a QUANTIZE makes of a float32 input of the model, by the input's index."""
    variables: dict[int, VariableState] = field(default_factory=dict[int, VariableState])
    """The variable behind each handle."""
    assigned: dict[str, tuple[Value, Operator]] = field(default_factory=dict[str, tuple[Value, Operator]])
    """What each variable holds by now and what assigned it, by the name of its field."""
    fields: set[str] = field(default_factory=set[str])
    """The names of the fields of the state."""

    def tensor(self, index: int) -> Tensor:
        """Returns one of the file's tensors; an input that was left out is none, and not the last one."""
        assert index >= 0, f"tensor {index}"
        return self.graph.tensors[index]

    def value(self, operator: Operator, position: int = 0, *, any_batch: bool = False) -> Value:
        """Returns the activation that an op reads; ``any_batch``: also one of more than one image, as rows of one map."""
        index = operator.inputs[position]
        if index not in self.values and self.tensor(index).data is None:
            dtype = self.tensor(index).dtype
            advice = self.advice_on(self.tensor(index))
            raise self.refuse(operator, f"its input is {dtype}, not int8 or int16", advice)
        if index not in self.values:
            raise self.refuse(operator, f"its input {position} is a constant")
        if not any_batch:
            self.extents(self.tensor(index), operator)
        return self.values[index]

    def new_value(self, operator: Operator, position: int = 0, *, any_batch: bool = False) -> Value:
        """Returns the activation that an op writes, of one scale.

        Raises:
            ArtifactError: it is of another type than what the op reads, which those of :data:`_CHANGES_TYPE` alone may change.
        """
        tensor = self.tensor(operator.outputs[position])
        value = self.activation(tensor, operator, any_batch=any_batch)
        types = {self.values[index].element_type for index in operator.inputs if index in self.values}
        if operator.name not in _CHANGES_TYPE and types and types != {value.element_type}:
            reason = f"it reads {' and '.join(sorted(types))} and writes {value.element_type}"
            raise self.refuse(operator, reason, "put a QUANTIZE between them")
        self.values[tensor.index] = value
        return value

    def reshaped(self, operator: Operator, source: Value, position: int = 0) -> None:
        """Lets an op's output be another view of the bytes of its input.

        What the bytes stand for is the output tensor's to say: TFLite Micro copies them, and whoever reads the copy takes its
        scale and zero point, which no check holds to those of the input.
        """
        view = self.activation(self.tensor(operator.outputs[position]), operator, any_batch=True)
        self.values[view.index] = replace(view, index=source.index, name=source.name)

    def name(self, operator: Operator) -> str:
        """Returns a C identifier for an op, from the layer that made it; no other op is called so, nor is its function.

        Functions are called ``LAYER_OP``, what belongs to them ``LAYER_OP_PART``, and no part is called like an op: so nothing
        else in generated C has the name of a layer's function (tests/compiler/codegen/test_names.py).
        """
        layer, op = layer_name(self.graph, operator), operator.name.lower()
        name, count = layer, 2
        while {name, f"{name}_{op}"} & self.names:
            name, count = f"{layer}_{count}", count + 1
        self.names |= {name, f"{name}_{op}"}
        return name

    def field(self, wanted: str) -> str:
        """Returns a name for a field of the state; no other is called so."""
        name, count = wanted, 2
        while name in self.fields:
            name, count = f"{wanted}_{count}", count + 1
        self.fields.add(name)
        return name

    def refuse(self, operator: Operator, reason: str, advice: str = "") -> ArtifactError:
        """Makes the error that says which op generated C cannot express, why, and what would do."""
        where = f"{operator.name} (op {operator.index}, layer {layer_name(self.graph, operator)})"
        return ArtifactError(f"the compiler cannot express {where}: {reason}" + (f"; {advice}" if advice else ""))

    def require_same_scale(self, operator: Operator, source: Value, output: Value) -> None:
        """Refuses a pool whose output means another number by the same byte, which TensorFlow Lite Micro does not look at."""
        if source.zero_point != output.zero_point or abs(source.scale - output.scale) > 1e-6:
            raise self.refuse(operator, "input and output differ in scale or zero point")

    def advice_on(self, *tensors: Tensor) -> str:
        """Returns what to do about tensors of types that generated C does not compute with."""
        if any(tensor.dtype == np.uint8 for tensor in tensors):
            return "uint8 is the quantization of old converters: convert the model's source again, with --to int8"
        return "convert with --to int8"

    def facts(self, operator: Operator, operands: int = 1, output: int = 0, first: int = 0) -> Facts:
        """Returns what every node says of the op that it came from.

        Args:
            operator: the op.
            operands: how many of its inputs the words name.
            output: which of its outputs the node writes.
            first: the first of those inputs.
        """
        words = describe(self.graph, operator, operands, output, first)
        return {"name": self.name(operator), "op": operator.name, "sources": (words,)}

    def extents(self, tensor: Tensor, operator: Operator, *, any_batch: bool = False) -> tuple[int, int, int]:
        """Returns height, width and channels of a tensor of one image, whatever its rank.

        Args:
            tensor: the tensor.
            operator: the op that asks.
            any_batch: whether several images are taken for one, the rows of one below those of the other: the same bytes.
        """
        shape = [1 if extent == -1 else extent for extent in tensor.shape]
        shape = [1] * (3 - len(shape)) + shape
        images = int(np.prod(shape[:-3], dtype=np.int64))
        if any_batch:
            return images * shape[-3], shape[-2], shape[-1]
        if images != 1:
            reason = f"tensor {printable(tensor.name)} has shape {list(tensor.shape)}"
            raise self.refuse(operator, reason, "convert the model with a batch of 1")
        return shape[-3], shape[-2], shape[-1]

    def activation(self, tensor: Tensor, operator: Operator, *, any_batch: bool = False) -> Value:
        """Returns a tensor of int8 or int16 with one scale as the value that it holds."""
        if tensor.dtype.name not in ACTIVATION_TYPES:
            reason = f"tensor {printable(tensor.name)} is {tensor.dtype}, not int8 or int16"
            raise self.refuse(operator, reason, self.advice_on(tensor))
        if tensor.quantization is None or len(tensor.quantization.scales) != 1:
            raise self.refuse(
                operator, f"tensor {printable(tensor.name)} has no single scale", "convert with full integer quantization"
            )
        if tensor.quantization.scale == 0 and operator.name != "MUL":
            raise self.refuse(operator, f"tensor {printable(tensor.name)} has the scale 0", "convert the model again")
        is_unsigned = operator.name == "SOFTMAX" and tensor.index in operator.outputs  # and checks its zero point itself
        if tensor.dtype == np.int16 and tensor.quantization.zero_point != 0 and not is_unsigned:
            reason = f"tensor {printable(tensor.name)} is int16 with the zero point {tensor.quantization.zero_point}"
            raise self.refuse(operator, reason, "quantize int16 symmetrically, as the converter does")
        height, width, channels = self.extents(tensor, operator, any_batch=any_batch)
        element_type: ElementType = "int8" if tensor.dtype == np.int8 else "int16"
        return Value(tensor.index, tensor.name, height, width, channels, tensor.quantization, element_type)

    def fused_activation(self, operator: Operator) -> str:
        """Returns the op's own activation, where it is one that has bounds alone."""
        activation = operator.options.get("activation", "none")
        if activation not in ("none", "relu", "relu6", "relu_n1_to_1"):
            advice = "use a RELU form, or the activation as a layer"
            raise self.refuse(operator, f"fused activation {activation}", advice)
        return activation

    def clamp(self, operator: Operator, output: Value) -> tuple[int, int]:
        """Returns the bounds of the op's own activation as stored integers.

        Source: ``Quantize``, kernels/kernel_util.cc, which refuses, too.

        Raises:
            ArtifactError: a bound does not fit 32 bits in the output's scale.
        """
        activation = self.fused_activation(operator)
        if activation != "none":
            self.check_fits(operator, 6.0 if activation == "relu6" else 1.0, output)
        return arithmetic.activation_range(activation, output.scale, output.quantization.zero_point, output.bits)

    def check_fits(self, operator: Operator, real: float, value: Value) -> None:
        """Refuses a bound that leaves 32 bits in a value's scale: converting it is undefined in TFLite Micro."""
        if not real / value.scale < 2.0**31 - 256:
            raise self.refuse(
                operator, f"{real:g} in a scale of {value.scale:.3g} does not fit 32 bits", "quantize the model again"
            )

    def check_ratio(self, operator: Operator, ratio: float) -> None:
        """Refuses what leaves 31 bits on the way: TFLite Micro's shifts are undefined there."""
        if not ratio < 2.0**30:
            raise self.refuse(operator, f"its output's scale is {ratio:.3g} times too fine", "quantize the model again")


def layer_name(graph: Graph, operator: Operator) -> str:
    """Returns the Keras layer that an op came from, as its output tensor's name tells it, made a C identifier.

    Of an op without outputs its input's name tells it, where it has one.
    """
    named = next((graph.tensors[index].name for index in (*operator.outputs, *operator.inputs) if index >= 0), "")
    parts = named.split(";")[0].split("/")
    layer = parts[-2] if len(parts) > 1 else parts[0]
    layer = re.sub(r"[^0-9a-zA-Z]+", "_", re.sub(r"_1$", "", layer)).strip("_").lower()[:LONGEST].rstrip("_")
    if not layer or layer.startswith("statefulpartitionedcall") or layer[0].isdigit():
        layer = operator.name.lower()
    return layer


def describe(graph: Graph, operator: Operator, operands: int = 1, output: int = 0, first: int = 0) -> str:
    """Returns one op of the file in words, with the shapes of some inputs, for the comment above its function."""
    shapes = " and ".join(_extents(graph.tensors[index]) for index in operator.inputs[first : first + operands])
    words = f"op {operator.index}, {operator.name}"
    if operator.outputs:
        words += f": {shapes} -> {_extents(graph.tensors[operator.outputs[output]])}"
    activation = operator.options.get("activation", "none")
    return words + (f", {activation}" if activation != "none" else "")


def _extents(tensor: Tensor) -> str:
    return "x".join(str(abs(extent)) for extent in tensor.shape)


def window_of(operator: Operator, source: Value, output: Value, height: int, width: int) -> Window:
    """Returns the window of a convolution or a pool. Source: ``ComputePaddingHeightWidth``, kernels/padding.h."""
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


def spread_of(operator: Operator, extents: tuple[int, int], weights: np.ndarray) -> Window:
    """Returns the window over an output of those extents. Source: ``ComputePaddingHeightWidth``, kernels/padding.h."""
    strides, size = operator.options["strides"], weights.shape[1:3]

    def before(extent: int, kernel: int, stride: int) -> int:
        out = convolved(extent, kernel, stride, 1, operator.options["padding"])
        return max((out - 1) * stride + kernel - extent, 0) // 2

    pad_top, pad_left = map(before, extents, size, strides)
    return Window(*size, *strides, pad_top=pad_top, pad_left=pad_left)


def filter_of(context: Context, operator: Operator) -> tuple[Tensor, np.ndarray]:
    """Returns an op's weights, constant int8 without a zero point.

    Raises:
        ArtifactError: they are something else.
    """
    if operator.options.get("weights_format", "default") != "default":
        raise context.refuse(operator, "its weights are shuffled", "convert without weight shuffling, the default")
    tensor = context.tensor(operator.inputs[1])
    quantization = tensor.quantization
    if tensor.data is None:
        raise context.refuse(operator, "its weights are computed, not constant")
    if tensor.dtype != np.int8 or quantization is None:
        raise context.refuse(operator, f"its weights are {tensor.dtype}, not int8", "convert with --to int8")
    if any(quantization.zero_points):
        raise context.refuse(operator, "its weights have a zero point", "convert with symmetric weights, the default")
    return tensor, tensor.data


def weight_scales(context: Context, operator: Operator, channels: int) -> tuple[float, ...]:
    """Returns the scale of each channel's weights."""
    quantization = context.tensor(operator.inputs[1]).quantization
    assert quantization is not None
    return quantization.scales * channels if len(quantization.scales) == 1 else quantization.scales
