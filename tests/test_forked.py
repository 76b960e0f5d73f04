"""Forked children of tests and campaigns: none returns into what forked it, and all of them are forked in one place."""

import ast
from pathlib import Path

import pytest
from support.forked import FAILED, fork, wait_for

ROOT = Path(__file__).resolve().parents[1]


def test_a_child_ends_with_what_its_work_returns() -> None:
    assert [wait_for(fork(lambda code=code: code)) for code in (None, 0, 3)] == [0, 0, 3]


@pytest.mark.parametrize("error", [ValueError("what happened"), SystemExit(0), KeyboardInterrupt()], ids=repr)
def test_a_child_whose_work_raises_ends_and_says_why(error: BaseException, capfd: pytest.CaptureFixture[str]) -> None:
    def raise_it() -> None:
        raise error

    child = fork(raise_it)
    assert wait_for(child) == FAILED
    assert type(error).__name__ in capfd.readouterr().err


def test_nothing_else_forks() -> None:
    folders = [ROOT / name for name in ("tests", "campaigns", "benchmarks", "tools")]
    scripts = [script for folder in folders for script in sorted(folder.rglob("*.py"))]
    forks = [script.relative_to(ROOT).as_posix() for script in scripts if _forks(script.read_text())]
    assert forks == ["tests/support/forked.py"]


def _forks(source: str) -> bool:
    """Returns whether a script calls ``os.fork`` itself; what it starts by ``python -c`` is a process of its own."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return any(ast.unparse(call) in ("os.fork", "os.forkpty") for call in calls)
