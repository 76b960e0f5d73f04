"""Metadata of a .tflite file for people and tools: description, class labels, how an image enters it.

Written as Android's Task and Support libraries and MediaPipe read it: a ``ModelMetadata`` flatbuffer (identifier M001) in the
buffer that the model's metadata entry ``TFLITE_METADATA`` names, and the labels as a text file in a zip archive behind the
model. Format: ``tensorflow_lite_support/metadata/metadata_schema.fbs`` of tflite-support 0.4, whose Python package has not been
released since 2023; MediaPipe's, which has, weighs 100 MB. Reading never trusts the file. Knows nothing of how models are made.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glyphlite.errors import ArtifactError
from glyphlite.escaping import lines_of, name_of, visible
from glyphlite.files.untrusted import parsing
from glyphlite.tflite.flatbuffer import Buffer, Table
from glyphlite.tflite.writer import pack_model, unpack_model

ENTRY = "TFLITE_METADATA"
IDENTIFIER = b"M001"
LABELS_FILE = "labels.txt"
PARSER_VERSION = "1.0.0"
"""The oldest reader of the metadata that understands everything written here."""

AXIS_LABELS, IMAGE_PROPERTIES, FEATURE_PROPERTIES, NORMALIZATION, GRAYSCALE, RGB = 2, 2, 1, 1, 2, 1
"""``TENSOR_AXIS_LABELS``, ``ContentProperties`` image and feature, ``ProcessUnitOptions`` normalization, ``ColorSpaceType``."""

MODEL_METADATA, MODEL_BUFFERS = 6, 4
"""Fields of the .tflite schema's ``Model`` table."""

LARGEST_LABELS = 1 << 20
"""Bytes of a labels file; ten thousand classes fit."""

LARGEST_ARCHIVE = 2 * LARGEST_LABELS
"""Bytes at the end of a file that are searched for its archive: a hostile one lists no more entries than fit there."""


@dataclass(frozen=True)
class ModelMetadata:
    """The metadata of a .tflite file.

    Attributes:
        name: of the model.
        description: one or two sentences.
        version: of the model, as its maker counts.
        labels: the classes in the order of the output; empty when the file holds none.
        mean: subtracted from a pixel (0 to 255) before it enters; one number, or one per channel; empty where not said.
        std: what the difference is divided by, likewise.
    """

    name: str = ""
    description: str = ""
    version: str = ""
    labels: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


def add_metadata(content: bytes, metadata: ModelMetadata) -> bytes:
    """Puts metadata and labels into a .tflite file that glyphlite has converted, replacing what it had.

    Operators, tensors and constants stay as they are; the constants stay aligned to 16 bytes, as runtimes that map the file
    need them.

    Args:
        content: a valid .tflite file with one image input and one output (not for untrusted files).
        metadata: what it shall say.

    Raises:
        ArtifactError: a label holds a line break, so that it could not be read back.
    """
    from ai_edge_litert import schema_py_generated as schema

    if any("\n" in label or "\r" in label or not label for label in metadata.labels):
        raise ArtifactError("a class label is empty or holds a line break; rename the class")
    model = unpack_model(content)
    entries: dict[Any, Any] = {entry.name: entry for entry in model.metadata or []}
    if (entry := entries.get(ENTRY.encode())) is None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = ENTRY, len(model.buffers)
        model.metadata, model.buffers = [*entries.values(), entry], [*model.buffers, schema.BufferT()]
    image = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    model.buffers[entry.buffer].data = _pack_metadata(metadata, image.shape)
    if metadata.description:
        model.description = metadata.description
    return _with_labels(pack_model(model), metadata.labels)


def read_metadata(content: bytes) -> ModelMetadata:
    """Returns what any .tflite file says of itself; damaged or hostile metadata count as none."""
    labels = _read_labels_file(content)
    try:
        packed = _stored_metadata(content)
        if packed is None:
            return ModelMetadata(labels=labels)
        root = Buffer(packed, "metadata", IDENTIFIER).root()
        mean, std = _normalization(root)
        return ModelMetadata(root.text(0) or "", root.text(1) or "", root.text(2) or "", labels, mean, std)
    except ArtifactError:
        return ModelMetadata(labels=labels)


