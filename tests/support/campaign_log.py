"""Logs of campaigns: a line of JSON for each piece of work that is done, so that a second call goes on; digests of sources."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (".py", ".j2", ".c", ".h", ".html", ".css")


def read_lines(log: Path) -> list[dict[str, Any]]:
    """Returns what earlier calls did, in their order; a line cut short by a crash is left out."""
    records = []
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records


def source_hash(*places: str) -> str:
    """Returns a digest over path and bytes of every source file in folders, or of single files, relative to the project."""
    found = (sorted((ROOT / place).rglob("*")) if (ROOT / place).is_dir() else [ROOT / place] for place in places)
    return digest_of(path for paths in found for path in paths if path.suffix in SOURCES)


def digest_of(paths: Iterable[Path]) -> str:
    """Returns a digest over path and bytes of files of the project."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.resolve().relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()
