"""Trials by the number, in a process with ``faults.c`` preloaded; prints one JSON line per trial.

LD_PRELOAD=faults.so python -m support.faults.run FOLDER SEED DONE {kills,failures}:COMMAND:COUNT ...

DONE is a file of lines that earlier calls have printed: these trials are not made again. FOLDER/inputs, what the commands take,
is made where it is missing.
"""

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from support.campaign_log import read_lines
from support.faults.commands import all_commands, import_everything, import_what_exports, make_inputs
from support.faults.shortcuts import take_shortcuts
from support.faults.trial import FAILURES, KILLS, WRITES, Bench, Call, Command, Trial, adopt_orphans

AGAIN = 0.2
"""The share of failures after which the command is run once more also where nothing was left to sweep."""
_BENCHES: dict[Path, Bench] = {}


def main() -> None:
    """Run the trials of each command named, over its scenarios in turn."""
    folder, seed, done = Path(sys.argv[1]).resolve(), int(sys.argv[2]), Path(sys.argv[3])
    known = [each for each in read_lines(done) if "mode" in each]  # the others say how many there are to be
    warnings.simplefilter("ignore")
    adopt_orphans()
    inputs = folder / "inputs"
    if not (inputs / "run").exists():
        import_everything()
        make_inputs(inputs)
    commands = {each.name: each for each in all_commands(inputs)}
    for wish in sys.argv[4:]:
        kind, name, count = wish.split(":")
        uses_tensorflow = not name.startswith(("export", "compile", "optimize", "data check"))
        import_everything() if uses_tensorflow else import_what_exports()
        take_shortcuts(folder / "known", tensorflow=uses_tensorflow)
        trials = kills if kind == "kills" else failures
        before = [each for each in known if each["command"] == name]
        for trial in trials(commands[name], folder / name.replace(" ", "-"), seed, int(count), before):
            sys.stdout.write(json.dumps(trial) + "\n")
            sys.stdout.flush()


def kills(command: Command, folder: Path, seed: int, count: int, done: list[dict]) -> Iterator[dict]:
    """Kills a command ``count`` times, the scenarios in turn; a trial that came too late, after its end, is one more."""
    shares = np.diff(np.linspace(0, count, len(command.scenarios) + 1).astype(int))
    for scenario, share in zip(command.scenarios, shares, strict=True):
        before = {(each["mode"], each["at"]): each for each in done if each["scenario"] == scenario}
        failed = [key for key, each in before.items() if each["fault"]]
        killed = sum(not each["finished"] for each in before.values() if not each["fault"])
        if killed >= share:
            continue
        bench = _bench(command, scenario, folder)
        rng = _generator(seed, command.name, scenario)
        draws = [(KILLS[number % len(KILLS)], float(rng.random())) for number in range(4 * int(share) + 20)]
        moments = [(mode, drawn if mode in ("moment", "alone") else 1 + int(drawn * bench.calls)) for mode, drawn in draws]
        for mode, at in (*failed, *moments[len(before) :]):  # one that failed is made again
            if killed >= share:
                break
            trial = bench.trial(mode, at)
            killed += not trial.finished
            yield _record(trial, bench)


def failures(command: Command, folder: Path, seed: int, count: int, done: list[dict]) -> Iterator[dict]:
    """Lets calls of every kind of a command fail in each way, or ``count`` of these, drawn with the seed, the scenarios in turn.

    The line before a scenario's trials says how many there are to be, and one behind them that there were as many.
    """
    scenarios = command.failing if command.failing[0] in command.scenarios else command.scenarios[:1]
    shares = np.diff(np.linspace(0, count, len(scenarios) + 1).astype(int))
    for scenario, share in zip(scenarios, shares, strict=True):
        before = {(each["mode"], each["at"]): each for each in done if each["scenario"] == scenario}
        known = {key for key, each in before.items() if not each["fault"]}
        bench = _bench(command, scenario, folder)
        rng = _generator(seed, command.name, scenario)
        choices = what_fails(bench.made, rng, once=command.of_commands)
        order, once_more = rng.permutation(len(choices)), rng.random(len(choices)) < AGAIN
        drawn = [(*choices[index], bool(once_more[index])) for index in order[:share]]
        plan = {
            "command": command.name,
            "scenario": scenario,
            "calls": bench.calls,
            "kinds_of_calls": len({call.kind for call in bench.made}),
            "planned": len(choices),
        }
        yield {**plan, "done": False}
        failed = [(mode, int(at), True) for mode, at in before if (mode, at) not in known and at <= bench.calls]
        for mode, at, again in (*failed, *drawn):  # one that failed is made again
            if (mode, at) not in known:
                known.add((mode, at))
                yield {**_record(bench.trial(mode, at, again=again), bench), "call": bench.made[at - 1].name}
        yield {**plan, "done": bool(share >= len(choices))}


def what_fails(calls: Sequence[Call], rng: np.random.Generator, *, once: bool = False) -> list[tuple[str, int]]:
    """Returns how calls fail, and their numbers from 1: of each kind the first, the last, one between, in each way at least once.

    With ``once`` one of each kind, in one way, both drawn.

    A compiler writes a file by a thousand calls: where it fails on one of them, it fails on the others.
    """
    of_kind: dict[tuple[str, str, str], list[int]] = {}
    for number, call in enumerate(calls, 1):
        of_kind.setdefault(call.kind, []).append(number)
    chosen = []
    for (name, _, _), numbers in of_kind.items():
        if once:
            chosen.append((str(rng.choice(FAILURES if name in WRITES else FAILURES[:2])), int(rng.choice(numbers))))
            continue
        between = [int(rng.choice(numbers[1:-1]))] if numbers[1:-1] else []
        some = [numbers[0], *numbers[-1:], *between] if numbers[1:] else numbers
        modes = FAILURES if name in WRITES else FAILURES[:2]  # any other call does all or nothing
        chosen += [(modes[place % len(modes)], some[place % len(some)]) for place in range(max(len(modes), len(some)))]
    return chosen


def _bench(command: Command, scenario: str, folder: Path) -> Bench:
    """Returns the place of a command's trials in a scenario, prepared once for kills and failures."""
    place = folder.with_name(f"{folder.name}-{scenario}")
    if place not in _BENCHES:
        _BENCHES[place] = Bench(command, scenario, place)
    return _BENCHES[place]


def _record(trial: Trial, bench: Bench) -> dict:
    return {**asdict(trial), "calls": bench.calls}


def _generator(seed: int, *words: str) -> np.random.Generator:
    digest = hashlib.sha256(repr((seed, words)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


if __name__ == "__main__":
    main()
