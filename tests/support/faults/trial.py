"""One command that dies, or whose file system fails, at one moment; then the same command again. What has to hold is checked.

Runs in a process into which ``faults.c`` is preloaded: each trial is a forked child of it, so that nothing is imported twice.
"""

import atexit
import ctypes
import io
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from support.faults.contents import MANIFEST, contents, difference
from support.forked import fork, wait_for

SCENARIOS = ("new", "again", "theirs", "link", "here")
"""Places of a result: a new folder, over an earlier result, over one with the user's files in it, the target of a link, the
current folder."""

KILLS = ("before", "after", "moment", "alone")
"""SIGKILL before or after a call of the file system, or at some moment: to all its processes, or to its first alone."""
FAILURES = ("enospc", "eio", "short")
WRITES = ("write", "pwrite", "pwrite64", "writev", "fwrite", "sendfile", "copy_file_range")
"""Calls that can do half of what they were asked."""
FORMER = "out/previous/"
"""Where a finished run stays while another takes its place."""
THEIRS = {"notes/mine.txt": "years of work", "data.bin": "\x00\x01mine"}
ORPHANS_SECONDS = 120.0
"""After which the children of a killed command must have ended."""


@dataclass(frozen=True)
class Command:
    """A command line without its folder.

    Attributes:
        name: for the record.
        words: what is tried; a function instead is called.
        earlier: one that left a result before.
        scenarios: the places that it is tried in.
        failing: those in which each of its calls fails.
        whole: it leaves the earlier result or the new one, never a mixture of their files.
        again: what is added to the words where they replace an earlier result.
        resume: what is added after a kill, where the command asks for it.
        out: the option that names the place; None where the words name it themselves, by ``{out}``.
        unkept: what it says where it goes on without keeping its result.
        less: what it says where it goes on without a comparison that could not be made.
        of_commands: it consists of commands that are tried themselves: of each kind of call one fails, in one way.
        needs: files that lie in the place before, by their names there.
    """

    name: str
    words: tuple[str, ...] | Callable[[], object]
    earlier: tuple[str, ...] | Callable[[], object] | None = None
    scenarios: tuple[str, ...] = SCENARIOS
    failing: tuple[str, ...] = ("again",)
    whole: bool = True
    again: tuple[str, ...] = ()
    overwrite: tuple[str, ...] = ("--overwrite",)
    resume: tuple[str, ...] = ()
    out: str | None = "--out"
    unkept: str = ""
    less: str = ""
    of_commands: bool = False
    needs: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """Holds a trial's outcome: the fault, in words, or None."""

    command: str
    scenario: str
    mode: str
    at: float
    fault: str | None
    finished: bool
    swept: int


NO_DATA = "No dataset: no source has"


def _differing(found: dict[str, str], expected: dict[str, str]) -> set[str]:
    """The names of files that are not in both, or are others."""
    return {name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)}


def _is_of_data(name: str) -> bool:
    """Whether a file holds a dataset, or an image of one: the cache's files, a generated example and its record."""
    return name.startswith(("cache/", "out/example/")) or name.endswith((".json", MANIFEST))


def _is_of_results(name: str) -> bool:
    """Whether a file holds what was measured."""
    return name.endswith(("results.json", "report.html", MANIFEST)) or is_scratch(name)


@dataclass(frozen=True)
class Call:
    """A call of the file system that a command makes: its name, the program that makes it, and its path below the folder."""

    name: str
    program: str
    path: str

    @property
    def kind(self) -> tuple[str, str, str]:
        """Returns what calls share whose failure has one meaning: name, program, and the path but for the stems of names."""
        ends = (re.sub(r"[0-9a-f]{4,}$", "", PurePath(part).suffix) for part in self.path.split("/"))
        return self.name, self.program, "/".join(ends)


