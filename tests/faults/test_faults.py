"""Commands killed, and failing, at some call of the file system; ``campaigns/kills.py`` and ``failing_writes.py`` take many more.

The library that does it counts calls of the C library: it is built with gcc and preloaded.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.faults.campaign import run_trials
from support.faults.commands import write_inputs

SEED = 5
WISHES = {
    ("kills", "export c-array"): 5,
    ("kills", "compile"): 5,
    ("failures", "export c-array"): 10,
    ("failures", "compile"): 5,
}


@pytest.fixture(scope="module")
def trials(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("faults")
    inputs = write_inputs(folder / "inputs")
    for name, variant in (("run", "int8"), ("other", "float32")):
        (inputs / name).mkdir()
        shutil.copyfile(samples / f"model_{variant}.tflite", inputs / name / "model_int8.tflite")
    wishes = [f"{kind}:{name}:{count}" for (kind, name), count in WISHES.items()]
    with run_trials(folder, SEED, folder / "none", wishes) as process:
        lines, _ = process.communicate(timeout=500)
    assert process.returncode == 0
    return [trial for trial in map(json.loads, lines.splitlines()) if "mode" in trial]  # the others say how many there are to be


@pytest.mark.slow
def test_nothing_of_the_users_is_lost_and_the_next_command_ends_right(trials: list[dict[str, Any]]) -> None:
    assert [trial for trial in trials if trial["fault"]] == []


@pytest.mark.slow
def test_the_trials_did_something(trials: list[dict[str, Any]]) -> None:
    for (kind, name), count in WISHES.items():
        these = [trial for trial in trials if trial["command"] == name and ("call" in trial) == (kind == "failures")]
        assert len(these) >= count
        assert sum(not trial["finished"] for trial in these) >= count // 3, "these were killed or failed"
    assert {trial["scenario"] for trial in trials} == {"new", "again", "theirs", "link", "here"}
    assert min(trial["calls"] for trial in trials) > 10
