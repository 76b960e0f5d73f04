"""README's claim about the main job is the measured one, and keeps what is asked of it."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from glyphlite.models import DEFAULT_MODEL

ROOT = Path(__file__).parents[2]


@pytest.fixture
def main_job(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module("main_job")


def test_readme_shows_the_folder_of_the_default_model() -> None:
    assert f"runs/{DEFAULT_MODEL}/\n" in (ROOT / "README.md").read_text()


def test_what_was_measured_is_what_is_asked(main_job: ModuleType) -> None:
    document = json.loads(main_job.OUTPUT.read_text())
    assert document["model"] == DEFAULT_MODEL
    assert document["total_seconds"] < 180
    assert document["int8_accuracy"] >= 0.994


def test_the_sentence_rounds_up(main_job: ModuleType) -> None:
    document = {
        "model": "m",
        "processor": "Z80, 2 cores",
        "epochs": 9,
        "total_seconds": 61.0,
        "total_cpu_seconds": 100.4,
        "int8_accuracy": 0.9945,
    }
    assert main_job.main_job_sentence(document) == (
        "`make run` trains `m` for 9 epochs. On Z80, 2 cores it takes about 1.5 minutes (100 s of CPU time). "
        "The int8 file reaches 99.45 % accuracy on the test images."
    )
