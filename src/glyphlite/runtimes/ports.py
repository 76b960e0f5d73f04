"""The inputs and outputs of a loaded model, as its runtime describes them, and what an image classifier's must be.

One description for every runtime: the shape of one sample, the element type, the quantization. Knows no runtime and opens no
file.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import SMALLEST_SIDE
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph, Tensor
from glyphlite.tflite.quantization import Quantization

Numbers = Sequence[float] | np.ndarray
"""As LiteRT gives them (arrays) or as a test writes them."""

ELEMENT_TYPES = ("float32", "uint8", "int8", "int16")
"""The element types that enter and leave an image classifier."""

MAXIMUM_ELEMENTS = 1 << 26
"""No input or output is larger; what claims to be is a broken file."""


@dataclass(frozen=True)
class Port:
    """An input or output of a loaded model.

    Attributes:
        shape: of one sample: the tensor's without its batch.
        dtype: what one element is stored as.
        quantization: of integers, where the file has any.
        tensor_shape: of the tensor in the file, its batch included.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    quantization: Quantization | None = None
    tensor_shape: tuple[int, ...] = field(default=(), compare=False)

    @property
    def elements(self) -> int:
        """Returns the number of elements of one sample."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Described:
    """A runtime's own words on one tensor: its shape with the batch, element type, scales and zero points."""

    shape: Numbers
    dtype: Any
    scales: Numbers = ()
    zero_points: Numbers = ()


