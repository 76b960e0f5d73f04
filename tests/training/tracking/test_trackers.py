"""Trackers: asked for by name, never imported else, and never the end of a training."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from glyphlite.errors import ModelError, ToolError
from glyphlite.extras import has_extra
from glyphlite.training.history import EpochRecord
from glyphlite.training.tracking import services
from glyphlite.training.tracking.trackers import Trackers, Tracking, flat

EPOCHS = [EpochRecord(number, 0.1, 0.5, 0.9, 0.4, 0.8, 1.0) for number in range(1, 4)]


class Kept:
    """A tracker that keeps what it is told, and fails where it is asked to."""

    def __init__(self, fails_at: int = 99) -> None:
        self.told: list[Any] = []
        self._fails_at = fails_at

    def parameters(self, values: Mapping[str, Any]) -> None:
        self.told.append(dict(values))

    def epoch(self, record: EpochRecord) -> None:
        if record.epoch == self._fails_at:
            raise ConnectionError("no route\nto the server")
        self.told.append(record.epoch)

    def figures(self, step: int, values: Mapping[str, float]) -> None:
        self.told.append((step, dict(values)))

    def close(self, *, finished: bool) -> None:
        self.told.append(finished)


def test_every_epoch_is_told_once_and_the_end_is_told_as_it_was() -> None:
    kept, cut = Kept(), Kept()
    with Trackers([("Kept", kept)]) as trackers:
        trackers.describe({"model": "m", "recipe": {"teachers": ("a", "b"), "ema": None, "schedule": {"peak": 0.5}}})
        for count in (0, 1, 1, 3):
            trackers.epochs(EPOCHS[:count])
        trackers.finish({"accuracy": 1, "absent": None})
    assert kept.told == [
        {"model": "m", "recipe.teachers": "a, b", "recipe.schedule.peak": 0.5},
        1,
        2,
        3,
        (3, {"accuracy": 1.0}),
        True,
    ]
    with pytest.raises(KeyboardInterrupt), Trackers([("Cut", cut)]) as trackers:
        raise KeyboardInterrupt
    assert cut.told == [False]


def test_one_that_fails_is_left_out_aloud_and_the_others_are_told_on(capsys: pytest.CaptureFixture[str]) -> None:
    failing, kept = Kept(fails_at=2), Kept()
    with Trackers([("MLflow", failing), ("Kept", kept)]) as trackers:
        trackers.epochs(EPOCHS)
    assert (failing.told, kept.told) == ([1], [1, 2, 3, False])
    assert "MLflow is told no more of this training: no route to the server" in " ".join(capsys.readouterr().err.split())


def test_what_cannot_begin_is_an_error_before_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise OSError("connection refused")

    monkeypatch.setattr("glyphlite.training.tracking.trackers.require_extra", lambda *_: None)
    monkeypatch.setattr(services, "MlflowTracker", fail)
    with pytest.raises(ToolError, match="MLflow cannot be told of the training: connection refused"):
        Tracking(services=("mlflow",)).begin("run")


def test_where_one_cannot_begin_the_records_of_the_others_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = Kept()

    def fail(_: str) -> None:
        raise OSError("no login")

    monkeypatch.setattr("glyphlite.training.tracking.trackers.require_extra", lambda *_: None)
    monkeypatch.setattr(services, "MlflowTracker", lambda _: begun)
    monkeypatch.setattr(services, "WandbTracker", fail)
    with pytest.raises(ToolError, match="Weights & Biases cannot be told"):
        Tracking(services=("mlflow", "wandb")).begin("run")
    assert begun.told == [False]


def test_wrong_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"not 'mlfow' \(did you mean mlflow\?\)"):
        Tracking(services=("mlfow",))
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="takes a folder"):
        Tracking(tmp_path / "file")
    for name in ("mlflow", "wandb"):
        if not has_extra(name):
            with pytest.raises(ToolError, match=rf"--track {name} needs .*glyphlite\[{name}\]"):
                Tracking(services=(name,))
    assert Tracking(tmp_path, ("mlflow",) if has_extra("mlflow") else ()).words()[:2] == ["--tensorboard", str(tmp_path)]
    assert flat({}) == {}


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    code = (
        "import sys; import glyphlite.training.trainer; from glyphlite.training.tracking.trackers import Tracking\n"
        "with Tracking().begin('run') as trackers: trackers.finish({})\n"
        "sys.exit(any(name in sys.modules for name in ('mlflow', 'wandb', 'tensorboard', 'tensorflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
