"""Trials by the number, in a process with ``faults.c`` preloaded; prints one JSON line per trial.

LD_PRELOAD=faults.so python run.py FOLDER SAMPLES_DIR SEED TRIALS
"""

import json
import sys
import warnings
from dataclasses import asdict
from itertools import product
from pathlib import Path

import numpy as np
from trial import MODES, SCENARIOS, Bench, Command

import glyphlite.pipeline.export
import glyphlite.pipeline.firmware  # noqa: F401 - imported once, for every child


def main() -> None:
    """Draw trials over commands, scenarios, modes and calls, and run them."""
    folder, samples = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    seed, trials = int(sys.argv[3]), int(sys.argv[4])
    warnings.simplefilter("ignore")
    new, old = str(samples / "model_int8.tflite"), str(samples / "model_float32.tflite")
    arrays = Command(
        "export c-array", ("export", new, "--for", "c-array"), ("export", old, "--for", "c-array", "--language", "c"), True
    )
    options = ("--no-compare", "--no-check")
    compiled = Command("compile", ("compile", new, "--name", "second", *options), ("compile", new, "--name", "first", *options))
    rng = np.random.default_rng(seed)
    pairs = list(product((arrays, compiled), SCENARIOS))
    shares = np.diff(np.linspace(0, trials, len(pairs) + 1).astype(int))
    for (command, scenario), share in zip(pairs, shares, strict=True):
        bench = Bench(command, scenario, folder / "place")
        choices = list(product(MODES, range(1, bench.calls + 1)))
        for index in rng.permutation(len(choices))[:share]:
            sys.stdout.write(json.dumps({**asdict(bench.trial(*choices[index])), "calls": bench.calls}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
