"""The manifest of a folder, ``.glyphlite.json``: it lists every file that glyphlite wrote there, with its SHA-256.

A file that is not named there, or has changed since, is the user's. Named without a hash is what our own Makefile builds there,
which is believed of the names of such files alone: a manifest may come from a stranger's archive.
Named with several is a file that was written again: each of these versions is ours, so that the manifest can be written before
the file, and holds whenever the command is killed.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glyphlite.files.scratch import is_scratch_name
from glyphlite.files.single import sha256_of

MANIFEST = ".glyphlite.json"
_FORMAT = "glyphlite-manifest-1"
LARGEST_MANIFEST = 16 << 20
"""Bytes, for some 100,000 files; a larger one is none of ours."""
Digests = tuple[str, ...] | None
"""The SHA-256 of each version of a file that is ours; None: whatever it holds."""

_BUILT = re.compile(r"example/example|Cargo\.lock|(?:[^/]+/)*__pycache__/[^/]+\.pyc")
"""Files that are built in our folders: by the Makefile of an example, by Cargo, by Python."""


@dataclass(frozen=True)
class Listing:
    """Lists the files in a folder, by paths relative to it: ours, ours that were changed since, all others; and its folders."""

    ours: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    folders: tuple[str, ...] = ()

    @property
    def mounted(self) -> bool:
        """Returns whether another file system is mounted somewhere below."""
        return any(is_mount(folder) for folder in self.folders)


def is_mount(folder: Path | str) -> bool:
    """Returns whether a folder is a mount point; one that is bound from the same file system is known from Linux's list alone."""
    if os.path.ismount(folder):
        return True
    try:
        lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    except OSError:
        return False
    # proc_pid_mountinfo(5): the fifth field, in which a space, for example, is \\040.
    places = (re.sub(rb"\\([0-7]{3})", lambda code: bytes([int(code[1], 8)]), line.split()[4]) for line in lines)
    return os.fsencode(os.path.realpath(folder)) in places


def read_manifest(folder: Path) -> dict[str, Digests]:
    """Returns the SHA-256 of what glyphlite wrote into a folder, by relative path; empty without a manifest, or a damaged one.

    Raises:
        OSError: the file system cannot read it.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file() or manifest.stat().st_size > LARGEST_MANIFEST:  # a pipe of that name would never end
        return {}
    try:
        document = json.loads(manifest.read_bytes())
        files = document["files"] if document["format"] == _FORMAT else {}
        return {name: _digests(value) for name, value in files.items() if value is not None or _BUILT.fullmatch(name)}
    except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def manifest_text(folder: Path, names: Iterable[str], others: Mapping[str, Digests] | None = None) -> str:
    """Returns the manifest of files that lie in a folder, ``others`` added; the same files give the same text."""
    files = {**(others or {}), **{name: (sha256_of(folder / name),) for name in names}}
    if unknown := [name for name, digests in files.items() if digests is None and not _BUILT.fullmatch(name)]:
        raise ValueError(f"{unknown} would not be believed to be built there")
    plain = {name: digests[0] if digests and len(digests) == 1 else digests for name, digests in sorted(files.items())}
    return json.dumps({"format": _FORMAT, "files": plain}, indent=1) + "\n"


def is_ours(file: Path, digests: Digests) -> bool:
    """Returns whether a file is one of the versions that a manifest lists.

    Raises:
        OSError: it cannot be read.
    """
    return file.is_file() and not file.is_symlink() and (digests is None or sha256_of(file) in digests)


def list_folder(folder: Path) -> Listing:
    """Tells our files in a folder from the user's; an empty listing where there is no folder.

    Raises:
        OSError: the folder, or a file of ours in it, cannot be read.
    """
    if not folder.exists():
        return Listing()
    manifest = read_manifest(folder)
    ours, changed, foreign, folders = set(), set(), set(), []
    for path, below, files in os.walk(folder, onerror=_raise):
        below[:] = [name for name in below if not is_scratch_name(name)]
        links = [name for name in below if (Path(path) / name).is_symlink()]
        folders += [str(Path(path) / name) for name in below if name not in links]
        for name in (*files, *links):
            file = Path(path) / name
            relative = file.relative_to(folder).as_posix()
            if relative == MANIFEST and manifest:
                ours.add(relative)
            elif relative == MANIFEST:
                changed.add(relative)
            elif relative not in manifest or file.is_symlink() or not file.is_file():
                foreign.add(relative)
            elif is_ours(file, manifest[relative]):
                ours.add(relative)
            else:
                changed.add(relative)
    return Listing(frozenset(ours), frozenset(changed), frozenset(foreign), tuple(folders))


def _digests(value: object) -> Digests:
    return None if value is None else tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _raise(error: OSError) -> None:
    raise error
