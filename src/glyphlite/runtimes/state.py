"""The state that a model keeps between calls, as far as its file can be read. Asks no runtime."""

from dataclasses import dataclass

from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph


@dataclass(frozen=True)
class Kept:
    """A summary of what stays in an interpreter after a call.

    Attributes:
        anything: whether the next call can see any of it.
        variables: whether some of it is in variables, which interpreters do not bring back to what an initializer set: TFLite
            Micro's ``Reset`` fills them with their zero point, LiteRT's ``reset_all_variables`` leaves them.
    """

    anything: bool = False
    variables: bool = False


def kept_by(content: bytes, name: str) -> Kept:
    """Returns what a .tflite file keeps between calls; nothing, where glyphlite cannot read it."""
    try:
        graph = parse_graph(content, name)
    except ArtifactError:
        return Kept()
    return Kept(graph.is_stateful, bool(graph.variables))
