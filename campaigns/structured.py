"""The compiler against TFLite Micro on 100,000 models with several well-formed changes each: equal bytes, or a refusal.

    python campaigns/structured.py --mutants 100000 --seed 21

Sources are random models written by hand, with weights of eight and of four bits, and the files of ``tests/samples``; changes are
of ops, quantization, shapes, options, wiring, constants and state (``tests/compiler/random_models/structured.py``), from one to
six at a time. What still compiles is built with the address and undefined-behaviour sanitizers, for one of the compiler's three
aims and one of the paths of its C in turn, and run on 24 inputs. A shard is 500 models; it is kept when done, so that a second
call goes on. Writes campaigns/results/structured.json; exits 1 if a byte differs, a sanitizer speaks, or reader or compiler end
otherwise than by a refusal in one line, in 2 s, in 1 GiB.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "compiler"), str(ROOT / "tests")]
WHOLE, SHARD = 100_000, 500
SEED = 21


def main() -> int:
    """Runs the campaign, or goes on with it, and writes its counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--mutants", type=int, default=WHOLE, help=f"how many; rounded up to shards of {SHARD}")
    arguments.add_argument("--first-shard", type=int, default=0, help="start at this shard")
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--inputs", type=int, default=24, help="per model")
    arguments.add_argument("--any-source", action="store_true", help="keep clean shards that were done with other sources")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "structured.json")
    options = arguments.parse_args()

    sharded, structured = (importlib.import_module(f"random_models.{name}") for name in ("sharded", "structured"))
    differential, harness = (importlib.import_module(f"random_models.{name}") for name in ("differential", "harness"))
    files = importlib.import_module("support.mutants").sound_files(ROOT / "tests" / "samples")
    paths = list(harness.PATHS)

    def work(shard: int, before: Any) -> Any:
        models = structured.changed_models(files, options.seed, range(shard * SHARD, (shard + 1) * SHARD))
        contents = [model.content for model in models]
        verdicts = differential.examine(
            contents,
            inputs=options.inputs,
            seed=shard,
            optimize=harness.OPTIMIZE[shard // len(paths) % len(harness.OPTIMIZE)],
            path=paths[shard % len(paths)],
            before=before,
        )
        return sharded.record(
            shard,
            contents,
            verdicts,
            lambda place: {"number": models[place].index, "source": models[place].source, "changes": models[place].changes},
        )

    shards = range(options.first_shard, options.first_shard + -(-options.mutants // SHARD))
    about = {"campaign": "several well-formed changes", "seed": options.seed, "inputs_per_model": options.inputs}
    name = f"structured-{options.seed}-{options.inputs}"
    return sharded.run_shards(name, shards, WHOLE // SHARD, work, about, options.output, any_source=options.any_source)


if __name__ == "__main__":
    sys.exit(main())
