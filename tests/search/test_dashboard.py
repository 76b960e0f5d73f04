"""Optuna Dashboard opens the storage of a search as it is: its server is called in this process, without a socket."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import optuna
import optuna_dashboard
import pytest

from glyphlite.search.budget import Budget, Cost
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import suggest
from glyphlite.search.study import begin_study, quiet_optuna, storage_of, storage_url

SETTINGS = SearchSettings("mnist", (28, 28, 1), 10, Budget("cortex-m0", 16_384, 4096))
COST = Cost("cortex-m0", "speed", 8000, 1500, 90_000, None, 40_000, 4000, 7000)


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """Returns the URL of a study with a trained trial, one over the budget and waiting ones."""

    def tried(trial: optuna.Trial) -> tuple[float, float]:
        trial.set_user_attr("candidate", asdict(suggest(trial, SETTINGS.sides)))
        trial.set_user_attr("cost", COST.document())
        for limit, excess in COST.excesses(SETTINGS.budget).items():
            trial.set_constraint(limit, excess + trial.number)
        if trial.number:
            raise optuna.TrialPruned
        return 0.98, 8000.0

    with quiet_optuna():
        begin_study(storage_of(tmp_path), "letters", SETTINGS).optimize(tried, n_trials=2)
    return storage_url(tmp_path)


def answer(storage: str, path: str) -> bytes:
    """Returns what the dashboard answers to a request, which must be a success."""
    environment: dict[str, Any] = {}
    setup_testing_defaults(environment)
    environment |= {"PATH_INFO": path.partition("?")[0], "QUERY_STRING": path.partition("?")[2]}
    status: list[str] = []

    def start(line: str, *_: object) -> Callable[[bytes], object]:
        status.append(line)
        return lambda _: None

    content = b"".join(optuna_dashboard.wsgi(storage)(environment, start))
    assert status == ["200 OK"], content.decode()
    return content


def test_the_dashboard_shows_the_study(storage: str) -> None:
    (study,) = json.loads(answer(storage, "/api/studies"))["study_summaries"]
    assert study["study_name"] == "letters"
    assert study["directions"] == ["maximize", "minimize"]


def test_the_dashboard_shows_every_trial_with_its_values(storage: str) -> None:
    found = json.loads(answer(storage, "/api/studies/1?after=0"))
    trained, over, *waiting = found["trials"]
    assert (trained["state"], trained["values"]) == ("Complete", [0.98, 8000.0])
    assert over["state"] == "Pruned"
    assert waiting
    assert {each["state"] for each in waiting} == {"Waiting"}
    assert {each["key"] for each in trained["user_attrs"]} >= {"candidate", "cost"}


def test_the_page_itself_is_served(storage: str) -> None:
    assert b"<html" in answer(storage, "/dashboard")
