"""Whole files and whole folders or none: everything glyphlite writes is written beside its place and renamed into it.

Knows paths and bytes, nothing of what they hold. ``single`` writes one file, ``owned`` one in a folder that may hold
the user's as well, ``folders`` a whole folder; what is ours in a folder is known by its ``manifest``. ``scratch`` makes the
temporary folders of all and sweeps those that a kill has left. ``untrusted`` and ``zips`` read what comes from outside.
"""

from glyphlite.files.folders import atomic_folder, owned_folder, remove_folder, require_own, write_unit
from glyphlite.files.manifest import MANIFEST, read_manifest
from glyphlite.files.named import require_own_file
from glyphlite.files.owned import locked_folder, owned_path, remove_ours, require_ours, write_owned
from glyphlite.files.scratch import gather_temporary_files, sweep, system_temporary_folder, temporary_folder
from glyphlite.files.single import (
    atomic_path,
    made_folder,
    make_folder,
    sha256_of,
    user_cache,
    without_detours,
    write_bytes,
    write_json,
    write_text,
    writing,
)
from glyphlite.files.untrusted import check_unfolded, open_input, parsing, read_input, reading_folder, reason_of

__all__ = [
    "MANIFEST",
    "atomic_folder",
    "atomic_path",
    "check_unfolded",
    "gather_temporary_files",
    "locked_folder",
    "made_folder",
    "make_folder",
    "open_input",
    "owned_folder",
    "owned_path",
    "parsing",
    "read_input",
    "read_manifest",
    "reading_folder",
    "reason_of",
    "remove_folder",
    "remove_ours",
    "require_ours",
    "require_own",
    "require_own_file",
    "sha256_of",
    "sweep",
    "system_temporary_folder",
    "temporary_folder",
    "user_cache",
    "without_detours",
    "write_bytes",
    "write_json",
    "write_owned",
    "write_text",
    "write_unit",
    "writing",
]
