"""Size of an artifact: the file's bytes, the bytes of its weights as stored, and its hash."""

from dataclasses import dataclass
from pathlib import Path

from glyphlite.errors import ArtifactError
from glyphlite.files.single import sha256_of


@dataclass(frozen=True)
class Footprint:
    """Sizes and identity of one .tflite file."""

    bytes: int
    weight_bytes: int
    sha256: str


def measure_footprint(path: Path) -> Footprint:
    """Weighs a .tflite file.

    Raises:
        ArtifactError: the file is missing or is not a valid .tflite.
    """
    from glyphlite.tflite.cost import weight_bytes
    from glyphlite.tflite.reader import read_graph

    graph = read_graph(path)
    try:
        return Footprint(path.stat().st_size, weight_bytes(graph), sha256_of(path))
    except OSError as error:
        raise ArtifactError(f"cannot read {path}: {error.strerror}") from None
