"""Teachers' answers to all training images, as an epoch warps them: files that come with glyphlite, or in the user's cache.

Answers take longer than the student's own steps on a slow processor, and those of the family's recipes are always the same. So
they come with glyphlite: log-probabilities less the largest, in steps of a half, one byte each, compressed.
``benchmarks/answers.py`` makes the files.
"""

import hashlib
import io
import json
import lzma
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from glyphlite.errors import OutputError
from glyphlite.files.single import atomic_path, make_folder, user_cache
from glyphlite.models.pretrained import ROOT, TEACHERS

STEP = 0.5
"""Step of a shipped log-probability. Softened by a temperature of 2, a class is off by at most an eighth of its probability."""

LEAST = -20.0
"""The least shipped log-probability; teachers' own end at log 1e-9, which is -20.7."""

FOLDER = "answers"


def key_of(named: dict[str, Any]) -> str:
    """Returns the name of a file of answers.

    Args:
        named: everything that the answers depend on, but for the last bits; plain JSON.
    """
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:24]


def encoded(answers: np.ndarray) -> bytes:
    """Returns answers, ``(images, classes)``, as they are shipped: rounded and compressed."""
    values = answers.astype(np.float32)
    codes = np.round(np.clip(values - values.max(axis=-1, keepdims=True), LEAST, 0) / -STEP).astype(np.uint8)
    stream = io.BytesIO()
    np.save(stream, codes, allow_pickle=False)
    return lzma.compress(stream.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def decoded(content: bytes) -> np.ndarray:
    """Returns shipped answers as log-probabilities, but for a constant: float16 ``(images, classes)``.

    Raises:
        ValueError: the content is damaged.
    """
    try:
        codes = np.load(io.BytesIO(lzma.decompress(content)), allow_pickle=False)
    except (lzma.LZMAError, EOFError) as error:
        raise ValueError(f"damaged answers: {error}") from error
    return (codes * np.float32(-STEP)).astype(np.float16)


def kept_answers(named: dict[str, Any], ask: Callable[[], np.ndarray]) -> np.ndarray:
    """Returns the answers that came with glyphlite, or those in the user's cache; else asks, and keeps there what can be written.

    Args:
        named: everything that the answers depend on, but for the last bits; plain JSON.
        ask: gives the answers.
    """
    if not named["content"]:
        return ask()
    with suppress(OSError, ValueError):  # it is not there, or damaged
        return decoded(_shipped(named).read_bytes())
    path = _cached(named)
    with suppress(OSError, ValueError, EOFError):
        return np.load(path, allow_pickle=False)
    answers = ask()
    with suppress(OutputError):
        make_folder(path.parent)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.save(stream, answers)
    return answers


def are_kept(named: dict[str, Any]) -> bool:
    """Returns whether answers came with glyphlite or are in the user's cache."""
    return _shipped(named).is_file() or _cached(named).is_file()


def _shipped(named: dict[str, Any]) -> Path:
    return ROOT / TEACHERS / FOLDER / f"{key_of(named)}.xz"


def _cached(named: dict[str, Any]) -> Path:
    return user_cache() / FOLDER / f"{key_of(named)}.npy"
