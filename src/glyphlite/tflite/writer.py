"""Writing .tflite files through the schema's object model, for files of our own making: unpack, change, pack.

The schema comes with LiteRT. What is unpacked here is trusted; for files from elsewhere there is :mod:`glyphlite.tflite.reader`.
"""

from typing import Any


def unpack_model(content: bytes) -> Any:
    """The object model (``ModelT``) of a valid .tflite file; anything behind the model, as a labels archive, is not in it."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0)


def text_of(name: bytes | str | None) -> str:
    """A name in an object model as text: the converter's are bytes, those set here strings, a missing one None."""
    return name.decode(errors="replace") if isinstance(name, bytes) else name or ""


def pack_model(model: Any) -> bytes:
    """The .tflite bytes of an object model, buffers aligned by 16 as the schema asks and its generated code forgets."""
    import flatbuffers
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
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
