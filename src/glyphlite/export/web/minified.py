"""The page's own text files as they are served: scripts and style sheet minified, HTML without indentation.

The scripts are minified beforehand (``make page``), as whoever exports a page needs no Node.js: ``templates/page`` holds them by
the names of their sources in ``templates/web``.
"""

import re
from importlib.resources import files as resources

_INDENTATION = re.compile(r"^\s+", re.MULTILINE)


def served(file: str) -> bytes:
    """Returns a file of the page as it is served: minified where it is a script or style sheet."""
    templates = resources("glyphlite.export") / "templates"
    if file.endswith((".js", ".css")):
        return (templates / "page" / file).read_bytes()
    content = (templates / "web" / file).read_bytes()
    return _INDENTATION.sub("", content.decode()).encode() if file.endswith(".html") else content
