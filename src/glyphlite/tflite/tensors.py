"""Stored tensors into checked ones, one at a time: what an op makes of them is not looked at.

Element types must be ones that NumPy can hold, shapes within bounds, constants of the size that their shape asks for, scales and
zero points such that they mean something. Of a tensor that nothing reads or writes, as the intermediates of an LSTM, only the
element type and the buffer's number are checked: runtimes look no further either.
"""

import math
from collections.abc import Sequence

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.escaping import printable
from glyphlite.tflite.graph import RESOURCE, Element, Tensor
from glyphlite.tflite.int4 import unpack_int4
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.schema import NUMPY_TYPES, PACKED_BITS, TENSOR_TYPES, StoredModel, StoredSubgraph, StoredTensor

MAX_TENSOR_BYTES = 1 << 28
MAX_ACTIVATION_BYTES = 1 << 30
MAX_RANK = 8
MAX_SCALES = 1 << 20

_WIDE_INTEGERS = ("int32", "int64")
"""The types of shapes, axes and biases. A constant of them may hold nothing: the shape of a scalar."""


def read_tensors(stored: StoredModel, content: bytes, name: str) -> tuple[tuple[Tensor, ...], ...]:
    """Returns the tensors of a decoded file, subgraph by subgraph, each checked by itself.

    Args:
        stored: the decoded tables.
        content: the whole file, where large models keep their constants behind the tables.
        name: what messages call the file.

    Raises:
        ArtifactError: a tensor is impossible, too large, or stored in a way that glyphlite does not read.
    """
    return _Tensors(stored, content, name).read()


class _Tensors:
    """Turns stored tensors into checked ones."""

    def __init__(self, stored: StoredModel, content: bytes, name: str) -> None:
        self._stored = stored
        self._content = content
        self._name = name
        self._activation_bytes = 0
        self._scales = 0

    def read(self) -> tuple[tuple[Tensor, ...], ...]:
        names = subgraph_names(self._name, len(self._stored.subgraphs))
        return tuple(self._subgraph(*pair) for pair in zip(self._stored.subgraphs, names, strict=True))

    def _subgraph(self, stored: StoredSubgraph, name: str) -> tuple[Tensor, ...]:
        used = {*stored.inputs, *stored.outputs}.union(*((*each.inputs, *each.outputs) for each in stored.operators))
        return tuple(
            self._tensor(index, tensor, name) if index in used else self._unused(index, tensor, name)
            for index, tensor in enumerate(stored.tensors)
        )

    def _unused(self, index: int, stored: StoredTensor, name: str) -> Tensor:
        """Returns a tensor that holds nothing; its shape is there to be shown."""
        where = f"{name}: tensor {index} ({printable(stored.name)})"
        element = _element(stored, where)
        self._check_buffer(stored, where)
        shape = () if stored.shape is None else tuple(stored.shape[: MAX_RANK + 1].tolist())
        if len(shape) > MAX_RANK or min(shape, default=0) < 0 or _elements(shape) * element.dtype.itemsize > MAX_TENSOR_BYTES:
            shape = (0,)
        return Tensor(index, stored.name, shape, element.dtype, None, buffer=stored.buffer, packed_bits=element.packed_bits)

    def _tensor(self, index: int, stored: StoredTensor, name: str) -> Tensor:
        where = f"{name}: tensor {index} ({printable(stored.name)})"
        if stored.is_sparse:
            raise ArtifactError(f"{where} is stored sparse, which glyphlite does not read; convert without sparsity")
        if stored.has_variants:
            raise ArtifactError(f"{where} holds variants of tensors, which glyphlite does not read")
        if stored.external_buffer:
            raise ArtifactError(f"{where} keeps its values in another file, which glyphlite does not read; convert into one file")
        element = _element(stored, where)
        raw = self._bytes(stored, where)
        shape = _shape(stored, element.dtype, where, is_constant=raw is not None)
        self._count_scales(stored, where)
        if not _elements(shape) and raw is None and not stored.is_variable:
            raw = np.zeros(0, np.uint8)
        if raw is not None and stored.is_variable:
            raise ArtifactError(f"{where} is a variable and a constant at once; a variable holds no values in the file")
        if element.dtype == RESOURCE and (raw is not None or _elements(shape) != 1 or stored.is_variable):
            raise ArtifactError(f"{where} is a resource of the shape {list(shape)}; it must be one handle that an op makes")
        if raw is None and element.packed_bits:
            raise ArtifactError(f"{where} is an activation of {element.packed_bits} bits; only constants may have so few")
        if raw is None:
            self._count_activation(shape, element.dtype, where)
            data = None
        else:
            data = _constant(raw, shape, element, where)
        return Tensor(
            index=index,
            name=stored.name,
            shape=shape,
            dtype=element.dtype,
            quantization=_quantization(stored, shape, element, where, data),
            data=data,
            buffer=stored.buffer,
            is_variable=stored.is_variable,
            packed_bits=element.packed_bits,
            is_behind=self._stored.buffers[stored.buffer].offset > 1,
        )

    def _bytes(self, stored: StoredTensor, where: str) -> np.ndarray | None:
        """Returns the bytes of a constant; None for an activation. Large models keep them behind the FlatBuffer, by offset and
        size.
        """
        self._check_buffer(stored, where)
        buffer = self._stored.buffers[stored.buffer]
        if buffer.offset > 1:
            if buffer.offset + buffer.size > len(self._content):
                raise ArtifactError(
                    f"{where}: its {buffer.size:,} bytes at offset {buffer.offset:,} reach past the end of the file "
                    f"({len(self._content):,} bytes); fetch the file again"
                )
            return np.frombuffer(self._content, np.uint8, buffer.size, buffer.offset) if buffer.size else None
        return buffer.data if buffer.data is not None and len(buffer.data) else None

    def _check_buffer(self, stored: StoredTensor, where: str) -> None:
        if stored.buffer >= len(self._stored.buffers):
            raise ArtifactError(f"{where} names buffer {stored.buffer}, but the file has {len(self._stored.buffers)}")

    def _count_scales(self, stored: StoredTensor, where: str) -> None:
        """Counts scales against a budget: tensors may share one vector of them, which becomes a tuple in each."""
        scales = stored.quantization.scales if stored.quantization else None
        self._scales += 0 if scales is None else len(scales)
        if self._scales > MAX_SCALES:
            raise ArtifactError(f"{where}: the scales up to here are more than {MAX_SCALES:,}, the most glyphlite takes")

    def _count_activation(self, shape: Sequence[int], dtype: np.dtype, where: str) -> None:
        self._activation_bytes += _elements(shape) * dtype.itemsize
        if self._activation_bytes > MAX_ACTIVATION_BYTES:
            raise ArtifactError(
                f"{where}: the activations up to here take more than {MAX_ACTIVATION_BYTES:,} bytes, the most glyphlite takes"
            )


