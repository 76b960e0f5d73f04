"""A campaign of trials: builds the library, runs ``run.py`` on what is not done yet, and writes the counts.

Each trial's line is kept as it comes, so that a campaign that was stopped goes on where it was.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from glyphlite.console import progress_bar, say
from glyphlite.files.single import make_folder, user_cache, write_json
from support.campaign_log import read_lines, source_hash

HERE = Path(__file__).parent
RESULTS = HERE.parents[2] / "campaigns" / "results"
VERSIONS = ("tensorflow-cpu", "keras", "ai-edge-litert", "numpy")


def build_library(folder: Path) -> Path:
    """Builds the library that is preloaded; returns its path."""
    library = folder / "faults.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", library, HERE / "faults.c", "-ldl"], check=True, timeout=120)
    return library


def run_trials(folder: Path, seed: int, done: Path, wishes: list[str]) -> "subprocess.Popen[str]":
    """Starts the trials in a process of their own, which prints a line of JSON per trial."""
    return subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.run", str(folder), str(seed), str(done), *wishes],
        env={
            **os.environ,
            "LD_PRELOAD": str(build_library(folder)),
            "MPLCONFIGDIR": str(make_folder(folder / "matplotlib")),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join(map(str, (HERE.parents[1], HERE.parents[2] / "src"))),
        },
        stdout=subprocess.PIPE,
        text=True,
    )


def run_campaign(name: str, seed: int, kind: str, wishes: dict[str, int]) -> int:
    """Runs what is left of a campaign and writes ``campaigns/results/NAME.json``.

    Args:
        name: of the campaign.
        seed: draws the moments.
        kind: ``kills`` or ``failures``.
        wishes: how many trials of each command.

    Returns:
        The exit code: 1 where there was a fault.
    """
    folder = make_folder(user_cache() / "campaigns" / name)
    done = folder / f"trials-{seed}.jsonl"
    done.touch()
    source = source_hash("src/glyphlite")
    words = [f"{kind}:{each}:{count}" for each, count in wishes.items()]
    with (
        progress_bar(f"{name}: trials", None) as advance,
        done.open("a", buffering=1) as kept,
        run_trials(folder, seed, done, words) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            trial = json.loads(line)
            kept.write(json.dumps({**trial, "source": source}) + "\n")
            if "mode" not in trial:  # it says how many there are to be
                continue
            advance()
            if trial["fault"]:
                say(f"fault: {line.strip()}")
    # One that failed was made again, and the last one counts.
    lines = read_lines(done)
    trials = list({(*map(each.get, ("command", "scenario", "mode", "at")),): each for each in lines if "mode" in each}.values())
    document = summary(seed, trials)
    if plans := {f"{each['command']}, {each['scenario']}": each for each in lines if "planned" in each}:
        kept_of_plan = ("calls", "kinds_of_calls", "planned", "done", "source")
        document["plans"] = {name: {key: plan[key] for key in kept_of_plan} for name, plan in sorted(plans.items())}
    write_json(RESULTS / f"{name}.json", document)
    say(f"{len(trials)} trials, {len(document['faults'])} faults: {RESULTS / name}.json")
    return 1 if document["faults"] or process.returncode else 0


def summary(seed: int, trials: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts trials by command, place, mode and call; hashes which they were."""
    stopped = [each for each in trials if not each["finished"]]
    which = sorted([each["command"], each["scenario"], each["mode"], each["at"]] for each in trials)
    calls = Counter(each["call"] for each in trials if "call" in each)
    return {
        "seed": seed,
        "trials": len(trials),
        "stopped": len(stopped),
        "stopped_by_command": _counts(stopped, "command"),
        "stopped_by_place": _counts(stopped, "scenario"),
        "stopped_by_mode": _counts(stopped, "mode"),
        "finished_all_the_same": len(trials) - len(stopped),
        "by_call": dict(sorted(calls.items())),
        "calls_of_one_command": {f"{each['command']}, {each['scenario']}": each["calls"] for each in trials},
        "left_something_for_the_next_to_sweep": sum(each["swept"] > 0 for each in trials),
        "trials_by_sources_sha256": Counter(each.get("source", "before these were kept") for each in trials),
        "sha256_of_trials": hashlib.sha256(json.dumps(which).encode()).hexdigest(),
        "faults": [each for each in trials if each["fault"]],
        "versions": {name: version(name) for name in VERSIONS},
        "system": platform.platform(terse=True),
    }


def _counts(trials: list[dict[str, Any]], key: str) -> dict[str, int]:
    return dict(sorted(Counter(each[key] for each in trials).items()))
