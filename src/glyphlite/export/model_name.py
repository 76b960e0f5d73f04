"""The name of a model as pages and programs show it."""

import re
from pathlib import Path

from glyphlite.escaping import name_of
from glyphlite.tflite.metadata import read_metadata

_KERAS_OWN = re.compile(r"(sequential|functional|model)(_\d+)?")
"""Names that Keras gives to models whose makers gave none."""


def model_and_file(artifact: Path, content: bytes) -> str:
    """Returns what an export was made from: the file's name, behind what the file calls itself where that says more.

    The folder of a run has no part in it: the same file gives the same export wherever it lies.
    """
    name = read_metadata(content).name
    if not name or _KERAS_OWN.fullmatch(name) or name == artifact.stem:
        return name_of(artifact.name)
    return f"{name_of(name)} ({name_of(artifact.name)})"


def model_name(artifact: Path, content: bytes) -> str:
    """Returns what the file calls itself; else the folder of a run, since all runs name their files alike; else the file."""
    if name := read_metadata(content).name:
        return name_of(name)
    stem = artifact.stem
    return name_of(artifact.resolve().parent.name if stem.startswith("model_") else stem)
