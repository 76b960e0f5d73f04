"""Damaged .npz, IDX, .keras, picture and model files: each taken with the right result or refused in one line, 20,000 of a kind.

    python campaigns/input_files.py [--files N] [--kinds npz idx keras picture model]

Half of the files have bytes changed, half have their parts changed and put together again with right checksums: headers, names,
shapes, JSON, chunks, tags (``tests/support/input_files``, which also says what counts as a fault). Each is tried in a child
process that may die of it. What was done is kept in the user's cache, so that the same command goes on after Ctrl-C; another
state of the code that reads such a file, or other libraries, begin anew. Writes campaigns/results/input_files.json; exits 1 on
a fault.
"""

import argparse
import hashlib
import importlib
import json
import os
import platform
import sys
from collections import Counter
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ["CUDA_VISIBLE_DEVICES"] = ""
SEED = 21
CHUNK = 500
"""Files a child process."""
PACKAGES = ("numpy", "pillow", "h5py", "keras", "tensorflow-cpu", "tensorflow")


def main() -> int:
    """Run the campaign, or go on with it."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--files", type=int, default=20_000, help="how many of each kind (20,000)")
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--kinds", nargs="+", default=["npz", "idx", "keras", "picture", "model"])
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "input_files.json")
    options = arguments.parse_args()

    from glyphlite.console import progress_bar, quiet_tensorflow, say
    from glyphlite.files.single import user_cache, write_json

    quiet_tensorflow()
    trial, kept = (importlib.import_module(f"support.{name}") for name in ("input_files.trial", "campaign_log"))
    versions = _versions()
    cache = user_cache() / "campaigns"
    cache.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, Any] = json.loads(options.output.read_text())["kinds"] if options.output.exists() else {}
    for kind in options.kinds:
        code = kept.source_hash(*(f"src/glyphlite/{part}" for part in trial.KINDS[kind].read_by), "tests/support/input_files")
        state = hashlib.sha256(json.dumps([versions, code, options.seed, CHUNK]).encode()).hexdigest()[:16]
        log = cache / f"input_files-{kind}-{state}.jsonl"
        chunks = {each["first"]: each for each in kept.read_lines(log)}
        with log.open("a") as stream, progress_bar(kind, options.files) as advance:
            for first, count in trial.in_chunks(0, options.files, CHUNK):
                if chunks.get(first, {}).get("count") != count:
                    chunks[first] = _summary(first, trial.run_trials(kind, options.seed, first, count))
                    stream.write(json.dumps(chunks[first]) + "\n")
                    stream.flush()
                    for fault in chunks[first]["faults"]:
                        say(f"{kind} {fault['number']} ({fault['how']} of {fault['source']}): {fault['faults']}")
                advance(count)
        kinds[kind] = _joined([chunks[first] for first, _ in trial.in_chunks(0, options.files, CHUNK)])
        say(f"{kind}: {kinds[kind]['files']:,} files, {kinds[kind]['outcomes']}, {len(kinds[kind]['faults'])} faults")
        write_json(options.output, _document(kinds, options.seed, versions, trial))
    return 1 if any(kinds[kind]["faults"] for kind in options.kinds) else 0


def _document(kinds: dict[str, Any], seed: int, versions: dict[str, str], trial: Any) -> dict[str, Any]:
    """Returns the document to write; kinds that were not tried again stay."""
    return {
        "command": "python campaigns/input_files.py",
        "seed": seed,
        "limits": {"cpu_seconds": trial.CPU_SECONDS, "memory_bytes": trial.MEMORY, "line_characters": trial.LONGEST_LINE},
        "kinds": kinds,
        "versions": versions,
        "system": platform.platform(terse=True),
    }


def _summary(first: int, trials: list[Any]) -> dict[str, Any]:
    """One line of the log."""
    return {
        "first": first,
        "count": len(trials),
        "outcomes": Counter(trial.outcome for trial in trials),
        "damage": Counter(f"{trial.how}: {trial.outcome}" for trial in trials),
        "longest": max(trial.seconds for trial in trials),
        "seconds": sum(trial.seconds for trial in trials),
        "sha256": hashlib.sha256("".join(trial.sha256 for trial in trials).encode()).hexdigest(),
        "faults": [asdict(trial) for trial in trials if trial.faults],
    }


def _joined(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the part of one kind; its SHA-256 is of those of all its files, in order."""

    def added(name: str) -> dict[str, int]:
        return dict(sorted(sum((Counter(chunk[name]) for chunk in chunks), Counter()).items()))

    return {
        "files": sum(chunk["count"] for chunk in chunks),
        "outcomes": added("outcomes"),
        "damage": added("damage"),
        "longest_cpu_seconds": max(chunk["longest"] for chunk in chunks),
        "cpu_minutes": round(sum(chunk["seconds"] for chunk in chunks) / 60, 1),
        "sha256": hashlib.sha256("".join(chunk["sha256"] for chunk in chunks).encode()).hexdigest(),
        "faults": [fault for chunk in chunks for fault in chunk["faults"]],
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError

    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
