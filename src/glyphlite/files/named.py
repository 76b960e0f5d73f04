"""One picture or page that the user names, anywhere: it replaces an earlier one of ours, and nothing else.

It needs no manifest beside it, as it tells by its own first bytes that glyphlite made it.
"""

from pathlib import Path

from glyphlite.errors import OutputError
from glyphlite.files.untrusted import special_kind

MARKS = (b'<svg class="glyph-graph"', b"Software\0glyphlite", b'<meta name="generator" content="glyphlite')
"""What glyphlite's pictures of graphs, its PNGs and its pages hold near their beginning."""

_BEGINNING = 2000


def require_own_file(path: Path, option: str) -> Path:
    """Returns the path of a file to be written, if nothing or an earlier one of ours is there.

    Args:
        path: as the user named it.
        option: the command's option for it, for the error.

    Raises:
        OutputError: something else lies there, such as the very picture or model that the command reads, or a device.
    """
    advice = f"name another file with {option}"
    if kind := special_kind(path):
        raise OutputError(f"{path} is {kind}; {advice}")
    if not path.exists():
        return path
    try:
        with path.open("rb") as stream:
            beginning = stream.read(_BEGINNING)
    except OSError as error:
        raise OutputError(f"cannot replace {path}: {error.strerror}; {advice}") from None
    if beginning and not any(mark in beginning for mark in MARKS):
        raise OutputError(f"{path} is not glyphlite's and would be replaced; move it away or {advice}")
    return path
