"""Some hundreds of damaged .npz, IDX, .keras, picture and model files: taken with the right result or refused in one line.

``campaigns/input_files.py`` tries 20,000 of each kind.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import support.input_files.trial
from support.input_files import KINDS, make_damaged, run_trials

from glyphlite.errors import DataError

SEED = 1
PATIENCE = 60.0
"""Seconds of the processor; the campaign allows two."""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "count"), [("npz", 200), ("idx", 200), ("picture", 150), ("model", 120)])
def test_damaged_files_are_taken_rightly_or_refused_in_one_line(kind: str, count: int) -> None:
    trials = run_trials(kind, SEED, 0, count, PATIENCE)
    assert [trial for trial in trials if trial.faults] == []
    assert [trial.number for trial in trials] == list(range(count))
    taken = sum(trial.outcome == "taken" for trial in trials)
    assert 0.05 * count < taken < 0.7 * count
    assert {trial.how for trial in trials} >= set(KINDS[kind].changes)


@pytest.mark.slow
def test_damaged_models_are_taken_rightly_or_refused_in_one_line() -> None:
    """In a process of their own: whoever forks after TensorFlow has computed something may hang."""
    code = (
        "from support.input_files import run_trials; assert not any(each.faults for each in run_trials('keras', 1, 0, 40, 60.0))"
    )
    place = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(place), "TF_CPP_MIN_LOG_LEVEL": "3"}
    assert os.spawnve(os.P_WAIT, sys.executable, [sys.executable, "-c", code], environment) == 0


@pytest.mark.parametrize("kind", ["npz", "idx", "picture", "model"])
def test_a_damaged_file_is_its_kind_seed_and_number(kind: str) -> None:
    first = [make_damaged(kind, 5, number) for number in range(30)]
    assert first == [make_damaged(kind, 5, number) for number in range(30)]
    assert first != [make_damaged(kind, 6, number) for number in range(30)]


def refuse(path: Path) -> list[str]:
    raise DataError("no name of a file")


def fail(path: Path) -> list[str]:
    raise ZeroDivisionError("ours")


def spin(path: Path) -> list[str]:
    end = time.process_time() + 1
    while time.process_time() < end:
        pass
    return []


def take_memory(path: Path) -> list[str]:
    return [] if len(b"x" * (100 << 20)) else ["empty"]


def make_noise(path: Path) -> list[str]:
    os.write(2, b"\x1b[31mred\x1b[0m")
    return []


def die(path: Path) -> list[str]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (refuse, "the line is 'no name of a file'"),
        (fail, "ZeroDivisionError: ours"),
        (spin, "it took 1"),
        (take_memory, "MiB of memory"),
        (make_noise, "control characters on the terminal"),
        (die, "killed by SIGKILL"),
        (lambda path: ["not what is in it"], "not what is in it"),
    ],
)
def test_the_trial_finds_every_fault(take: Callable[[Path], list[str]], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: Any = KINDS
    monkeypatch.setattr(support.input_files.trial, "MEMORY", 64 << 20)
    monkeypatch.setitem(kinds, "npz", replace(KINDS["npz"], take=take))
    trials = run_trials("npz", SEED, 0, 2, longest_s=0.8)
    assert len(trials) == 2
    assert all(words in trial.faults[0] for trial in trials), trials
