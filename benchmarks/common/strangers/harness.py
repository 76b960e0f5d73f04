"""The table's records, and the desk at which a row works: a folder of its own and a way to run commands as a user does."""

import contextlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TRACEBACK = "Traceback (most recent call last)"
FAULT_OF_OURS = 70
SIGNALLED = 129
"""Exit codes from here on are a shell's words for a signal; 130 is what Ctrl-C gives and no row presses it."""


@dataclass(frozen=True)
class Done:
    """One command that ended: its words, exit code (negative: the signal that killed it) and both streams."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Both streams, spaces and line breaks as single spaces, so that wrapped tables can be searched."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def crashed(self) -> bool:
        """Returns whether it ended as no command may: by a traceback, by a signal, or as a fault of glyphlite's own."""
        return self.code < 0 or self.code == FAULT_OF_OURS or self.code >= SIGNALLED or TRACEBACK in self.out + self.err

    def json(self) -> Any:
        """The document on standard output.

        Raises:
            NotMeasuredError: the command failed, or standard output holds anything else.
        """
        if self.code:
            raise NotMeasuredError(f"{self.words[0]} ends with {self.code}: {self.last_line}")
        try:
            return json.loads(self.out)
        except ValueError:
            raise NotMeasuredError(f"{self.words[0]} --json prints no JSON: {self.out[:80]!r}") from None

    @property
    def last_line(self) -> str:
        """The last line of standard error that is not empty, where errors stand."""
        return next((line for line in reversed(self.err.splitlines()) if line.strip()), "nothing on standard error")[:300]

    @property
    def refused(self) -> bool:
        """Returns whether it ended with 2 and a single error line, the last one; notes on what was read may stand before it."""
        errors = [line for line in self.err.splitlines() if line.startswith("glyphlite: ")]
        return self.code == 2 and len(errors) == 1 and self.last_line.startswith("glyphlite: ")

    def says(self, pattern: str) -> bool:
        """Returns whether a regular expression is found in either stream, ignoring case."""
        return re.search(pattern, self.text, re.IGNORECASE) is not None


class NotMeasuredError(Exception):
    """A row could not get as far as its measurement; the text says where it ended."""


@dataclass(frozen=True)
class Measured:
    """Holds a row's finding, in words, and whether it is what was expected."""

    words: str
    right: bool


@dataclass
class Desk:
    """A folder, the commands that were run there, and things that several rows share (``shared``: made once per table)."""

    folder: Path
    shared: dict[str, Any]
    done: list[Done] = field(default_factory=list)
    expects_fault: bool = False

    def glyphlite(self, *words: object, process: bool = False, timeout: float = 300) -> Done:
        """Run one command in this desk's folder: in this process, or with ``process`` in one of its own.

        In this process the very function that the console script calls does the work, with the streams captured; that saves
        TensorFlow's start. What could kill the interpreter gets a process.
        """
        texts = tuple(str(word) for word in words)
        ended = self._in_process(texts, timeout) if process else self._here(texts)
        self.done.append(ended)
        return ended

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Returns the result of ``make`` from the first time that this table asked for ``name``."""
        if name not in self.shared:
            self.shared[name] = make()
        return self.shared[name]

    def _here(self, words: tuple[str, ...]) -> Done:
        from glyphlite.__main__ import main

        out, err, code = io.StringIO(), io.StringIO(), 0
        argv, handler = sys.argv, signal.getsignal(signal.SIGTERM)
        sys.argv = ["glyphlite", *words]
        try:
            with contextlib.chdir(self.folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            code = 1
            err.write(traceback.format_exc())
        finally:
            sys.argv = argv
            signal.signal(signal.SIGTERM, handler)
        return Done(words, code, out.getvalue(), err.getvalue())

    def _in_process(self, words: tuple[str, ...], timeout: float) -> Done:
        command = [sys.executable, "-m", "glyphlite", *words]
        try:
            ended = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise NotMeasuredError(f"{words[0]} did not end within {timeout:.0f} s") from None
        return Done(words, ended.returncode, ended.stdout, ended.stderr)


@dataclass(frozen=True)
class Row:
    """One kind: where the issue names it, what the example is, what is expected of it, and the function that tries it."""

    section: str
    kind: str
    example: str
    expected: str
    small: bool
    do: Callable[[Desk], Measured]

    @property
    def name(self) -> str:
        """``section/kind``, as ``--only`` takes it."""
        return f"{self.section}/{self.kind}"


ROWS: list[Row] = []


def row(
    section: str, kind: str, example: str, expected: str, *, small: bool = False
) -> Callable[[Callable[[Desk], Measured]], Callable[[Desk], Measured]]:
    """Put a function into the table.

    Args:
        section: the section's short name.
        kind: short name, unique within the section.
        example: what is made, in words.
        expected: what has to be measured, in words.
        small: whether `make test` runs it.
    """

    def enter(do: Callable[[Desk], Measured]) -> Callable[[Desk], Measured]:
        new = Row(section, kind, example, expected, small, do)
        if any(each.name == new.name for each in ROWS):
            raise ValueError(f"there are two rows {new.name}")
        ROWS.append(new)
        return do

    return enter


@dataclass(frozen=True)
class Outcome:
    """A row that was tried: what was measured, whether that is right, which commands crashed, and the CPU seconds it took."""

    row: Row
    measured: str
    right: bool
    crashes: tuple[str, ...]
    cpu_seconds: float


def try_row(each: Row, folder: Path, shared: dict[str, Any]) -> Outcome:
    """Run one row in a folder of its own in ``folder``. A command that crashes makes the row wrong, whatever it measured."""
    place = folder / re.sub(r"[^\w-]", "-", each.name)
    place.mkdir(parents=True)
    desk = Desk(place, shared)
    started = _cpu_seconds()
    try:
        measured = each.do(desk)
    except NotMeasuredError as end:
        measured = Measured(str(end), False)
    except Exception as error:
        # An example that cannot even be made says nothing about glyphlite, and is no reason to lose the other rows.
        measured = Measured(f"the row itself fails: {type(error).__name__}: {str(error)[:200]}", False)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    crashes = tuple(
        f"glyphlite {' '.join(done.words)} ends with {done.code}: {done.last_line}"
        for done in desk.done
        if done.crashed and not (desk.expects_fault and done.code == FAULT_OF_OURS and TRACEBACK not in done.out + done.err)
    )

    def short(text: str) -> str:
        return text.replace(f"{place}/", "").replace(f"{folder}/", "")

    crashes = tuple(map(short, crashes))
    return Outcome(each, short(measured.words), measured.right and not crashes, crashes, _cpu_seconds() - started)


def all_right(checks: Sequence[tuple[str, bool]]) -> Measured:
    """Several checks as one measurement: what was wrong, or that everything was right."""
    wrong = [what for what, right in checks if not right]
    return Measured(f"not {'; not '.join(wrong)}" if wrong else ", ".join(what for what, _ in checks), not wrong)


def _cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