def read_labels(content: bytes) -> tuple[str, ...]:
    """Returns the class labels of any .tflite file in the order of its output; empty when it holds none that can be read."""
    return _read_labels_file(content)


def _stored_metadata(content: bytes) -> bytes | None:
    """Returns the bytes of the metadata flatbuffer."""
    model = Buffer(content, "model", b"TFL3").root()
    for entry in model.tables(MODEL_METADATA):
        if entry.text(0) == ENTRY:
            wanted = entry.integer(1, "uint32")
            for index, buffer in enumerate(model.tables(MODEL_BUFFERS)):
                if index == wanted:
                    data = buffer.array(0, "|u1")
                    return None if data is None else data.tobytes()
    return None


def _normalization(root: Table) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Returns mean and standard deviation of the first input's first normalization unit, a number or one per channel each.

    Numbers that no image could be normalized by, as a damaged file may hold, count as none.
    """
    for graph in root.tables(3):
        for tensor in graph.tables(2):
            for unit in tensor.tables(4):
                options = unit.table(1) if unit.integer(0, "uint8") == NORMALIZATION else None
                if options is not None:
                    mean, std = options.array(0, "<f4"), options.array(1, "<f4")
                    if mean is not None and std is not None and _normalizes(mean, std):
                        return tuple(map(float, mean)), tuple(map(float, std))
            return (), ()
    return (), ()


def _normalizes(mean: np.ndarray, std: np.ndarray) -> bool:
    counts = {len(mean), len(std)} <= {1, 2, 3, 4} and len({len(mean), len(std)} - {1}) <= 1
    return counts and bool(np.isfinite(mean).all() and np.isfinite(std).all() and (std > 0).all())


def _read_labels_file(content: bytes) -> tuple[str, ...]:
    try:
        with parsing("no labels", ArtifactError), zipfile.ZipFile(io.BytesIO(content[-LARGEST_ARCHIVE:])) as archive:
            entry = archive.getinfo(LABELS_FILE)
            if entry.file_size > LARGEST_LABELS or entry.compress_size > LARGEST_LABELS:
                return ()
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                return ()  # nobody writes labels otherwise, and every decoder fails in its own way
            with archive.open(entry) as stream:
                text = stream.read(LARGEST_LABELS + 1)
    except ArtifactError:
        return ()
    if len(text) > LARGEST_LABELS:
        return ()
    return tuple(name_of(line) for line in lines_of(text.decode(errors="surrogateescape")) if line.strip())


def _with_labels(content: bytes, labels: Sequence[str]) -> bytes:
    """Returns the model with a zip archive of its labels behind it; stored, with a fixed date, so that equal models are equal
    files.
    """
    if not labels:
        return content
    stream = io.BytesIO(content)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(zipfile.ZipInfo(LABELS_FILE), "\n".join(labels) + "\n")
    return stream.getvalue()


class _Writer:
    """Tables of the metadata schema, children first as flatbuffers want them."""

    def __init__(self) -> None:
        import flatbuffers

        self.builder = flatbuffers.Builder(1024)

    def text(self, value: str) -> int:
        """Returns a string; equal ones are stored once."""
        return self.builder.CreateSharedString(visible(value))

    def floats(self, *values: float) -> int:
        """Returns a vector of float32."""
        self.builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            self.builder.PrependFloat32(value)
        return self.builder.EndVector()

    def offsets(self, *targets: int) -> int:
        """Returns a vector of tables or strings."""
        self.builder.StartVector(4, len(targets), 4)
        for target in reversed(targets):
            self.builder.PrependUOffsetTRelative(target)
        return self.builder.EndVector()

    def table(self, fields: int, **slots: "tuple[int, Callable[[Any], None]]") -> int:
        """Returns a table of ``fields`` fields from (slot, how to write it) pairs; the keywords name the fields for the
        reader.
        """
        self.builder.StartObject(fields)
        for slot, write in slots.values():
            write(slot)
        return self.builder.EndObject()

    def offset(self, slot: int, target: int) -> "tuple[int, Callable[[Any], None]]":
        """Returns a field that holds a table, a string or a vector."""
        return slot, lambda number: self.builder.PrependUOffsetTRelativeSlot(number, target, 0)

    def byte(self, slot: int, value: int) -> "tuple[int, Callable[[Any], None]]":
        """Returns a field that holds an enumeration."""
        return slot, lambda number: self.builder.PrependInt8Slot(number, value, 0)

    def uint(self, slot: int, value: int) -> "tuple[int, Callable[[Any], None]]":
        """Returns a field that holds a number."""
        return slot, lambda number: self.builder.PrependUint32Slot(number, value, 0)


def _pack_metadata(metadata: ModelMetadata, input_shape: Sequence[int]) -> bytes:
    """Returns the ``ModelMetadata`` flatbuffer of an image classifier."""
    writer = _Writer()
    graph = writer.table(
        7,
        input_tensor_metadata=writer.offset(2, writer.offsets(_image_tensor(writer, metadata, input_shape))),
        output_tensor_metadata=writer.offset(3, writer.offsets(_scores_tensor(writer, metadata))),
    )
    fields = {"name": (0, metadata.name), "description": (1, metadata.description), "version": (2, metadata.version)}
    texts = {key: writer.offset(slot, writer.text(value)) for key, (slot, value) in fields.items() if value}
    root = writer.table(
        8,
        **texts,
        subgraph_metadata=writer.offset(3, writer.offsets(graph)),
        min_parser_version=writer.offset(7, writer.text(PARSER_VERSION)),
    )
    writer.builder.Finish(root, IDENTIFIER)
    return bytes(writer.builder.Output())


def _image_tensor(writer: _Writer, metadata: ModelMetadata, shape: Sequence[int]) -> int:
    """Returns the input: an image of its size and colours, its pixels normalized by mean and standard deviation."""
    height, width, channels = (int(extent) for extent in shape[1:4]) if len(shape) == 4 else (0, 0, 0)
    size = writer.table(2, width=writer.uint(0, width), height=writer.uint(1, height))
    colours = {1: GRAYSCALE, 3: RGB}.get(channels, 0)
    properties = writer.table(2, color_space=writer.byte(0, colours), default_size=writer.offset(1, size))
    content = writer.table(3, kind=writer.byte(0, IMAGE_PROPERTIES), content_properties=writer.offset(1, properties))
    fields = {"name": writer.offset(0, writer.text("image")), "content": writer.offset(3, content)}
    if metadata.mean and metadata.std:
        mean, std = writer.floats(*metadata.mean), writer.floats(*metadata.std)
        options = writer.table(2, mean=writer.offset(0, mean), std=writer.offset(1, std))
        unit = writer.table(2, kind=writer.byte(0, NORMALIZATION), options=writer.offset(1, options))
        low, high = (writer.floats(*_ends(pixel, metadata)) for pixel in (0, 255))
        fields["process_units"] = writer.offset(4, writer.offsets(unit))
        fields["stats"] = writer.offset(5, writer.table(2, max=writer.offset(0, high), min=writer.offset(1, low)))
    return writer.table(7, **fields)


def _ends(pixel: int, metadata: ModelMetadata) -> list[float]:
    """Returns what a pixel becomes: one number, or one per channel."""
    count = max(len(metadata.mean), len(metadata.std))
    pairs = ((metadata.mean[each % len(metadata.mean)], metadata.std[each % len(metadata.std)]) for each in range(count))
    return [(pixel - mean) / std for mean, std in pairs]


def _scores_tensor(writer: _Writer, metadata: ModelMetadata) -> int:
    """Returns the output: a probability for each class, the classes named by the labels file."""
    properties = writer.table(0)
    content = writer.table(3, kind=writer.byte(0, FEATURE_PROPERTIES), content_properties=writer.offset(1, properties))
    high, low = writer.floats(1.0), writer.floats(0.0)
    fields = {
        "name": writer.offset(0, writer.text("probability")),
        "content": writer.offset(3, content),
        "stats": writer.offset(5, writer.table(2, max=writer.offset(0, high), min=writer.offset(1, low))),
    }
    if metadata.labels:
        file = writer.table(4, name=writer.offset(0, writer.text(LABELS_FILE)), type=writer.byte(2, AXIS_LABELS))
        fields["associated_files"] = writer.offset(6, writer.offsets(file))
    return writer.table(7, **fields)
