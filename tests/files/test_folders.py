"""Whole folders or none, and no file of the user lost: by kills, by failing renames, by links, by two commands at once."""

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest

from glyphlite.errors import OutputError
from glyphlite.files import folders, scratch
from glyphlite.files.folders import atomic_folder, owned_folder, write_unit
from glyphlite.files.manifest import MANIFEST, manifest_text
from glyphlite.files.scratch import sweep


def _fill(path: Path, *names: str, overwrite: bool = False, text: str = "ours") -> None:
    with owned_folder(path, overwrite=overwrite) as folder:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{text} {name}")


def _cache(path: Path, name: str) -> None:
    with atomic_folder(path) as folder:
        (folder / name).write_text(name)


def _names(path: Path) -> list[str]:
    return sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if not each.is_dir())


def _entries(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def _texts(path: Path) -> dict[str, str]:
    return {name: (path / name).read_text() for name in _names(path) if name != MANIFEST}


@pytest.fixture(params=["exchange", "two renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of putting a folder in another's place: where the file system exchanges two, and where it does not."""
    if request.param == "two renames":
        monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    return request.param


@pytest.mark.usefixtures("way")
def test_ours_is_replaced_whole_and_nothing_is_left_beside(tmp_path: Path) -> None:
    _fill(tmp_path / "out", "a", "sub/b")
    _fill(tmp_path / "out", "c")
    assert _entries(tmp_path) == ["out"]
    assert _names(tmp_path / "out") == [MANIFEST, "c"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("theirs", ["index.html", "build/mine.o", "a"])
def test_a_file_of_the_users_stops_the_command_and_is_named(tmp_path: Path, theirs: str) -> None:
    _fill(tmp_path / "out", "a", "b")
    (tmp_path / "out" / theirs).parent.mkdir(exist_ok=True)
    (tmp_path / "out" / theirs).write_text("mine")
    before = _texts(tmp_path)
    with pytest.raises(OutputError, match=rf"did not write: {theirs}.*--overwrite"):
        _fill(tmp_path / "out", "a", "b", text="new")
    assert _texts(tmp_path) == before


@pytest.mark.usefixtures("way")
def test_overwrite_replaces_ours_also_changed_and_keeps_the_users(tmp_path: Path) -> None:
    _fill(tmp_path / "out", "a", "b", "obsolete", "edited")
    for name in ("a", "edited", "build/deep/mine.o"):
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_text("mine")
    (tmp_path / "out" / "link").symlink_to("nowhere")
    (tmp_path / "out" / "empty").mkdir()
    _fill(tmp_path / "out", "a", "b", overwrite=True, text="new")
    assert _entries(tmp_path) == ["out"]
    assert (tmp_path / "out" / "link").is_symlink()
    assert (tmp_path / "out" / "empty").is_dir()
    (tmp_path / "out" / "link").unlink()
    assert _texts(tmp_path / "out") == {"a": "new a", "b": "new b", "build/deep/mine.o": "mine", "edited": "mine"}


def test_what_our_makefile_builds_may_be_replaced(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with owned_folder(tmp_path / "out", built=("example/example",)) as folder:
            (folder / "a").write_text(text)
        (tmp_path / "out" / "example").mkdir(exist_ok=True)
        (tmp_path / "out" / "example" / "example").write_text(f"built from the {text}")
    (tmp_path / "out" / "example" / "example").unlink()
    (tmp_path / "out" / "example" / "example").mkdir()
    (tmp_path / "out" / "example" / "example" / "b").write_text("mine")
    with pytest.raises(OutputError, match="did not write: example/example/b"):
        _fill(tmp_path / "out", "a")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_strangers_manifest_does_not_make_the_users_files_ours(tmp_path: Path, overwrite: bool) -> None:
    _fill(tmp_path / "out", "a")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    manifest = tmp_path / "out" / MANIFEST
    document = json.loads(manifest.read_text())
    document["files"]["notes.txt"] = None  # as what our Makefile builds is listed
    manifest.write_text(json.dumps(document))
    with nullcontext() if overwrite else pytest.raises(OutputError, match=r"did not write: notes\.txt"):
        _fill(tmp_path / "out", "a", overwrite=overwrite)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_what_would_not_be_believed_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="believed"):
        manifest_text(tmp_path, (), {"notes.txt": None})


@pytest.mark.parametrize(("theirs", "ours"), [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_a_users_file_of_our_name_is_never_replaced(tmp_path: Path, theirs: str, ours: str) -> None:
    (tmp_path / "out" / theirs).parent.mkdir(parents=True)
    (tmp_path / "out" / theirs).write_text("mine")
    with pytest.raises(OutputError, match="is not glyphlite's"):
        _fill(tmp_path / "out", ours, overwrite=True)
    assert (_texts(tmp_path / "out"), _entries(tmp_path)) == ({theirs: "mine"}, ["out"])


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"format": "glyphlite-manifest-1", "files": 3}', "[" * 100_000])
def test_a_damaged_manifest_makes_everything_the_users(tmp_path: Path, manifest: str) -> None:
    _fill(tmp_path / "out", "a")
    (tmp_path / "out" / MANIFEST).write_text(manifest)
    with pytest.raises(OutputError, match="did not write: a"):
        _fill(tmp_path / "out", "a")


def test_a_link_stays_a_link_and_what_it_points_to_is_written(tmp_path: Path) -> None:
    _fill(tmp_path / "real", "old")
    (tmp_path / "link").symlink_to("real")
    _fill(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (_names(tmp_path / "real"), _entries(tmp_path)) == ([MANIFEST, "new"], ["link", "real"])
    (tmp_path / "dangling").symlink_to("later")
    _fill(tmp_path / "dangling", "new")
    assert ((tmp_path / "dangling").is_symlink(), _names(tmp_path / "later")) == (True, [MANIFEST, "new"])


@pytest.mark.parametrize("place", [".", "x/..", "../out"])
def test_the_current_folder_stays_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    _fill(tmp_path / "out", "old", "both")
    (tmp_path / "out" / "x").mkdir()
    monkeypatch.chdir(tmp_path / "out")
    inode = Path().stat().st_ino
    _fill(Path(place), "both", "sub/new", text="new")
    assert ((tmp_path / "out").stat().st_ino, _entries(tmp_path)) == (inode, ["out"])
    assert _texts(Path()) == {"both": "new both", "sub/new": "new sub/new"}


def test_a_mount_point_is_written_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path / "out", "old")
    inode = (tmp_path / "out").stat().st_ino
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "out")
    _fill(tmp_path / "out", "new")
    assert ((tmp_path / "out").stat().st_ino, _names(tmp_path / "out")) == (inode, [MANIFEST, "new"])


def test_what_was_put_there_while_we_wrote_is_kept(tmp_path: Path) -> None:
    _fill(tmp_path / "out", "a")
    with owned_folder(tmp_path / "out") as folder:
        (folder / "a").write_text("new")
        (tmp_path / "out" / "late").write_text("mine")
    assert _texts(tmp_path / "out") == {"a": "new", "late": "mine"}


_HELD = (
    "from glyphlite.files.folders import {call}; from pathlib import Path; import time\nwith {call}(Path({path!r})) as folder:\n"
)


def _begun(call: str, path: Path, then: str) -> subprocess.Popen[str]:
    """A process that has begun to write a folder and then does something."""
    code = _HELD.format(call=call, path=str(path)) + f"    (folder / 'half').write_text('')\n    print(1, flush=True)\n    {then}"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "1\n"
    return process


def test_of_two_commands_on_one_folder_the_second_says_so(tmp_path: Path) -> None:
    with _begun("owned_folder", tmp_path / "out", "time.sleep(60)") as first:
        _fill(tmp_path / "elsewhere", "a")
        with pytest.raises(OutputError, match=r"another glyphlite command is writing .*out"):
            _fill(tmp_path / "out", "a")
        first.send_signal(signal.SIGKILL)
    _fill(tmp_path / "out", "a")
    assert _entries(tmp_path) == ["elsewhere", "out"], "what the killed one left is swept"


_KILLS = """
import os, signal, sys
from pathlib import Path
from glyphlite.files import folders
from glyphlite.files.folders import owned_folder
from glyphlite.files.scratch import sweep
place, way = Path(sys.argv[1]), sys.argv[2]

def fill(name):
    with owned_folder(place) as folder:
        (folder / name).write_text(name)

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

fatal, calls, killed = 0, [0], True
fill("old")
while killed:
    fatal += 1
    child = os.fork()
    if not child:
        if way == "two renames":
            folders.exchange = lambda one, other: False
        for name in ("rename", "replace", "unlink", "write_text"):
            setattr(Path, name, dying(getattr(Path, name)))
        folders.exchange = dying(folders.exchange)
        fill("new")
        os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    for folder in (place.resolve().parent, place.resolve()):
        sweep(folder)  # what every command begins with
    print(fatal, *sorted(each.name for each in place.rglob("*")))
    fill("old")
"""


@pytest.mark.parametrize("place", ["out", "link"])
@pytest.mark.parametrize("by", ["exchange", "two renames"])
def test_killed_at_any_moment_there_is_the_old_folder_or_the_new_one(tmp_path: Path, place: str, by: str) -> None:
    (tmp_path / "link").symlink_to("out")
    if place == "link":
        (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", _KILLS, tmp_path / place, by]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) >= 12, "each moment before and after a call of the file system"
    assert {line.partition(" ")[2] for line in lines} == {f"{MANIFEST} new", f"{MANIFEST} old"}
    assert _entries(tmp_path) == ["link", "out"]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("call", ["rename", "mkdir", "fsync", "open"])
def test_a_full_disk_leaves_the_folder_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    _fill(tmp_path / "out", "old")
    (tmp_path / "out" / "mine").write_text("mine")
    before = _texts(tmp_path / "out")
    owner = os if call in ("fsync", "mkdir") else Path
    real = getattr(owner, call)
    failed = set()
    for count in range(40):
        calls = itertools.count()

        def failing(*arguments, calls=calls, fatal=count, **keywords):
            if next(calls) == fatal:
                failed.add(fatal)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*arguments, **keywords)

        monkeypatch.setattr(owner, call, failing)
        with suppress(OutputError):  # the copy of a file that cannot be linked, and the like, are no failure
            _fill(tmp_path / "out", "old", overwrite=True)
        monkeypatch.setattr(owner, call, real)
        sweep(tmp_path)
        assert (_texts(tmp_path / "out"), _entries(tmp_path)) == (before, ["out"])
    assert failed, "at least one call was made"


def test_after_a_failed_rollback_the_next_command_restores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both the second rename and the way back fail: nothing is deleted, and nothing is lost in the end."""
    _fill(tmp_path / "out", "old")
    monkeypatch.setattr(folders, "exchange", lambda one, other: False)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target == tmp_path / "out" and not target.exists():
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="Input/output error"):
        _fill(tmp_path / "out", "new")
    monkeypatch.setattr(Path, "rename", rename)
    sweep(tmp_path)
    assert _entries(tmp_path) == ["out"]
    assert _names(tmp_path / "out") in ([MANIFEST, "old"], [MANIFEST, "new"])


def test_a_plan_with_names_from_outside_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "victim").write_text("mine")
    evil = tmp_path / "shared" / f"{scratch.PREFIX}0123456789ab"
    (evil / scratch.NEW).mkdir(parents=True)
    for name in ("../victim", str(tmp_path / "victim")):
        (evil / scratch.NEW).mkdir(parents=True, exist_ok=True)
        scratch.write_plan(evil, scratch.Plan("x", (name,), (name,)))
        sweep(tmp_path / "shared")
        assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize("how", ["copied", "packed", "forged"])
def test_a_plan_that_came_with_strangers_files_moves_nothing(tmp_path: Path, how: str) -> None:
    """A repository, or an archive unpacked beside the user's files, holds the temporary folder of a killed command."""
    made, home = tmp_path / "theirs", tmp_path / "home"
    evil = made / f"{scratch.PREFIX}0123456789ab"
    (evil / scratch.NEW / "link").mkdir(parents=True)
    for name in ("replaced", "link/through", "added"):
        (evil / scratch.NEW / name).write_text("theirs")
    scratch.write_plan(evil, scratch.Plan("out", ("replaced", "link/through", "added"), ("removed",)))
    for name in ("replaced", "removed", "elsewhere/through"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("mine")
    (home / "link").symlink_to("elsewhere")
    before = _texts(home)
    if how == "packed":
        shutil.unpack_archive(shutil.make_archive(str(tmp_path / "project"), "tar", made), home, filter="data")
    else:
        shutil.copytree(evil, home / evil.name)
    if how == "forged":
        plan = (home / evil.name / scratch.PLAN).stat()
        (home / evil.name / "seal").write_text(f"{plan.st_ino} {plan.st_mtime_ns}")
    sweep(home)
    assert _texts(home) == before


def test_a_former_version_is_never_removed_by_a_plan_that_is_not_ours(tmp_path: Path) -> None:
    """As after a copy of the whole disk."""
    left = tmp_path / f"{scratch.PREFIX}0123456789ab"
    (left / scratch.PREVIOUS).mkdir(parents=True)
    (left / scratch.PREVIOUS / "years").write_text("of work")
    scratch.write_plan(left, scratch.Plan("out"))
    (left / "seal").write_text("1 1")
    sweep(tmp_path)
    assert (left / scratch.PREVIOUS / "years").read_text() == "of work"


def test_a_folder_of_the_users_with_nearly_the_name_of_a_temporary_one_stays(tmp_path: Path) -> None:
    _fill(tmp_path / "out", "old")
    for place in (tmp_path / ".glyphlite-notes", tmp_path / "out" / ".glyphlite-notes"):
        place.mkdir()
        (place / "mine").write_text("mine")
    _fill(tmp_path / "out", "new", overwrite=True)
    assert [(place / ".glyphlite-notes" / "mine").read_text() for place in (tmp_path, tmp_path / "out")] == ["mine", "mine"]


def test_two_files_are_one_unit(tmp_path: Path) -> None:
    both = frozenset({"m.h", "m.c", "m.cc"})
    (tmp_path / "mine.c").write_text("mine")
    write_unit(tmp_path, {"m.h": "1", "m.cc": "1"}, replaces=both)
    write_unit(tmp_path, {"m.h": "2", "m.c": "2"}, replaces=both)
    assert _texts(tmp_path) == {"m.c": "2", "m.h": "2", "mine.c": "mine"}
    (tmp_path / "m.h").write_text("edited")
    for names in (("m.h", "m.c"), ("m.h", "mine.c")):
        with pytest.raises(OutputError, match="is not glyphlite's"):
            write_unit(tmp_path, dict.fromkeys(names, "3"), replaces=both)
    assert _texts(tmp_path) == {"m.c": "2", "m.h": "edited", "mine.c": "mine"}
    write_unit(tmp_path, {"m.h": "3", "m.c": "3"}, replaces=both, overwrite=True)
    assert _texts(tmp_path) == {"m.c": "3", "m.h": "3", "mine.c": "mine"}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("existing", [False, True])
def test_of_processes_that_fill_a_cache_at_once_the_last_ones_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, existing: bool
) -> None:
    if existing:
        _cache(tmp_path / "out", "before")
    rename, left = Path.rename, [2]

    def after_another(self: Path, target: Path) -> Path:
        if target == tmp_path / "out" and left[0]:
            left[0] -= 1
            target.mkdir(exist_ok=True)
            (target / f"theirs {left[0]}").write_text("theirs")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", after_another)
    _cache(tmp_path / "out", "ours")
    assert (_entries(tmp_path), _names(tmp_path / "out")) == (["out"], ["ours"])
