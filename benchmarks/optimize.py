"""``glyphlite optimize`` on public files: bytes, TensorFlow Lite Micro's arena and instructions, before and after.

    python benchmarks/optimize.py FOLDER

Takes every .tflite file below FOLDER, such as those of https://github.com/mlcommons/tiny and
https://github.com/tensorflow/tflite-micro. ``optimize`` itself compares both files' outputs in every runtime. Instructions are
counted on an emulated Cortex-M4, both files on the same random input: those of generated C, whose compiler makes these changes
on its own, and those of CMSIS-NN's kernels on the layers as the file has them, where it has a kernel for each. The arena is the
smallest that TensorFlow Lite Micro's interpreter accepts on this host. Writes benchmarks/results/optimize.json (figures and the
files' hashes only) and the table of docs.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from common import cmsis_nn
from common.figures import write_pages

from glyphlite.console import say
from glyphlite.emulation.toolchain import target_named
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import sha256_of, write_json
from glyphlite.pipeline.optimize import optimize_artifact
from glyphlite.tflite.reader import read_graph

CORE = "cortex-m4"
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
            "instructions_before": _generated(path),
            "instructions": _generated(smaller),
            "cmsis_nn_instructions_before": _cmsis_nn(path),
            "cmsis_nn_instructions": _cmsis_nn(smaller),
        }


def _generated(path: Path) -> int | None:
    """Returns what generated C executes; None where the compiler does not take the file."""
    try:
        return int(simulate(path, CORE, random_set(inputs_of(read_graph(path)), 1)).instructions[0])
    except ArtifactError as error:
        say(str(error))
        return None


def _cmsis_nn(path: Path) -> int | None:
    """Returns what CMSIS-NN's kernels execute, called one after another; None where one is missing."""
    graph = read_graph(path)
    (values, *_) = random_set(inputs_of(graph), 1).arrays
    with tempfile.TemporaryDirectory() as folder:
        try:
            return cmsis_nn.measure(graph, values, target_named(CORE), Path(folder), cmsis_nn.of_wheel()).instructions
        except RuntimeError as error:
            say(str(error))
            return None


if __name__ == "__main__":
    main()
