"""Reads a .tflite file into a :class:`Graph` that the rest of glyphlite may trust, or refuses it with one line.

Everything a consumer indexes, allocates or divides by is checked here: indices, buffer sizes, shapes, scales, zero points, the
order of ops, and for the ops that glyphlite computes with, that shapes and options fit (:mod:`glyphlite.tflite.shapes`). No
runtime is asked.
"""

import math
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.tflite import ops
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.options import decode_options
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.schema import (
    NUMPY_TYPES,
    TENSOR_TYPES,
    VERSION,
    StoredCode,
    StoredModel,
    StoredOperator,
    StoredTensor,
    decode,
)
from glyphlite.tflite.shapes import check_operator
from glyphlite.tflite.text import printable

MAX_FILE_BYTES = 1 << 30
MAX_TENSOR_BYTES = 1 << 28
MAX_ACTIVATION_BYTES = 1 << 30
MAX_RANK = 8


def read_graph(path: Path) -> Graph:
    """Read and validate a .tflite file.

    Args:
        path: the file.

    Raises:
        ArtifactError: it cannot be read, is too large, is damaged, or holds what glyphlite does not support; the line says what.
    """
    return parse_graph(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """The bytes of what may be a .tflite file, if it is a file of a size that glyphlite takes.

    Args:
        path: the file.

    Raises:
        ArtifactError: it is missing, unreadable, not a regular file or too large.
    """
    path = Path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path} is not a file; name a .tflite file")
        if status.st_size > MAX_FILE_BYTES:
            raise ArtifactError(
                f"{path} has {status.st_size:,} bytes; glyphlite reads .tflite files up to {MAX_FILE_BYTES:,} bytes"
            )
        return path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror or error}; name a .tflite file") from None
    except ValueError:
        raise ArtifactError(f"cannot read {str(path)!r}: not a valid file name") from None


def parse_graph(content: bytes, name: str = "model") -> Graph:
    """Validate the bytes of a .tflite file.

    Args:
        content: the whole file.
        name: what messages call it.

    Raises:
        ArtifactError: as in :func:`read_graph`.
    """
    stored = decode(content, name)
    _check_model(stored, name)
    tensors = _Tensors(stored, content, name).read()
    _check_ports(stored, tensors, name)
    operators = _read_operators(stored, tensors, name)
    for operator in operators:
        check_operator(tensors, operator, name)
    return Graph(
        tensors=tensors,
        operators=operators,
        inputs=stored.inputs,
        outputs=stored.outputs,
        description=stored.description,
        signatures=tuple(signature.key for signature in stored.signatures),
        metadata=tuple(entry for entry, _ in stored.metadata),
        schema_version=stored.version,
    )


def _check_model(stored: StoredModel, name: str) -> None:
    if stored.version != VERSION:
        raise ArtifactError(f"{name} has schema version {stored.version}; glyphlite reads version {VERSION}")
    if stored.subgraphs != 1:
        raise ArtifactError(
            f"{name} has {stored.subgraphs} subgraphs; glyphlite reads models with one (control flow, IF or WHILE, makes more)"
        )
    for entry, buffer in stored.metadata:
        if buffer >= len(stored.buffers):
            raise ArtifactError(
                f"{name} is damaged: its metadata {entry!r} names buffer {buffer}, but it has {len(stored.buffers)}"
            )


class _Tensors:
    """Turns stored tensors into checked ones."""

    def __init__(self, stored: StoredModel, content: bytes, name: str) -> None:
        self._stored = stored
        self._content = content
        self._name = name
        self._activation_bytes = 0

    def read(self) -> tuple[Tensor, ...]:
        return tuple(self._tensor(index, tensor) for index, tensor in enumerate(self._stored.tensors))

    def _tensor(self, index: int, stored: StoredTensor) -> Tensor:
        where = f"{self._name}: tensor {index} ({printable(stored.name)})"
        if stored.is_sparse:
            raise ArtifactError(f"{where} is stored sparse, which glyphlite does not read; convert without sparsity")
        if stored.external_buffer:
            raise ArtifactError(f"{where} keeps its values in another file, which glyphlite does not read; convert into one file")
        dtype = _dtype(stored, where)
        shape = _shape(stored, dtype, where)
        raw = self._bytes(stored, where)
        if raw is None:
            self._count_activation(shape, dtype, where)
            data = None
        else:
            data = _constant(raw, shape, dtype, where)
        return Tensor(
            index=index,
            name=stored.name,
            shape=shape,
            dtype=dtype,
            quantization=_quantization(stored, shape, dtype, where),
            data=data,
            buffer=stored.buffer,
            is_variable=stored.is_variable,
        )

    def _bytes(self, stored: StoredTensor, where: str) -> np.ndarray | None:
        """The bytes of a constant; None for an activation. Large models keep them behind the FlatBuffer, by offset and size."""
        if stored.buffer >= len(self._stored.buffers):
            raise ArtifactError(f"{where} names buffer {stored.buffer}, but the file has {len(self._stored.buffers)}")
        buffer = self._stored.buffers[stored.buffer]
        if buffer.offset > 1:
            if buffer.offset + buffer.size > len(self._content):
                raise ArtifactError(
                    f"{where}: its {buffer.size:,} bytes at offset {buffer.offset:,} reach past the end of the file "
                    f"({len(self._content):,} bytes); fetch the file again"
                )
            return np.frombuffer(self._content, np.uint8, buffer.size, buffer.offset) if buffer.size else None
        return buffer.data if buffer.data is not None and len(buffer.data) else None

    def _count_activation(self, shape: Sequence[int], dtype: np.dtype, where: str) -> None:
        self._activation_bytes += _elements(shape) * dtype.itemsize
        if self._activation_bytes > MAX_ACTIVATION_BYTES:
            raise ArtifactError(
                f"{where}: the activations up to here take more than {MAX_ACTIVATION_BYTES:,} bytes, the most glyphlite takes"
            )


