"""Whatever a name holds, it can be seen, stays on its line and breaks out of nothing."""

import ast
import json
import os
import re
import subprocess
import unicodedata
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.escaping import (
    json_text,
    lines_of,
    markdown,
    name_of,
    one_line,
    printable,
    python_string,
    shell_word,
    visible,
    xml_text,
)

ANY = st.text(st.characters(codec=None), max_size=40)
"""Lone surrogates included, as names that are no UTF-8 have them."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("seven", "seven"),
        ("Größe 7 数字 😀", "Größe 7 数字 😀"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("fdp.\u202egnp", r"fdp.\u202egnp"),
        ("\u2066a\u2069", r"\u2066a\u2069"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf", r"a\u2028b\u2029c\x85d\x0be\x0cf"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("\0", r"\x00"),
        ("می\N{ZERO WIDTH NON-JOINER}خواهم", "می\N{ZERO WIDTH NON-JOINER}خواهم"),
        ("\N{MAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "\N{MAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"),
        ("a\N{NO-BREAK SPACE}b", "a\N{NO-BREAK SPACE}b"),
        ("\ufeff\u200bx\U000e0041", r"\ufeff\u200bx\U000e0041"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(ANY)
def test_visible_text_is_one_line_that_can_be_written_and_moves_nothing(text: str) -> None:
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert shown.encode().decode() == shown
    assert not {unicodedata.category(each) for each in shown} & {"Cc", "Cs", "Zl", "Zp", "Cn", "Co"}
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    assert visible(shown) == shown


def test_a_messages_line_breaks_become_spaces() -> None:
    assert one_line("expected one of\n\ta,\r\n  b\x1b") == r"expected one of a, b\x1b"
    assert one_line("two  blanks") == "two  blanks"


def test_a_name_out_of_a_file_has_an_end() -> None:
    assert printable("a" * 100, 10) == "aaaaaaaaaa..."
    assert printable("\x1b" * 100, 10) == r"\x1b\x1b\x..."
    assert printable("") == "unnamed"


def test_names_are_composed_and_fill_one_line() -> None:
    assert name_of(" e\u0301 ") == "é"
    assert name_of("two\nlines") == r"two\nlines"
    assert name_of("\u3000") == "unnamed"


@given(st.lists(ANY.filter(str.strip)))
def test_a_file_of_names_has_a_line_for_each(names: list[str]) -> None:
    kept = [name_of(each) for each in names]
    text = "".join(f"{each}\n" for each in kept)
    assert lines_of(text) == kept
    assert text.splitlines() == kept


def test_lines_end_where_every_program_ends_them() -> None:
    assert lines_of("a\u2028b\x85c\x0b\x0cd\x1c\ne\r\nf\rg") == ["a\u2028b\x85c\x0b\x0cd\x1c", "e", "f", "g"]
    assert lines_of("") == []
    assert lines_of("a\n\n") == ["a", ""]


@given(st.dictionaries(ANY, ANY | st.integers() | st.lists(ANY)))
def test_json_holds_what_it_was_given_and_can_be_shown(document: dict[str, object]) -> None:
    for ascii_only in (False, True):
        text = json_text(document, ascii_only=ascii_only)
        assert json.loads(text) == document
        assert all(line.isprintable() for line in text.split("\n"))
        assert text.encode("ascii" if ascii_only else "utf-8")


@given(ANY)
def test_xml_takes_every_text(text: str) -> None:
    element = ET.fromstring(f'<a b="{xml_text(text)}">{xml_text(text)}</a>')
    assert element.text == element.attrib["b"] or element.attrib["b"] == (element.text or "")
    assert len(list(element)) == 0


@given(ANY)
def test_markdown_has_no_markup_of_a_name(text: str) -> None:
    assert not re.search(r"(?<!\\)[`*_\[\]|<>&$#]", re.sub(r"\\\\", "", markdown(text)))


PATHS = [
    b"plain/path",
    b"with space",
    b"it's",
    b'"quoted"',
    b"$(touch x)`y`",
    b"a;b&c|d>e",
    b"-option",
    b"tab\tline\nend",
    b"\x1b[31m1",
    b"\xff\xfe0",
    b"*?[a]~",
    b"back\\slash",
    "größe \u202e \u2028".encode(),
]


def test_a_path_in_a_printed_command_is_visible_and_means_that_path() -> None:
    words = [shell_word(os.fsdecode(path)) for path in PATHS]
    assert all(visible(word) == word for word in words)
    script = f"printf '%s\\0' {' '.join(words)}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": os.defpath})
    assert [path.removeprefix(b"./") for path in done.stdout.split(b"\0")[:-1]] == PATHS


@pytest.mark.parametrize("text", ['"""', '"', "\\", 'x\\"', "\\N{x}", "a\nb\x1b\u2028", "é"])
def test_what_stands_inside_a_python_string_is_that_text_made_visible(text: str) -> None:
    for source in (f'"""{python_string(text)} behind"""', f'"{python_string(text)} behind"'):
        assert ast.literal_eval(source) == f"{visible(text)} behind"
