"""MLflow and Weights & Biases themselves, in environments of their own: told of a training, and read back from a local file."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from support.environments import NoEnvironmentError, environment

pytestmark = pytest.mark.slow

TOLD = """
import sys
sys.path.append(sys.argv[1])
from glyphlite.training.history import EpochRecord
from glyphlite.training.tracking.trackers import Tracking

epochs = [EpochRecord(number, 0.1, 0.5 / number, 0.9, 0.25, 0.75 + number / 100, 1.0) for number in (1, 2, 3)]
with Tracking(services=(sys.argv[2],)).begin("my-run") as trackers:
    trackers.describe({"model": "my-net", "recipe": {"epochs": 3, "teachers": ("a", "b"), "note": "x" * 1000}})
    trackers.epochs(epochs[:1])
    trackers.epochs(epochs)
    trackers.finish({"int8/test_accuracy": 0.9875})
"""


def tell(service: str, packages: tuple[str, ...], folder: Path, settings: dict[str, str]) -> None:
    """Tells a service of three epochs, its packages behind ours on Python's path."""
    try:
        python = environment("trackers", packages)
    except NoEnvironmentError as reason:
        pytest.skip(f"the package index does not give {packages[0]}: {reason}")
    site = next((python.parents[1] / "lib").glob("python*/site-packages"))
    command = [sys.executable, "-c", TOLD, str(site), service]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr


def test_mlflow_keeps_every_epoch_once_and_the_figures(tmp_path: Path) -> None:
    packages = ("mlflow-skinny==3.17.2", "sqlalchemy==2.1.9", "alembic==1.20.1")
    tell("mlflow", packages, tmp_path, {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db"})
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        metrics = store.execute("SELECT key, step, value FROM metrics ORDER BY key, step").fetchall()
        parameters = dict(store.execute("SELECT key, value FROM params").fetchall())
        runs = store.execute("SELECT name, status FROM runs").fetchall()
        experiments = {name for (name,) in store.execute("SELECT name FROM experiments")}
    assert runs == [("my-run", "FINISHED")]
    assert "glyphlite" in experiments
    assert [each for each in metrics if each[0] == "val_accuracy"] == [("val_accuracy", n, 0.75 + n / 100) for n in (1, 2, 3)]
    assert ("int8/test_accuracy", 3, 0.9875) in metrics
    assert len(metrics) == 5 * 3 + 1
    assert (parameters["model"], parameters["recipe.teachers"]) == ("my-net", "a, b")


def test_weights_and_biases_keeps_them_offline(tmp_path: Path) -> None:
    tell("wandb", ("wandb==0.31.0",), tmp_path, {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path)})
    (record,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    content = record.read_bytes()
    assert [content.count(f"{0.75 + number / 100}".encode()) >= 1 for number in (1, 2, 3)] == [True] * 3
    for name in (b"val_accuracy", b"int8/test_accuracy", b"0.9875", b"my-run", b"my-net", b"recipe.teachers"):
        assert name in content
