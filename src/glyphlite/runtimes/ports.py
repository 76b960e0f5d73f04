"""Requirements for an artifact's input and output, so that glyphlite can feed it images and read classes: one check for every
runtime.

Takes what a runtime says of its own tensors; knows no runtime and opens no file.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import SMALLEST_SIDE
from glyphlite.errors import ArtifactError
from glyphlite.runtimes.base import Port
from glyphlite.tflite.graph import Graph, Tensor
from glyphlite.tflite.quantization import Quantization

Numbers = Sequence[float] | np.ndarray
"""As LiteRT gives them (arrays) or as a test writes them."""

ELEMENT_TYPES = ("float32", "uint8", "int8", "int16")
"""The element types that enter and leave an image classifier."""

MAXIMUM_ELEMENTS = 1 << 26
"""No image or list of classes is larger; what claims to be is a broken file."""


def input_port(shape: Numbers, dtype: Any, scales: Numbers, zero_points: Numbers) -> Port:
    """Returns the port of an input tensor ``(batch, ...)``: an image, or its pixels in a row.

    Raises:
        ArtifactError: not an image's rank, size, element type or quantization.
    """
    extents = tuple(int(extent) for extent in shape)
    if not 2 <= len(extents) <= 4 or min(extents[1:]) < 1:
        raise ArtifactError(
            f"its input has shape {list(extents)}, expected (batch, height, width, channels); not an image classifier"
        )
    return _port("input", extents[1:], dtype, scales, zero_points)


def output_port(shape: Numbers, dtype: Any, scales: Numbers, zero_points: Numbers) -> Port:
    """Returns the port of an output tensor ``(batch, classes)``; axes of extent 1 between the two are dropped.

    Raises:
        ArtifactError: not one number per class, or not an element type or quantization we can read.
    """
    extents = tuple(int(extent) for extent in shape)
    if len(extents) < 2 or extents[-1] < 1 or any(extent != 1 for extent in extents[1:-1]):
        raise ArtifactError(f"its output has shape {list(extents)}, expected (batch, classes); not an image classifier")
    return _port("output", extents[-1:], dtype, scales, zero_points)


def single(kind: str, count: int) -> None:
    """Refuses a model that has not exactly one input or output.

    Raises:
        ArtifactError: there are none or several.
    """
    if count != 1:
        raise ArtifactError(f"it has {count} {kind}s, expected exactly one; not an image classifier")


def of_graph(graph: Graph) -> tuple[Port, Port]:
    """Returns the input and the output of a checked graph.

    Raises:
        ArtifactError: it is no image classifier: not one image in, or not one number per class out.
    """
    single("input", len(graph.inputs))
    single("output", len(graph.outputs))
    taken, given = input_port(*_described(graph.input)), output_port(*_described(graph.output))
    check_image(taken)
    return taken, given


def check_image(port: Port) -> None:
    """Refuses an input of fewer numbers in a row than the smallest image has; data that fit may still be fed to it.

    Raises:
        ArtifactError: naming how many there are and how many an image has at least.
    """
    if len(port.shape) == 1 and port.shape[0] < SMALLEST_SIDE**2:
        raise ArtifactError(
            f"its input is a row of {port.shape[0]} numbers, fewer than the {SMALLEST_SIDE**2} pixels of an image of "
            f"{SMALLEST_SIDE}x{SMALLEST_SIDE}; not an image classifier"
        )


def check_batch(batch: np.ndarray, port: Port) -> np.ndarray:
    """Returns the stored images as a contiguous array that fits the input port.

    Raises:
        ArtifactError: other shape or element type than the model's input.
    """
    if batch.shape[1:] != port.shape or batch.dtype != port.dtype:
        expected, found = f"{list(port.shape)} {port.dtype}", f"{list(batch.shape[1:])} {batch.dtype}"
        raise ArtifactError(f"the model takes images of {expected}, was given {found}")
    return np.ascontiguousarray(batch)


def _port(kind: str, shape: tuple[int, ...], dtype: Any, scales: Numbers, zero_points: Numbers) -> Port:
    try:
        element = np.dtype(dtype)
    except TypeError:
        element = None
    if element is None or element.name not in ELEMENT_TYPES:
        raise ArtifactError(f"its {kind} holds {element or dtype}, expected one of {', '.join(ELEMENT_TYPES)}")
    if any(extent > MAXIMUM_ELEMENTS for extent in shape) or int(np.prod(shape, dtype=np.float64)) > MAXIMUM_ELEMENTS:
        raise ArtifactError(f"its {kind} claims shape {list(shape)}, more than {MAXIMUM_ELEMENTS} elements; the file is broken")
    if element.kind == "f":
        return Port(shape, element)
    if kind == "input" and element == np.uint8 and not len(scales):
        return Port(shape, element, Quantization((1.0,), (0,)))  # pixels as they are; a CAST follows
    if len(scales) != 1 or len(zero_points) != 1:
        raise ArtifactError(f"its {element} {kind} has {len(scales)} scales, expected one scale and one zero point")
    scale, zero_point, limits = float(scales[0]), int(zero_points[0]), np.iinfo(element)
    if not (np.isfinite(scale) and scale > 0 and limits.min <= zero_point <= limits.max):
        raise ArtifactError(f"its {kind}'s scale {scale:g} and zero point {zero_point} are out of range for {element}")
    return Port(shape, element, Quantization((scale,), (zero_point,)))


def _described(tensor: Tensor) -> tuple[tuple[int, ...], np.dtype, Numbers, Numbers]:
    quantization = tensor.quantization
    shape = tuple(abs(extent) for extent in tensor.shape)
    return shape, tensor.dtype, quantization.scales if quantization else (), quantization.zero_points if quantization else ()
