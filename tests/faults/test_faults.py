"""Commands killed, and failing, at some call of the file system; ``campaigns/faults.py`` takes every one.

The library that does it counts calls of the C library: it is built with gcc and preloaded.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
TRIALS, SEED = 30, 5


@pytest.fixture(scope="module")
def trials(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("faults")
    library = folder / "faults.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, HERE / "faults.c", "-ldl"]
    subprocess.run(command, check=True, timeout=120)
    (folder / "trials").mkdir()
    done = subprocess.run(
        [sys.executable, HERE / "run.py", folder / "trials", samples, str(SEED), str(TRIALS)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_nothing_of_the_users_is_lost_and_the_next_command_ends_right(trials: list[dict[str, Any]]) -> None:
    assert [trial for trial in trials if trial["fault"]] == []


@pytest.mark.slow
def test_the_trials_did_something(trials: list[dict[str, Any]]) -> None:
    assert len(trials) == TRIALS
    assert sum(not trial["finished"] for trial in trials) > TRIALS // 2, "most were killed or failed"
    assert {trial["scenario"] for trial in trials} == {"new", "again", "theirs", "link", "here"}
    assert min(trial["calls"] for trial in trials) > 10
