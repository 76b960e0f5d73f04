"""The table of what strangers bring, in small: each kind is made, the commands are run, and the result is what was expected."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from common.strangers.harness import Desk, Measured, Row, all_right, try_row
from common.strangers.known import KNOWN
from common.strangers.table import rows

SMALL = [each for each in rows() if each.small]


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    """Holds what rows make once for all: data, files of others, a finished run."""
    return {}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strangers")


@pytest.mark.slow
@pytest.mark.parametrize("each", SMALL, ids=[each.name for each in SMALL])
def test_kind(each: Row, room: Path, shared: dict[str, Any]) -> None:
    outcome = try_row(each, room, shared)
    if each.name in KNOWN:
        assert not outcome.right, f"{each.name} is right now: take its mark out of benchmarks/common/strangers/known.py"
        pytest.xfail(KNOWN[each.name])
    assert outcome.right, f"{each.example}: expected {each.expected}; measured {outcome.measured} {' '.join(outcome.crashes)}"


def test_every_mark_names_a_row_and_a_reason() -> None:
    assert set(KNOWN) <= {each.name for each in rows()}
    assert all(len(reason) > 10 for reason in KNOWN.values())


def test_every_section_of_the_issue_has_rows_that_run_in_small() -> None:
    assert {each.section for each in SMALL} == {"inputs", "models", "data", "pictures", "words", "borders"}
    assert len(SMALL) >= 80


def _row(do: Callable[[Desk], Measured]) -> Row:
    return Row("made", "up", "an example", "what is expected", True, do)


def test_a_traceback_makes_a_row_wrong_whatever_it_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises() -> None:
        raise RuntimeError("nobody caught this")

    monkeypatch.setattr("glyphlite.__main__.main", raises)

    def do(desk: Desk) -> Measured:
        desk.glyphlite("inspect", "x")
        return Measured("fine", True)

    outcome = try_row(_row(do), tmp_path, {})
    assert not outcome.right
    assert outcome.measured == "fine"
    assert "nobody caught this" in outcome.crashes[0]


def test_a_row_that_cannot_make_its_example_is_wrong_and_says_so(tmp_path: Path) -> None:
    outcome = try_row(_row(lambda desk: Measured(str(1 / len(desk.done)), True)), tmp_path, {})
    assert not outcome.right
    assert outcome.measured.startswith("the row itself fails: ZeroDivisionError")


def test_a_refusal_is_no_crash_and_its_line_is_found(tmp_path: Path) -> None:
    def do(desk: Desk) -> Measured:
        done = desk.glyphlite("inspect", desk.folder / "nowhere.tflite")
        return all_right([("code 2", done.code == 2), ("named", done.says("NOWHERE")), ("not this", done.says("elsewhere"))])

    outcome = try_row(_row(do), tmp_path, {})
    assert (outcome.measured, outcome.right, outcome.crashes) == ("not not this", False, ())
