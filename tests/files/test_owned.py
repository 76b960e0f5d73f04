"""Files of ours among the user's: his are never replaced, ours are known also after a kill at any moment."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from glyphlite.errors import OutputError
from glyphlite.files.manifest import LARGEST_MANIFEST, MANIFEST, read_manifest
from glyphlite.files.owned import locked_folder, remove_ours, require_ours, write_owned
from glyphlite.files.scratch import PREFIX, temporary_folder


def _texts(path: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in path.iterdir() if each.is_file() and each.name != MANIFEST}


def test_ours_is_replaced_again_and_again(tmp_path: Path) -> None:
    for text in ("first", "second", "first", "third"):
        write_owned(tmp_path / "new" / "a", text)
    assert _texts(tmp_path / "new") == {"a": "third"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_the_users_is_never_replaced(tmp_path: Path, kind: str, overwrite: bool) -> None:
    write_owned(tmp_path / "ours", "ours")
    if kind == "link":
        (tmp_path / "a").symlink_to("ours")
    elif kind == "folder":
        (tmp_path / "a").mkdir()
    else:
        (tmp_path / "a").write_text("mine")
    before = sorted(tmp_path.iterdir()), _texts(tmp_path)
    with pytest.raises(OutputError, match="a: glyphlite did not write and would replace; move it away"):
        write_owned(tmp_path / "a", "new", overwrite=overwrite)
    assert (sorted(tmp_path.iterdir()), _texts(tmp_path)) == before


def test_what_was_changed_since_is_replaced_only_when_told(tmp_path: Path) -> None:
    write_owned(tmp_path / "a", "ours")
    (tmp_path / "a").write_text("edited")
    with pytest.raises(OutputError, match="a: was changed since glyphlite wrote it"):
        write_owned(tmp_path / "a", "new")
    write_owned(tmp_path / "a", "new", overwrite=True)
    write_owned(tmp_path / "a", "newer")
    assert _texts(tmp_path) == {"a": "newer"}


def test_removing_takes_ours_and_forgets_them(tmp_path: Path) -> None:
    for name in ("a", "b", "c/d"):
        write_owned(tmp_path / name, "ours")
    (tmp_path / "mine").write_text("mine")
    remove_ours(tmp_path, ["a", "c/d", "mine", "absent", "e/f"])
    assert (_texts(tmp_path), _texts(tmp_path / "c")) == ({"b": "ours", "mine": "mine"}, {})
    (tmp_path / "a").write_text("mine by now")
    with pytest.raises(OutputError, match="a: glyphlite did not write"):
        require_ours(tmp_path, ["a", "b"], overwrite=True)


_KILLS = """
import os, signal, sys
from pathlib import Path
from glyphlite.files.owned import write_owned
place, fatal, calls = Path(sys.argv[1]), 0, [0]

def dying(real):
    def call(*arguments, **keywords):
        for moment in ("before", "after"):
            calls[0] += 1
            if calls[0] == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            if moment == "before":
                result = real(*arguments, **keywords)
        return result
    return call

write_owned(place, "old")
killed = True
while killed:
    fatal += 1
    child = os.fork()
    if not child:
        for name in ("rename", "replace", "unlink", "write_text", "write_bytes", "mkdir"):
            setattr(Path, name, dying(getattr(Path, name)))
        write_owned(place, "new")
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    text = place.read_text() if place.exists() else "absent"
    write_owned(place, "old")
    print(text, *sorted(each.name for each in place.parent.iterdir()))
    if text == "absent" or fatal % 2:
        place.unlink()
"""


def test_killed_at_any_moment_ours_stays_ours(tmp_path: Path) -> None:
    lines = subprocess.run([sys.executable, "-c", _KILLS, tmp_path / "a"], capture_output=True, text=True, check=True).stdout
    assert len(lines.splitlines()) >= 10
    assert set(lines.splitlines()) == {f"{text} {MANIFEST} a" for text in ("absent", "old", "new")}


def test_of_two_commands_in_one_folder_the_second_says_so(tmp_path: Path) -> None:
    code = (
        "from glyphlite.files.owned import locked_folder; from pathlib import Path; import time\n"
        f"with locked_folder(Path({str(tmp_path / 'run')!r})):\n    print(1, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with (
            pytest.raises(OutputError, match=r"another glyphlite command is writing .*run; wait"),
            locked_folder(tmp_path / "run"),
        ):
            pass
        process.send_signal(signal.SIGKILL)
    with locked_folder(tmp_path / "run") as folder:
        assert folder == tmp_path / "run"


def _interrupted(folder: Path, *, filled: bool) -> None:
    with locked_folder(folder) as place:
        if filled:
            (place / "mine").write_text("")
        raise KeyboardInterrupt


@pytest.mark.parametrize("filled", [False, True])
def test_a_folder_that_was_made_goes_again_when_the_command_fails(tmp_path: Path, filled: bool) -> None:
    with pytest.raises(KeyboardInterrupt):
        _interrupted(tmp_path / "a" / "b", filled=filled)
    assert (tmp_path / "a").exists() == filled


def test_a_link_to_a_folder_that_is_not_there_yet_leads_to_it(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("later")
    write_owned(tmp_path / "link" / "a", "ours")
    assert ((tmp_path / "link").is_symlink(), _texts(tmp_path / "later")) == (True, {"a": "ours"})


def test_temporary_folders_of_killed_commands_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    code = (
        "import os\nfrom glyphlite.files.scratch import temporary_folder\nwith temporary_folder():\n    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert [path.name.startswith(PREFIX) for path in tmp_path.iterdir()] == [True]
    with temporary_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert not list(tmp_path.iterdir())


def test_a_full_disk_for_temporary_files_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_keywords: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with (
        pytest.raises(OutputError, match=r"cannot make a temporary folder in .*: No space left on device; let TMPDIR"),
        temporary_folder(),
    ):
        pass


def test_a_pipe_in_the_place_of_the_manifest_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / MANIFEST)
    (tmp_path / "a").write_text("his")
    with pytest.raises(OutputError, match="a"):
        require_ours(tmp_path, ["a"])


def test_a_manifest_of_gigabytes_is_none_of_ours(tmp_path: Path) -> None:
    with (tmp_path / MANIFEST).open("wb") as stream:
        stream.truncate(LARGEST_MANIFEST + 1)
    assert read_manifest(tmp_path) == {}
