"""IDX files, compressed or not: a folder of four of which one is damaged."""

import functools
import gzip
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.datasets.idx import encode_idx
from glyphlite.datasets.registry import load_dataset

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
EXTENTS = (0, 1, 2, 7, 8, 9, 39, 40, 41, 255, 256, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


@functools.cache
def arrays() -> dict[str, np.ndarray]:
    """Returns 40 + 16 images of 8x8, strokes of four classes, and their labels."""
    rng = np.random.default_rng(0)
    stored = {}
    for split, count in (("train", 40), ("t10k", 16)):
        labels = np.arange(count) % 4
        images = rng.integers(0, 40, (count, 8, 8))
        for image, label in zip(images, labels, strict=True):
            image[2:6, 1 + label] = 255
            image[label + 1, 2:6] = 250
        stored[f"{split}-images-idx3-ubyte"] = images.astype(np.uint8)
        stored[f"{split}-labels-idx1-ubyte"] = labels.astype(np.uint8)
    return stored


@functools.cache
def sources() -> dict[str, bytes]:
    """Returns the training files, plain and compressed; images also as big-endian numbers of 16 and 32 bits and as floats."""
    plain = {name: encode_idx(arrays()[name]) for name in (TRAIN_IMAGES, TRAIN_LABELS)}
    wider = {f"{dtype}/{TRAIN_IMAGES}": encode_idx(arrays()[TRAIN_IMAGES].astype(dtype)) for dtype in ("i2", "i4", "f4", "f8")}
    packed = {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in plain.items()}
    return {**plain, **wider, **packed}


def take(path: Path) -> list[str]:
    """Loads the folder with one damaged file; an accepted one must hold what a plain reader of the format finds in it."""
    folder = path.parent
    for name, array in arrays().items():
        if name not in (path.name, path.name.removesuffix(".gz")):
            (folder / name).write_bytes(encode_idx(array))
    data = load_dataset(str(folder))
    images = np.concatenate([data.train.images, data.validation.images])[..., 0]
    expected = _plain(path.read_bytes())
    if expected.dtype != np.uint8 or expected.ndim != 3 or (expected.min(), expected.max()) != (0, 255):
        return []
    same = sorted(image.tobytes() for image in images) == sorted(image.tobytes() for image in expected)
    return [] if same else ["the images accepted are not those of the file"]


def _plain(content: bytes) -> np.ndarray:
    """Reads what a sound IDX file holds, with no checks."""
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    dtype = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}[content[2]]
    shape = struct.unpack_from(f">{content[3]}I", content, 4)
    return np.frombuffer(content, dtype, math.prod(shape), 4 + 4 * len(shape)).reshape(shape)


def _unpacked(content: bytes) -> tuple[bytearray, bool]:
    packed = content[:2] == b"\x1f\x8b"
    return bytearray(gzip.decompress(content) if packed else content), packed


def _packed(content: bytes | bytearray, packed: bool) -> bytes:
    return gzip.compress(content, mtime=0) if packed else bytes(content)


def _header(content: bytes, rng: Any) -> bytes:
    """Another type, or number of dimensions."""
    plain, packed = _unpacked(content)
    plain[int(rng.integers(2, 4))] = int(rng.choice((0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 127, 255)))
    return _packed(plain, packed)


def _extent(content: bytes, rng: Any) -> bytes:
    """Another extent of one dimension, or of several."""
    plain, packed = _unpacked(content)
    for _ in range(int(rng.integers(1, 4))):
        place = 4 + 4 * int(rng.integers(plain[3]))
        plain[place : place + 4] = struct.pack(">I", int(rng.choice(EXTENTS)))
    return _packed(plain, packed)


def _fitting(content: bytes, rng: Any) -> bytes:
    """Another shape with as many elements as it takes."""
    _, packed = _unpacked(content)
    shape = [int(rng.choice((0, 1, 2, 4, 8, 40))) for _ in range(int(rng.integers(0, 6)))]
    body = rng.bytes(math.prod(shape)) if rng.integers(2) else bytes(math.prod(shape))
    return _packed(bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + body, packed)


def _values(content: bytes, rng: Any) -> bytes:
    """Elements of all zeros, all ones, or rubbish (of floats: infinities and NaN)."""
    plain, packed = _unpacked(content)
    start = 4 + 4 * plain[3]
    length = len(plain) - start
    plain[start:] = (bytes(length), b"\xff" * length, rng.bytes(length), b"\x7f" * length)[int(rng.integers(4))]
    return _packed(plain, packed)


def _length(content: bytes, rng: Any) -> bytes:
    """More or fewer elements than the header says; inside gzip without an end."""
    plain, packed = _unpacked(content)
    change = int(rng.choice((-1, -7, 1, 7, 1000, 1 << 20)))
    return _packed(plain[:change] if change < 0 else plain + bytes(change), packed)


def _bomb(content: bytes, rng: Any) -> bytes:
    """Zeros of gzip that unpack to 80 MB, with a header that says so, or less, or more."""
    promised = int(rng.choice((40, 80 << 20, 900 << 20)))
    return _zeros(promised, int(rng.choice((1, 64))))


@functools.cache
def _zeros(promised: int, images: int) -> bytes:
    header = bytes([0, 0, 8, 2]) + struct.pack(">2I", images, promised // images)
    return gzip.compress(header + bytes(80 << 20), 1, mtime=0)


def _members(content: bytes, rng: Any) -> bytes:
    """Several gzip members, one of them damaged, empty ones, or rubbish behind."""
    plain, _ = _unpacked(content)
    half = len(plain) // 2
    parts = [gzip.compress(plain[:half], mtime=0), gzip.compress(plain[half:], mtime=0)]
    choice = int(rng.integers(4))
    if choice == 0:
        parts.append(rng.bytes(20))
    elif choice == 1:
        parts[1:1] = [gzip.compress(b"", mtime=0)] * 50
    elif choice == 2:
        parts[0] = parts[0][:-8] + rng.bytes(8)
    return b"".join(parts)


CHANGES = {
    "header": _header,
    "extent": _extent,
    "fitting shape": _fitting,
    "values": _values,
    "length": _length,
    "bomb": _bomb,
    "members": _members,
}
