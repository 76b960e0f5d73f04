r"""Makes text from outside safe where it is shown: names of files, classes, models, layers and tensors, and what libraries say.

Every such text is escaped for its place: a terminal, JSON, a picture, a page, Markdown, C. What a reader could not see, and what
a terminal or a compiler would obey, is written out: ESC as ``\x1b``, a right-to-left override as ``\u202e``, a line separator
as ``\u2028``, and a byte of a file name that is not UTF-8 as ``\xff``. Knows nothing of where the text comes from.
"""

import html
import json
import re
import shlex
import unicodedata
from typing import Any

LONGEST = 60
"""Characters of a name out of a file that a message shows."""

_JOINERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{WORD JOINER}\N{SOFT HYPHEN}")
"""Invisible characters that change how their neighbours are written and nothing else: Persian words and emoji need them."""

_UNUSUAL = re.compile(r"[^ -~]")

_BREAKS = re.compile(r" *[\t\r\n][ \t\r\n]*")


def visible(text: str, *, keep: str = "") -> str:
    r"""Returns text in which everything can be seen, on one line.

    Args:
        text: anything; a path that is not UTF-8 as Python decodes it (surrogateescape).
        keep: control characters that stay, ``"\n"`` where the place has lines.

    Example:
        >>> print(visible("a\x1b[2Jb\u2028c"))
        a\x1b[2Jb\u2028c
    """
    return _UNUSUAL.sub(lambda found: found[0] if _is_visible(found[0]) or found[0] in keep else _written_out(found[0]), text)


def is_unicode(text: str) -> bool:
    """Returns whether text can be written as UTF-8, which a path that was no UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_line(text: str) -> str:
    """Returns a message as one visible line; the line breaks and tabs of a library's message become spaces."""
    return visible(_BREAKS.sub(" ", text.strip(" \t\r\n")))


def printable(text: str, limit: int = LONGEST) -> str:
    """Returns a name out of a file as a message shows it: visible, on one line, and not endless.

    Args:
        text: anything that a file holds.
        limit: the most characters to show.

    Returns:
        One line of at most ``limit`` + 3 characters; ``unnamed`` for nothing.
    """
    shown = visible(text[: limit + 1])
    return f"{shown[:limit]}..." if len(shown) > limit else shown or "unnamed"


def name_of(text: str) -> str:
    """Returns a name as records and files keep it: composed (NFC), without blanks around it, visible, on one line, not empty.

    So labels.txt holds one name on each line, and every program that reads it finds as many names.
    """
    return visible(unicodedata.normalize("NFC", text).strip()) or "unnamed"


def lines_of(text: str) -> list[str]:
    r"""Returns the lines of a text, which end at ``\n``, ``\r\n`` or ``\r`` alone; ``str.splitlines`` knows seven others."""
    lines = re.split(r"\r\n|\n|\r", text)
    return lines if lines[-1] else lines[:-1]


def json_text(document: Any, *, indent: int | None = 2, allow_nan: bool = True, ascii_only: bool = False) -> str:
    r"""Returns a JSON document as text: letters of every script as they are, what is not visible by its code (``\u001b``)."""
    text = json.dumps(document, indent=indent, ensure_ascii=ascii_only, allow_nan=allow_nan)
    # Outside strings JSON has spaces and line breaks alone, so that whatever else is not printable stands in a string.
    return (
        text if text.isprintable() else "".join(each if each.isprintable() or each == "\n" else _in_json(each) for each in text)
    )


def xml_text(text: str) -> str:
    """Returns text as XML and HTML take it, between tags or in an attribute with quotes."""
    return html.escape(visible(text))


def markdown(text: str) -> str:
    """Returns text as Markdown shows it in a sentence, a heading or a table's cell: no markup, no tag, no cell's end."""
    return re.sub(r"([\\`*_{}\[\]()#|~!<>&$])", r"\\\1", visible(text))


def shell_word(path: object) -> str:
    r"""Returns a path as one word of a command that is shown: visible, and the same path when it is pasted into a shell.

    What cannot be seen is written as bash, zsh and ksh read it, ``$'a\x1bb'``; a path that begins like an option gets ``./``.
    """
    text = str(path)
    text = f"./{text}" if text.startswith("-") else text
    if visible(text) == text:
        return shlex.quote(text)
    return f"$'{''.join(_shell_character(each) for each in text)}'"


def c_string(text: str) -> str:
    """Returns a C string literal with the text's bytes: UTF-8, and of a file name that is not UTF-8 the bytes that it has.

    What is not plain ASCII is written in octal, which no digit can extend; ``?`` too, so that there are no trigraphs.
    """
    return '"' + "".join(_c_character(byte) for byte in _bytes_of(text)) + '"'


def c_comment(text: str) -> str:
    """Returns text that can stand inside any C comment: a line of printable ASCII that opens, closes and continues none."""
    plain = "".join(each if 32 <= ord(each) < 127 else "?" for each in text).replace("\\", "/")
    plain = re.sub(r"\?(?=\?)", "? ", plain)  # the trigraph ??/ is a backslash
    return re.sub(r"\*(?=/)|/(?=\*)", lambda found: f"{found[0]} ", plain)


def python_string(text: str) -> str:
    """Returns text as the inside of a Python string in double quotes, of one line or of several."""
    return visible(text).replace("\\", "\\\\").replace('"', '\\"')


def _is_visible(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"


def _written_out(character: str) -> str:
    if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte, as PEP 383 hides it in a str
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def _shell_character(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    # At most two digits belong to a code, so that a digit behind it stays one.
    return character if _is_visible(character) else "".join(f"\\x{byte:02x}" for byte in _bytes_of(character))


def _in_json(character: str) -> str:
    return json.dumps(character)[1:-1]


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return visible(text).encode()


def _c_character(byte: int) -> str:
    return chr(byte) if 32 <= byte < 127 and byte not in b'"\\?' else f"\\{byte:03o}"
