"""The input convention that a .tflite file states itself: in its metadata, else by the scale and zero point of a quantized input.

Knows a validated graph; runs nothing. A float input without metadata says nothing.
"""

import numpy as np

from glyphlite.models.interface.input_convention import NAMED_RANGES, InputConvention, named_convention
from glyphlite.tflite.graph import Graph, Tensor
from glyphlite.tflite.quantization import quantize

MOST_STEPS = 0.02 * 255
"""Largest distance, in stored numbers, from the ends of a quantized input to a usual range that it still stands for: calibration
without an image of full contrast ends a little below."""

LIKELY_SPANS = (0.5, 2.0)
"""Span of the range that metadata state over the one that the input can store: outside, they speak of different things."""


def convention_of_graph(graph: Graph) -> InputConvention:
    """Returns how a file takes a pixel: as it says, else 0..1 as an assumption."""
    stated = stated_convention(graph)
    return stated or named_convention("0..1", "the file does not say", assumed=True).at(graph.input.shape[1:], graph.input.dtype)


def stated_convention(graph: Graph) -> InputConvention | None:
    """Returns what a file says of its input, None where it says nothing.

    Metadata go first, unless a quantized input cannot hold the range that they name. A quantized input's lowest and highest
    stored number stand for pixel 0 and 255; where that is within a step of a usual range the stored number is the pixel, where it
    is within 2 % it stands for that range, and else it is what calibration has left, an assumption.
    """
    tensor = graph.input
    quantized = _of_quantization(_quantized_input(graph))
    said = _of_metadata(graph, tensor, quantized)
    found = said or quantized
    return found.at(tensor.shape[1:], tensor.dtype) if found else None


def _quantized_input(graph: Graph) -> Tensor:
    """Returns the input, or what a QUANTIZE op makes of a float one before anything else reads it."""
    readers = [operator for operator in graph.operators if graph.inputs[0] in operator.inputs]
    if graph.input.dtype.kind == "f" and len(readers) == 1 and readers[0].name == "QUANTIZE":
        return graph.tensors[readers[0].outputs[0]]
    return graph.input


def _of_metadata(graph: Graph, tensor: Tensor, quantized: InputConvention | None) -> InputConvention | None:
    mean, std = graph.normalization
    channels = abs(tensor.shape[-1]) if tensor.shape else 1
    if not mean or not std or not {len(mean), len(std)} <= {1, channels}:
        return None
    said = InputConvention(mean, std, "its metadata")
    if quantized is None:
        return said
    span = (said.high - said.low) / (quantized.high - quantized.low)
    centre = abs((said.high + said.low) - (quantized.high + quantized.low)) / 2
    if not LIKELY_SPANS[0] <= span <= LIKELY_SPANS[1] or centre > (quantized.high - quantized.low) / 2:
        return None
    return said


def _of_quantization(tensor: Tensor) -> InputConvention | None:
    """Returns what an input of eight bits says by its scale and zero point."""
    if tensor.dtype == np.uint8 and tensor.quantization is None:
        return named_convention("0..255", "its input holds uint8 without a scale: pixels")
    if tensor.dtype.name not in ("int8", "uint8") or tensor.quantization is None or len(tensor.quantization.scales) != 1:
        return None
    scale, zero_point = tensor.quantization.scale, tensor.quantization.zero_point
    if not (np.isfinite(scale) and scale > 0):
        return None
    source = f"its input's scale {scale:.6g}, zero point {zero_point}"
    limits = np.iinfo(tensor.dtype)
    pixel_is_stored = InputConvention((float(zero_point - limits.min),), (1 / scale,), source)
    for name in NAMED_RANGES:
        named = named_convention(name, source)
        missed = max(abs(pixel_is_stored.low - named.low), abs(pixel_is_stored.high - named.high)) / scale
        if missed <= MOST_STEPS:
            by_name, by_number = (quantize(each.table(), tensor.quantization, tensor.dtype) for each in (named, pixel_is_stored))
            return named if missed > 1 or np.array_equal(by_name, by_number) else pixel_is_stored
    return InputConvention(pixel_is_stored.mean, pixel_is_stored.std, source, assumed=True)
