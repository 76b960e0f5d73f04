"""The compiler against TFLite Micro on sound models with one thing changed: equal bytes, or a refusal.

    python campaigns/one_change.py --seeds 1 99

Each random model written by hand (``tests/compiler/random_models``) is changed in every scale, zero point, extent, option and
input, one at a time (``one_change.py`` there). What still compiles is built with the address and undefined-behaviour sanitizers
and run on 24 inputs. A shard is a model with all its changes; it is kept when done, so that a second call goes on. Writes
campaigns/results/one_change.json; exits 1 if a byte differs, a sanitizer speaks, or reader or compiler end otherwise than by a
refusal in one line, in 2 s, in 1 GiB.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "compiler"), str(ROOT / "tests")]


def main() -> int:
    """Runs the campaign, or goes on with it, and writes its counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--seeds", type=int, nargs=2, default=(1, 99), metavar=("FIRST", "LAST"), help="odd ones are taken")
    arguments.add_argument("--every", type=int, default=1, help="take one change in so many")
    arguments.add_argument("--inputs", type=int, default=24, help="per model")
    arguments.add_argument("--any-source", action="store_true", help="keep clean shards that were done with other sources")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "one_change.json")
    options = arguments.parse_args()

    random_models = importlib.import_module("random_models")
    sharded, one_change = (importlib.import_module(f"random_models.{name}") for name in ("sharded", "one_change"))
    differential, harness = (importlib.import_module(f"random_models.{name}") for name in ("differential", "harness"))
    paths = list(harness.PATHS)

    def work(seed: int, before: Any) -> Any:
        every = enumerate(one_change.changes(random_models.model_of(seed)[1]))
        chosen = [change for number, change in every if (number + seed) % options.every == 0]
        contents = [content for _, content in chosen]
        path = paths[seed // 2 % len(paths)]
        verdicts = differential.examine(contents, inputs=options.inputs, seed=seed, path=path, before=before)
        return sharded.record(seed, contents, verdicts, lambda place: {"seed": seed, "change": chosen[place][0]})

    seeds = range(options.seeds[0] | 1, options.seeds[1] + 1, 2)  # odd ones are written by hand
    about = {"campaign": "one change each", "seeds": options.seeds, "every": options.every, "inputs_per_model": options.inputs}
    return sharded.run_shards(
        f"one-change-{options.every}-{options.inputs}",
        seeds,
        len(seeds),
        work,
        about,
        options.output,
        any_source=options.any_source,
    )


if __name__ == "__main__":
    sys.exit(main())
