"""Every byte of the smallest .tflite file with all 255 other values: equal to TFLite Micro in every byte, or a refusal.

    python campaigns/every_byte.py

The file holds one FULLY_CONNECTED (``tests/compiler/random_models/smallest.py``). What still compiles is built with the address
and undefined-behaviour sanitizers, for one of the paths of its C in turn, and run on 24 inputs: every value on one without
vector instructions, every sixteenth also on one with them, which take seven times as long to build. A shard is a byte; it is kept
when done, so that a second call goes on. Writes campaigns/results/every_byte.json; exits 1 if a byte differs, a sanitizer
speaks, or reader or compiler end otherwise than by a refusal in one line, in 2 s, in 1 GiB.
"""

import argparse
import importlib
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "compiler"), str(ROOT / "tests")]
NARROW = ("plain", "dsp", "v6m")
"""Paths of the C without vector instructions of a host."""
ONE_IN = 16
"""Share of the values that is tried on a path with vector instructions too."""


def main() -> int:
    """Runs the campaign, or goes on with it, and writes its counts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--bytes", type=int, nargs=2, metavar=("FIRST", "LAST"), help="all by default")
    arguments.add_argument("--inputs", type=int, default=24, help="per model")
    arguments.add_argument("--any-source", action="store_true", help="keep clean shards that were done with other sources")
    arguments.add_argument("--output", type=Path, default=ROOT / "campaigns" / "results" / "every_byte.json")
    options = arguments.parse_args()

    sharded, smallest = (importlib.import_module(f"random_models.{name}") for name in ("sharded", "smallest"))
    differential, harness = (importlib.import_module(f"random_models.{name}") for name in ("differential", "harness"))
    model = smallest.smallest_model()
    wide = [path for path in harness.PATHS if path not in NARROW]

    def work(place: int, before: Any) -> Any:
        values = [value for value in range(256) if value != model[place]]
        contents = [smallest.with_byte(model, place, value) for value in values]
        verdicts = differential.examine(contents, inputs=options.inputs, path=NARROW[place % len(NARROW)], before=before)
        if wide:
            some = slice(place % ONE_IN, None, ONE_IN)
            more = differential.examine(
                contents[some], inputs=options.inputs, path=wide[place // ONE_IN % len(wide)], before=before
            )
            verdicts[some] = [
                one if one.is_fault or not another.is_fault else another
                for one, another in zip(verdicts[some], more, strict=True)
            ]
        return sharded.record(place, contents, verdicts, lambda one: {"byte": place, "value": values[one]})

    first, last = options.bytes or (0, len(model) - 1)
    about = {
        "campaign": "every byte with every other value",
        "file_bytes": len(model),
        "file_sha256": sha256(model).hexdigest(),
        "inputs_per_model": options.inputs,
        "one_in_so_many_on_vectors_too": ONE_IN if wide else 0,
    }
    name = f"every-byte-{sha256(model).hexdigest()[:8]}-{options.inputs}-{ONE_IN if wide else 0}"
    return sharded.run_shards(
        name, range(first, last + 1), len(model), work, about, options.output, any_source=options.any_source
    )


if __name__ == "__main__":
    sys.exit(main())
