"""Common parts of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: weights, biases, and the scaling of sums of products."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.context import Context, Facts, filter_of, weight_scales
from glyphlite.compiler.ir import Node, Requantized
from glyphlite.compiler.values import Requantization, Value, Window
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Weighted(Requantized):
    """A node of weights and biases.

    Attributes:
        bias: int64 ``(outputs,)``, the input's zero point not yet folded in.
        int4: whether the file stores the weights, -8 to 7, two in a byte.
    """

    weights: np.ndarray
    bias: np.ndarray
    int4: bool = False


@dataclass(frozen=True, kw_only=True)
class FilterNode(Node):
    """A node whose weights are a filter that moves over a map, of whatever element type."""

    windowed: ClassVar[bool] = True

    filter_window: Window

    @property
    def window(self) -> Window:
        """Returns the filter's window."""
        return self.filter_window


@dataclass(frozen=True, kw_only=True)
class PoolableFilter(FilterNode):
    """A node whose sums a 2x2 maximum may be taken of before they are scaled.

    Attributes:
        pooled: whether it is.
    """

    pooled: bool = False

    @property
    def rows_per_step(self) -> int:
        """Returns the input rows of one output row: two rows of sums for each row of a pooled output."""
        return self.filter_window.span_y + (self.filter_window.stride_y if self.pooled else 0)

    @property
    def row_stride(self) -> int:
        """Returns the input rows that one output row moves on by."""
        return self.filter_window.stride_y * (2 if self.pooled else 1)

    @property
    def window_rows(self) -> tuple[int, int]:
        """Returns the rows and columns of sums."""
        factor = 2 if self.pooled else 1
        return self.output.height * factor, self.output.width * factor


@dataclass(frozen=True, kw_only=True)
class Filtered(FilterNode, Weighted):
    """A node with an int8 filter; a PAD before it can become its own padding."""


class WeightedFacts(Facts):
    """The fields that every node of weights and biases has but for the weights, whose order is the node's own."""

    inputs: tuple[Value, ...]
    output: Value
    macs: int
    bias: np.ndarray
    requantization: Requantization
    int4: bool


def weighted_facts(context: Context, operator: Operator, *, output_axis: int = 0) -> tuple[WeightedFacts, np.ndarray]:
    """Checks an op of weights and biases and makes its output.

    Args:
        context: the state of lowering.
        operator: the op.
        output_axis: the axis of its weights that counts outputs.

    Returns:
        The fields of its node, and the weights as the file has them, int8.

    Raises:
        ArtifactError: weights or biases are none that the compiler takes, or a sum could leave int32.
    """
    source, (tensor, weights) = context.value(operator), filter_of(context, operator)
    output, channels = context.new_value(operator), weights.shape[output_axis]
    bias = bias_of(context, operator, channels)
    check_sums(context, operator, np.moveaxis(weights, output_axis, 0), bias)
    facts: WeightedFacts = {
        **context.facts(operator),
        "inputs": (source,),
        "output": output,
        "macs": operator_macs(context.graph, operator),
        "bias": bias,
        "requantization": sum_requantization(context, operator, source, output, channels),
        "int4": tensor.packed_bits == 4,
    }
    return facts, weights


def bias_of(context: Context, operator: Operator, channels: int, position: int = 2) -> np.ndarray:
    """Returns an op's biases, int64 ``(channels,)``, from its input of that position; zeros where it has none."""
    if len(operator.inputs) <= position or operator.inputs[position] < 0:
        return np.zeros(channels, np.int64)
    tensor = context.tensor(operator.inputs[position])
    if tensor.data is None or tensor.dtype != np.int32 or tensor.elements != channels:
        raise context.refuse(operator, f"its bias is {tensor.dtype}, not {channels} constant int32")
    return tensor.data.reshape(-1).astype(np.int64)


def sum_requantization(context: Context, operator: Operator, source: Value, output: Value, channels: int) -> Requantization:
    """Returns the scaling of sums of products. Source: ``PopulateConvolutionQuantizationParams``, kernels/kernel_util.cc.

    ``GetQuantizedConvolutionMultipler``, of a FULLY_CONNECTED with one weight scale, is written to multiply the scales in
    float32; the released build multiplies them in double there too (tests/compiler/test_scales.py).
    """
    scales = weight_scales(context, operator, channels)
    for scale in scales:
        context.check_ratio(operator, source.scale * scale / output.scale)
    pairs = [arithmetic.quantize_multiplier(source.scale * scale / output.scale) for scale in scales]
    low, high = context.clamp(operator, output)
    multipliers, shifts = zip(*pairs, strict=True)
    return Requantization(multipliers, shifts, output.zero_point, low + 128, high + 128)


def check_sums(context: Context, operator: Operator, weights: np.ndarray, bias: np.ndarray) -> None:
    """Refuses sums that could leave int32: weights are ``(outputs, ...)``."""
    bound = np.abs(weights.astype(np.int64)).reshape(len(weights), -1).sum(axis=1) * 255 + np.abs(bias)
    if bound.max(initial=0) >= 2**31:
        raise context.refuse(operator, f"a sum of up to {int(bound.max())} does not fit int32", "use fewer inputs")
    inputs = weights[0].size
    if inputs * 255 * 255 >= 2**31:
        raise context.refuse(operator, f"{inputs} inputs to one sum; int32 holds {(2**31 - 1) // 255**2}")