class Bench:
    """A place for trials, prepared once: the earlier result, and what the command has to end with.

    Args:
        command: what is tried.
        scenario: one of :data:`SCENARIOS`.
        folder: a place of its own.
    """

    def __init__(self, command: Command, scenario: str, folder: Path) -> None:
        self.command, self.scenario, self.root = command, scenario, folder
        self.counter = folder.with_name(f"{folder.name}.counter")
        self.log = folder.with_name(f"{folder.name}.log")
        self.before = folder.with_name(f"{folder.name}.before")
        self.undisturbed = folder.with_name(f"{folder.name}.undisturbed")
        self.place = folder / "out"
        self.out = {"here": ".", "link": str(folder / "link")}.get(scenario, str(self.place))
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("tmp", "cache"):
            (folder / name).mkdir(parents=True)
        for name, source in command.needs.items():
            (self.place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, self.place / name)
        if scenario != "new" and command.earlier is not None:
            code, said = self._run(self._words(command.earlier, str(self.place)))
            assert code == 0, said
        if scenario == "link":
            (folder / "link").symlink_to("out")
        if scenario == "theirs":
            for name, text in THEIRS.items():
                (self.place / name).parent.mkdir(parents=True, exist_ok=True)
                (self.place / name).write_text(text)
        more = (*(command.again if scenario != "new" else ()), *(command.overwrite if scenario == "theirs" else ()))
        self.words = self._words(command.words, self.out, more)
        _copy(folder, self.before)
        self.earlier = contents(folder)
        self.log.unlink(missing_ok=True)
        started = time.monotonic()
        code, said = self._run(self.words)
        assert code == 0, said
        self.seconds = time.monotonic() - started
        self.made = [Call(*line.split("\t", 2)) for line in self.log.read_text(errors="replace").splitlines()]
        self.calls = len(self.made)
        self.expected = contents(folder)
        _copy(folder, self.undisturbed)
        assert not (left := [name for name in self.expected if name.startswith("tmp/")]), left

    def trial(self, mode: str, at: float, *, again: bool = True) -> Trial:
        """Try the command with a fault at its call number ``at``, or at this share of its time; then again without.

        Without ``again`` only where there is something to sweep.
        """
        shutil.rmtree(self.root)
        shutil.copytree(self.before, self.root, symlinks=True)
        code, said = self._run(self.words, mode, at)
        found = contents(self.root)
        swept = sum(is_scratch(name) for name in found)
        fault = self._fault(code, said, found, mode)
        if fault is None and found != self.expected and (again or swept) and not self._did_less(code, said, found):
            fault = self._fault_again()
        if fault is not None:  # for who looks at it, beside what nobody disturbed
            _copy(self.root, self.root.with_name(f"{self.root.name}.faulty-{mode}-{at:g}"))
        return Trial(self.command.name, self.scenario, mode, at, fault, code == 0, swept)

    def _fault_again(self) -> str | None:
        """Describes what is wrong after the command was run once more; None if nothing is."""
        code, said = self._run(self.words)
        if code == 2 and "--resume continues it" in said and not callable(self.words):
            code, said = self._run((*self.words, *self.command.resume))
        after = contents(self.root)
        if code == 2 and "holds a finished run" in said:  # it was killed when all was written
            code = 0
        if code:
            return f"the next command ended with {code}: {said[-300:]}"
        return f"after the next command: {difference(after, self.expected)}" if after != self.expected else None

    def _fault(self, code: int, said: str, found: dict[str, str], mode: str) -> str | None:
        """Describes what is wrong right after the faulty run; None if nothing is."""
        kept = {name: digest for name, digest in found.items() if not is_scratch(name)}
        theirs = {name for name in self.earlier if name.removeprefix("out/") in {*THEIRS, *self.command.needs}}
        theirs = {name for name in theirs if not name.endswith(MANIFEST)}
        if lost := [name for name in theirs if kept.get(name) != self.earlier[name]]:
            return f"lost {lost}"
        if "Traceback" in said:
            return f"a traceback: {said[-500:]}"
        if mode in KILLS:
            if code not in (-9, 0, 2):  # 2: one of its children was killed
                return f"ended with {code}: {said[-300:]}"
        elif code == 0 and _files(kept) == _files(self.earlier) and self.command.unkept and self.command.unkept in said:
            return None
        elif code == 0 and NO_DATA in said and all(map(_is_of_data, _differing(kept, self.expected))):
            return None  # the fetching of a dataset failed, which was said: the example holds no image of it
        elif self._did_less(code, said, kept):
            return None
        elif code == 0 and kept != self.expected:
            return f"said nothing, but: {difference(kept, self.expected)}"
        elif code not in (0, 2):
            return f"ended with {code}: {said[-500:]}"
        elif code == 2 and len([line for line in said.splitlines() if line.startswith("glyphlite: ")]) != 1:
            return f"no single line: {said[-500:]}"
        results = [self._results(each) for each in (kept, self.earlier, self.expected)]
        if self.command.whole and self.scenario not in ("link", "here") and results[0] not in results[1:]:
            return f"neither the earlier result nor the new one: {difference(kept, self.earlier)}"
        if self.command.resume and (lost := self._lost_run(kept)):
            return f"lost the former run: {lost}"
        for name, digest in kept.items():
            if digest not in (self.earlier.get(name), self.expected.get(name)) and not self._is_passing(name):
                return f"{name} is of neither version"
        return None

    def _did_less(self, code: int, said: str, found: dict[str, str]) -> bool:
        """Returns whether a command ended well, and said which comparison its results lack."""
        less = bool(self.command.less) and self.command.less in said
        return code == 0 and less and all(map(_is_of_results, _differing(found, self.expected)))

    def _results(self, listing: dict[str, str]) -> dict[str, str]:
        """Returns a listing without the data that a command keeps for the next one, unless it does nothing else."""
        if callable(self.command.words):
            return listing
        return {name: digest for name, digest in listing.items() if not name.startswith("cache/")}

    def _lost_run(self, kept: dict[str, str]) -> list[str]:
        """Returns the files of a finished run that are nowhere, though the run that replaces it is not finished."""
        results = "out/results.json"
        if kept.get(results) == self.expected.get(results):
            return []
        names = [name for name in self.earlier if name.startswith("out/") and not self._is_passing(name)]
        places = {name: (name, f"{FORMER}{name.removeprefix('out/')}") for name in names}
        return [name for name in names if all(kept.get(place) != self.earlier[name] for place in places[name])]

    def _is_passing(self, name: str) -> bool:
        """Returns whether a file is one that changes on the way: a checkpoint, a list, what is cached."""
        return "/checkpoints/" in name or name.startswith(("cache/", FORMER)) or name.endswith((MANIFEST, "/history.csv"))

    def _words(
        self, words: "tuple[str, ...] | Callable[[], object] | None", out: str, more: Sequence[str] = ()
    ) -> "tuple[str, ...] | Callable[[], object]":
        if callable(words) or words is None:
            return words or ()
        named = tuple(word.replace("{out}", out) for word in words)
        return (*named, *((self.command.out, out) if self.command.out else ()), *more)

    def _run(self, words: "Sequence[str] | Callable[[], object]", mode: str = "before", at: float = 0) -> tuple[int, str]:
        """Run a command in a child with a fault at a moment; returns its exit code (negative: a signal) and what it said."""
        self.counter.write_bytes(bytes(8))
        output = self.root.with_name(f"{self.root.name}.output")
        child = fork(lambda: self._become(words, mode, at, output))
        if mode in ("moment", "alone") and at:
            self._kill_at(child, at, alone=mode == "alone")
        code = wait_for(child)
        reap_orphans()
        return code, output.read_text(errors="replace")

    def _kill_at(self, child: int, at: float, *, alone: bool) -> None:
        """Kill a command after a share of the time that it takes undisturbed; all of its processes, or the first alone."""
        time.sleep(at * self.seconds)
        others = [] if alone else descendants(child)
        for process in (child, *others):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _become(self, words: "Sequence[str] | Callable[[], object]", mode: str, at: float, output: Path) -> int:
        """Be the command, in a forked child; returns its exit code."""

        def prepare() -> None:
            if self.scenario == "here" and self.place.is_dir():
                os.chdir(self.place)
            tempfile.tempdir = str(self.root / "tmp")
            self._preload(mode, 0 if mode in ("moment", "alone") else int(at))

        return _become(words, output, prepare)

    def _preload(self, mode: str, at: int) -> None:
        """Set the fault, for this process and for those that it will start."""
        os.environ |= {
            "TMPDIR": str(self.root / "tmp"),
            "XDG_CACHE_HOME": str(self.root / "cache"),
            "FAULT_UNDER": str(self.root),
            "FAULT_COUNTER": str(self.counter),
            "FAULT_AT": str(at),
            "FAULT_MODE": mode,
            "FAULT_MAIN": str(os.getpid()),
            "FAULT_LOG": "" if at else str(self.log),
        }
        fault_set = ctypes.CDLL(None).fault_set
        fault_set.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_char_p, ctypes.c_long, ctypes.c_char_p]
        log = os.environ["FAULT_LOG"].encode()
        fault_set(os.fsencode(self.root), os.fsencode(self.counter), at, mode.encode(), os.getpid(), log)


