"""Trials told to trackers: each trained one once, however often the search goes on, and none where nobody asked."""

from pathlib import Path
from typing import Any

import pytest

from glyphlite.errors import ToolError
from glyphlite.pipeline.search.tracked import TrialTracker
from glyphlite.search.budget import Budget, Cost
from glyphlite.search.settings import SearchSettings
from glyphlite.search.space import Candidate
from glyphlite.search.study import begin_study, join_study, quiet_optuna, storage_of
from glyphlite.search.trials import OVER, PRUNED, RUNNING, TRAINED, TrialRecord
from glyphlite.training.tracking.trackers import Trackers, Tracking

COST = Cost("cortex-m0", "speed", 8000, 1500, 90_000, None, 40_000, 4000, 7000)
RECORDS = [
    TrialRecord(0, TRAINED, Candidate(28, "c5s3x8 h32 b4", 0.02), COST, 0.98, 0.1, 12, 20.0),
    TrialRecord(1, OVER, Candidate(28, "c3s1x24", 0.02), COST),
    TrialRecord(2, RUNNING),
    TrialRecord(3, PRUNED, Candidate(20, "c5s3x4 z", 0.01), COST, 0.9, 0.3, 4, 5.0),
]


class Kept:
    """A tracker that keeps what it is told."""

    def __init__(self, told: dict[str, Any], name: str) -> None:
        self._told = told[name] = []

    def parameters(self, values: Any) -> None:
        self._told.append(values)

    def epoch(self, record: Any) -> None:
        self._told.append(record)

    def figures(self, step: int, values: Any) -> None:
        self._told.append(values)

    def close(self, *, finished: bool) -> None:
        self._told.append(finished)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    monkeypatch.setattr(Tracking, "begin", lambda self, name, **_: Trackers([("Kept", Kept(kept, name))]))
    return kept


@pytest.fixture(autouse=True)
def study(tmp_path: Path) -> Any:
    with quiet_optuna():
        return begin_study(storage_of(tmp_path), "letters", SearchSettings("letters", (28, 28, 1), 3, Budget("cortex-m0")))


def test_each_trained_trial_is_one_run_told_once(told: dict[str, Any], study: Any, tmp_path: Path) -> None:
    TrialTracker(study, Tracking(tmp_path / "logs")).tell(RECORDS[:3])
    assert list(told) == ["letters-0"]
    parameters, figures, finished = told["letters-0"]
    assert parameters["network"] == "c5s3x8 h32 b4"
    assert (parameters["outcome"], parameters["rate"], parameters["side"]) == ("trained", 0.02, 28)
    assert (figures["validation_accuracy"], figures["flash_bytes"], figures["ram_bytes"]) == (0.98, 8000, 1500)
    assert (figures["instructions"], finished) == (90_000, True)
    told.clear()
    TrialTracker(join_study(storage_of(tmp_path)), Tracking(tmp_path / "logs")).tell(RECORDS)
    assert list(told) == ["letters-3"]


def test_another_place_is_told_of_all(told: dict[str, Any], study: Any, tmp_path: Path) -> None:
    TrialTracker(study, Tracking(tmp_path / "logs")).tell(RECORDS)
    told.clear()
    TrialTracker(study, Tracking(tmp_path / "others")).tell(RECORDS)
    assert list(told) == ["letters-0", "letters-3"]


def test_a_place_that_fails_is_left_out_aloud(
    monkeypatch: pytest.MonkeyPatch, study: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ToolError("TensorBoard cannot be told of the training: disk full")

    monkeypatch.setattr(Tracking, "begin", fail)
    tracker = TrialTracker(study, Tracking(tmp_path / "logs"))
    tracker.tell(RECORDS)
    tracker.tell(RECORDS)
    assert capsys.readouterr().err.count("disk full") == 1


def test_nobody_is_told_unless_asked(told: dict[str, Any], study: Any) -> None:
    TrialTracker(study, Tracking()).tell(RECORDS)
    assert told == {}
