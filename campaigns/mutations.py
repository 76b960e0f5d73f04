"""Thousands of damaged .tflite files through inspect, verify and export: nothing may crash, hang or pass for what it is not.

    python campaigns/mutations.py --files 10000 --seed 0

Each file is reproducible from the seed and its number (tests/support/mutants.py); tests/support/mutation_trial.py says what
counts as a fault. Every file goes through the four interpreters. The slow parts, the search for the smallest arena and the
comparison of the tensors inside, are done for every ``--deep-every``-th and spared the others. Writes
campaigns/results/mutations.json and exits with 1 when there was a fault.
"""

import argparse
import importlib
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from glyphlite.console import progress_bar, quiet_tensorflow
from glyphlite.datasets.dataset import Split
from glyphlite.files.single import write_json

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "tests" / "samples"
WRITE_EVERY = 250
"""Files between two writes of the result file, so that a campaign cut short leaves what it has."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000, help="how many damaged files (10,000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first one (0)")
    parser.add_argument("--seed", type=int, default=0, help="of the campaign (0)")
    parser.add_argument("--deep-every", type=int, default=20, help="do the slow parts too for every so many (20)")
    parser.add_argument("--out", type=Path, default=ROOT / "campaigns" / "results" / "mutations.json")
    arguments = parser.parse_args()
    quiet_tensorflow()
    sys.path.insert(0, str(ROOT / "tests"))
    mutants, trials = importlib.import_module("support.mutants"), importlib.import_module("support.mutation_trial")
    from glyphlite.datasets.registry import load_dataset
    from glyphlite.runtimes.tflm_arena import measure_arena

    mnist = load_dataset("mnist")
    dataset = replace(mnist, test=Split(mnist.test.images[:2], mnist.test.labels[:2]))
    sources = mutants.sound_files(SAMPLES)
    arena = measure_arena(SAMPLES / "micro-cnn" / "model_int8.tflite")
    done, started = [], time.monotonic()
    command = f"python campaigns/mutations.py --files {arguments.files} --first {arguments.first} --seed {arguments.seed}"

    def write() -> dict[str, Any]:
        summary = {
            "command": f"{command} --deep-every {arguments.deep_every}",
            "date": datetime.now(UTC).date().isoformat(),
            "sources": {name: sha256(content).hexdigest() for name, content in sorted(sources.items())},
            "minutes": round((time.monotonic() - started) / 60, 1),
            **trials.summarize(done),
        }
        write_json(arguments.out, summary)
        return summary

    with tempfile.TemporaryDirectory() as scratch, progress_bar("damaged files", arguments.files) as advance:
        for index in range(arguments.first, arguments.first + arguments.files):
            mutant = mutants.make_mutant(sources, arguments.seed, index)
            deep = index % arguments.deep_every == 0
            trial = trials.try_mutant(mutant, Path(scratch), dataset, arena=None if deep else arena)
            for fault in trial.faults:
                print(f"file {index} ({mutant.kind} of {mutant.source}): {fault}", flush=True)
            done.append(trial)
            advance()
            if len(done) % WRITE_EVERY == 0:
                write()
    summary = write()
    for stage, counts in summary["outcomes"].items():
        longest = summary["longest_seconds"][stage]
        print(f"{stage:8}", ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items()), f"(longest {longest:.2f} s)")
    print(
        f"{len(summary['faults'])} faults in {summary['files']:,} files, {summary['minutes']} minutes; written to {arguments.out}"
    )
    return 1 if summary["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
