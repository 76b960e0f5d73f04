"""Workers as processes: one that is worn or died is followed by another, and too many deaths end the search."""

import time
from pathlib import Path

import pytest

from glyphlite.errors import ToolError
from glyphlite.search import crew
from glyphlite.search.crew import Crew
from glyphlite.search.worker import WORN


def workers_that_end(monkeypatch: pytest.MonkeyPatch, folder: Path, *codes: int) -> Path:
    """Replaces workers by a script that ends with one code after the other, the last for ever; returns the file of its starts."""
    starts, script = folder / "starts", folder / "worker"
    script.write_text(
        f'#!/bin/sh\nset -- {" ".join(map(str, codes))}\necho >>"{starts}"\n'
        + (f'n=$(($(wc -l <"{starts}") - 1)); [ $n -lt $# ] || n=$(($# - 1)); shift $n; echo "ended by $1" >&2; exit $1\n')
    )
    script.chmod(0o755)
    monkeypatch.setattr(crew.sys, "executable", str(script))
    return starts


def watched(workers: Crew) -> None:
    """Looks after the workers until none is at work."""
    end = time.monotonic() + 60
    while workers.look_after():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_worn_worker_gives_way_however_often(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts = workers_that_end(monkeypatch, tmp_path, *[WORN] * 8, 0)
    with Crew({}, 1) as workers:
        watched(workers)
    assert len(starts.read_text()) == 9


def test_a_worker_that_wears_out_while_looked_at_gives_way_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts = workers_that_end(monkeypatch, tmp_path, WORN, 0)
    with Crew({}, 1) as workers:
        process = workers._workers[0].process
        process.wait()
        with monkeypatch.context() as patched:
            answers = iter([None])  # what it said before it ended
            patched.setattr(process, "poll", lambda: next(answers, WORN))
            assert workers.look_after()
        watched(workers)
    assert len(starts.read_text()) == 2


def test_too_many_deaths_end_the_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    starts = workers_that_end(monkeypatch, tmp_path, WORN, 1)
    with Crew({}, 1) as workers, pytest.raises(ToolError, match="5 workers of the search died; the last said: ended by 1"):
        watched(workers)
    assert len(starts.read_text()) == 6


def test_what_the_user_can_put_right_ends_it_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    workers_that_end(monkeypatch, tmp_path, 2)
    with Crew({}, 1) as workers, pytest.raises(ToolError, match=r"^ended by 2$"):
        watched(workers)
