"""The IDX format (MNIST's own): read, write, refuse what is malformed.

Knows bytes and arrays, nothing of datasets. What a header promises is held against the size of the file before anything
is allocated, and a compressed file is never unpacked beyond what its header promises.

Format, from the description on MNIST's page: two zero bytes, one byte for the element type, one for the number of dimensions,
each dimension as a big-endian uint32, then the elements, big-endian, last dimension fastest.
"""

import gzip
import math
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

from glyphlite.errors import DataError
from glyphlite.files.single import write_bytes
from glyphlite.files.untrusted import check_unfolded, open_input, parsing

DTYPES: dict[int, np.dtype] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
MAX_BYTES = 2**30
"""No IDX file of a glyph dataset is larger (the whole of EMNIST takes 0.6 GB); a header that promises more is refused."""
MAX_DIMENSIONS = 8

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_BEST_RATIO = 1032
"""Deflate cannot compress better than this (zlib's technical details, https://zlib.net/zlib_tech.html)."""
_CHUNK = 1 << 20


def read_idx(path: Path, max_bytes: int = MAX_BYTES) -> np.ndarray:
    """Reads an IDX file, gzip-compressed or not (told by its first bytes, not by its name).

    Args:
        path: the file.
        max_bytes: the most bytes that its header may promise.

    Returns:
        The array in native byte order, not writable.

    Raises:
        DataError: the file is missing, malformed, truncated, longer than its header says, or promises too much.
    """
    return parse_idx(read_content(path, max_bytes), str(path))


def is_idx(path: Path) -> bool:
    """Returns whether a file is an IDX file, compressed or not, by its first bytes, whatever it is called."""
    try:
        with open_input(path, "an IDX file") as stream, parsing(f"{path} is not a readable IDX file"):
            start = stream.read(4)
            if start[:2] == _GZIP_MAGIC:
                stream.seek(0)
                start = gzip.GzipFile(fileobj=stream).read(4)
    except DataError:
        return False
    return len(start) == 4 and start[:2] == b"\0\0" and start[2] in DTYPES and 0 < start[3] <= MAX_DIMENSIONS