def subgraph_names(name: str, count: int) -> list[str]:
    """Returns what messages call each subgraph of a file: the first by the file's name."""
    return [name, *(f"{name}: subgraph {index}" for index in range(1, count))][:count]


def _element(stored: StoredTensor, where: str) -> Element:
    if not 0 <= stored.type < len(TENSOR_TYPES):
        raise ArtifactError(f"{where} has the unknown element type {stored.type}; glyphlite knows 0 to {len(TENSOR_TYPES) - 1}")
    type_name = TENSOR_TYPES[stored.type]
    if type_name in PACKED_BITS:
        return Element(np.dtype(np.int8), PACKED_BITS[type_name])
    if type_name not in NUMPY_TYPES:
        raise ArtifactError(
            f"{where} holds {type_name} values, which glyphlite does not read; convert to float32, float16, int8 or int16x8"
        )
    return Element(NUMPY_TYPES[type_name])


def _shape(stored: StoredTensor, dtype: np.dtype, where: str, *, is_constant: bool) -> tuple[int, ...]:
    """Returns the shape, -1 where the signature frees an extent of 1. Else the signature says nothing: no runtime reads it."""
    stored_shape, stored_signature = stored.shape, stored.signature
    rank = 0 if stored_shape is None else len(stored_shape)
    if stored_shape is None or rank == 0:
        return ()
    if rank > MAX_RANK:
        raise ArtifactError(f"{where} has {rank:,} dimensions; glyphlite takes up to {MAX_RANK}")
    shape = tuple(stored_shape.tolist())
    if shape == (0,) and dtype.name in _WIDE_INTEGERS and not stored.is_variable:
        return shape
    if min(shape) < 1:
        raise ArtifactError(
            f"{where} has the shape {list(shape)}; every extent must be 1 or more (a free one is -1 in the signature)"
        )
    if stored_signature is not None and len(stored_signature) == rank and not is_constant:
        pairs = zip(stored_signature.tolist(), shape, strict=True)
        shape = tuple(-1 if (known, extent) == (-1, 1) else extent for known, extent in pairs)
    if _elements(shape) * dtype.itemsize > MAX_TENSOR_BYTES:
        raise ArtifactError(
            f"{where} has the shape {list(shape)}: more than {MAX_TENSOR_BYTES:,} bytes, the most glyphlite takes"
        )
    return shape


