"""One damaged file: a sound one with some bytes changed, or its parts changed and put together again with right checksums."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from support.input_files.kinds import KINDS

INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


@dataclass(frozen=True)
class Damaged:
    """A file's suffix or name, its bytes, the sound file that it was made of, and how it was damaged."""

    name: str
    content: bytes
    source: str
    how: str


def make_damaged(kind: str, seed: int, number: int) -> Damaged:
    """Returns the damaged file of a number; the same for the same arguments, on any machine with the same libraries."""
    sources = KINDS[kind].sources()
    rng = np.random.default_rng([seed, list(KINDS).index(kind), number])
    source = sorted(sources)[int(rng.integers(len(sources)))]
    changes = list(KINDS[kind].changes.items())
    if number % 2 and changes:
        how, change = changes[int(rng.integers(len(changes)))]
        return Damaged(source, change(sources[source], rng), source, how)
    how, change = list(BYTES.items())[int(rng.integers(len(BYTES)))]
    return Damaged(source, change(bytearray(sources[source]), rng), source, how)


def _flip(content: bytearray, rng: Any) -> bytes:
    for _ in range(int(rng.choice((1, 1, 2, 8, 64)))):
        content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    return bytes(content)


def _flip_start(content: bytearray, rng: Any) -> bytes:
    for _ in range(int(rng.choice((1, 2, 4)))):
        content[int(rng.integers(min(128, len(content))))] = int(rng.integers(256))
    return bytes(content)


def _number(content: bytearray, rng: Any) -> bytes:
    size, order = int(rng.choice((1, 2, 4))), ("little", "big")[int(rng.integers(2))]
    start = int(rng.integers(max(1, len(content) - size)))
    value = int(rng.choice(INTERESTING)) & ((1 << 8 * size) - 1)
    content[start : start + size] = value.to_bytes(size, order)  # type: ignore[arg-type]
    return bytes(content)


def _truncate(content: bytearray, rng: Any) -> bytes:
    return bytes(content[: int(rng.integers(len(content)))])


def _cut(content: bytearray, rng: Any) -> bytes:
    start, length = int(rng.integers(len(content))), int(rng.integers(1, 200))
    del content[start : start + length]
    return bytes(content)


def _insert(content: bytearray, rng: Any) -> bytes:
    start = int(rng.integers(len(content)))
    content[start:start] = rng.bytes(int(rng.integers(1, 64)))
    return bytes(content)


def _repeat(content: bytearray, rng: Any) -> bytes:
    start, length = int(rng.integers(len(content))), int(rng.integers(1, 400))
    content[start:start] = content[start : start + length] * int(rng.choice((1, 2, 50)))
    return bytes(content)


def _overwrite(content: bytearray, rng: Any) -> bytes:
    start, length = int(rng.integers(len(content))), int(rng.integers(1, 64))
    filler = rng.bytes(length) if rng.integers(2) else bytes([int(rng.choice((0, 255)))]) * length
    content[start : start + length] = filler
    return bytes(content)


def _move(content: bytearray, rng: Any) -> bytes:
    length = int(rng.integers(1, 64))
    here, there = (int(rng.integers(max(1, len(content) - length))) for _ in range(2))
    content[here : here + length] = content[there : there + length]
    return bytes(content)


BYTES = {
    "bits": _flip,
    "start": _flip_start,
    "number": _number,
    "truncated": _truncate,
    "cut": _cut,
    "inserted": _insert,
    "repeated": _repeat,
    "overwritten": _overwrite,
    "moved": _move,
}
"""Changes of bytes, for every kind of file."""