@dataclass(frozen=True)
class Ports:
    """Every input and output of a model, in the file's order, and how many samples one inference takes.

    ``keeps_state``: whether a call leaves something behind for the next one.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    batch: int = 1
    keeps_state: bool = False


def ports_of(inputs: Sequence[Described], outputs: Sequence[Described], *, keeps_state: bool = False) -> Ports:
    """Returns a model's ports: the first extent is a batch where all tensors share it, or where it is 1.

    Of a model that keeps state only where it is 1: what all share may be the steps of a sequence.

    Any rank, 0 included, and any element type.

    Raises:
        ArtifactError: a tensor without elements, with too many, or with a quantization that is none.
    """
    shapes = [tuple(int(extent) for extent in each.shape) for each in (*inputs, *outputs)]
    leading = {shape[0] if shape else None for shape in shapes}
    shared = next(iter(leading)) if len(leading) == 1 else None
    batch = 1 if keeps_state else shared or 1
    taken, given = (
        tuple(_port(kind, each, batch) for each in tensors) for kind, tensors in (("input", inputs), ("output", outputs))
    )
    return Ports(taken, given, batch, keeps_state)


def of_graph(graph: Graph) -> Ports:
    """Returns the ports of a checked graph, a free batch taken as 1.

    Raises:
        ArtifactError: as :func:`ports_of`.
    """
    tensors = graph.tensors
    inputs, outputs = ([_of_tensor(tensors[at]) for at in indices] for indices in (graph.inputs, graph.outputs))
    return ports_of(inputs, outputs, keeps_state=graph.is_stateful)


def classifier(ports: Ports) -> tuple[Port, Port]:
    """Returns the image that goes in and the number per class that comes out.

    Raises:
        ArtifactError: it is no image classifier: not one image in, or not one number per class out.
    """
    found = as_image(ports.inputs), as_classes(ports.outputs)
    check_image(found[0])
    return found


def as_image(inputs: Sequence[Port]) -> Port:
    """Returns the only input, an image or its pixels in a row.

    Raises:
        ArtifactError: there is another number of inputs, or it is no image by its rank, size, element type or quantization.
    """
    single("input", len(inputs))
    return _same_sample(inputs[0], input_port(*_stored(inputs[0])), "height, width, channels")


def as_classes(outputs: Sequence[Port]) -> Port:
    """Returns the only output as one number per class; see :func:`output_port`.

    Raises:
        ArtifactError: there is another number of outputs, or it is not one number per class.
    """
    single("output", len(outputs))
    return _same_sample(outputs[0], output_port(*_stored(outputs[0])), "classes")


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
    return _classifiers_port("input", extents, extents[1:], dtype, scales, zero_points)


def output_port(shape: Numbers, dtype: Any, scales: Numbers, zero_points: Numbers) -> Port:
    """Returns the port of an output tensor ``(batch, classes)``; axes of extent 1 between the two are dropped.

    Raises:
        ArtifactError: not one number per class, or not an element type or quantization we can read.
    """
    extents = tuple(int(extent) for extent in shape)
    if len(extents) < 2 or extents[-1] < 1 or any(extent != 1 for extent in extents[1:-1]):
        raise ArtifactError(f"its output has shape {list(extents)}, expected (batch, classes); not an image classifier")
    return _classifiers_port("output", extents, extents[-1:], dtype, scales, zero_points)


def single(kind: str, count: int) -> None:
    """Refuses a model that has not exactly one input or output.

    Raises:
        ArtifactError: there are none or several.
    """
    if count != 1:
        raise ArtifactError(f"it has {count} {kind}s, expected exactly one; not an image classifier")


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
    """Returns stored samples as a contiguous array that fits an input port.

    Raises:
        ArtifactError: other shape or element type than the model's input.
    """
    if batch.shape[1:] != port.shape or batch.dtype != port.dtype:
        expected, found = f"{list(port.shape)} {port.dtype}", f"{list(batch.shape[1:])} {batch.dtype}"
        raise ArtifactError(f"the model takes images of {expected}, was given {found}")
    return np.ascontiguousarray(batch)


def check_batches(batches: Sequence[np.ndarray], inputs: Sequence[Port]) -> tuple[np.ndarray, ...]:
    """Returns the stored samples of every input, each contiguous and of as many samples as the others.

    Raises:
        ArtifactError: not one array per input, not the same number of samples in each, or one that does not fit its input.
    """
    if len(batches) != len(inputs):
        raise ArtifactError(f"the model has {len(inputs)} inputs, was given {len(batches)} arrays")
    if len(counts := {len(batch) for batch in batches}) > 1:
        raise ArtifactError(f"every input takes as many samples as the others, was given {sorted(counts)}")
    return tuple(check_batch(batch, port) for batch, port in zip(batches, inputs, strict=True))


def frames(samples: Sequence[np.ndarray], taken: Ports) -> list[np.ndarray]:
    """Returns the samples of every input as the tensors of one inference after the other, ``(calls, *tensor_shape)``.

    The last is filled up with zeros where the file's batch is fixed and the samples are no multiple of it.
    """
    found = []
    for values, port in zip(samples, taken.inputs, strict=True):
        filler = np.zeros((-len(values) % taken.batch, *port.shape), port.dtype)
        found.append((np.concatenate([values, filler]) if len(filler) else values).reshape(-1, *port.tensor_shape))
    return found


def _port(kind: str, described: Described, batch: int) -> Port:
    shape = tuple(int(extent) for extent in described.shape)
    sample = shape[1:] if shape and shape[0] == batch else shape
    element = _element(kind, described.dtype)
    if min(sample, default=1) < 1:
        raise ArtifactError(f"its {kind} has shape {list(shape)}, which holds nothing or is not fixed")
    _check_size(kind, sample)
    quantization = None
    if element.kind in "iu" and len(described.scales) and len(described.scales) == len(described.zero_points):
        quantization = Quantization(
            tuple(float(scale) for scale in described.scales), tuple(int(point) for point in described.zero_points)
        )
        for scale, zero_point in zip(quantization.scales, quantization.zero_points, strict=True):
            _check_range(kind, element, scale, zero_point)
    return Port(sample, element, quantization, shape)


def _classifiers_port(
    kind: str, tensor: tuple[int, ...], shape: tuple[int, ...], dtype: Any, scales: Numbers, zero_points: Numbers
) -> Port:
    try:
        element = _element(kind, dtype)
    except ArtifactError:
        element = None
    if element is None or element.name not in ELEMENT_TYPES:
        raise ArtifactError(f"its {kind} holds {element or dtype}, expected one of {', '.join(ELEMENT_TYPES)}")
    _check_size(kind, shape)
    if element.kind == "f":
        return Port(shape, element, None, tensor)
    if kind == "input" and element == np.uint8 and not len(scales):
        return Port(shape, element, Quantization((1.0,), (0,)), tensor)  # pixels as they are; a CAST follows
    if len(scales) != 1 or len(zero_points) != 1:
        raise ArtifactError(f"its {element} {kind} has {len(scales)} scales, expected one scale and one zero point")
    scale, zero_point = float(scales[0]), int(zero_points[0])
    _check_range(kind, element, scale, zero_point)
    return Port(shape, element, Quantization((scale,), (zero_point,)), tensor)


def _element(kind: str, dtype: Any) -> np.dtype:
    try:
        element = np.dtype(dtype)
    except TypeError:
        raise ArtifactError(f"its {kind} holds {dtype}, which is no number") from None
    if element.kind not in "biuf":
        raise ArtifactError(f"its {kind} holds {element}, which is no number")
    return element


def _check_size(kind: str, shape: tuple[int, ...]) -> None:
    if any(extent > MAXIMUM_ELEMENTS for extent in shape) or int(np.prod(shape, dtype=np.float64)) > MAXIMUM_ELEMENTS:
        raise ArtifactError(f"its {kind} has shape {list(shape)}, more than the {MAXIMUM_ELEMENTS:,} values that glyphlite takes")


def _check_range(kind: str, element: np.dtype, scale: float, zero_point: int) -> None:
    limits = np.iinfo(element)
    if not (np.isfinite(scale) and scale > 0 and limits.min <= zero_point <= limits.max):
        raise ArtifactError(f"its {kind}'s scale {scale:g} and zero point {zero_point} are out of range for {element}")


def _same_sample(port: Port, as_classifier: Port, wanted: str) -> Port:
    """Returns a classifier's view of a port, unless it would take the first axis of a sample for a batch."""
    if port.elements != as_classifier.elements:
        shape = list(port.tensor_shape)
        raise ArtifactError(f"its tensor of shape {shape} has no batch, expected (batch, {wanted}); not an image classifier")
    return as_classifier


def _stored(port: Port) -> tuple[Numbers, np.dtype, Numbers, Numbers]:
    quantization = port.quantization
    return (
        port.tensor_shape or (1, *port.shape),
        port.dtype,
        quantization.scales if quantization else (),
        quantization.zero_points if quantization else (),
    )


def _of_tensor(tensor: Tensor) -> Described:
    quantization = tensor.quantization
    shape = tuple(abs(extent) for extent in tensor.shape)
    return Described(
        shape, tensor.dtype, quantization.scales if quantization else (), quantization.zero_points if quantization else ()
    )


def objection_to(graph: Graph) -> str | None:
    """Returns why a file is no image classifier, told from its inputs and outputs; None where it is one."""
    try:
        classifier(of_graph(graph))
    except ArtifactError as error:
        return str(error)
    return None
