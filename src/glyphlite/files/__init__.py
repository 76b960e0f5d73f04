"""Whole files and whole folders or none: everything glyphlite writes is written beside its place and renamed into it.

Knows paths and bytes, nothing of what they hold. ``single`` writes one file, ``folders`` a folder whose files are known by a
``manifest``, ``scratch`` makes the temporary folders of both and sweeps those that a kill has left. ``untrusted`` and ``zips``
read what comes from outside.
"""

from glyphlite.files.folders import atomic_folder, owned_folder, require_own, write_unit
from glyphlite.files.manifest import MANIFEST
from glyphlite.files.scratch import sweep
from glyphlite.files.single import (
    atomic_path,
    make_folder,
    sha256_of,
    user_cache,
    write_bytes,
    write_json,
    write_text,
)
from glyphlite.files.untrusted import check_unfolded, open_input, parsing, read_input, reason_of

__all__ = [
    "MANIFEST",
    "atomic_folder",
    "atomic_path",
    "check_unfolded",
    "make_folder",
    "open_input",
    "owned_folder",
    "parsing",
    "read_input",
    "reason_of",
    "require_own",
    "sha256_of",
    "sweep",
    "user_cache",
    "write_bytes",
    "write_json",
    "write_text",
    "write_unit",
]
