"""A FlatBuffers cursor that never leaves the file: every offset, length and alignment is checked before it is followed.

The generated readers trust their input (a hostile length becomes a struct.error, an endless loop or gigabytes of memory);
this one costs a few comparisons a field instead. Knows the binary format (https://flatbuffers.dev/internals/), nothing of the
.tflite schema.
"""

import struct
from collections.abc import Iterator

import numpy as np

from glyphlite.errors import ArtifactError

ROOT_BYTES = 8
"""The root offset and the four-letter file identifier."""

TABLE_COST = 256
INTEGER_COST = 64
BUDGET = 65_536 * TABLE_COST
"""What decoding one file may cost: a table 256 units, an index of a list 64, a byte of text one. Offsets may be shared, so that a
small file can unfold into a huge one; real models stay far below."""

VECTOR_ALIGNMENT = 4
"""Of the elements of a vector at most, whatever their width: a vendor's tool aligns 64-bit ones to four bytes, and LiteRT and
TFLite Micro read such files."""

_FORMATS = {
    "bool": struct.Struct("<?"),
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "uint16": struct.Struct("<H"),
    "int32": struct.Struct("<i"),
    "uint32": struct.Struct("<I"),
    "uint64": struct.Struct("<Q"),
    "float32": struct.Struct("<f"),
}


class Buffer:
    """The bytes of one file, read only through bounds checks.

    Args:
        content: the whole file.
        name: what messages call it.
        identifier: the four letters that the format puts after the root offset.

    Raises:
        ArtifactError: from any method, when the bytes are not a well-formed FlatBuffer.
    """

    def __init__(self, content: bytes, name: str, identifier: bytes) -> None:
        self.content = content
        self.name = name
        self._budget = BUDGET
        if len(content) < ROOT_BYTES or content[4:8] != identifier:
            raise ArtifactError(f"{name} is not a .tflite file: no {identifier.decode()} mark in its first {ROOT_BYTES} bytes")

    def root(self) -> "Table":
        """Returns the table that the file starts from."""
        return Table(self, self.follow(0))

    def malformed(self, detail: str) -> ArtifactError:
        """Returns the error that says where the structure breaks; to be raised by the caller."""
        return ArtifactError(f"{self.name} is damaged: {detail}; convert the model again or fetch the file again")

    def spend(self, amount: int) -> None:
        """Takes from the budget of this file, so that shared offsets cannot unfold it without end."""
        self._budget -= amount
        if self._budget < 0:
            raise ArtifactError(
                f"{self.name} is refused: decoding it takes more than {BUDGET // TABLE_COST:,} tables or their like"
            )

    def need(self, position: int, size: int, alignment: int = 1) -> None:
        """Checks that ``size`` bytes at ``position`` lie in the file, aligned."""
        if position < 0 or size < 0 or position + size > len(self.content):
            raise self.malformed(f"{size:,} bytes at offset {position:,} reach past its end ({len(self.content):,} bytes)")
        if position % alignment:
            raise self.malformed(f"the value at offset {position:,} is not aligned to {alignment} bytes")

    def scalar(self, position: int, kind: str) -> int | float | bool:
        """Returns one number at an absolute offset."""
        form = _FORMATS[kind]
        self.need(position, form.size, form.size)
        return form.unpack_from(self.content, position)[0]

    def follow(self, position: int) -> int:
        """Returns the absolute offset that the 32-bit offset at ``position`` points to. It always points forward."""
        offset = int(self.scalar(position, "uint32"))
        if offset == 0:
            raise self.malformed(f"the offset at {position:,} points to itself")
        self.need(position + offset, 4, 4)
        return position + offset

    def vector(self, position: int, item: int, alignment: int) -> tuple[int, int]:
        """Returns the start and the length of a vector of ``item``-byte elements, whole within the file."""
        length = int(self.scalar(position, "uint32"))
        self.need(position + 4, length * item)
        if length:
            self.need(position + 4, item, min(alignment, VECTOR_ALIGNMENT))
        return position + 4, length


