"""Names for generated files and symbols: what C, C++, common platforms and file systems leave free. Pure functions, no files."""

import re

from glyphlite.compiler.codegen.reserved_names import PREFIXES, RESERVED

LONGEST_NAME = 64
"""Characters; C99 promises 63 for a name inside a file, 31 for one that linkers see, and every linker of today takes more."""


def is_reserved(name: str) -> bool:
    """Returns whether a name belongs to C, C++, POSIX, Arduino or a file system, in whatever case."""
    return name.lower() in RESERVED or name.lower().startswith(PREFIXES)


def identifier(text: str) -> str:
    """Makes a free C identifier in lower case of a text: ``Edge CNN-2`` becomes ``edge_cnn_2``, ``math`` ``model_math``."""
    name = re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_") or "model"
    if name[0].isdigit() or is_reserved(name):
        name = f"model_{name}"
    return name[:LONGEST_NAME].rstrip("_")


def objection(name: str) -> str | None:
    """Returns what speaks against a name that a user chose, with one that is free; None where nothing does.

    Upper case is allowed: what is made of the name decides whether it takes it.
    """
    instead = identifier(name)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or "__" in name or name.endswith("_"):
        return (
            f"{name[:80]!r} is not a C identifier: expected a letter, then letters, digits and single underscores; "
            f"use --name {instead}"
        )
    if is_reserved(name):
        return f"{name} is a name of C, C++, POSIX, Arduino or a file system, which would be hidden; use --name {instead}"
    if len(name) > LONGEST_NAME:
        return f"{name[:20]}... has {len(name)} characters, expected at most {LONGEST_NAME}; use --name {instead}"
    return None
