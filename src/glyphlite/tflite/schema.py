"""The tables of a .tflite file as plain records, straight from the bytes: decoded within bounds, not yet checked for sense.

The one place that knows field numbers. Source: ``tensorflow/compiler/mlir/lite/schema/schema.fbs`` (version 3, TensorFlow 2.21).
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from glyphlite.tflite.flatbuffer import Buffer, Table
from glyphlite.tflite.graph import RESOURCE

IDENTIFIER = b"TFL3"
VERSION = 3

_TYPE_NAMES = """
    FLOAT32 FLOAT16 INT32 UINT8 INT64 STRING BOOL INT16 COMPLEX64 INT8 FLOAT64 COMPLEX128 UINT64 RESOURCE VARIANT UINT32 UINT16
    INT4 BFLOAT16 INT2 UINT4 FLOAT8_E4M3FN FLOAT8_E5M2
"""

TENSOR_TYPES = tuple(_TYPE_NAMES.split())
"""``enum TensorType``: the name of a stored element type by its number."""

NUMPY_TYPES = MappingProxyType(
    {
        "FLOAT32": np.dtype("<f4"),
        "FLOAT16": np.dtype("<f2"),
        "FLOAT64": np.dtype("<f8"),
        "INT8": np.dtype("i1"),
        "INT16": np.dtype("<i2"),
        "INT32": np.dtype("<i4"),
        "INT64": np.dtype("<i8"),
        "UINT8": np.dtype("u1"),
        "UINT16": np.dtype("<u2"),
        "UINT32": np.dtype("<u4"),
        "UINT64": np.dtype("<u8"),
        "BOOL": np.dtype("?"),
        "COMPLEX64": np.dtype("<c8"),
        "COMPLEX128": np.dtype("<c16"),
        "RESOURCE": RESOURCE,
    }
)
"""The element types that NumPy can hold as they are stored. The others are packed, opaque or unknown to it."""

PACKED_BITS = MappingProxyType({"INT4": 4})
"""The element types of which several share a byte, and their bits; in memory each takes a byte of its own."""


@dataclass(frozen=True)
class StoredBuffer:
    """The place of a buffer's bytes: inside the FlatBuffer (``data``) or behind it in the same file (``offset``, ``size``)."""

    data: np.ndarray | None
    offset: int
    size: int


@dataclass(frozen=True)
class StoredQuantization:
    """Quantization parameters as stored; ``details`` is the number of a scheme that scale and zero point do not express."""

    scales: np.ndarray | None
    zero_points: np.ndarray | None
    axis: int
    details: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as stored."""

    name: str
    shape: np.ndarray | None
    signature: np.ndarray | None
    type: int
    buffer: int
    quantization: StoredQuantization | None
    is_variable: bool
    is_sparse: bool
    has_variants: bool
    external_buffer: int


@dataclass(frozen=True)
class StoredCode:
    """An operator code: the newer 32-bit field, the older 8-bit one, the version, the name of a custom op."""

    deprecated_code: int
    code: int
    version: int
    custom: str | None


@dataclass(frozen=True)
class StoredOperator:
    """An op as stored; ``options`` is its still undecoded options table of the kind ``options_type``."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options_type: int
    options: Table | None


@dataclass(frozen=True)
class StoredSignature:
    """A signature as stored: its key, the subgraph that it runs, and that one's tensors that its names stand for."""

    key: str
    tensors: tuple[int, ...]
    subgraph: int = 0


@dataclass(frozen=True)
class StoredSubgraph:
    """A subgraph as stored: its tables, and the tensors at its edges."""

    tensors: tuple[StoredTensor, ...]
    operators: tuple[StoredOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class StoredModel:
    """A whole file: its subgraphs, the first of which is the model, and what belongs to all of them."""

    version: int
    description: str
    codes: tuple[StoredCode, ...]
    buffers: tuple[StoredBuffer, ...]
    subgraphs: tuple[StoredSubgraph, ...]
    signatures: tuple[StoredSignature, ...]
    metadata: tuple[tuple[str, int], ...]


def decode(content: bytes, name: str) -> StoredModel:
    """Decodes the tables of a .tflite file.

    Fields that glyphlite has no use for are walked too, so that a reader that does use them finds them sound.

    Args:
        content: the whole file.
        name: what messages call it.

    Raises:
        ArtifactError: no .tflite file, or an offset, length or alignment in it is impossible.
    """
    model = Buffer(content, name, IDENTIFIER).root()
    subgraphs = tuple(_subgraph(table) for table in model.tables(2))
    model.array(5, "<i4")
    for unused in (8, 9):
        list(model.tables(unused))
    return StoredModel(
        version=model.integer(0, "uint32"),
        codes=tuple(_code(table) for table in model.tables(1)),
        subgraphs=subgraphs,
        description=model.text(3) or "",
        buffers=tuple(_buffer(table) for table in model.tables(4)),
        metadata=tuple((table.text(0) or "", table.integer(1, "uint32")) for table in model.tables(6)),
        signatures=tuple(_signature(table) for table in model.tables(7)),
    )


def _subgraph(table: Table) -> StoredSubgraph:
    table.text(4)
    return StoredSubgraph(
        tensors=tuple(_tensor(entry) for entry in table.tables(0)),
        inputs=table.integers(1),
        outputs=table.integers(2),
        operators=tuple(_operator(entry) for entry in table.tables(3)),
    )


def _code(table: Table) -> StoredCode:
    return StoredCode(
        deprecated_code=table.integer(0, "int8"),
        custom=table.text(1),
        version=table.integer(2, "int32", 1),
        code=table.integer(3, "int32"),
    )


def _buffer(table: Table) -> StoredBuffer:
    return StoredBuffer(data=table.array(0, "u1"), offset=table.integer(1, "uint64"), size=table.integer(2, "uint64"))


def _tensor(table: Table) -> StoredTensor:
    quantization = table.table(4)
    return StoredTensor(
        shape=table.array(0, "<i4"),
        type=table.integer(1, "int8"),
        buffer=table.integer(2, "uint32"),
        name=table.text(3) or "",
        quantization=_quantization(quantization) if quantization else None,
        is_variable=table.flag(5),
        is_sparse=table.has(6),
        has_variants=any(True for _ in table.tables(9)),
        signature=table.array(7, "<i4"),
        external_buffer=table.integer(10, "uint32"),
    )


def _signature(table: Table) -> StoredSignature:
    maps = [entry for field in (0, 1) for entry in table.tables(field)]
    for entry in maps:
        entry.text(0)
    tensors = tuple(entry.integer(1, "uint32") for entry in maps)
    return StoredSignature(key=table.text(2) or "", tensors=tensors, subgraph=table.integer(4, "uint32"))


def _quantization(table: Table) -> StoredQuantization:
    for unused in (0, 1):
        table.array(unused, "<f4")
    return StoredQuantization(
        scales=table.array(2, "<f4"),
        zero_points=table.array(3, "<i8"),
        details=table.integer(4, "uint8"),
        axis=table.integer(6, "int32"),
    )


def _operator(table: Table) -> StoredOperator:
    for unused, dtype in ((5, "u1"), (7, "u1"), (8, "<i4")):
        table.array(unused, dtype)
    table.table(12)
    return StoredOperator(
        code=table.integer(0, "uint32"),
        inputs=table.integers(1),
        outputs=table.integers(2),
        options_type=table.integer(3, "uint8"),
        options=table.table(4),
    )
