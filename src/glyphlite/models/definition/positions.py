"""The line of every key and every element of a TOML document, which Python's ``tomllib`` does not tell.

Follows TOML 1.0 as far as positions need it and leaves every other question to ``tomllib``: where the text is no TOML, it stops,
and ``tomllib`` says what is wrong. Its time grows with the text, and depth is limited, so that the parser behind it is never
asked about what takes it long.
"""

import re
import tomllib
from collections.abc import Callable
from contextlib import suppress

Path = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

DEEPEST = 16
"""How many parts a key may have, and how many arrays and inline tables may lie in each other."""

_SPACE = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{1,2}(?!"))?|' + r"'''.*?'''(?:'{1,2}(?!'))?|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'", re.DOTALL
)
_PLAIN = re.compile(r"[^,\[\]{}#\n\"']+")


class TooDeepError(Exception):
    """Something lies too deep in the document; has the line, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _NoTomlError(Exception):
    """The text is no TOML from here on."""


def positions(text: str) -> dict[Path, int]:
    """Returns the line, from 1, of every key and element of a TOML document, as far as it is one; line ends are line feeds.

    Raises:
        TooDeepError: something lies deeper than :data:`DEEPEST`.
    """
    scanner = _Scanner(text)
    with suppress(_NoTomlError):
        scanner.document()
    return scanner.lines


class _Scanner:
    """A place in a text, and the lines found so far."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.lines = text, 0, dict[Path, int]()
        self._counted, self._line = 0, 1
        self._elements: dict[Path, int] = {}
        """Of each array of tables, the index of the last one."""

    def document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_GAP)
            if self.at == len(self.text):
                return
            if self._takes("[["):
                table = self._header("]]", repeated=True)
            elif self._takes("["):
                table = self._header("]", repeated=False)
            else:
                self._pair(table, depth=0)
            self._skip(_SPACE)
            if self.at < len(self.text) and self.text[self.at] not in "#\n":
                raise _NoTomlError

    def _header(self, end: str, *, repeated: bool) -> Path:
        *parents, last = self._key()
        self._expect(end)
        path: Path = ()
        for part in parents:
            path = self._newest((*path, part))
            self.lines.setdefault(path, self._now())
        path = (*path, last)
        if not repeated:
            path = self._newest(path)
            self.lines.setdefault(path, self._now())
            return path
        self._elements[path] = self._elements.get(path, -1) + 1
        self.lines.setdefault(path, self._now())
        path = self._newest(path)
        self.lines[path] = self._now()
        return path

    def _newest(self, path: Path) -> Path:
        """Returns a table's path, or that of the last one where there is an array of them."""
        return (*path, self._elements[path]) if path in self._elements else path

    def _pair(self, table: Path, depth: int) -> None:
        line = self._now()
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path, depth)

    def _key(self) -> list[str]:
        """Reads a key of one part or several, the space around it included."""
        parts = []
        while True:
            self._skip(_SPACE)
            if self.at < len(self.text) and self.text[self.at] in "\"'":
                parts.append(_unquoted(self._match(_STRING)))
            else:
                parts.append(self._match(_BARE_KEY))
            if len(parts) > DEEPEST:
                raise TooDeepError(self._now())
            self._skip(_SPACE)
            if not self._takes("."):
                return parts

    def _value(self, path: Path, depth: int) -> None:
        if depth > DEEPEST:
            raise TooDeepError(self._now())
        if self._takes("["):
            self._elements_of(path, depth)
        elif self._takes("{"):
            self._skip(_SPACE)
            if not self._takes("}"):
                self._list(lambda: self._pair(path, depth + 1), "}", _SPACE)
        elif self.at < len(self.text) and self.text[self.at] in "\"'":
            self._match(_STRING)
        else:
            self._match(_PLAIN)

    def _elements_of(self, path: Path, depth: int) -> None:
        count = 0

        def element() -> None:
            nonlocal count
            self.lines[(*path, count)] = self._now()
            self._value((*path, count), depth + 1)
            count += 1

        self._skip(_GAP)
        if not self._takes("]"):
            self._list(element, "]", _GAP)

    def _list(self, read: Callable[[], None], end: str, gap: re.Pattern[str]) -> None:
        """Reads what stands between commas up to the end; an array may have a comma behind the last."""
        while True:
            read()
            self._skip(gap)
            if self._takes(end):
                return
            self._expect(",")
            self._skip(gap)
            if end == "]" and self._takes(end):
                return

    def _now(self) -> int:
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            raise _NoTomlError
        self.at = found.end()
        return found[0]

    def _takes(self, word: str) -> bool:
        if not self.text.startswith(word, self.at):
            return False
        self.at += len(word)
        return True

    def _expect(self, word: str) -> None:
        if not self._takes(word):
            raise _NoTomlError


def _unquoted(key: str) -> str:
    """Returns what a quoted key means."""
    try:
        return tomllib.loads(f"key = {key}")["key"]
    except tomllib.TOMLDecodeError:
        raise _NoTomlError from None