class Table:
    """One table: its fields by their number in the schema. A missing field gives its default."""

    def __init__(self, buffer: Buffer, position: int) -> None:
        buffer.spend(TABLE_COST)
        self.buffer = buffer
        self.position = position
        self._vtable = position - int(buffer.scalar(position, "int32"))
        self._vtable_bytes = int(buffer.scalar(self._vtable, "uint16"))
        self._table_bytes = int(buffer.scalar(self._vtable + 2, "uint16"))
        if self._vtable_bytes < 4 or self._vtable_bytes % 2 or self._table_bytes < 4:
            raise buffer.malformed(f"the table at offset {position:,} has no valid field list")
        buffer.need(self._vtable, self._vtable_bytes, 2)
        buffer.need(position, self._table_bytes, 4)
        fields = struct.unpack_from(f"<{self._vtable_bytes // 2 - 2}H", buffer.content, self._vtable + 4)
        if fields and max(fields) >= self._table_bytes:
            raise buffer.malformed(f"a field of the table at offset {position:,} lies outside of it")

    def has(self, field: int) -> bool:
        """Returns whether the field is stored."""
        return self._locate(field, 1) is not None

    def integer(self, field: int, kind: str, default: int = 0) -> int:
        """Returns an integer field of the given kind (``int8`` ... ``uint64``)."""
        return int(self._scalar(field, kind, default))

    def real(self, field: int, default: float = 0.0) -> float:
        """Returns a float32 field."""
        return float(self._scalar(field, "float32", default))

    def flag(self, field: int, default: bool = False) -> bool:
        """Returns a boolean field."""
        return bool(self._scalar(field, "bool", default))

    def text(self, field: int) -> str | None:
        """Returns a string field; bytes that are not UTF-8 are shown as replacement characters."""
        target = self._target(field)
        if target is None:
            return None
        start, length = self.buffer.vector(target, 1, 1)
        self.buffer.spend(length)
        self.buffer.need(start, length + 1)
        if self.buffer.content[start + length]:
            raise self.buffer.malformed(f"the text at offset {target:,} does not end where it says")
        return self.buffer.content[start : start + length].decode("utf-8", errors="replace")

    def array(self, field: int, dtype: str) -> np.ndarray | None:
        """Returns a vector of numbers as a read-only view of the file, whatever its length."""
        target = self._target(field)
        if target is None:
            return None
        item = np.dtype(dtype)
        start, length = self.buffer.vector(target, item.itemsize, item.itemsize)
        return np.frombuffer(self.buffer.content, item, length, start)

    def integers(self, field: int, dtype: str = "<i4") -> tuple[int, ...]:
        """Returns a short vector of integers as Python numbers; a missing one is empty."""
        values = self.array(field, dtype)
        if values is None:
            return ()
        self.buffer.spend(len(values) * INTEGER_COST)
        return tuple(values.tolist())

    def table(self, field: int) -> "Table | None":
        """Returns a table field."""
        target = self._target(field)
        return None if target is None else Table(self.buffer, target)

    def tables(self, field: int) -> Iterator["Table"]:
        """Yields a vector of tables, one after the other; a missing one is empty."""
        target = self._target(field)
        if target is None:
            return
        start, length = self.buffer.vector(target, 4, 4)
        self.buffer.spend(length)
        for entry in range(length):
            yield Table(self.buffer, self.buffer.follow(start + 4 * entry))

    def _locate(self, field: int, size: int) -> int | None:
        """Returns the absolute offset of a field's inline bytes; None when it is not stored."""
        slot = 4 + 2 * field
        if slot + 2 > self._vtable_bytes:
            return None
        offset = int(self.buffer.scalar(self._vtable + slot, "uint16"))
        if offset == 0:
            return None
        if offset < 4 or offset + size > self._table_bytes:
            raise self.buffer.malformed(f"field {field} of the table at offset {self.position:,} lies outside of it")
        return self.position + offset

    def _scalar(self, field: int, kind: str, default: float) -> float:
        position = self._locate(field, _FORMATS[kind].size)
        return default if position is None else self.buffer.scalar(position, kind)

    def _target(self, field: int) -> int | None:
        position = self._locate(field, 4)
        return None if position is None else self.buffer.follow(position)


def empty_table(name: str) -> Table:
    """Returns a table without fields, for what the format may leave out: reading it gives every default."""
    identifier = b"none"
    return Buffer(struct.pack("<I4sHHi", 12, identifier, 4, 4, 4), name, identifier).root()
