"""USPS in one HDF5 file, as it is handed on since its makers' server is slow: ``train/data``, ``train/target``, ``test/...``.

Read in a child process with limits, since a damaged HDF5 file makes its library loop or crash. Knows where the arrays are, not
what they must be.
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.errors import DataError
from glyphlite.extras import require_extra
from glyphlite.files.limited import LimitError, parse_within
from glyphlite.files.untrusted import open_input

FILE_NAME = "usps.h5"
_ARRAYS = ("train/data", "train/target", "test/data", "test/target")
_LARGEST = 64 << 20
"""Bytes that an array may unpack to; the largest takes 7.5 million."""
_SECONDS, _MEMORY = 20.0, 1 << 30


def read_hdf5(path: Path) -> dict[str, np.ndarray]:
    """Returns the four arrays by their names in the file.

    Args:
        path: the file.

    Raises:
        DataError: it is malformed, or holds other arrays.
        ToolError: the extra ``train``, which brings the library, is not installed.
    """
    require_extra("train", f"reading {path.name}")
    import h5py  # noqa: F401 - once, for the child as well

    open_input(path, "an HDF5 file").close()
    try:
        found = parse_within(lambda: _read(path), seconds=_SECONDS, memory_bytes=_MEMORY)
    except LimitError as reason:
        raise DataError(f"{path} is not a readable HDF5 file: {reason}; fetch it again") from None
    return {
        name: np.frombuffer(base64.b64decode(content), dtype).reshape(shape) for name, (dtype, shape, content) in found.items()
    }


def _read(path: Path) -> dict[str, Any]:
    """Returns type, shape and bytes of each array, as JSON can hold them.

    Raises:
        DataError: one is missing, elsewhere, too large or no numbers.
    """
    import h5py

    found = {}
    with h5py.File(path, "r") as file:
        for name in _ARRAYS:
            array = file.get(name)
            if not isinstance(array, h5py.Dataset) or array.is_virtual or array.external:
                raise DataError(f"{path} has no array {name}; expected {', '.join(_ARRAYS)}, as in Kaggle's usps.h5")
            if array.dtype.kind not in "iuf" or not array.size or array.size * array.dtype.itemsize > _LARGEST:
                raise DataError(f"{path} has an array {name} of {array.dtype} and shape {array.shape}, expected USPS's numbers")
            content = np.ascontiguousarray(array[()])
            found[name] = (content.dtype.str, content.shape, base64.b64encode(content.tobytes()).decode())
    return found
