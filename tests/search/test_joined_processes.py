"""Several processes in one study, on SQLite and on PostgreSQL: one is killed amid a trial, and none is lost or counted twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from support.postgresql import NoServerError, postgresql

from glyphlite.search.budget import Budget
from glyphlite.search.settings import SearchSettings
from glyphlite.search.study import begin_study, quiet_optuna, running_trials, storage_of, storage_url

pytestmark = pytest.mark.slow

SETTINGS = SearchSettings("mnist", (28, 28, 1), 10, Budget("cortex-m0", 16_384, 4096), sampler="random")
TRIALS = 10
TESTS = Path(__file__).parents[1]


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield storage_url(tmp_path / "study.db")
        return
    try:
        with postgresql() as url:
            yield url
    except NoServerError as reason:
        pytest.skip(str(reason))


def join(storage: str, seconds: float) -> "subprocess.Popen[bytes]":
    """Starts a process that works in the study until it has its trials, each of which takes so long."""
    command = [sys.executable, "-m", "support.stand_in_trials", storage, str(TRIALS), str(seconds)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, stderr=subprocess.PIPE)


def wait_for(study: optuna.Study, process: "subprocess.Popen[bytes]") -> optuna.trial.FrozenTrial:
    """Returns the trial that a process is at, when it is at one."""
    for _ in range(1200):
        for trial in running_trials(study):
            if trial.params.keys() >= {"side", "depth"} and trial.user_attrs.get("worker", {}).get("process") == process.pid:
                return trial
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        time.sleep(0.05)
    raise AssertionError("no trial was begun")


def test_a_killed_process_loses_no_trial_and_none_counts_twice(storage: str) -> None:
    with quiet_optuna():
        study = begin_study(storage_of(storage), "shared", SETTINGS, priors=False)
    killed, stays = join(storage, 600), join(storage, 0.1)
    lost = wait_for(study, killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    joined_later = join(storage, 0.1)
    for process in (stays, joined_later):
        assert process.wait(120) == 0, process.stderr and process.stderr.read().decode()
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state.name for trial in trials)
    assert states.keys() == {"COMPLETE", "FAIL"}
    assert states["FAIL"] == 1
    assert TRIALS <= states["COMPLETE"] <= TRIALS + 1  # two may begin the last one at once
    (failed,) = [trial for trial in trials if trial.state.name == "FAIL"]
    assert failed.number == lost.number
    (again,) = [trial for trial in trials if trial.user_attrs.get("retry_of") == lost.number]
    assert (again.state.name, again.params) == ("COMPLETE", lost.params)
    assert sorted(trial.number for trial in trials) == list(range(states["COMPLETE"] + 1))
    workers = {trial.user_attrs["worker"]["process"] for trial in trials if trial.state.name == "COMPLETE"}
    assert workers <= {stays.pid, joined_later.pid}
