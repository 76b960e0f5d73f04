"""Lines of a TOML document: those of every key and element that Python's own reader finds, whatever the layout."""

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlite.models.definition.positions import DEEPEST, TooDeepError, positions

DOCUMENT = '''
title = "a # b"  # comment
"quoted \\u0061.b" = 'x'
owner.name = """one
two"""
owner.lists = [ [1,
  2], ["a",], # last
  {b = 3, c.d = [4]} ]
[table] # here
key = 1979-05-27 07:32:00
other = \'\'\'it's
''here\'\'\'\'\'
[table.inner]
x = {}
[[items]]
name = "first"
[items.sub]
deep = true
[[items.parts]]
[[items.parts]]
n = 1.5e3
[[items]]
name = "second"
[[items.parts]]
n = 2
'''


def paths(value: Any, above: tuple = ()) -> set[tuple]:
    """Every way into a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {way for key, each in inner for way in ({(*above, key)} | paths(each, (*above, key)))}


def test_every_key_and_element_of_every_form_has_its_line() -> None:
    lines = positions(DOCUMENT)
    assert set(lines) == paths(tomllib.loads(DOCUMENT))
    text = DOCUMENT.split("\n")
    expected = {
        ("title",): "title",
        ("quoted a.b",): '"quoted',
        ("owner", "name"): "owner.name",
        ("owner", "lists", 0, 1): "  2]",
        ("owner", "lists", 2, "c", "d", 0): "  {b",
        ("table",): "[table]",
        ("table", "key"): "key",
        ("table", "inner", "x"): "x =",
        ("items", 0, "sub", "deep"): "deep",
        ("items", 0, "parts", 1, "n"): "n = 1.5e3",
        ("items", 1, "name"): 'name = "second"',
        ("items", 1, "parts", 0, "n"): "n = 2",
    }
    assert {path: text[lines[path] - 1].startswith(words) for path, words in expected.items()} == dict.fromkeys(expected, True)


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=4)
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=6) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(KEYS, VALUES, max_size=4), st.booleans())
def test_whatever_a_writer_writes_is_found_again(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline).replace("\r\n", "\n")
    lines = positions(text)
    assert set(lines) == paths(tomllib.loads(text))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damaged_documents_are_never_misread(data: st.DataObject) -> None:
    """Where the damage leaves TOML, every key is found; where not, nothing but a stop."""
    text = DOCUMENT
    for _ in range(data.draw(st.integers(1, 3))):
        at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 5))
        text = text[:at] + data.draw(st.text("[]{}\"'=.,#\n\\ ab1", max_size=4)) + text[at + length :]
    lines = positions(text)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert set(lines) == paths(document)


@pytest.mark.parametrize(
    "text",
    [
        "\n\na = " + "[" * 100_000,
        "\n\n" + ".".join("a" * 100_000) + " = 1",
        "\n\n[" + ".".join("a" * 100_000) + "]",
        "\n\na = " + "{a=" * 100_000,
    ],
)
def test_depth_is_refused_before_any_parser_sees_it(text: str) -> None:
    with pytest.raises(TooDeepError) as caught:
        positions(text)
    assert caught.value.line == 3
    allowed = "a = " + "[" * DEEPEST + "]" * DEEPEST
    assert set(positions(allowed)) == paths(tomllib.loads(allowed))
