"""The name of a model as pages and programs show it."""

from pathlib import Path

from glyphlite.escaping import name_of
from glyphlite.tflite.metadata import read_metadata


def model_name(artifact: Path, content: bytes) -> str:
    """Returns what the file calls itself; else the folder of a run, since all runs name their files alike; else the file."""
    if name := read_metadata(content).name:
        return name_of(name)
    stem = artifact.stem
    return name_of(artifact.resolve().parent.name if stem.startswith("model_") else stem)
