"""Inspection of a .keras or .h5 file, within bounds, before Keras opens it: the architecture, and the size of the weights.

Keras reads the whole of what a file says it unpacks to, and builds every layer with as many weights as it asks for, before it
finds that something is wrong. Knows JSON and zip; ``hdf5`` looks into the weights.
"""

import io
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glyphlite.errors import ModelError
from glyphlite.extras import require_extra
from glyphlite.files.untrusted import open_input, parsing
from glyphlite.files.zips import open_zip
from glyphlite.models.hdf5 import LARGEST_CONFIG, StoredWeights, look_into_hdf5

LARGEST_FILE = 2 << 30
"""Bytes."""
MOST_LAYERS = 4000
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
            return _stored(look_into_hdf5(stream, size, path), path)
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
    return StoredModel(config, look_into_hdf5(io.BytesIO(weights), len(weights), path).weight_bytes)


def _stored(found: StoredWeights, path: Path) -> StoredModel:
    return StoredModel(None if found.config is None else _parsed(found.config, path), found.weight_bytes)


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
