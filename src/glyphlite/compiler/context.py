"""What lowering has found so far, and what it asks of a file's tensors everywhere."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.ir import Node, Value
from glyphlite.compiler.layer_names import describe, is_taken, layer_name
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph, Operator, Tensor


@dataclass
class Context:
    """What lowering has found so far: the value of each tensor, and the nodes in order."""

    graph: Graph
    values: dict[int, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    input_kind: str = "int8"
    output_kind: str = "int8"

    def tensor(self, index: int) -> Tensor:
        """One of the file's tensors."""
        return self.graph.tensors[index]

    def value(self, operator: Operator, position: int = 0) -> Value:
        """The activation that an op reads."""
        index = operator.inputs[position]
        if index not in self.values and self.tensor(index).data is None:
            dtype = self.tensor(index).dtype
            raise self.refuse(operator, f"its input is {dtype}, not int8", "convert with --to int8")
        if index not in self.values:
            raise self.refuse(operator, f"its input {position} is a constant")
        return self.values[index]

    def new_value(self, operator: Operator) -> Value:
        """The activation that an op writes, as int8 with one scale."""
        tensor = self.tensor(operator.outputs[0])
        value = self.activation(tensor, operator)
        self.values[tensor.index] = value
        return value

    def reshaped(self, operator: Operator, source: Value) -> None:
        """Let an op's output be another view of the bytes of its input.

        What the bytes stand for is the output tensor's to say: TFLite Micro copies them, and whoever reads the copy takes its
        scale and zero point, which no check holds to those of the input.
        """
        view = self.activation(self.tensor(operator.outputs[0]), operator)
        self.values[view.index] = replace(view, index=source.index, name=source.name)

    def name(self, operator: Operator) -> str:
        """A C identifier for an op, from the layer that made it; nothing else in the generated C is called so."""
        layer = layer_name(self.graph, operator)
        name, count = layer, 2
        while is_taken(name, self.names):
            name, count = f"{layer}_{count}", count + 1
        self.names.add(name)
        return name

    def refuse(self, operator: Operator, reason: str, advice: str = "") -> ArtifactError:
        """The error that says which op generated C cannot express, why, and what would do."""
        where = f"{operator.name} (op {operator.index}, layer {layer_name(self.graph, operator)})"
        return ArtifactError(f"the compiler cannot express {where}: {reason}" + (f"; {advice}" if advice else ""))

    def facts(self, operator: Operator) -> dict[str, Any]:
        """What every node says of the op that it came from."""
        return {"name": self.name(operator), "op": operator.name, "sources": (describe(self.graph, operator),)}

    def extents(self, tensor: Tensor, operator: Operator) -> tuple[int, int, int]:
        """Height, width and channels of a tensor of one image, whatever its rank."""
        shape = [1 if extent == -1 else extent for extent in tensor.shape]
        shape = [1] * (3 - len(shape)) + shape
        if int(np.prod(shape[:-3], dtype=np.int64)) != 1:
            reason = f"tensor {tensor.name} has shape {list(tensor.shape)}"
            raise self.refuse(operator, reason, "convert the model with a batch of 1")
        return shape[-3], shape[-2], shape[-1]

    def activation(self, tensor: Tensor, operator: Operator) -> Value:
        """A tensor of int8 with one scale as the value that it holds."""
        if tensor.dtype != np.int8:
            reason = f"tensor {tensor.name} is {tensor.dtype}, not int8"
            raise self.refuse(operator, reason, "convert with --to int8 (full integer quantization)")
        if tensor.quantization is None or len(tensor.quantization.scales) != 1:
            raise self.refuse(operator, f"tensor {tensor.name} has no single scale", "convert with full integer quantization")
        height, width, channels = self.extents(tensor, operator)
        return Value(tensor.index, tensor.name, height, width, channels, tensor.quantization)

    def fused_activation(self, operator: Operator) -> str:
        """The op's own activation, where it is one that has bounds alone."""
        activation = operator.options.get("activation", "none")
        if activation not in ("none", "relu", "relu6", "relu_n1_to_1"):
            advice = "use a RELU form, or the activation as a layer"
            raise self.refuse(operator, f"fused activation {activation}", advice)
        return activation

    def clamp(self, operator: Operator, output: Value) -> tuple[int, int]:
        """The bounds of the op's own activation as stored int8. Source: ``Quantize``, kernels/kernel_util.cc, which refuses, too.

        Raises:
            ArtifactError: a bound does not fit 32 bits in the output's scale.
        """
        activation = self.fused_activation(operator)
        if activation != "none":
            self.check_fits(operator, 6.0 if activation == "relu6" else 1.0, output)
        return arithmetic.activation_range(activation, output.scale, output.quantization.zero_point)

    def check_fits(self, operator: Operator, real: float, value: Value) -> None:
        """Refuse a bound that leaves 32 bits in a value's scale: converting it is undefined in TFLite Micro."""
        if not real / value.scale < 2.0**31 - 256:
            raise self.refuse(
                operator, f"{real:g} in a scale of {value.scale:.3g} does not fit 32 bits", "quantize the model again"
            )

    def check_ratio(self, operator: Operator, ratio: float) -> None:
        """Refuse what leaves 31 bits on the way: TFLite Micro's shifts are undefined there."""
        if not ratio < 2.0**30:
            raise self.refuse(operator, f"its output's scale is {ratio:.3g} times too fine", "quantize the model again")
