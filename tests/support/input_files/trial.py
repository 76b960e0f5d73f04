"""What becomes of damaged files, in a child process that may die of one: taken, refused in one line, or a fault of ours.

A fault is another exception than one of ours, a crash, more than two seconds of the processor, more than a gibibyte of memory, a
line with control characters or of no end, noise on the terminal, or a result that the file does not hold.
"""

import json
import os
import resource
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from glyphlite.errors import GlyphliteError
from support.forked import fork
from support.input_files.damage import make_damaged
from support.input_files.kinds import KINDS

CPU_SECONDS = 2.0
MEMORY = 1 << 30
"""Bytes that a process may grow by."""
HUNG_SECONDS = 30.0
"""Of the processor, or twenty times as long by the clock: after so long without an answer a child is killed."""
LONGEST_LINE = 1000


@dataclass
class Trial:
    """What became of one file."""

    number: int
    source: str = ""
    how: str = ""
    outcome: str = "died"
    seconds: float = 0.0
    sha256: str = ""
    faults: list[str] = field(default_factory=list)


def run_trials(kind: str, seed: int, first: int, count: int, longest_s: float = CPU_SECONDS) -> list[Trial]:
    """Tries files in a child process, and in another one after one that it died of; returns a record of each in order."""
    KINDS[kind].sources()  # made once, for every child
    done: list[Trial] = []
    while len(done) < count:
        start = first + len(done)
        done += _in_child(kind, seed, range(start, first + count), longest_s)
    return done


def _in_child(kind: str, seed: int, numbers: range, longest_s: float) -> list[Trial]:
    """Tries files in one child until it dies; the one that it died of is the last."""
    reader, writer = os.pipe()
    child = fork(lambda: _serve(kind, seed, numbers, longest_s, reader, writer))
    os.close(writer)
    done = []
    with os.fdopen(reader, "rb", 0) as stream:  # unbuffered: what waits in a buffer select does not see
        while _answers(stream, child) and (line := stream.readline()):
            done.append(Trial(**json.loads(line)))
            if len(done) == len(numbers):
                break
        else:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if len(done) < len(numbers) and not (done and done[-1].faults):
        number = numbers[len(done)]
        damaged = make_damaged(kind, seed, number)
        killed = os.WIFSIGNALED(status)
        how = f"killed by {signal.Signals(os.WTERMSIG(status)).name}" if killed else f"ended with {os.WEXITSTATUS(status)}"
        words = f"the process was {how}, or hung for {HUNG_SECONDS:.0f} s"
        done.append(Trial(number, damaged.source, damaged.how, sha256=sha256(damaged.content).hexdigest(), faults=[words]))
    return done


def _answers(stream: Any, child: int) -> bool:
    """Waits for a child; returns False where it hangs. A busy machine gives it little time: what it had of that counts."""
    began, worked = time.monotonic(), _cpu_seconds(child)
    while not select.select([stream], [], [], 2)[0]:
        if _cpu_seconds(child) - worked > HUNG_SECONDS or time.monotonic() - began > 20 * HUNG_SECONDS:
            return False
    return True


def _cpu_seconds(child: int) -> float:
    """Returns the time of the processor that a child has used (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _serve(kind: str, seed: int, numbers: range, longest_s: float, reader: int, writer: int) -> None:
    os.close(reader)
    folder = Path(tempfile.mkdtemp(prefix="glyphlite-damaged-"))
    try:
        with os.fdopen(writer, "w") as answers, (folder / "noise").open("w+b") as noise:
            for descriptor in (1, 2):
                os.dup2(noise.fileno(), descriptor)
            for number in numbers:
                trial = _try(kind, seed, number, folder, longest_s, noise)
                answers.write(json.dumps(asdict(trial)) + "\n")
                answers.flush()
                if trial.faults and "memory" in trial.faults[-1]:
                    return  # what a process took once it never gives back: the next file gets a fresh one
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _try(kind: str, seed: int, number: int, folder: Path, longest_s: float, noise: Any) -> Trial:
    damaged = make_damaged(kind, seed, number)
    trial = Trial(number, damaged.source, damaged.how, sha256=sha256(damaged.content).hexdigest())
    place = folder / "in"
    place.mkdir()
    path = place / Path(damaged.name).name
    path.write_bytes(damaged.content)
    before, began = _peak(), time.process_time()
    try:
        trial.faults = KINDS[kind].take(path)
        trial.outcome = "taken"
    except GlyphliteError as error:
        trial.outcome, line = "refused", str(error)
        if not line.isprintable() or len(line) > LONGEST_LINE or str(place) not in line:
            trial.faults.append(f"the line is {line[:200]!r} ({len(line)} characters)")
        if error.exit_code != 2:
            trial.faults.append(f"the exit code is {error.exit_code}")
    except BaseException as error:
        trial.outcome = "failed"
        trial.faults.append(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}; {_place(error)}")
    trial.seconds = round(time.process_time() - began, 3)
    if trial.seconds > longest_s:
        trial.faults.append(f"it took {trial.seconds:.1f} s")
    trial.faults += _noise(noise)
    if _peak() - before > MEMORY:
        trial.faults.append(f"it took {(_peak() - before) >> 20} MiB of memory")
    shutil.rmtree(place)
    return trial


def _place(error: BaseException) -> str:
    """Returns where an exception was raised, and the last place of ours on the way."""
    frames: list[str] = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{Path(code.co_filename).name}:{trace.tb_lineno} ({code.co_name})")
        trace = trace.tb_next
    return " < ".join(reversed(frames[-4:]))


def _noise(noise: Any) -> list[str]:
    """Returns what is wrong with the words that reached the terminal: control characters, or words of others than us."""
    noise.flush()
    noise.seek(0)
    words = noise.read().decode(errors="replace")
    noise.seek(0)
    noise.truncate()
    if any(not letter.isprintable() and letter != "\n" for letter in words):
        return [f"control characters on the terminal: {words[:200]!r}"]
    others = [line for line in words.splitlines() if any(each in line for each in ("Warning", "Traceback", "Error", "libtiff"))]
    return [f"noise on the terminal: {others[0][:200]!r}"] if others else []


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def in_chunks(first: int, count: int, size: int) -> Iterator[tuple[int, int]]:
    """Yields the first number and the length of each chunk."""
    for start in range(first, first + count, size):
        yield start, min(size, first + count - start)
