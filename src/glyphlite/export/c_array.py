"""Any .tflite file as an aligned C array: ``model_data.h`` with ``model_data.cc`` or ``model_data.c``. Never looks inside."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from glyphlite import __version__
from glyphlite.errors import OutputError
from glyphlite.export.c_names import c_array, check_identifier
from glyphlite.export.model_name import model_and_file
from glyphlite.export.templating import render
from glyphlite.files.folders import write_unit
from glyphlite.tflite.reader import read_artifact

Language = Literal["cc", "c"]

ALIGNMENT = 16
"""Bytes. TFLite Micro reads the flatbuffer where it lies; the format aligns its buffers to 16 bytes from the file's start."""

FILES = frozenset({"model_data.h", "model_data.cc", "model_data.c"})
"""Names of all files that an export in either language may write."""

LARGEST_ARRAY = 16 << 20
"""Bytes of a .tflite file; no microcontroller has more flash, and a compiler takes minutes over it."""


@dataclass(frozen=True)
class ModelData:
    """A model written as C: the symbols' common name, the model's bytes and hash, and the two files."""

    name: str
    bytes: int
    sha256: str
    files: tuple[Path, ...]


def model_data_sources(content: bytes, source: str, *, name: str, language: Language) -> dict[str, str]:
    """Returns the text of the two files, by file name.

    Args:
        content: the .tflite file.
        source: what the model and the .tflite file are called, for the comment.
        name: the symbols become ``<name>_data`` and ``<name>_data_length``.
        language: ``cc`` for C++, ``c`` for plain C.

    Raises:
        OutputError: the name is not a C identifier, or the language is neither.
    """
    if language not in ("cc", "c"):
        raise OutputError(f"--language {language!r} is unknown; expected cc or c")
    if len(content) > LARGEST_ARRAY:
        raise OutputError(
            f"{source} has {len(content):,} bytes; a C array takes at most {LARGEST_ARRAY:,}, more than any microcontroller holds"
        )
    check_identifier(name)
    values = {
        "source": source,
        "version": __version__,
        "sha256": sha256(content).hexdigest(),
        "guard": f"GLYPHLITE_{name.upper()}_MODEL_DATA_H_",
        "bytes": len(content),
        "alignment": ALIGNMENT,
        "name": name,
        "array": c_array(content),
    }
    implementation = f"model_data.{language}"
    return {"model_data.h": render("c_array/model_data.h", values), implementation: render(f"c_array/{implementation}", values)}


def write_model_data(
    artifact: Path, folder: Path, *, name: str = "model", language: Language = "cc", overwrite: bool = False
) -> ModelData:
    """Writes any .tflite file as C into a folder; other files there are left alone.

    Args:
        artifact: the .tflite file; its ops do not matter.
        folder: created if missing.
        name: the symbols become ``<name>_data`` and ``<name>_data_length``.
        language: ``cc`` for C++, ``c`` for plain C.
        overwrite: also replace files of an earlier export that were changed since.

    Raises:
        ArtifactError: not a .tflite file.
        OutputError: the name is not a C identifier, a file of the user's has the name of one of ours, or the folder cannot be
            written.
    """
    content = read_artifact(artifact)
    sources = model_data_sources(content, model_and_file(Path(artifact), content), name=name, language=language)
    files = tuple(write_unit(Path(folder), sources, replaces=FILES, overwrite=overwrite))
    return ModelData(name, len(content), sha256(content).hexdigest(), files)
