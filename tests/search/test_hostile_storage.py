"""Storages that somebody else made: other programs' databases stay as they are, and what no search writes ends in one line."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from glyphlite.errors import ToolError
from glyphlite.search.settings import SearchSettings
from glyphlite.search.study import begin_study, join_study, quiet_optuna, settings_of, storage_failures, storage_of
from glyphlite.search.trials import front_of, records_of

SETTINGS = SearchSettings("mnist", (28, 28, 1), 10)


def _another_programs(folder: Path) -> Path:
    """Makes a database that another program uses."""
    path = folder / "mine.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE photos (name TEXT)")
    database.close()
    return path


@pytest.mark.parametrize("must_exist", [False, True])
def test_another_programs_database_stays_as_it_is(tmp_path: Path, must_exist: bool) -> None:
    path = _another_programs(tmp_path)
    before = path.read_bytes()
    with pytest.raises(ToolError, match="another program's database"):
        storage_of(path, must_exist=must_exist)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"years of work\n" * 99, b"SQLite format 3\0" + bytes(84), b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_what_is_no_database_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(ToolError):
        storage_of(path)
    assert path.read_bytes() == content


def test_nothing_is_made_where_a_search_is_to_be_joined(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot read"):
        storage_of(tmp_path / "none.db", must_exist=True)
    with pytest.raises(ToolError, match="not a valid file name"):
        storage_of("a\0b")
    with pytest.raises(ToolError, match="not UTF-8"):
        storage_of(tmp_path / "a\udce9.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("more", ["", "?uri=true", "?mode=rw&uri=true", "?mode=memory&uri=true"])
@pytest.mark.parametrize("before", ["sqlite:///file:", "sqlite+pysqlite:///file:"])
def test_another_programs_database_by_sqlites_own_url_stays_as_it_is(tmp_path: Path, before: str, more: str) -> None:
    path = _another_programs(tmp_path)
    content = path.read_bytes()
    with pytest.raises(ToolError, match="no file that other processes can open"):
        storage_of(f"{before}{path}{more}")
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite+pysqlite://", "sqlite:///?mode=memory"])
def test_a_storage_that_dies_with_its_process_is_refused(url: str) -> None:
    with pytest.raises(ToolError, match="no file that other processes can open"):
        storage_of(url)


@pytest.mark.parametrize("statement", ["DROP TABLE studies", "DROP TABLE trials"])
def test_a_storage_that_fails_amid_a_search_is_said_in_one_line(tmp_path: Path, statement: str) -> None:
    storage = storage_of(tmp_path / "study.db")
    with quiet_optuna():
        begin_study(storage, "one", SETTINGS)
    with sqlite3.connect(tmp_path / "study.db") as database:
        database.execute(statement)
    database.close()
    with pytest.raises(ToolError, match=r"^the storage of the search fails: no such table: \w+; [^\n]+$"), storage_failures():
        records_of(join_study(storage, "one").get_trials())


@pytest.mark.parametrize(
    "change",
    [
        *({"version": value} for value in (None, 99, "1")),
        *({"budget": value} for value in (None, [], "x", {"flash_bytes": "much"})),
        *({"objectives": value} for value in (5, [], ["beauty"], "accuracy")),
        *({"sides": value} for value in ([], [0], [-28], ["x"])),
        *({"input_shape": value} for value in ([28], [0, 0, 0], "28x28")),
        *({"classes": value} for value in (0, "many")),
        {"sampler": "\x1b[31m"},
        {"epochs": 0},
        {"seed": -1},
    ],
)
def test_settings_that_no_search_has_end_in_one_line(change: dict[str, Any]) -> None:
    with pytest.raises(ToolError) as caught:
        SearchSettings.of_document(SETTINGS.document() | change)
    assert "\n" not in str(caught.value)
    assert SearchSettings.of_document(SETTINGS.document()) == SETTINGS


@pytest.mark.parametrize("settings", [[], "x", 5, None])
def test_a_study_of_another_program_is_none_of_ours(tmp_path: Path, settings: Any) -> None:
    with quiet_optuna():
        storage = storage_of(tmp_path / "study.db")
        begin_study(storage, "s", SETTINGS, priors=False).set_user_attr("settings", settings)
        with pytest.raises(ToolError, match="was not begun by glyphlite search"):
            settings_of(join_study(storage))


@pytest.mark.parametrize(
    "attributes",
    [{"accuracy": "high"}, {"accuracy": [1]}, {"candidate": 5}, {"candidate": {"x": 1}}, {"cost": "cheap"}, {"rung:x": 1}],
)
def test_trials_that_no_search_wrote_end_in_one_line(tmp_path: Path, attributes: dict[str, Any]) -> None:
    with quiet_optuna():
        study = begin_study(storage_of(tmp_path / "study.db"), "s", SETTINGS, priors=False)
        trial = study.ask()
        for key, value in attributes.items():
            trial.set_user_attr(key, value)
        with pytest.raises(ToolError, match="trials that are not of glyphlite search"):
            front_of(records_of(study.get_trials()), SETTINGS.objectives)