def _dtype(stored: StoredTensor, where: str) -> np.dtype:
    if not 0 <= stored.type < len(TENSOR_TYPES):
        raise ArtifactError(f"{where} has the unknown element type {stored.type}; glyphlite knows 0 to {len(TENSOR_TYPES) - 1}")
    type_name = TENSOR_TYPES[stored.type]
    if type_name not in NUMPY_TYPES:
        raise ArtifactError(
            f"{where} holds {type_name} values, which glyphlite does not read; convert to float32, float16, int8 or int16x8"
        )
    return NUMPY_TYPES[type_name]


def _shape(stored: StoredTensor, dtype: np.dtype, where: str) -> tuple[int, ...]:
    stored_shape, stored_signature = stored.shape, stored.signature
    rank = 0 if stored_shape is None else len(stored_shape)
    if stored_shape is None or rank == 0:
        return ()
    if rank > MAX_RANK:
        raise ArtifactError(f"{where} has {rank:,} dimensions; glyphlite takes up to {MAX_RANK}")
    shape = tuple(stored_shape.tolist())
    if stored_signature is not None and len(stored_signature):
        if len(stored_signature) != rank:
            raise ArtifactError(f"{where}: its shape has {rank} dimensions, its signature {len(stored_signature):,}")
        signature = tuple(stored_signature.tolist())
        if any(free not in (-1, extent) for free, extent in zip(signature, shape, strict=True)):
            raise ArtifactError(
                f"{where} has the shape {list(shape)} but the signature {list(signature)}; they must agree where not free (-1)"
            )
        shape = signature
    if any(extent < 1 and extent != -1 for extent in shape):
        raise ArtifactError(f"{where} has the shape {list(shape)}; every extent must be 1 or more (-1 where the batch is free)")
    if _elements(shape) * dtype.itemsize > MAX_TENSOR_BYTES:
        raise ArtifactError(
            f"{where} has the shape {list(shape)}: more than {MAX_TENSOR_BYTES:,} bytes, the most glyphlite takes"
        )
    return shape


def _elements(shape: Sequence[int]) -> int:
    return math.prod(abs(extent) for extent in shape)


def _constant(raw: np.ndarray, shape: tuple[int, ...], dtype: np.dtype, where: str) -> np.ndarray:
    if -1 in shape:
        raise ArtifactError(f"{where} is a constant of the free shape {list(shape)}; a constant needs every extent")
    expected = _elements(shape) * dtype.itemsize
    if len(raw) != expected:
        raise ArtifactError(
            f"{where}: {dtype.name} of shape {list(shape)} takes {expected:,} bytes, its buffer holds {len(raw):,}"
        )
    if dtype.kind == "b" and raw.max() > 1:
        raise ArtifactError(f"{where} is boolean but holds the byte {raw.max()}; only 0 and 1 are allowed")
    return raw.view(dtype).reshape(shape)


def _quantization(stored: StoredTensor, shape: tuple[int, ...], dtype: np.dtype, where: str) -> Quantization | None:
    """The checked scales and zero points; None where there are none, or where the element type gives them no meaning."""
    quantization = stored.quantization
    if quantization is None:
        return None
    if quantization.details:
        raise ArtifactError(
            f"{where} is quantized by a scheme other than scale and zero point (kind {quantization.details}); convert to int8"
        )
    scales, zero_points, axis = quantization.scales, quantization.zero_points, quantization.axis
    if scales is None or not len(scales):
        if zero_points is not None and len(zero_points):
            raise ArtifactError(f"{where} has zero points but no scales")
        return None
    count = len(scales)
    if zero_points is None or len(zero_points) not in (1, count):
        found = 0 if zero_points is None else len(zero_points)
        raise ArtifactError(f"{where} has {count:,} scales and {found:,} zero points; there must be one zero point a scale")
    if not 0 <= axis < max(len(shape), 1):
        raise ArtifactError(f"{where} is quantized along axis {axis}, but has {len(shape)} dimensions")
    if count > 1 and (not shape or shape[axis] != count):
        raise ArtifactError(
            f"{where} has {count:,} scales along axis {axis} of the shape {list(shape)}; there must be one a channel"
        )
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ArtifactError(f"{where} has a scale that is not a finite number above 0; convert the model again")
    if dtype.kind not in "iu":
        return None
    limits = np.iinfo(dtype)
    if int(zero_points.min()) < limits.min or int(zero_points.max()) > limits.max:
        raise ArtifactError(
            f"{where} has zero points {zero_points.min()} to {zero_points.max()}; {dtype.name} takes {limits.min} to {limits.max}"
        )
    return Quantization(scales=tuple(scales.tolist()), zero_points=tuple(np.broadcast_to(zero_points, count).tolist()), axis=axis)