def read_content(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Returns the uncompressed bytes of an IDX file, exactly as many as its header promises.

    Raises:
        DataError: as :func:`read_idx`.
    """
    path = Path(path)
    with open_input(path, "an IDX file") as stream, parsing(f"{path} is not a readable IDX file"):
        size = os.fstat(stream.fileno()).st_size
        compressed = stream.read(2) == _GZIP_MAGIC
        stream.seek(0)
        if compressed:
            return unpack_stream(stream, str(path), min(max_bytes, size * _GZIP_BEST_RATIO), stored=size)
        return _read_promised(stream, size, str(path), max_bytes, None)


def unpack_stream(
    stream: IO[bytes],
    name: str,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int], object] | None = None,
    stored: int | None = None,
) -> bytes:
    """Returns the uncompressed bytes of a gzip-compressed IDX file, read from a stream and never beyond what its header promises.

    Args:
        stream: the compressed bytes.
        name: what errors call it.
        max_bytes: the most bytes that its header may promise.
        progress: told the number of uncompressed bytes just read, now and then.
        stored: compressed bytes, where they are known: a header that promises far more than they can be is refused.

    Raises:
        DataError: it is not gzip, not IDX, truncated, longer than its header says, or promises too much.
    """
    with (
        parsing(f"{name} is a damaged gzip file", advice="fetch it again"),
        gzip.GzipFile(fileobj=stream, mode="rb") as unpacked,
    ):
        return _read_promised(unpacked, None, name, max_bytes, progress, stored)


def parse_idx(content: bytes, name: str = "IDX data") -> np.ndarray:
    """Turns uncompressed IDX bytes into an array in native byte order, not writable.

    Raises:
        DataError: the bytes are not IDX, or not as many as the header promises.
    """
    dtype, shape, offset = _parse_header(content, name)
    expected = offset + dtype.itemsize * math.prod(shape)
    if len(content) != expected:
        raise _wrong_length(name, shape, expected, len(content))
    array = np.frombuffer(content, dtype, offset=offset).reshape(shape)
    native = array.astype(dtype.newbyteorder("="), copy=False)
    native.flags.writeable = False
    return native


def encode_idx(array: np.ndarray) -> bytes:
    """Returns an array as uncompressed IDX bytes.

    Raises:
        DataError: the format has no such element type, or no such shape.
    """
    code = next((code for code, dtype in DTYPES.items() if dtype == array.dtype.newbyteorder(">")), None)
    if code is None:
        known = ", ".join(dtype.newbyteorder("=").name for dtype in DTYPES.values())
        raise DataError(f"IDX cannot hold {array.dtype.name}; it holds {known}")
    if not 1 <= array.ndim <= MAX_DIMENSIONS or max(array.shape) >= 2**32:
        raise DataError(f"IDX cannot hold an array of shape {array.shape}")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(DTYPES[code], copy=False).tobytes()


def write_idx(path: Path, array: np.ndarray) -> Path:
    """Writes an array as an IDX file, whole or not at all; compressed where the name ends in ``.gz``.

    Raises:
        DataError: as :func:`encode_idx`.
        OutputError: the file cannot be written.
    """
    path = Path(path)
    content = encode_idx(array)
    # No time in the gzip header, so that the same array gives the same file.
    return write_bytes(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def _read_promised(
    stream: IO[bytes] | gzip.GzipFile,
    size: int | None,
    name: str,
    max_bytes: int,
    progress: Callable[[int], object] | None,
    stored: int | None = None,
) -> bytes:
    """Reads header and elements; ``size`` is what the file holds where that is known before reading, ``stored`` what it takes."""
    start = stream.read(4)
    header = start + stream.read(4 * start[3] if len(start) == 4 else 0)
    dtype, shape, offset = _parse_header(header, name)
    expected = offset + dtype.itemsize * math.prod(shape)
    if size is not None and size != expected:
        raise _wrong_length(name, shape, expected, size)
    if expected > max_bytes:
        raise DataError(
            f"{name}: its header promises {expected:,} bytes ({_times(shape)}), more than the {max_bytes:,} it can hold; refused"
        )
    if stored is not None:
        check_unfolded(name, stored, expected)
    # Grown chunk by chunk: a truncated compressed file never costs more memory than it delivers.
    content = bytearray(header)
    while len(content) < expected:
        chunk = stream.read(min(_CHUNK, expected - len(content)))
        if not chunk:
            raise _wrong_length(name, shape, expected, len(content))
        content += chunk
        if progress is not None:
            progress(len(chunk))
    if stream.read(1):
        raise DataError(f"{name}: holds more than the {expected:,} bytes that its header promises ({_times(shape)}); refused")
    return bytes(content)


def _parse_header(content: bytes, name: str) -> tuple[np.dtype, tuple[int, ...], int]:
    """Returns the element type, the shape, and where the elements begin."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in DTYPES:
        raise DataError(
            f"{name} is not an IDX file: it begins with {content[:4].hex(' ') or 'nothing'}, expected 00 00 and an element type"
        )
    dimensions = content[3]
    offset = 4 + 4 * dimensions
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise DataError(f"{name}: its header gives {dimensions} dimensions, expected 1 to {MAX_DIMENSIONS}")
    if len(content) < offset:
        raise DataError(f"{name} is truncated inside its header: {len(content)} bytes, expected at least {offset}")
    return DTYPES[content[2]], struct.unpack_from(f">{dimensions}I", content, 4), offset


def _wrong_length(name: str, shape: tuple[int, ...], expected: int, found: int) -> DataError:
    kind = "truncated" if found < expected else "too long"
    return DataError(f"{name} is {kind}: {found:,} bytes, its header promises {expected:,} ({_times(shape)}); fetch it again")


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)
