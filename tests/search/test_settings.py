"""What a user says a search is for."""

import pytest

from glyphlite.errors import ToolError
from glyphlite.search.settings import parse_objectives


@pytest.mark.parametrize(
    ("text", "objectives"),
    [
        ("accuracy", ("accuracy",)),
        ("flash", ("accuracy", "flash")),
        (" RAM , accuracy", ("accuracy", "ram")),
        ("instructions,flash", ("accuracy", "flash", "instructions")),
    ],
)
def test_accuracy_is_always_among_the_objectives(text: str, objectives: tuple[str, ...]) -> None:
    assert parse_objectives(text) == objectives


@pytest.mark.parametrize(
    ("text", "why"), [("", "not ''"), ("flash,", "not ''"), ("flash,Flash", "twice"), ("speed", "not 'speed'")]
)
def test_no_objective_is_silently_left_out(text: str, why: str) -> None:
    with pytest.raises(ToolError, match=why):
        parse_objectives(text)
