"""Checkpoints: one atomic file with everything a training needs to go on, and the one before it in case that file is damaged.

A file is one line of JSON (format, SHA-256 and length of the rest) followed by an .npz of arrays, one of them a JSON document.
Nothing in it is ever unpickled. Knows nothing of what the arrays mean.
"""

import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import say
from glyphlite.errors import DataError, OutputError
from glyphlite.files import make_folder, parsing, read_input, sweep, write_bytes

FORMAT = "glyphlite-checkpoint-1"
_LARGEST = 1 << 34
"""Bytes of a file: bounded only so that it ends."""
_NAME = re.compile(r"checkpoint-(\d{9})\.ckpt")


@dataclass(frozen=True)
class Checkpoint:
    """Arrays by name, and a JSON document beside them."""

    arrays: dict[str, np.ndarray]
    document: dict[str, Any]


class DamagedCheckpointError(DataError):
    """A checkpoint file is not what was written."""


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the bytes of its file."""
    stream = io.BytesIO()
    document = np.frombuffer(json.dumps(checkpoint.document).encode(), np.uint8)
    np.savez(
        stream, allow_pickle=False, document=document, **{f"array/{name}": array for name, array in checkpoint.arrays.items()}
    )
    body = stream.getvalue()
    header = {"format": FORMAT, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    return json.dumps(header).encode() + b"\n" + body


def decode_checkpoint(content: bytes) -> Checkpoint:
    """The checkpoint in a file's bytes.

    Raises:
        DamagedCheckpointError: it is truncated, altered or something else.
    """
    line, _, body = content.partition(b"\n")
    with parsing(lambda _: "it does not begin as a checkpoint", DamagedCheckpointError):
        header = json.loads(line)
        written, expected = header["bytes"], header["sha256"]
        known = header["format"] == FORMAT
    if not known:
        raise DamagedCheckpointError(f"its format is {header['format']}, expected {FORMAT}")
    if len(body) != written:
        raise DamagedCheckpointError(f"it holds {len(body):,} of {written:,} bytes")
    if hashlib.sha256(body).hexdigest() != expected:
        raise DamagedCheckpointError("its checksum does not match")
    with parsing("it cannot be unpacked", DamagedCheckpointError), np.load(io.BytesIO(body), allow_pickle=False) as stored:
        arrays = {name.removeprefix("array/"): stored[name] for name in stored.files if name.startswith("array/")}
        return Checkpoint(arrays, json.loads(stored["document"].tobytes()))


class CheckpointStore:
    """The checkpoints of one training, in a folder of their own; the newest two are kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, checkpoint: Checkpoint) -> Path:
        """Write the checkpoint after so many steps, then remove all but the newest two."""
        path = write_bytes(self.folder / f"checkpoint-{step:09d}.ckpt", encode_checkpoint(checkpoint))
        for older in self._newest_first()[2:]:
            older.unlink(missing_ok=True)
        return path

    def load(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; every damaged one before it is removed, aloud. None where there is none."""
        for path in self._newest_first():
            try:
                checkpoint = decode_checkpoint(read_input(path, "a checkpoint", largest=_LARGEST))
            except DataError as error:
                say(f"[yellow]the checkpoint {path} is damaged: {error}; falling back to the one before it[/]")
                path.unlink(missing_ok=True)
                continue
            return checkpoint
        return None

    def keep_only(self, step: int) -> None:
        """Remove every checkpoint but the one after so many steps."""
        for path in self._newest_first():
            if path.name != f"checkpoint-{step:09d}.ckpt":
                path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove every checkpoint, and what a killed process left half-written."""
        for path in self._newest_first():
            path.unlink(missing_ok=True)
        self.sweep()

    def sweep(self) -> None:
        """Remove what a killed process left half-written."""
        sweep(make_folder(self.folder))

    def _newest_first(self) -> list[Path]:
        try:
            found = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"cannot read the checkpoints in {self.folder}: {error.strerror}") from None
        return sorted(found, reverse=True)
