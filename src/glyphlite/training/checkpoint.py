"""Checkpoints: one atomic file with everything a training needs to go on, and the one before it in case that file is damaged.

A file is one line of JSON (format, SHA-256 and length of the rest) followed by an .npz of arrays, one of them a JSON document.
Nothing in it is ever unpickled. Knows nothing of what the arrays mean.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.console import say
from glyphlite.errors import DataError, OutputError
from glyphlite.files.scratch import sweep
from glyphlite.files.single import make_folder, write_bytes, writing
from glyphlite.files.untrusted import parsing, read_input

FORMAT = "glyphlite-checkpoint-1"
_BEGINNING = b'{"format": "glyphlite-checkpoint-'
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
    """Returns a checkpoint as the bytes of its file."""
    stream = io.BytesIO()
    document = np.frombuffer(json.dumps(checkpoint.document).encode(), np.uint8)
    np.savez(
        stream, allow_pickle=False, document=document, **{f"array/{name}": array for name, array in checkpoint.arrays.items()}
    )
    body = stream.getvalue()
    header = {"format": FORMAT, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
    return json.dumps(header).encode() + b"\n" + body


def decode_checkpoint(content: bytes) -> Checkpoint:
    """Returns the checkpoint in a file's bytes.

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
        """Writes the checkpoint after so many steps, then removes all but the newest two.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.folder / f"checkpoint-{step:09d}.ckpt"
        if path.exists() and not _is_ours(path):
            say(f"{path} is no checkpoint; kept as {_set_aside(path)}")
        write_bytes(path, encode_checkpoint(checkpoint))
        _remove([each for each in self._newest_first() if _is_ours(each)][2:])
        return path

    def load(self) -> Checkpoint | None:
        """Returns the newest checkpoint that is whole; every damaged one before it is set aside, aloud. None where there is none.

        Raises:
            OutputError: the folder cannot be read, or a damaged one not be renamed.
        """
        for path in self._newest_first():
            try:
                checkpoint = decode_checkpoint(read_input(path, "a checkpoint", largest=_LARGEST))
            except DataError as error:
                words = (
                    f"the checkpoint {path} is damaged: {error}; kept as {_set_aside(path)}; falling back to the one before it"
                )
                say(words, style="yellow")
                continue
            return checkpoint
        return None

    def keep_only(self, step: int) -> None:
        """Removes every checkpoint but the one after so many steps."""
        _remove(path for path in self._newest_first() if path.name != f"checkpoint-{step:09d}.ckpt" and _is_ours(path))

    def clear(self) -> None:
        """Removes every checkpoint, and what a killed process left half-written; what only has the name of one is set aside."""
        for path in self._newest_first():
            if _is_ours(path):
                _remove([path])
            else:
                say(f"{path} is no checkpoint; kept as {_set_aside(path)}")
        self.sweep()

    def sweep(self) -> None:
        """Removes what a killed process left half-written."""
        sweep(make_folder(self.folder))

    def _newest_first(self) -> list[Path]:
        try:
            found = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(f"cannot read the checkpoints in {self.folder}: {error.strerror}") from None
        return sorted(found, reverse=True)


def _is_ours(path: Path) -> bool:
    """Returns whether a file begins as a checkpoint; one that doesn't may be the user's."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with writing(path):
            path.unlink(missing_ok=True)


def _set_aside(path: Path) -> Path:
    """Renames a file that takes a checkpoint's name, and returns its new path: nothing that may be the user's is deleted."""
    number = 1
    while (kept := path.with_name(f"{path.name}.{number}.kept")).exists():
        number += 1
    with writing(path):
        return path.rename(kept)
