"""Models that classify no picture: what generated C of streams, an LSTM, a sine and of int16 activations takes.

    python benchmarks/any_model.py FOLDER

FOLDER holds the files of :data:`FILES`, wherever below it; SOURCES says where each is published. micro-cnn as int8 and as
int16x8 comes from tests/samples: the same network, so that the two are compared like with like. Every output equals
TensorFlow Lite Micro's on consecutive random inputs, or there is no row. TensorFlow Lite Micro cannot be built for these
cores here; what stands beside is the smallest arena that its interpreter accepts on this 64-bit host, which holds input and
output, and no stack. Writes benchmarks/results/any_model.json (figures and the files' hashes only) and the tables of docs.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from common.artifacts import SAMPLES
from common.figures import write_pages
from common.tables.any_model import FILES

from glyphlite.console import say
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import sha256_of, write_json
from glyphlite.runtimes.registry import get_runtime
from glyphlite.runtimes.tflm_arena import measure_arena
from glyphlite.tflite.cost import total_macs
from glyphlite.tflite.reader import read_graph

CORES, CALLS, COUNTED = ("cortex-m4", "cortex-m0"), 20, 5
SOURCES = "https://github.com/esphome/micro-wake-word-models and https://github.com/tensorflow/tflite-micro"
RESULT = Path(__file__).parent / "results" / "any_model.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    rows = []
    for name, known in FILES.items():
        path = SAMPLES / known.file if known.is_ours else _found(options.folder, known.file)
        graph = read_graph(path)
        inputs = random_set(inputs_of(graph), CALLS)
        with get_runtime("tflm").load(path) as reference:
            expected = reference.run(inputs.arrays)
        facts = {"model": name, "file": path.name, "sha256": sha256_of(path), "macs": total_macs(graph)}
        facts["tflm_arena_bytes"] = measure_arena(path).host_bytes
        for core in CORES:
            say(f"{name} on {core}")
            simulation = simulate(path, core, inputs, measured=COUNTED)
            if not all(np.array_equal(given, other) for given, other in zip(simulation.given, expected, strict=True)):
                raise SystemExit(f"{path.name} on {core} differs from TensorFlow Lite Micro")
            rows.append({**facts, "core": core, **_figures(simulation)})
    write_json(options.output, {"schema": 1, "calls": CALLS, "counted": COUNTED, "rows": rows})
    if options.output == RESULT:
        write_pages()


def _found(folder: Path, name: str) -> Path:
    path = next(iter(sorted(folder.rglob(name))), None)
    if path is None:
        raise SystemExit(f"{name} is not below {folder}; see {SOURCES}")
    return path


def _figures(simulation: Any) -> dict[str, int]:
    report = simulation.report
    return {
        "instructions": round(float(simulation.instructions.mean())),
        "flash_bytes": report.code_bytes + report.constant_bytes,
        "arena_bytes": report.arena_bytes,
        "state_bytes": report.state_bytes,
        "stack_bytes": report.stack_bytes,
        "ram_bytes": simulation.ram_bytes,
    }


if __name__ == "__main__":
    main()
