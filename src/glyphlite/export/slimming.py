"""The page's own text files without what only their readers need: comments on lines of their own, indentation, blank lines.

A tenth of the first load, for a few lines and no tool. It knows lines, not languages, and so relies on how the templates are
written: no string runs over several lines, and a comment that shares its line with code stays.
"""

import re

_COMMENT_LINES = re.compile(r"^[ \t]*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENTATION = re.compile(r"^\s+", re.MULTILINE)
SUFFIXES = (".js", ".css", ".html")


def slim(file: str, content: bytes) -> bytes:
    """A file of the page as it is served; other files than scripts, style sheets and HTML pass through.

    Args:
        file: its name.
        content: UTF-8 text, or anything else in other files.
    """
    if not file.endswith(SUFFIXES):
        return content
    text = content.decode()
    if not file.endswith(".html"):
        text = _COMMENT_LINES.sub("", text)
    return _INDENTATION.sub("", text).encode()
