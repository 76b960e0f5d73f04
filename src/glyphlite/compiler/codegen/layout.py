"""The layout of generated C: no line over 120 columns, no runs of blank lines. Changes blanks and line ends alone."""

import re
from collections.abc import Iterator

from glyphlite.compiler.codegen.c_text import COLUMNS

DEEPEST = 48
"""Columns that a line of generated C is indented by, at most."""

_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|.')
_BREAKS_BEFORE = ("&& ", "|| ", "? ", ": ", "+ ", "- ", "| ", "^ ", "* ", "<< ", ">> ")


def tidy(text: str) -> str:
    """Removes runs of blank lines and blanks at line ends, wraps long lines, and ends with one newline.

    Loops in loops, as many as a fused pipeline has layers, are indented no further than leaves room for a line.
    """
    lines: list[str] = []
    broken = False
    for line in text.splitlines():
        line = line.rstrip()
        if line.startswith(" " * (DEEPEST + 1)):
            line = " " * DEEPEST + line.lstrip()
        if broken and _goes_on(line):
            line = f"{lines.pop()} {line.strip()[2:]}"
        pieces = wrapped(line)
        broken = len(pieces) > 1
        if line or (lines and lines[-1]):
            lines += pieces
    return "\n".join(lines).strip() + "\n"


def _goes_on(line: str) -> bool:
    """Returns whether a line of a comment goes on with the sentence of the line before, whose end was broken off."""
    return bool(re.match(r" *\* [a-z0-9]", line))


def wrapped(line: str) -> list[str]:
    """Returns a line of C as several of at most 120 columns, where it has places to break it."""
    if len(line) <= COLUMNS:
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    body = line.strip()
    if body.startswith(("/*", "* ")):
        return _wrapped_comment(line, indent if body.startswith("/*") else indent[:-1])
    end, room = (" \\", COLUMNS - 2) if body.startswith("#") else ("", COLUMNS)
    lines: list[str] = []
    while len(line) > room:
        place = _best_break(line, room)
        if place is None:
            break
        lines.append(line[:place].rstrip() + end)
        line = indent + " " * 8 + line[place:].lstrip()
    return [*lines, line]


def _wrapped_comment(line: str, indent: str) -> list[str]:
    lines: list[str] = []
    while len(line) > COLUMNS:
        least = len(indent) + 4  # behind what opens the line, so that each piece is shorter than the last
        place = line.rfind(" ", least, COLUMNS + 1)
        if line[place:] == " */":  # not alone on a line
            place = line.rfind(" ", least, place)
        if place < 0:
            break
        lines.append(line[:place].rstrip())
        line = f"{indent} * {line[place + 1 :]}"
    return [*lines, line]


def _best_break(line: str, most: int) -> int | None:
    """Returns where to break a line of code: outside of as many brackets as can be, and as far right; None where nowhere."""
    least = len(line) - len(line.lstrip())  # a break before the text would leave the line as it is
    places = [(depth, -place) for depth, place in _breaks(line, most) if least < place <= most]
    far = [(depth, place) for depth, place in places if -place > most // 2]
    return -min(far or places)[1] if places else None


def _breaks(line: str, most: int) -> Iterator[tuple[int, int]]:
    """Yields the depth of brackets and the place of every spot up to ``most`` where a line of code may be broken."""
    depth = 0
    for match in _PIECE.finditer(line):
        piece, place = match[0], match.start()
        if place > most:
            return
        if piece in "([{":
            depth += 1
        elif piece in ")]}":
            depth -= 1
        elif piece == " " and (line[place - 1] in ",=;" or line.startswith(_BREAKS_BEFORE, place + 1)):
            yield depth, place + 1
