"""A study: begun once, gone on with, and no trial lost or counted twice when a process dies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy.exc import OperationalError

from glyphlite.errors import OutputError, ToolError
from glyphlite.search.budget import Budget
from glyphlite.search.proposals.priors import PRIORS
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate, suggest
from glyphlite.search.study import (
    MOST_RETRIES,
    begin_study,
    fail_dead_trials,
    fail_trial,
    fixed_candidate,
    is_stopped,
    join_study,
    quiet_optuna,
    settings_of,
    sign,
    stop_study,
    storage_of,
    storage_url,
)
from glyphlite.search.trials import FAILED, RUNNING, WAITING, counts_of, front_of, records_of

SETTINGS = SearchSettings("mnist", (28, 28, 1), 10, Budget("cortex-m0", 16_384, 4096))


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    with quiet_optuna():
        return begin_study(storage_of(tmp_path), "first", SETTINGS)


def outcomes(study: optuna.Study) -> list[str]:
    return [record.outcome for record in records_of(study.trials)]


def test_settings_stay_with_the_study(study: optuna.Study, tmp_path: Path) -> None:
    joined = join_study(storage_of(tmp_path / "study.db"))
    assert settings_of(joined) == SETTINGS
    assert outcomes(joined) == [WAITING] * len(PRIORS)


def test_a_study_that_is_begun_again_goes_on(study: optuna.Study, tmp_path: Path) -> None:
    stop_study(study)
    assert is_stopped(join_study(storage_of(tmp_path)))
    again = begin_study(storage_of(tmp_path), "first", SETTINGS)
    assert not is_stopped(again)
    assert outcomes(again) == [WAITING] * len(PRIORS)


def test_a_study_that_did_not_keep_the_batch_yet_goes_on(study: optuna.Study, tmp_path: Path) -> None:
    study.set_user_attr("settings", {name: kept for name, kept in SETTINGS.document().items() if name != "batch"})
    assert settings_of(begin_study(storage_of(tmp_path), "first", SETTINGS)) == SETTINGS


def test_other_settings_are_refused_by_name(study: optuna.Study, tmp_path: Path) -> None:
    other = SearchSettings("mnist", (28, 28, 1), 10, SETTINGS.budget, epochs=5)
    with pytest.raises(OutputError, match="epochs 12, now epochs 5"):
        begin_study(storage_of(tmp_path), "first", other)


def test_a_trial_of_a_dead_process_is_queued_once_more(study: optuna.Study) -> None:
    trial = study.ask()
    trial.suggest_categorical("side", [28, 20, 16])
    trial.set_user_attr("worker", {"host": __import__("socket").gethostname(), "process": 2**22 + 1, "started": "1"})
    before = len(study.trials)
    assert fail_dead_trials(study) == 1
    assert fail_dead_trials(study) == 0
    assert outcomes(study).count(FAILED) == 1
    assert len(study.trials) == before + 1
    again = study.trials[-1]
    assert (again.state.name, again.user_attrs["retry_of"]) == ("WAITING", trial.number)
    assert again.system_attrs["fixed_params"] == {"side": 28}


def test_one_process_at_a_time_reads_and_changes_a_trial(study: optuna.Study, tmp_path: Path) -> None:
    """Two that read a trial as running could else both fail it, and its point were queued twice."""
    storages: list[Any] = [storage_of(tmp_path) for _ in range(2)]
    mine, theirs = (storage.engine for storage in storages)
    with mine.begin() as reading:
        assert reading.exec_driver_sql("SELECT count(*) FROM trials").scalar() == len(PRIORS)
        with theirs.connect() as waiting:
            waiting.connection.dbapi_connection.execute("PRAGMA busy_timeout = 50")
            with pytest.raises(OperationalError, match="database is locked"):
                waiting.begin()
    with theirs.begin() as then:
        assert then.exec_driver_sql("SELECT count(*) FROM trials").scalar() == len(PRIORS)


def test_a_trial_of_a_living_process_stays(study: optuna.Study) -> None:
    sign(study.ask())
    assert fail_dead_trials(study) == 0
    assert outcomes(study).count(RUNNING) == 1


def test_a_point_that_kills_its_process_is_given_up(study: optuna.Study) -> None:
    for each in study.trials:  # the first points are not what is asked about
        study._storage.set_trial_state_values(each._trial_id, state=optuna.trial.TrialState.FAIL)
    study.enqueue_trial({"side": 28})
    for _ in range(MOST_RETRIES + 1):
        trial = study.ask()
        trial.suggest_categorical("side", [28, 20, 16])
        assert fail_trial(study, study.trials[trial.number])
    assert WAITING not in outcomes(study)


def test_a_starting_point_comes_first_and_once(tmp_path: Path) -> None:
    start = Candidate(28, "c5s3x8 c3x12 h48 b4", 0.02)
    with quiet_optuna():
        begin_study(storage_of(tmp_path), "first", SETTINGS, start=start)
        study = begin_study(storage_of(tmp_path), "first", SETTINGS, start=start)
        assert len(study.trials) == len(PRIORS) + 1
        trial = study.ask()
        assert (trial.number, fixed_candidate(trial)) == (0, None)
        assert suggest(trial, SETTINGS.sides) == start


def test_a_starting_point_outside_of_the_space_is_tried_as_it_is(tmp_path: Path) -> None:
    start = Candidate(28, "c7s3x8 c3x12 h48 b4", 0.02)
    with quiet_optuna():
        study = begin_study(storage_of(tmp_path), "first", SETTINGS, start=start)
        assert fixed_candidate(study.ask()) == start
        assert fail_trial(study, study.trials[0])
        assert fixed_candidate(study.trials[-1]) == start
        assert study.trials[-1].user_attrs["retry_of"] == 0
        with pytest.raises(ToolError, match="no point of the space, and --sampler nsga2"):
            begin_study(storage_of(tmp_path), "other", replace(SETTINGS, sampler="nsga2"), start=start)


@pytest.mark.parametrize("place", ["nonsense://here", "postgresql://nobody@127.0.0.1:1/none", "/proc/none/study.db"])
def test_a_storage_that_cannot_be_opened_is_said(place: str) -> None:
    with pytest.raises(ToolError, match="storage"):
        storage_of(place)


def test_the_url_of_a_file_takes_any_name(tmp_path: Path) -> None:
    odd = tmp_path / "50% ?#.db"
    with quiet_optuna():
        begin_study(storage_of(odd), "first", SETTINGS)
    assert odd.is_file()
    assert storage_url("postgresql://user:secret@host/name") == "postgresql://user:secret@host/name"


def test_a_storage_without_a_study_is_said(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="no study yet"):
        join_study(storage_of(tmp_path))


def test_a_front_has_what_nothing_beats(study: optuna.Study) -> None:
    cost = {
        "core": "cortex-m0",
        "optimize": "speed",
        "ram_bytes": 1,
        "instructions": 1,
        "cycles": None,
        "macs": 1,
        "weight_bytes": 1,
        "parameters": 1,
        "is_bound": False,
    }
    for accuracy, flash in ((0.99, 9000), (0.98, 5000), (0.97, 6000), (0.98, 5000)):
        study.add_trial(
            optuna.create_trial(
                values=[accuracy, flash],
                user_attrs={
                    "candidate": {"side": 28, "words": "c3x8", "rate": 0.01},
                    "cost": {**cost, "flash_bytes": flash},
                    "accuracy": accuracy,
                },
            )
        )
    records = records_of(study.trials)
    assert [record.accuracy for record in front_of(records, ("accuracy", "flash"))] == [0.99, 0.98]
    assert counts_of(records).trained == 4


def test_a_study_that_goes_on_proposes_something_new(tmp_path: Path) -> None:
    settings = replace(SETTINGS, sampler="random")
    found = []
    with quiet_optuna():
        for _ in range(3):
            study = begin_study(storage_of(tmp_path), "again", settings, priors=False)
            found.append(suggest(study.ask(), settings.sides))
    assert len(set(found)) == 3
