"""What lies below a folder, comparable between two runs of one command: times of day and durations left out."""

import csv
import hashlib
import io
import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST = ".glyphlite.json"
DURATIONS = ("seconds", "cpu_seconds", "latency_us", "latency")

COMPILERS_CACHE = "cache/glyphlite/zig/"
"""What zig keeps for itself, and checks itself; it depends on what was compiled at the same time."""


def contents(folder: Path) -> dict[str, str]:
    """Returns each file's SHA-256 and each link's target, by relative path; of what a clock measured only that it is there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.startswith(COMPILERS_CACHE):
            continue
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(_comparable(path)).hexdigest()
    return found


def difference(found: dict[str, str], wanted: dict[str, str]) -> str:
    """Returns in words what one listing lacks, has besides, or has otherwise than another."""
    parts: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("missing", lambda name: name not in found),
        ("besides", lambda name: name not in wanted),
        ("other", lambda name: name in found and name in wanted and found[name] != wanted[name]),
    )
    names = sorted({*found, *wanted})
    return "; ".join(f"{words} {some[:4]}" for words, has in parts if (some := [name for name in names if has(name)]))


def _comparable(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        if path.name == MANIFEST:
            return _manifest(path, json.loads(content))
        if path.name == "results.json":
            return json.dumps(_timeless(json.loads(content)), sort_keys=True).encode()
        if path.name == "history.csv":
            return repr([row[:-1] for row in csv.reader(io.StringIO(content.decode()))]).encode()
        if path.name == "run.toml":
            document = tomllib.loads(content.decode())
            return json.dumps(_timeless(document), sort_keys=True, default=str).encode()
    except (ValueError, KeyError):
        return content
    if path.suffix == ".html":
        return b"a whole page" if content.rstrip().endswith(b"</html>") else content
    if re.search(r"\.ckpt$|/figures/.*\.png$|cache/pictures/.*\.npz$", path.as_posix()):
        return b"there"
    return content


def _manifest(path: Path, document: dict[str, Any]) -> bytes:
    """A manifest's names, and whether each file that is there is one of the versions listed."""
    names = []
    for name, digests in document["files"].items():
        file = path.parent / name
        if not file.is_file():
            continue
        listed = digests is None or hashlib.sha256(file.read_bytes()).hexdigest() in digests
        names.append((name, listed))
    return repr(sorted(names)).encode()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(each) for key, each in value.items() if key not in DURATIONS}
    return [_timeless(each) for each in value] if isinstance(value, list) else value
