"""Helium against the DSP extension: instructions of the same files on a Cortex-M55, in QEMU, and on a Cortex-M4.

    python benchmarks/helium.py DIR
    python benchmarks/helium.py --models glyph-4k

DIR holds, wherever below it, MLPerf Tiny's int8 files as https://github.com/mlcommons/tiny publishes them; the glyph family
comes with glyphlite. Needs QEMU (Debian's qemu-system-arm). Every output byte of both cores must equal TensorFlow Lite Micro's
on random inputs, or there is no row. Writes benchmarks/results/helium.json, layer by layer, and the table of the docs; with
``--models`` the rows of others stay.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from common.figures import write_pages
from common.tables.mlperf_tiny import MODELS

from glyphlite.console import say
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import Simulation, simulate
from glyphlite.files.single import sha256_of, write_json
from glyphlite.models.pretrained import pretrained_artifact, pretrained_names
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import read_graph

RESULT = Path(__file__).parent / "results" / "helium.json"
CORES = ("cortex-m4", "cortex-m55")
_INPUTS = 4


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="MLPerf Tiny's .tflite files are below it")
    parser.add_argument("--models", nargs="*", choices=pretrained_names(), help="only these of the family")
    options = parser.parse_args()
    order, files, rows = [*MODELS, *pretrained_names()], {}, []
    if options.models:
        rows = [row for row in json.loads(RESULT.read_text())["rows"] if row["model"] in {*order} - {*options.models}]
    elif options.folder:
        files = {key: next(options.folder.rglob(model.file)) for key, model in MODELS.items()}
    else:
        parser.error("name DIR, or some of the family with --models")
    files |= {name: pretrained_artifact(name) for name in options.models or pretrained_names()}
    for name, file in files.items():
        say(name)
        rows.append({"model": name, "sha256": sha256_of(file), "cores": _measured(file)})
    rows.sort(key=lambda row: order.index(row["model"]))
    write_json(RESULT, {"schema": 1, "inputs": _INPUTS, "rows": rows})
    write_pages()
    return 0


def _measured(file: Path) -> dict[str, Any]:
    inputs = random_set(inputs_of(read_graph(file)), _INPUTS)
    with get_runtime("tflm").load(file) as reference:
        expected = reference.run(inputs.arrays)[0]
    found = {}
    for core in CORES:
        done = simulate(file, core, inputs)
        if not np.array_equal(done.given[0].reshape(_INPUTS, -1), expected.reshape(_INPUTS, -1)):
            raise SystemExit(f"{file.name}: the {core} gives other bytes than TensorFlow Lite Micro")
        found[core] = _figures(done)
    return found


def _figures(done: Simulation) -> dict[str, Any]:
    report = done.report
    return {
        "instructions": report.instructions,
        "flash_bytes": report.code_bytes + report.constant_bytes,
        "arena_bytes": report.arena_bytes,
        "stack_bytes": report.stack_bytes,
        "layers": [{"name": layer.name, "op": layer.op, "instructions": layer.instructions} for layer in report.layers],
    }


if __name__ == "__main__":
    sys.exit(main())
