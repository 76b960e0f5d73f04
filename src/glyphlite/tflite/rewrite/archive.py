"""Files behind a model, as its labels: a zip archive at the end, which the object model does not hold and packing loses."""

import io
import zipfile

from glyphlite.errors import ArtifactError
from glyphlite.files.untrusted import parsing

LARGEST_FILES = 16 << 20
"""Bytes of all files behind a model, unpacked."""


def with_files_of(content: bytes, original: bytes, name: str) -> bytes:
    """Returns a model with the files behind another one, their dates left out so that equal models are equal files.

    Args:
        content: a model with nothing behind it.
        original: a .tflite file, with or without an archive.
        name: what messages call the original.

    Raises:
        ArtifactError: its archive is damaged or unfolds to more than anything behind a model is.
    """
    if not zipfile.is_zipfile(io.BytesIO(original)):
        return content
    stream = io.BytesIO(content)
    stream.seek(0, io.SEEK_END)
    unreadable = f"{name}: the archive behind the model cannot be read; drop it, or fetch the file again"
    with (
        parsing(unreadable, ArtifactError),
        zipfile.ZipFile(io.BytesIO(original)) as source,
        zipfile.ZipFile(stream, "a") as target,
    ):
        if sum(entry.file_size for entry in source.infolist()) > LARGEST_FILES:
            raise ArtifactError(f"{name}: the files behind the model take more than {LARGEST_FILES:,} bytes; drop them")
        for entry in source.infolist():
            target.writestr(zipfile.ZipInfo(entry.filename), source.read(entry))
    return stream.getvalue()
