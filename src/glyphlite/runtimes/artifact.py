"""A .tflite file's bytes, read with a bound, and which of its tensors are activations: what the runtimes share."""

from pathlib import Path

from glyphlite.errors import ArtifactError
from glyphlite.files import read_input

LARGEST_FILE = 512 << 20
"""Bytes; a glyph classifier has a thousandth of it."""


def read_artifact(path: Path) -> bytes:
    """Returns the bytes of a .tflite file.

    Raises:
        ArtifactError: it is missing, unreadable, empty, too large or not a flatbuffer with TensorFlow Lite's identifier.
    """
    path = Path(path)
    content = read_input(path, "a .tflite file", ArtifactError, LARGEST_FILE)
    if content[4:8] != b"TFL3":
        raise ArtifactError(
            f"{path.name} is not a .tflite file: expected the identifier TFL3, found {content[4:8]!r}; "
            "make one with glyphlite convert"
        )
    return content


def activation_indices(content: bytes, name: str) -> tuple[int, ...]:
    """Indices of the input and of every tensor that an op writes, in execution order.

    Raises:
        ArtifactError: the file is malformed.
    """
    from glyphlite.tflite.reader import parse_graph

    graph = parse_graph(content, name)
    written = [output for operator in graph.operators for output in operator.outputs if output >= 0]
    return tuple(dict.fromkeys([*graph.inputs, *written]))
