"""Writing .tflite files through the schema's object model, for files of our own making: unpack, change, pack.

The schema comes with LiteRT. What is unpacked here is trusted; for files from elsewhere there is :mod:`glyphlite.tflite.reader`.
"""

from typing import Any


def unpack_model(content: bytes) -> Any:
    """Returns the object model (``ModelT``) of a valid .tflite file; anything behind the model, as a labels archive, is not in
    it.
    """
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0)


def text_of(name: bytes | str | None) -> str:
    """Returns a name in an object model as text: the converter's are bytes, those set here strings, a missing one None."""
    return name.decode(errors="replace") if isinstance(name, bytes) else name or ""


def pack_model(model: Any) -> bytes:
    """Returns the .tflite bytes of an object model, buffers aligned by 16 as the schema asks and its generated code forgets.

    Vectors of equal numbers (zero points, shapes, scales) are written once, as FlatBuffers allows: in a model of a thousand
    weights their copies are a fifth of the file.
    """
    from ai_edge_litert import schema_py_generated as schema

    class AlignedBuffer(schema.BufferT):
        """A buffer that starts on a multiple of 16 bytes."""

        def Pack(self, builder: Any) -> int:  # noqa: N802 (the generated code's name)
            data = None
            if self.data is not None and len(self.data):
                values = bytes(self.data)
                builder.StartVector(1, len(values), 16)
                builder.head -= len(values)
                builder.Bytes[builder.head : builder.head + len(values)] = values
                data = builder.EndVector()
            schema.BufferStart(builder)
            if data is not None:
                schema.BufferAddData(builder, data)
            return schema.BufferEnd(builder)

    aligned = []
    for buffer in model.buffers:
        packed = AlignedBuffer()
        packed.data = buffer.data
        aligned.append(packed)
    model.buffers = aligned
    builder = _sharing_builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _sharing_builder(size: int) -> Any:
    """Returns a FlatBuffers builder that points to the first of several vectors of the same bytes and alignment.

    Only to vectors of numbers: in one of references the same bytes mean something else at another place.
    """
    import flatbuffers

    class SharingBuilder(flatbuffers.Builder):
        """Counts offsets from the end of the file, as FlatBuffers are built from behind."""

        __slots__ = ("_alignment", "_bytes", "_known", "_refers", "_start")

        def __init__(self, size: int) -> None:
            super().__init__(size)
            self._start: int | None = None
            self._known: dict[tuple[int, bytes], int] = {}

        def StartVector(self, elemSize: int, numElems: int, alignment: int) -> int:  # noqa: N802, N803 (the library's names)
            self._start, self._alignment, self._refers = self.Offset(), alignment, False
            self._bytes = 4 + elemSize * numElems  # its length, its elements; what follows to align them is not of it
            return super().StartVector(elemSize, numElems, alignment)

        def PrependUOffsetTRelative(self, off: int) -> None:  # noqa: N802
            self._refers = True
            super().PrependUOffsetTRelative(off)

        def EndVector(self, numElems: int | None = None) -> int:  # noqa: N802, N803
            end = super().EndVector(numElems)
            start, self._start = self._start, None
            if start is None or self._refers:  # a string, or references
                return end
            written = bytes(self.Bytes[self.head : self.head + self._bytes])
            first = self._known.setdefault((self._alignment, written), end)
            if first != end:
                self.head = len(self.Bytes) - start  # take back what was written
            return first

    return SharingBuilder(size)
