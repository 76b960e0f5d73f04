"""``glyphlite optimize`` on public files: bytes, TensorFlow Lite Micro's arena and instructions, before and after.

    python benchmarks/optimize.py FOLDER

Takes every .tflite file below FOLDER, such as those of https://github.com/mlcommons/tiny and
https://github.com/tensorflow/tflite-micro. ``optimize`` itself compares both files' outputs in every runtime. Instructions
are generated C's on an emulated Cortex-M4, of both files on the same random inputs; the compiler makes most of these
changes on its own, so they say little of an interpreter. The arena is the smallest that TensorFlow Lite Micro's interpreter
accepts on this host. Writes benchmarks/results/optimize.json (figures and the files' hashes only) and the table of docs.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from common.figures import write_pages

from glyphlite.console import say
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import sha256_of, write_json
from glyphlite.pipeline.optimize import optimize_artifact
from glyphlite.tflite.reader import read_graph

CORE, INPUTS = "cortex-m4", 2
RESULT = Path(__file__).parent / "results" / "optimize.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    paths = sorted(options.folder.rglob("*.tflite"))
    if not paths:
        raise SystemExit(f"there is no .tflite file below {options.folder}")
    write_json(options.output, {"schema": 1, "core": CORE, "rows": [_row(path) for path in paths]})
    if options.output == RESULT:
        write_pages()


def _row(path: Path) -> dict[str, Any]:
    """Returns what one file is before and after."""
    say(path.name)
    with tempfile.TemporaryDirectory() as folder:
        smaller = Path(folder) / path.name
        report = optimize_artifact(path, smaller, strip_names=False, seed=0, overwrite=False)
        return {
            "file": path.name,
            "sha256": sha256_of(path),
            "steps": report.steps,
            "bytes_before": report.bytes_before,
            "bytes": report.bytes,
            "tflm_arena_bytes_before": report.arena_bytes_before,
            "tflm_arena_bytes": report.arena_bytes,
            "instructions_before": _instructions(path),
            "instructions": _instructions(smaller),
        }


def _instructions(path: Path) -> int | None:
    """Returns what generated C executes; None where the compiler does not take the file."""
    inputs = random_set(inputs_of(read_graph(path)), INPUTS)
    try:
        return int(simulate(path, CORE, inputs, measured=INPUTS).instructions.mean())
    except ArtifactError as error:
        say(str(error))
        return None


if __name__ == "__main__":
    main()
