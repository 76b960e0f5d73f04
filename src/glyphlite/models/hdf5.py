"""Inspection of an HDF5 file before Keras opens it: all that Keras could read of it is read once, in a child process.

The HDF5 library follows what a damaged file says: for ever, or into memory that is not there. Knows nothing of Keras's objects,
only where it keeps names and weights.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from glyphlite.errors import ModelError
from glyphlite.files.limited import LimitError, parse_within
from glyphlite.files.untrusted import check_unfolded

LARGEST_CONFIG = 8 << 20
"""Bytes of JSON: Keras's largest own application, of 1,041 layers, has a seventh of it."""
MOST_OBJECTS = 100_000
"""Groups and datasets."""
MOST_CHUNKS = 100_000
"""Parts that a dataset may be stored in. Keras stores it in one; h5py's own choice are parts of 8 KiB to 1 MiB."""
SECONDS, SECONDS_PER_BYTE = 1.0, 1 / 5e6
"""Of the processor: a sound file takes some milliseconds; a compressed one a second per 200 MB, one of
many small arrays a second per 10 MB."""
MEMORY_BYTES = 512 << 20
"""To read it, besides twice its size."""
HARD_LINK = 0
"""H5L_TYPE_HARD of H5Lpublic.h: a name of an object of the same file."""
_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class StoredWeights:
    """The architecture as JSON, None of a file with weights alone, and the bytes that the weights take unpacked."""

    config: str | None
    weight_bytes: int


def look_into_hdf5(stream: IO[bytes], size: int, path: Path) -> StoredWeights:
    """Returns what an HDF5 file holds.

    Args:
        stream: the file, or a part of an archive in memory.
        size: bytes of it.
        path: of the file, for the error.

    Raises:
        ModelError: it is none, refers to other files, unpacks to too much, or takes more time or memory than a sound one.
    """
    import h5py  # noqa: F401 - once, for the child as well

    try:
        found = parse_within(
            lambda: _read_whole(stream, size, path),
            seconds=SECONDS + SECONDS_PER_BYTE * size,
            memory_bytes=MEMORY_BYTES + 2 * size,
            error=ModelError,
        )
    except LimitError as reason:
        raise ModelError(
            f"{path} is not a readable Keras model: {reason}; if it is damaged, save it again with model.save"
        ) from None
    return StoredWeights(*found)


def _read_whole(stream: IO[bytes], size: int, path: Path) -> tuple[str | None, int]:
    """Returns architecture and bytes of the weights; reads every dataset and attribute.

    Raises:
        ModelError: it is refused.
    """
    import h5py

    datasets: list[bytes] = []  # by name: an open one takes memory
    objects = weight_bytes = 0

    # What this returns ends the walk; an exception would be lost on its way through HDF5.
    def objection_to(name: bytes, link: Any) -> str | None:
        nonlocal objects, weight_bytes
        objects += 1
        if objects > MOST_OBJECTS:
            return f"{path} holds more than {MOST_OBJECTS:,} arrays; glyphlite reads fewer"
        text = name.decode(errors="backslashreplace")
        if link.type != HARD_LINK:
            return f"{path} has a link in place of {text}; save it with model.save"
        found = file[name]
        _read_attributes(found)
        if isinstance(found, h5py.Dataset):
            datasets.append(name)
            weight_bytes += _bytes_of(found)
            if found.is_virtual or found.external:
                return f"{path} takes its weights {text} from another file; save it with model.save"
        return None

    with h5py.File(stream, "r") as file:
        objection = file.id.links.visit(objection_to, info=True)
        if objection is None:
            check_unfolded(str(path), size, weight_bytes, ModelError)
            if _named_bytes(file) > weight_bytes:
                objection = f"{path} names the same weights several times; save it with model.save"
        if objection is not None:
            raise ModelError(objection)
        for name in datasets:
            _read_dataset(file[name], path)
        _read_attributes(file)
        text = file.attrs.get("model_config")
        if text is None:
            return None, weight_bytes
        if len(text) > LARGEST_CONFIG:
            raise ModelError(f"{path} has a configuration of {len(text):,} bytes, more than the {LARGEST_CONFIG:,} allowed")
        return text.decode() if isinstance(text, bytes) else str(text), weight_bytes


def _bytes_of(dataset: Any) -> int:
    return int(dataset.size or 0) * dataset.dtype.itemsize


def _count_chunks(dataset: Any) -> int:
    extents = zip(dataset.shape, dataset.chunks, strict=True) if dataset.chunks else ()
    return math.prod(-(-extent // chunk) for extent, chunk in extents)


def _read_dataset(dataset: Any, path: Path) -> None:
    """Reads a dataset in blocks and keeps none.

    Raises:
        ModelError: it is stored in too many.
    """
    if dataset.chunks:
        if (chunks := _count_chunks(dataset)) > MOST_CHUNKS:
            raise ModelError(
                f"{path} stores its weights {dataset.name[1:]} in {chunks:,} parts, more than the {MOST_CHUNKS:,} allowed"
            )
        blocks = dataset.iter_chunks()
    elif dataset.shape:
        rows = max(1, _BLOCK_BYTES * dataset.shape[0] // max(1, _bytes_of(dataset)))
        blocks = (slice(first, first + rows) for first in range(0, dataset.shape[0], rows))
    else:
        blocks = iter([()])
    for block in blocks:
        _ = dataset[block]


def _read_attributes(found: Any) -> None:
    """Reads the attributes of an object; Keras asks for a few, and says of those itself what is wrong with them."""
    for name in found.attrs if len(found.attrs) else ():
        try:
            _ = found.attrs[name]
        except (OSError, KeyError, ValueError, TypeError, RuntimeError):
            continue


def _named_bytes(file: Any) -> int:
    """Returns the bytes of the weights that an .h5 file lists by their names, as often as it does: Keras reads each anew."""
    group = file.get("model_weights", file)
    return sum(_bytes_of(each) for layer in _named(group, "layer_names") for each in _named(layer, "weight_names"))


def _named(group: Any, attribute: str) -> Iterator[Any]:
    """Yields the members of a group that an attribute lists; a long list is in several attributes, numbered."""
    numbered = (f"{attribute}{number}" for number in range(MOST_OBJECTS))
    for name in (attribute,) if attribute in group.attrs else numbered:
        if name not in group.attrs:
            return
        for each in group.attrs[name]:
            found = group.get(each)
            if found is not None:
                yield found
