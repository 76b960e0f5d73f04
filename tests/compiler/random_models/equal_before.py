"""Which models were found equal before: the same file gave the same C, for the same inputs, path, harness and tools.

Whether bytes are equal follows from these alone, so that a campaign that goes on with other sources of ours reads and compiles
every file again, but builds and runs only C that is new. The keys are kept in a file, 16 bytes each.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from glyphlite.emulation.toolchain import host_compiler

HERE = Path(__file__).parent
HARNESS = ("batches.py", "calls.py", "differential.py", "guarded.py", "harness.py", "inputs.py", "oracle.py")
KEY_BYTES = 16


class EqualBefore:
    """A set of keys, in a file that grows with it; in memory alone without one.

    Args:
        path: the file; what a crash cut short is left out.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        content = path.read_bytes() if path is not None and path.exists() else b""
        self._keys = {content[start : start + KEY_BYTES] for start in range(0, len(content) - KEY_BYTES + 1, KEY_BYTES)}
        if path is not None and len(content) % KEY_BYTES:
            path.write_bytes(content[: len(content) // KEY_BYTES * KEY_BYTES])

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: set[bytes]) -> None:
        """Adds keys and keeps them."""
        new = sorted(keys - self._keys)
        self._keys |= keys
        if self._path is not None and new:
            with self._path.open("ab") as stream:
                stream.write(b"".join(new))


def key_of(content: bytes, c_text: str, stored: bytes, path: str) -> bytes:
    """Returns what a verdict of "equal" follows from: file, C, inputs, path of the C, and what tries them."""
    digest = hashlib.sha256(_surroundings())
    for part in (content, c_text.encode(), stored, path.encode()):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()[:KEY_BYTES]


@cache
def _surroundings() -> bytes:
    """Returns a digest of the harness and the versions of what it uses."""
    versions = (version("tflite-micro"), version("numpy"), host_compiler().version())
    digest = hashlib.sha256("\0".join(versions).encode())
    for name in HARNESS:
        digest.update((HERE / name).read_bytes())
    return digest.digest()