def _elements(shape: Sequence[int]) -> int:
    return math.prod(abs(extent) for extent in shape)


def _constant(raw: np.ndarray, shape: tuple[int, ...], element: Element, where: str) -> np.ndarray:
    expected = element.stored_bytes(_elements(shape))
    if len(raw) != expected:
        raise ArtifactError(
            f"{where}: {element.name} of shape {list(shape)} takes {expected:,} bytes, its buffer holds {len(raw):,}"
        )
    if element.dtype.kind == "b" and raw.max() > 1:
        raise ArtifactError(f"{where} is boolean but holds the byte {raw.max()}; only 0 and 1 are allowed")
    values = unpack_int4(raw, _elements(shape)) if element.packed_bits else raw.view(element.dtype)
    return values.reshape(shape)


def _quantization(
    stored: StoredTensor, shape: tuple[int, ...], element: Element, where: str, data: np.ndarray | None
) -> Quantization | None:
    """Returns the checked scales and zero points; None where there are none, or where the element type gives them no meaning.

    A constant of 32 or 64 bits is a bias, whose scale follows from those of input and weights: a missing zero point is 0, a scale
    may be 0, and the axis is the only one that there is. The axis of a single scale means nothing. A channel of weights that are
    all 0 may have the scale 0: converters of 2019 wrote it; so may a constant that is 0 throughout, as an LSTM's first state.
    """
    quantization = stored.quantization
    if quantization is None:
        return None
    if quantization.details:
        raise ArtifactError(
            f"{where} is quantized by a scheme other than scale and zero point (kind {quantization.details}); convert to int8"
        )
    scales, zero_points, axis = quantization.scales, quantization.zero_points, quantization.axis
    is_bias = data is not None and element.dtype.name in _WIDE_INTEGERS
    if scales is None or not len(scales):
        if zero_points is not None and len(zero_points):
            raise ArtifactError(f"{where} has zero points but no scales")
        return None
    count = len(scales)
    if is_bias and (zero_points is None or not len(zero_points)):
        zero_points = np.zeros(1, np.int64)
    if zero_points is None or len(zero_points) not in (1, count):
        found = 0 if zero_points is None else len(zero_points)
        raise ArtifactError(f"{where} has {count:,} scales and {found:,} zero points; there must be one zero point a scale")
    if count == 1:
        axis = 0
    elif is_bias and count == _elements(shape) and count in shape:
        axis = shape.index(count)
    if not 0 <= axis < max(len(shape), 1):
        raise ArtifactError(f"{where} is quantized along axis {axis}, but has {len(shape)} dimensions")
    if count > 1 and (not shape or shape[axis] != count):
        raise ArtifactError(
            f"{where} has {count:,} scales along axis {axis} of the shape {list(shape)}; there must be one per channel"
        )
    is_nothing = data is not None and count == 1 and bool((data == zero_points[0]).all())
    may_be_zero = is_bias or (data is not None and count > 1) or is_nothing
    if not np.isfinite(scales).all() or scales.min() < 0 or (not scales.all() and not may_be_zero):
        raise ArtifactError(f"{where} has a scale that is not a finite number above 0; convert the model again")
    if element.dtype.kind not in "iu":
        return None
    lowest, highest = element.limits
    if int(zero_points.min()) < lowest or int(zero_points.max()) > highest:
        raise ArtifactError(
            f"{where} has zero points {zero_points.min()} to {zero_points.max()}; {element.name} takes {lowest} to {highest}"
        )
    return Quantization(scales=tuple(scales.tolist()), zero_points=tuple(np.broadcast_to(zero_points, count).tolist()), axis=axis)
