"""Errors that reach the end of the program: one line and an exit code for each; the traceback goes to a file."""

import errno
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from glyphlite.__main__ import main
from glyphlite.files.scratch import PREFIX

Raising = Callable[[BaseException], tuple[int, str]]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Raising:
    """A command that raises something, run: its exit code and its words."""

    def run(error: BaseException) -> tuple[int, str]:
        def fail(**_: object) -> None:
            raise error

        monkeypatch.setattr("glyphlite.datasets.registry.list_datasets", fail)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setattr(sys, "argv", ["glyphlite", "datasets"])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capfd.readouterr()
        assert written.out == ""
        assert "Traceback" not in written.err
        assert written.err.count("\n") == 1
        return int(ended.value.code or 0), written.err

    return run


@pytest.mark.parametrize("error", [IndexError("list index out of range"), KeyError("x"), AssertionError("a\nb"), Exception()])
def test_a_fault_of_ours_is_one_line_and_its_traceback_a_file(raising: Raising, error: Exception) -> None:
    code, words = raising(error)
    assert code == 70
    assert words.startswith(f"glyphlite: this is a fault of glyphlite: {type(error).__name__}")
    file = re.search(r"the traceback is in (\S+\.txt); please report it", words)
    assert file
    text = Path(file[1]).read_text()
    assert "Traceback (most recent call last)" in text
    assert "in fail" in text
    assert "'datasets'" in text


@pytest.mark.parametrize(
    ("error", "expected", "said"),
    [
        (KeyboardInterrupt(), 2, "interrupted; nothing half-written was left behind"),
        (MemoryError(), 2, "out of memory"),
        (type("ResourceExhaustedError", (Exception,), {})("OOM when allocating"), 2, "out of memory"),
        (RecursionError("maximum recursion depth exceeded"), 2, "what was given is nested too deeply to be read"),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 2, r"the disk is full \(/x/y\); free some space"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), 2, r"Permission denied \(/x/y\)"),
    ],
)
def test_what_a_user_can_put_right_has_a_line_of_its_own(
    raising: Raising, error: BaseException, expected: int, said: str
) -> None:
    code, words = raising(error)
    assert code == expected
    assert re.match(f"glyphlite: {said}", words)
    assert "fault of glyphlite" not in words


def test_a_reader_that_is_gone_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glyphlite.datasets.registry.list_datasets", lambda **_: (_ for _ in ()).throw(BrokenPipeError()))
    monkeypatch.setattr(sys, "argv", ["glyphlite", "datasets"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 141


def test_a_full_disk_keeps_the_fault_in_one_line(raising: Raising, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    code, words = raising(IndexError("x"))
    assert code == 70
    assert "its traceback could not be written; please report it" in words


def test_ctrl_c_outside_a_command_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """While modules are imported nobody else would catch it, and Python would end with a traceback and the signal."""

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("glyphlite.__main__._run", interrupted)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert ended.value.code == 2
    assert capfd.readouterr().err == "glyphlite: interrupted; nothing half-written was left behind\n"


def test_the_commands_above_left_nothing_of_theirs_to_the_next_test() -> None:
    """A Chromium started below such a folder finds its path too long for a socket; a notebook would show no figures."""
    assert os.environ.get("MATPLOTLIBRC") != os.devnull
    assert not any(part.startswith(PREFIX) for part in Path(tempfile.gettempdir()).parts)
    assert PREFIX not in os.environ.get("TMPDIR", "")


@pytest.mark.parametrize("given", [["--out", ""], ["--out="], ["-o", ""], ["--data-dir", ""], ["--dataset", "x", "--out", ""]])
def test_an_empty_place_is_not_the_current_folder(
    given: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["glyphlite", "train", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert re.fullmatch(
        r"glyphlite: (--out|-o|--data-dir) is empty; name a file or a folder, or \. for .*\n", capfd.readouterr().err
    )