def _check_ports(stored: StoredModel, tensors: Sequence[Tensor], name: str) -> None:
    for kind, indices in (("inputs", stored.inputs), ("outputs", stored.outputs)):
        if not indices:
            raise ArtifactError(f"{name} has no {kind}; a model needs at least one")
        if len(set(indices)) != len(indices):
            raise ArtifactError(f"{name} names a tensor twice among its {kind} {_few(indices)}")
        for index in indices:
            _check_index(index, tensors, f"{name}: its {kind}")
    for signature in stored.signatures:
        for index in signature.tensors:
            _check_index(index, tensors, f"{name}: its signature {printable(signature.key)!r}")
    for index in stored.inputs:
        if tensors[index].is_constant:
            raise ArtifactError(
                f"{name}: input tensor {index} ({printable(tensors[index].name)}) is a constant; an input holds no values"
            )


def _read_operators(stored: StoredModel, tensors: Sequence[Tensor], name: str) -> tuple[Operator, ...]:
    """Ops with typed options, each reading only what is there by then: an order without cycles, and no tensor written twice."""
    written = {tensor.index for tensor in tensors if tensor.is_constant or tensor.is_variable} | set(stored.inputs)
    operators = []
    for index, operator in enumerate(stored.operators):
        code, builtin, op_name = _operator_code(operator, stored.codes, f"{name}: op {index}")
        where = f"{name}: op {index} ({printable(code.custom or op_name)})"
        for tensor in operator.inputs:
            if tensor == -1:
                continue
            _check_index(tensor, tensors, f"{where} reads")
            if tensor not in written:
                raise ArtifactError(
                    f"{where} reads tensor {tensor} before any op has written it; the ops must be in order, without a cycle"
                )
        if not operator.outputs:
            raise ArtifactError(f"{where} has no outputs")
        for tensor in operator.outputs:
            _check_index(tensor, tensors, f"{where} writes")
            if tensor in written:
                raise ArtifactError(
                    f"{where} writes tensor {tensor}, which is an input, a constant or written before; each has one writer"
                )
            written.add(tensor)
        inputs = [None if tensor == -1 else tensors[tensor] for tensor in operator.inputs]
        operators.append(
            Operator(
                index=index,
                builtin_code=builtin,
                name=op_name,
                inputs=operator.inputs,
                outputs=operator.outputs,
                options=decode_options(op_name, operator.options_type, operator.options, inputs),
                version=code.version,
                custom_code=code.custom if builtin == ops.CUSTOM else None,
            )
        )
    for tensor in stored.outputs:
        if tensor not in written:
            raise ArtifactError(f"{name}: no op writes the output tensor {tensor} ({printable(tensors[tensor].name)})")
    return tuple(operators)


def _operator_code(operator: StoredOperator, codes: Sequence[StoredCode], where: str) -> tuple[StoredCode, int, str]:
    """The code that an op names, its builtin number and name. Of the two stored fields the larger counts (``GetBuiltinCode``)."""
    if operator.code >= len(codes):
        raise ArtifactError(f"{where} names operator code {operator.code}, but the file has {len(codes)}")
    code = codes[operator.code]
    builtin = max(code.deprecated_code, code.code)
    op_name = ops.name_of(builtin)
    if op_name is None or builtin == ops.PLACEHOLDER or min(code.deprecated_code, code.code) < 0:
        raise ArtifactError(f"{where} has the unknown builtin code {builtin}; glyphlite knows 0 to {len(ops.BUILTIN_OPS) - 1}")
    if builtin == ops.CUSTOM and not code.custom:
        raise ArtifactError(f"{where} is a custom op without a name")
    if code.version < 1:
        raise ArtifactError(f"{where} ({op_name}) has version {code.version}; versions start at 1")
    return code, builtin, op_name


def _check_index(index: int, tensors: Sequence[Tensor], what: str) -> None:
    if not 0 <= index < len(tensors):
        raise ArtifactError(f"{what}: tensor {index} does not exist, the file has {len(tensors)} tensors")


def _few(values: Sequence[int]) -> str:
    return f"[{', '.join(map(str, values[:8]))}{', ...' if len(values) > 8 else ''}]"
