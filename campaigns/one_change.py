"""The compiler against TFLite Micro on sound models with one thing changed: equal bytes, or a refusal.

    python campaigns/one_change.py --seeds 1 99 --every 1

Each random model written by hand (``tests/compiler/random_models``) is changed in every scale, zero point, extent, option and
input, one at a time (``one_change.py`` there). What still compiles is built with the address and undefined-behaviour sanitizers
and run on 24 inputs. Writes campaigns/results/one_change.json; exits 1 if a byte differs, a sanitizer speaks or the compiler
fails otherwise than by a refusal.
"""

import argparse
import hashlib
import importlib
import os
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "compiler"))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def main() -> int:
    """Run the campaign and write its counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--seeds", type=int, nargs=2, default=(1, 99), metavar=("FIRST", "LAST"))
    arguments.add_argument("--every", type=int, default=1, help="take one change in so many")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "one_change.json")
    options = arguments.parse_args()

    model_of = importlib.import_module("random_models").model_of
    differential = importlib.import_module("random_models.differential")
    changes = importlib.import_module("random_models.one_change").changes

    from glyphlite.console import progress_bar, say
    from glyphlite.files import write_json

    seeds = [seed for seed in range(options.seeds[0], options.seeds[1] + 1) if seed % 2]  # odd ones are written by hand
    counts: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    digest = hashlib.sha256()
    with progress_bar("one change each", len(seeds)) as advance:
        for seed in seeds:
            for number, (words, content) in enumerate(changes(model_of(seed)[1])):
                if (number + seed) % options.every:
                    continue
                digest.update(content)
                try:
                    verdict, why = differential.compare(content, seed=seed)
                except Exception as error:  # what no refusal covers is what this campaign looks for
                    verdict, why = "failed", f"{type(error).__name__}: {error}"
                counts[verdict] += 1
                if verdict in (*differential.FAULTS, "failed"):
                    faults.append({"seed": seed, "change": words, "verdict": verdict, "why": why})
                    say(f"[red]seed {seed}, {words}: {verdict}[/] {why}")
            advance()
    document = {
        "models": len(seeds),
        "seeds": options.seeds,
        "every": options.every,
        "changes": counts.total(),
        "verdicts": dict(sorted(counts.items())),
        "faults": faults,
        "sha256": digest.hexdigest(),
        "versions": {package: version(package) for package in ("tflite-micro", "ai-edge-litert", "numpy")},
    }
    write_json(options.output, document)
    say(f"{counts.total()} changes: {dict(counts)}; {len(faults)} faults; {options.output}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
