"""What becomes C must be C, whatever a user or a file calls things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphlite.errors import OutputError
from glyphlite.escaping import c_comment, c_string
from glyphlite.export.c_names import c_array, check_identifier


@pytest.mark.parametrize("name", ["model", "micro_cnn", "m1", "Model_2_b", "x" * 64])
def test_identifiers_pass(name: str) -> None:
    assert check_identifier(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "1model",
        "micro-cnn",
        "_model",
        "a__b",
        "model ",
        "model\n",
        "modèle",
        "a.b",
        "a;b",
        "int",
        "class",
        "main",
        "math",
        "Wire",
        "a_",
        "x" * 65,
    ],
)
def test_what_c_or_cpp_would_not_take_is_refused_with_the_option_to_change(name: str) -> None:
    with pytest.raises(OutputError, match="--name"):
        check_identifier(name)


@given(st.text())
def test_a_string_literal_holds_the_texts_bytes(text: str) -> None:
    literal = c_string(text)
    assert literal.startswith('"')
    assert literal.endswith('"')
    inside = re.sub(rb"\\([0-7]{3})", lambda match: bytes([int(match.group(1), 8)]), literal[1:-1].encode("ascii"))
    assert inside == text.encode()
    assert not re.search(r'["\\?]', re.sub(r"\\[0-7]{3}", "", literal[1:-1]))


@given(st.text())
def test_a_comment_neither_ends_nor_opens_another_nor_swallows_the_next_line(text: str) -> None:
    comment = c_comment(text)
    assert comment.isascii()
    assert comment == "" or comment.isprintable()
    assert not any(mark in comment for mark in ("*/", "/*", "\\", "\n", "??"))


@pytest.mark.parametrize("text", ["*\\", "\\*", "é\u2028/", "what??/", "a\\\n", "/*/", "**//**"])
def test_comments_survive_what_becomes_a_mark_when_it_is_escaped(text: str) -> None:
    comment = c_comment(text)
    assert not any(mark in comment for mark in ("*/", "/*", "\\", "??"))


def test_a_string_literal_keeps_the_bytes_of_a_name_that_is_no_utf8() -> None:
    assert c_string("caf\udce9") == '"caf\\351"'
    assert c_string("\ud800") == '"\\134ud800"'


@given(st.binary(max_size=200))
def test_an_array_lists_every_byte_once(content: bytes) -> None:
    assert bytes(int(number, 16) for number in re.findall(r"0x([0-9a-f]{2}),", c_array(content))) == content
