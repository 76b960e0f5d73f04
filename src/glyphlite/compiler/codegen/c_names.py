"""Names for generated files and symbols: what C, C++, common platforms and file systems leave free. Pure functions, no files."""

import re
from collections.abc import Sequence

from glyphlite.compiler.codegen.reserved_names import PREFIXES, RESERVED

LONGEST_NAME = 64
"""Characters; C99 promises 63 for a name inside a file, 31 for one that linkers see, and every linker of today takes more."""

LONGEST_PART = 40
"""Characters of a parameter's name that come from its tensor's."""


def is_reserved(name: str) -> bool:
    """Returns whether a name belongs to C, C++, POSIX, Arduino or a file system, in whatever case."""
    return name.lower() in RESERVED or name.lower().startswith(PREFIXES)


def identifier(text: str) -> str:
    """Makes a free C identifier in lower case of a text: ``Edge CNN-2`` becomes ``edge_cnn_2``, ``math`` ``model_math``."""
    name = re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_") or "model"
    if name[0].isdigit() or is_reserved(name):
        name = f"model_{name}"
    return name[:LONGEST_NAME].rstrip("_")


def parameter_names(kind: str, tensors: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of a function's parameters for a model's inputs or outputs: ``input``, or ``input_a``, ``input_b``.

    Args:
        kind: "input" or "output".
        tensors: the file's names; converters' additions (``serving_default_``, ``:0``) are left out.

    Example:
        >>> parameter_names("output", ["StatefulPartitionedCall:1", "model/box/BiasAdd;model/box/MatMul", "Box"])
        ('output_1', 'output_box', 'output_box_2')
    """
    if len(tensors) == 1:
        return (kind,)
    found: list[str] = []
    for position, tensor in enumerate(tensors):
        stem = f"{kind}_{_short(tensor, kind) or position}"
        name, count = stem, 2
        while name in found:
            name, count = f"{stem}_{count}", count + 1
        found.append(name)
    return tuple(found)


def copy_name(parameter: str) -> str:
    """Returns the name of the layer that copies to an output what another output or an input holds."""
    return f"{parameter}_copy"


def _short(tensor: str, kind: str) -> str:
    """Returns what tells a tensor from others, made part of an identifier; empty where nothing does."""
    parts = tensor.split(";")[0].removeprefix("serving_default_").split("/")
    name = parts[-2] if len(parts) > 1 and parts[-2] else parts[-1]
    if call := re.fullmatch(r"(?:Stateful)?PartitionedCall(?:_\d+)?:(\d+)", name):
        return call[1]
    words = re.sub(r"[^0-9a-z]+", "_", re.sub(r":0$", "", name).lower()).strip("_")
    return re.sub(rf"^{kind}s?(_|$)", "", words)[:LONGEST_PART].rstrip("_")


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
