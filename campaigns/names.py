"""Hostile names through every command: files, folders, classes, datasets, models, tensors and metadata, all called the same.

    python campaigns/names.py [--costly-every 5] [--jobs 2]

``tests/hostile_names/strings.py`` lists the names: rich markup, mathtext, HTML, ends of C comments, trigraphs, escape sequences,
right-to-left overrides, line separators, bytes that are not UTF-8, and others. ``tests/hostile_names/trial.py`` makes a place in
which everything has one of them, runs the commands there, and says what counts as a fault. Commands that train, convert or build
WebAssembly and firmware take several seconds each: they run for every ``--costly-every``-th name.
Names that are done are kept, so that a second call goes on. Writes campaigns/results/names.json; exits 1 on a fault.
"""

import argparse
import hashlib
import importlib
import json
import os
import platform
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "tests" / "samples" / "micro-cnn"
SEED = 21
WARM = (
    "glyphlite.pipeline.export",
    "glyphlite.pipeline.compile",
    "glyphlite.pipeline.fits",
    "glyphlite.pipeline.optimize",
    "glyphlite.pipeline.inspect",
    "glyphlite.pipeline.predict",
    "glyphlite.pipeline.report",
    "glyphlite.report.terminal.tables",
    "matplotlib.figure",
)
"""Imported once, before the processes that run the commands are forked."""


def main() -> int:
    """Runs the campaign, or goes on with it, and writes its counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--names", type=int, help="only so many, drawn with the seed (all)")
    arguments.add_argument("--first", type=int, help="only the first so many of the list (all)")
    arguments.add_argument("--seed", type=int, default=SEED, help="of the draw")
    arguments.add_argument("--quick", action="store_true", help="only the commands marked so")
    arguments.add_argument(
        "--costly-every", type=int, default=1, help="run what takes seconds for every so many names; 0: none (1)"
    )
    arguments.add_argument(
        "--any-source", action="store_true", help="keep names that were done without a fault with other sources"
    )
    arguments.add_argument("--minutes", type=float, help="begin no name after so many; 0: only count what was done")
    arguments.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time (one per core)")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "names.json")
    options = arguments.parse_args()

    sys.path.insert(0, str(ROOT / "tests"))
    from glyphlite.console import progress_bar, quiet_tensorflow, say
    from glyphlite.files.single import user_cache, write_json

    quiet_tensorflow()
    warnings.simplefilter("ignore")
    names, fork = importlib.import_module("hostile_names.strings").NAMES, importlib.import_module("support.forked").fork
    for module in (*WARM, "tensorflow") if options.costly_every and not options.quick else WARM:
        importlib.import_module(module)
    chosen = list(range(len(names)))[: options.first]
    if options.names is not None:
        chosen = sorted(random.Random(options.seed).sample(chosen, options.names))
    costly = {each for each in chosen if options.costly_every and each % options.costly_every == 0}
    kept = user_cache() / "campaign" / f"names-{_source_hash()[:12]}{'-quick' if options.quick else ''}"
    kept.mkdir(parents=True, exist_ok=True)
    importlib.import_module("support.faults.shortcuts").take_shortcuts(
        kept / "known", tensorflow="tensorflow" in sys.modules, one_model=True
    )
    started = time.monotonic()
    trial = importlib.import_module("hostile_names.trial")
    commands = [each for each in trial.COMMANDS if (each.quick or not options.quick) and (costly or not each.costly)]
    earlier = _earlier(kept, options.quick) if options.any_source else {}
    waiting = [each for each in chosen if repr(names[each][1]) not in earlier and not _done(kept, each, each in costly)]
    if options.minutes == 0:  # only count what was done
        waiting = []
    like, faults = _shapes(trial, [each for each in commands if each.out]) if waiting else ({}, [])
    running: dict[int, int] = {}
    begun: list[int] = []
    with progress_bar("names", len(waiting)) as advance:
        while waiting or running:
            if options.minutes is not None and time.monotonic() - started > 60 * options.minutes:
                waiting = []
            while waiting and len(running) < options.jobs:
                number = waiting.pop(0)
                some = [each for each in commands if number in costly or not each.costly]
                work = partial(_work, trial, number, names[number], some, like, costly=number in costly, kept=kept)
                running[fork(work)] = number
                begun.append(number)
            if not running:
                break
            ended, _ = os.wait()
            number = running.pop(ended)
            for fault in (json.loads(_record(kept, number).read_text()) if _record(kept, number).exists() else {}).get(
                "faults", ()
            ):
                say(f"name {number}: {fault}")
            advance()
    records = {each: json.loads(_record(kept, each).read_text()) for each in chosen if _record(kept, each).exists()}
    of_source = {each: _source_hash() for each in records}
    for each in chosen:
        if each not in records and (found := earlier.get(repr(names[each][1]))):
            of_source[each], records[each] = found
    faults += [fault for record in records.values() for fault in record["faults"]]
    faults += [f"name {each} ended without a word" for each in begun if each not in records]
    chosen = sorted(records)
    trials = Counter(command for record in records.values() for command in record["codes"])
    document = {
        "command": " ".join(["python", "campaigns/names.py", *sys.argv[1:]]),
        "listed": len(names),
        "seed": options.seed,
        "names": len(chosen),
        "kinds": Counter(names[each][0] for each in chosen),
        "sha256": hashlib.sha256(b"\0\0".join(names[each][1] for each in chosen)).hexdigest(),
        "trials": sum(trials.values()),
        "trials_per_command": dict(sorted(trials.items())),
        "exit_codes": Counter(str(code) for record in records.values() for code in record["codes"].values()),
        "faults": faults,
        "processor_minutes": round(sum(record["seconds"] for record in records.values()) / 60, 1),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "versions": {"python": platform.python_version(), **{each: version(each) for each in ("glyphlite", "rich", "typer")}},
        "source": _source_hash(),
        "names_by_source": Counter(of_source.values()),
    }
    write_json(options.output, document)
    say(f"{document['trials']} trials of {len(chosen)} names, {len(faults)} faults: {options.output}")
    return 1 if faults else 0


def _shapes(trial: Any, commands: Sequence[Any]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Returns the shapes of what commands write where everything has a benign name, by command, and the faults."""
    like: dict[str, dict[str, Any]] = {}
    faults = []
    with tempfile.TemporaryDirectory(prefix="glyphlite-names-") as folder:
        place = trial.Place(Path(folder), trial.BENIGN, SAMPLES)
        for command in commands:
            code, found = trial.faults_of(command, place, like.setdefault(command.name, {}))
            faults += [f"benign: {command.name}: {each}" for each in (*found, *([f"exit code {code}"] if code else []))]
    return like, faults


