"""One file, whole or not at all."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glyphlite.errors import OutputError
from glyphlite.files.single import atomic_path, write_text


def _entries(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def _interrupted(path: Path) -> None:
    with atomic_path(path) as temporary:
        assert temporary.name == path.name
        temporary.write_text("half")
        raise KeyboardInterrupt


def test_a_failure_leaves_the_file_before_and_nothing_beside(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "before")
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path / "a.txt")
    with pytest.raises(OutputError, match=r"cannot write .*a\.txt"), atomic_path(tmp_path / "a.txt"):
        pass  # nothing was written
    assert (_entries(tmp_path), (tmp_path / "a.txt").read_text()) == (["a.txt"], "before")


def test_what_a_killed_command_left_is_swept_by_the_next_but_not_a_running_ones(tmp_path: Path) -> None:
    code = (
        "from glyphlite.files.single import atomic_path; from pathlib import Path; import time\n"
        f"with atomic_path(Path({str(tmp_path / 'a.txt')!r})) as path:\n"
        "    path.write_text('half'); print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        write_text(tmp_path / "b.txt", "b")
        assert len(_entries(tmp_path)) == 2
        process.send_signal(signal.SIGKILL)
    write_text(tmp_path / "b.txt", "b")
    assert _entries(tmp_path) == ["b.txt"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    write_text(tmp_path / "link", "text")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / "file").read_text()) == (True, "text")