def run_apart(words: Sequence[str], output: Path) -> tuple[int, str]:
    """Runs a command in a forked child; returns its exit code and what it said."""
    code = wait_for(fork(lambda: _become(words, output, lambda: None)))
    reap_orphans()
    return code, output.read_text(errors="replace")


def _become(words: "Sequence[str] | Callable[[], object]", output: Path, prepare: Callable[[], None]) -> int:
    """Be a command, in a forked child; returns its exit code."""
    code = 1
    try:
        os.setsid()
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(stream, "wb")) for stream in (1, 2))
        prepare()
        from glyphlite import __main__, cli

        if callable(words):
            cli.app = lambda **_keywords: words()
        sys.argv = ["glyphlite", *(() if callable(words) else words)]
        __main__.main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _copy(folder: Path, place: Path) -> None:
    """Copies a folder, in the place of an earlier copy."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place, symlinks=True)


def _files(listing: dict[str, str]) -> dict[str, str]:
    """Returns a listing without manifests, which name a file before it is there."""
    return {name: digest for name, digest in listing.items() if not name.endswith(MANIFEST)}


def is_scratch(name: str) -> bool:
    """Returns whether a path leads into a temporary folder, of ours or of a compiler, which the next command sweeps."""
    return ".glyphlite-" in name or name.startswith("tmp/")


def adopt_orphans() -> None:
    """Become the parent of every process whose own parent dies (Linux), so that none is missed."""
    set_child_subreaper = 36  # linux/prctl.h
    ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Wait for what a dead command has left running.

    Raises:
        AssertionError: one of them does not end.
    """
    deadline = time.monotonic() + ORPHANS_SECONDS
    while True:
        try:
            found, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not found:
            assert time.monotonic() < deadline, f"orphans live on: {descendants(os.getpid())}"
            time.sleep(0.01)


def descendants(process: int) -> list[int]:
    """Returns the process ids of all that a process has started, and of what those have (Linux)."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        try:
            children = [int(word) for word in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found