def _work(
    trial: Any, number: int, name: tuple[str, bytes], commands: Sequence[Any], like: Any, *, costly: bool, kept: Path
) -> None:
    """Runs commands with a name, in a process of its own, and keeps what came of it."""
    codes, faults, folder = {}, [], Path(tempfile.mkdtemp(prefix="glyphlite-names-"))
    before = _processor_seconds()
    try:
        place = trial.Place(folder, name[1], SAMPLES)
        for command in commands:
            codes[command.name], found = trial.faults_of(command, place, like.get(command.name, {}))
            faults += [f"{name[0]}: {name[1]!r}: {command.name}: {each}" for each in found]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    seconds = round(_processor_seconds() - before, 1)
    record = {"name": repr(name[1]), "codes": codes, "faults": faults, "costly": costly, "seconds": seconds}
    draft = _record(kept, number).with_suffix(".draft")
    draft.write_text(json.dumps(record))
    draft.replace(_record(kept, number))


def _processor_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _record(kept: Path, number: int) -> Path:
    return kept / f"{number}.json"


def _earlier(kept: Path, quick: bool) -> dict[str, tuple[str, dict[str, Any]]]:
    """Returns what other sources did without a fault: by name the beginning of the source's hash, and the record; newest last."""
    folders = [each for each in kept.parent.glob("names-*") if each != kept and each.name.endswith("-quick") == quick]
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for folder in sorted(folders, key=lambda each: each.stat().st_mtime):
        for path in folder.glob("*.json"):
            record = json.loads(path.read_text())
            if not record["faults"]:
                found[record["name"]] = folder.name.split("-")[1], record
    return found


def _done(kept: Path, number: int, costly: bool) -> bool:
    path = _record(kept, number)
    if not path.exists():
        return False
    record = json.loads(path.read_text())
    return not record["faults"] and (record["costly"] or not costly)


def _source_hash() -> str:
    """Returns a digest over every source that the campaign is about, and of the campaign."""
    return importlib.import_module("support.campaign_log").source_hash("src/glyphlite", "tests/hostile_names")


if __name__ == "__main__":
    sys.exit(main())
