"""One command that dies, or whose file system fails, at one call; then the same command again. What has to hold is checked.

Runs in a process into which ``faults.c`` is preloaded: each trial is a forked child of it, so that nothing is imported twice.
"""

import ctypes
import hashlib
import io
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SCENARIOS = ("new", "again", "theirs", "link", "here")
"""Places of a result: a new folder, over an earlier result, over one with the user's files in it (with --overwrite), the target
of a link, the current folder."""

MODES = ("before", "after", "enospc", "eio", "short")
KILLS = ("before", "after")
THEIRS = {"notes/mine.txt": "years of work", "data.bin": "\x00\x01mine"}


@dataclass(frozen=True)
class Command:
    """A command line without its folder.

    ``earlier`` is one that left a result before. What writes ``inside`` its folder, as it may hold anything, is finished by the
    next command when it was killed on the way; all else is the earlier result or the new one at any moment.
    """

    name: str
    words: tuple[str, ...]
    earlier: tuple[str, ...]
    inside: bool = False


@dataclass(frozen=True)
class Trial:
    """Holds a trial's outcome: the fault, in words, or None."""

    command: str
    scenario: str
    mode: str
    at: int
    fault: str | None
    finished: bool


class Bench:
    """A place for trials, prepared once: the earlier result, and what the command has to end with.

    Args:
        command: what is tried.
        scenario: one of :data:`SCENARIOS`.
        folder: an empty folder.
    """

    def __init__(self, command: Command, scenario: str, folder: Path) -> None:
        self.command, self.scenario, self.root = command, scenario, folder
        self.counter = folder.with_name(f"{folder.name}.counter")
        self.before = folder.with_name(f"{folder.name}.before")
        self.place = folder / "out"
        self.inside = command.inside or scenario in ("link", "here")
        out = {"here": ".", "link": str(folder / "link")}.get(scenario, str(self.place))
        self.words = (*command.words, "--out", out, *(("--overwrite",) if scenario == "theirs" else ()))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if scenario != "new":
            code, said = self._run((*command.earlier, "--out", str(self.place)))
            assert code == 0, said
        if scenario == "link":
            (folder / "link").symlink_to("out")
        if scenario == "theirs":
            for name, text in THEIRS.items():
                (self.place / name).parent.mkdir(exist_ok=True)
                (self.place / name).write_text(text)
        shutil.rmtree(self.before, ignore_errors=True)
        shutil.copytree(folder, self.before, symlinks=True)
        self.earlier = contents(folder)
        code, said = self._run(self.words)
        assert code == 0, said
        self.calls = int.from_bytes(self.counter.read_bytes(), "little")
        self.expected = contents(folder)

    def trial(self, mode: str, at: int) -> Trial:
        """Try the command with a fault at its call number ``at``, then again without."""
        shutil.rmtree(self.root)
        shutil.copytree(self.before, self.root, symlinks=True)
        code, said = self._run(self.words, mode, at)
        fault = self._fault(code, said, contents(self.root), mode)
        if fault is None:
            code_again, said_again = self._run(self.words)
            after = contents(self.root)
            if code_again:
                fault = f"the next command ended with {code_again}: {said_again[-300:]}"
            elif after != self.expected:
                fault = f"after the next command: {difference(after, self.expected)}"
        return Trial(self.command.name, self.scenario, mode, at, fault, finished=code == 0)

    def _fault(self, code: int, said: str, found: dict[str, str], mode: str) -> str | None:
        """Describes what is wrong right after the faulty run; None if nothing is."""
        kept = {name: digest for name, digest in found.items() if ".glyphlite-" not in name}
        theirs = {name for name in self.earlier if name.removeprefix("out/") in THEIRS}
        if lost := [name for name in theirs if kept.get(name) != self.earlier[name]]:
            return f"lost {lost}"
        if mode in KILLS:
            if code not in (-9, 0):
                return f"ended with {code}: {said[-300:]}"
        elif code == 0 and kept != self.expected:
            return f"said nothing, but: {difference(kept, self.expected)}"
        elif code not in (0, 2):
            return f"ended with {code}: {said[-500:]}"
        elif code == 2 and len([line for line in said.splitlines() if line.startswith("glyphlite: ")]) != 1:
            return f"no single line: {said[-500:]}"
        is_whole = kept in (self.earlier, self.expected)
        if not is_whole and not self.inside:
            return f"neither the earlier result nor the new one: {difference(kept, self.earlier)}"
        return None

    def _run(self, words: Sequence[str], mode: str = "before", at: int = 0) -> tuple[int, str]:
        """Run a command in a child with a fault at a call; returns its exit code (negative: a signal) and what it said."""
        self.counter.write_bytes(bytes(8))
        output = self.root.with_name(f"{self.root.name}.output")
        child = os.fork()
        if not child:
            self._become(words, mode, at, output)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, output.read_text(errors="replace")

    def _become(self, words: Sequence[str], mode: str, at: int, output: Path) -> None:
        """Be the command, in a forked child; never returns."""
        code = 1
        try:
            descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(descriptor, stream)
            sys.stdout, sys.stderr = (io.TextIOWrapper(os.fdopen(stream, "wb")) for stream in (1, 2))
            if self.scenario == "here" and self.place.is_dir():
                os.chdir(self.place)
            from glyphlite.__main__ import main

            fault_set = ctypes.CDLL(None).fault_set
            fault_set.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_long, ctypes.c_char_p]
            sys.argv = ["glyphlite", *words]
            fault_set(os.fsencode(self.root), os.fsencode(self.counter), at, mode.encode())
            main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


def contents(folder: Path) -> dict[str, str]:
    """Returns what lies below a folder: each file's SHA-256, each link's target, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def difference(found: dict[str, str], wanted: dict[str, str]) -> str:
    """Returns in words what one listing lacks, has besides, or has otherwise than another."""
    parts: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("missing", lambda name: name not in found),
        ("besides", lambda name: name not in wanted),
        ("other", lambda name: name in found and name in wanted and found[name] != wanted[name]),
    )
    names = sorted({*found, *wanted})
    return "; ".join(f"{words} {some[:4]}" for words, has in parts if (some := [name for name in names if has(name)]))
