"""Writing .keras files whose bytes depend on the model alone: equal models give equal files, so that a SHA-256 names a model.

Keras writes the date of saving into metadata.json and into the zip's entries, and memory addresses into config.json (its
``shared_object_id``).
"""

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glyphlite.files.owned import owned_path

if TYPE_CHECKING:
    import keras

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip entry can have."""


def save_keras(model: "keras.Model", path: Path) -> Path:
    """Writes a model as a .keras file, whole or not at all; equal models give equal bytes, in any process, at any time.

    Args:
        model: a built Keras model.
        path: ends in ``.keras``.

    Returns:
        The path.

    Raises:
        OutputError: the file cannot be written.
    """
    with owned_path(path) as temporary:
        model.save(temporary)
        temporary.write_bytes(without_circumstances(temporary.read_bytes()))
    return path


def stored_weights(path: Path) -> bytes:
    """Returns the weights in a .keras file as the bytes of a ``.weights.h5`` file.

    Keras writes such a file itself, but HDF5 swallows what the disk refuses when it closes one.
    """
    with zipfile.ZipFile(path) as archive:
        return archive.read("model.weights.h5")


def without_circumstances(content: bytes) -> bytes:
    """Returns the bytes of a .keras file without when and in which process it was written; Keras loads the same model from it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(stream, "w") as after:
        for entry in sorted(before.infolist(), key=lambda each: each.filename):
            data = before.read(entry)
            if entry.filename == "metadata.json":
                data = _dumped({name: value for name, value in json.loads(data).items() if name != "date_saved"})
            elif entry.filename == "config.json":
                data = _dumped(_numbered(json.loads(data), {}))
            fixed = zipfile.ZipInfo(entry.filename, _EPOCH)
            fixed.compress_type, fixed.external_attr = entry.compress_type, 0o644 << 16
            after.writestr(fixed, data)
    return stream.getvalue()


def _numbered(value: Any, known: dict[int, int]) -> Any:
    """Returns a configuration with the addresses of shared objects replaced by numbers, in the order of their first mention."""
    if isinstance(value, dict):
        return {
            name: known.setdefault(each, len(known)) if name == "shared_object_id" else _numbered(each, known)
            for name, each in value.items()
        }
    return [_numbered(each, known) for each in value] if isinstance(value, list) else value


def _dumped(document: Any) -> bytes:
    return json.dumps(document).encode()
