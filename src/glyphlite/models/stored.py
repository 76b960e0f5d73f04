"""Inspection of a .keras or .h5 file, within bounds, before Keras opens it: the architecture, and the size of the weights.

Keras reads the whole of what a file says it unpacks to, and builds every layer with as many weights as it asks for, before it
finds that something is wrong. Knows JSON, zip and HDF5, no Keras.
"""

import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from glyphlite.errors import ModelError
from glyphlite.extras import require_extra
from glyphlite.files import check_unfolded, open_input, parsing
from glyphlite.files.zips import open_zip

LARGEST_FILE = 2 << 30
"""Bytes."""
LARGEST_CONFIG = 8 << 20
"""Bytes of JSON: Keras's largest own application, of 1,041 layers, has a seventh of it."""
MOST_LAYERS = 4000
MOST_OBJECTS = 100_000
"""Groups and datasets of an HDF5 file."""
EXPECTED = "a .keras or .h5 file"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_OTHER_WEIGHTS = "model.weights.npz"
"""Keras would read it, but never writes it: an archive inside the archive."""
_MEMBERS = 1000
"""Files of a .keras file: it has three, and a text or two for each layer with a vocabulary."""


@dataclass(frozen=True)
class StoredModel:
    """An architecture as plain data, None of a file with weights alone, and the bytes that its weights take unpacked."""

    config: Any
    weight_bytes: int


def look_into(path: Path) -> StoredModel:
    """Returns what a model file holds.

    Args:
        path: a .keras file (a zip archive) or an .h5 file, told apart by their first bytes.

    Raises:
        ModelError: it is missing, no regular file, damaged, or unpacks to more than a model of its size can be.
        ToolError: what reads it is not installed.
    """
    require_extra("train", str(path))
    with open_input(path, EXPECTED, ModelError) as stream, parsing(f"{path} is not a readable Keras model", ModelError):
        size = os.fstat(stream.fileno()).st_size
        if size > LARGEST_FILE:
            raise ModelError(f"{path} has {size:,} bytes, more than the {LARGEST_FILE:,} allowed for a model")
        if not zipfile.is_zipfile(stream):
            return _in_hdf5(stream, size, path)
    with open_zip(path, "a .keras file", ModelError) as archive:
        return _in_archive(archive, path)


def _in_archive(archive: zipfile.ZipFile, path: Path) -> StoredModel:
    """Looks into a .keras file.

    Raises:
        ModelError: it lacks a part, or has one that is too large.
    """
    names = archive.namelist()
    if _CONFIG not in names or _OTHER_WEIGHTS in names:
        raise ModelError(
            f"{path} is no .keras file: expected {_CONFIG} and {_WEIGHTS} in it; write it with model.save('model.keras')"
        )
    if len(names) > _MEMBERS:
        raise ModelError(f"{path} holds {len(names):,} files, more than the {_MEMBERS:,} that a .keras file may have")
    for name in (_CONFIG, _METADATA):
        if name in names and (size := archive.getinfo(name).file_size) > LARGEST_CONFIG:
            raise ModelError(f"{path} has a {name} of {size:,} bytes, more than the {LARGEST_CONFIG:,} allowed")
    config = _parsed(archive.read(_CONFIG), path)
    if _WEIGHTS not in names:  # Keras will say so, unless its layers are refused before
        return StoredModel(config, 0)
    weights = archive.read(_WEIGHTS)
    return StoredModel(config, _in_hdf5(io.BytesIO(weights), len(weights), path).weight_bytes)


def _in_hdf5(stream: IO[bytes], size: int, path: Path) -> StoredModel:
    """Looks into an HDF5 file of some bytes.

    Raises:
        ModelError: it is none, refers to other files, or unpacks to too much.
    """
    import h5py

    weight_bytes = objects = 0

    # What these return ends the walk; an exception would be lost on its way through HDF5.
    def objection_to_link(name: str, link: Any) -> str | None:
        nonlocal objects
        objects += 1
        if objects > MOST_OBJECTS:
            return f"{path} holds more than {MOST_OBJECTS:,} arrays; glyphlite reads fewer"
        return None if isinstance(link, h5py.HardLink) else f"{path} has a link in place of {name}; save it with model.save"

    def objection_to(name: str, found: Any) -> str | None:
        nonlocal weight_bytes
        if not isinstance(found, h5py.Dataset):
            return None
        weight_bytes += found.size * found.dtype.itemsize
        from_elsewhere = found.is_virtual or found.external
        return f"{path} takes its weights {name} from another file; save it with model.save" if from_elsewhere else None

    with h5py.File(stream, "r") as file:
        objection = file.visititems_links(objection_to_link) or file.visititems(objection_to)
        if objection is not None:
            raise ModelError(objection)
        check_unfolded(str(path), size, weight_bytes, ModelError)
        text = file.attrs.get("model_config")
        if text is None:
            return StoredModel(None, weight_bytes)
        if len(text) > LARGEST_CONFIG:
            raise ModelError(f"{path} has a configuration of {len(text):,} bytes, more than the {LARGEST_CONFIG:,} allowed")
        return StoredModel(_parsed(text, path), weight_bytes)


def _parsed(text: str | bytes, path: Path) -> Any:
    """Parses an architecture.

    Raises:
        ModelError: it is no JSON, or has too many layers.
    """
    with parsing(f"{path} has an architecture that cannot be read", ModelError):
        config = json.loads(text)
        if (layers := _count_layers(config)) > MOST_LAYERS:
            raise ModelError(f"{path} has {layers:,} layers, more than the {MOST_LAYERS:,} allowed")
        return config


def _count_layers(config: Any) -> int:
    if isinstance(config, dict):
        layers = config.get("layers")
        return (len(layers) if isinstance(layers, list) else 0) + sum(map(_count_layers, config.values()))
    return sum(map(_count_layers, config)) if isinstance(config, list) else 0
