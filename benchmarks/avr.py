"""Generated C on AVR: cycles, flash and RAM of models for an Arduino Uno or Mega, against CMSIS-NN's portable C.

    python benchmarks/avr.py [--models micro-cnn glyph-4kflash]

Both sides are built by avr-gcc at -Os, as the Arduino IDE builds, and run in simavr, which counts cycles; CMSIS-NN is what this
folder's other comparisons use (common/cmsis_nn), up to the logits, its softmax left out. Its constants lie in RAM: it knows no
address space of flash. Generated C's outputs must equal TFLite Micro's in every byte, in each --optimize; CMSIS-NN, made
for cores of 32 bits, gives others for some models (why was not looked into): its row says so and has no figures. Writes
benchmarks/results/avr.json, where rows that are not measured again stay; exits 1 where generated C takes more cycles, flash or
RAM.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import cmsis_nn
from common.artifacts import artifact_of
from cortex_m import answers, without_softmax_both_ways

from glyphlite.console import say
from glyphlite.datasets.registry import load_dataset
from glyphlite.emulation.toolchain import cross_compiler, target_named
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import write_json
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import parse_graph

MODELS = ("micro-cnn", "glyph-50kmac", "glyph-4kflash", "glyph-700")
OPTIMIZE = ("speed", "size", "ram")
IMAGES = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "avr.json")
    options = parser.parse_args()
    images = (load_dataset("mnist").test.images[:IMAGES].astype(np.int16) - 128).astype(np.int8)
    target, kernels = target_named("avr"), cmsis_nn.of_wheel()
    before = json.loads(options.output.read_text())["rows"] if options.output.is_file() else []
    rows: list[dict[str, Any]] = [row for row in before if row["model"] in set(MODELS) - {*options.models}]
    for model in options.models:
        artifact = artifact_of(model) if model == "micro-cnn" else pretrained_artifact(model)
        for optimize in OPTIMIZE:
            say(f"{model}, {optimize}")
            rows.append({"model": model, "optimize": optimize, **_ours(artifact, images, optimize)})
        say(f"{model}, CMSIS-NN")
        with tempfile.TemporaryDirectory() as folder:
            rows.append({"model": model, "optimize": None, **_theirs(artifact, images, kernels, Path(folder))})
    rows.sort(key=lambda row: MODELS.index(row["model"]))
    versions = {"compiler": cross_compiler(target).version(), "cmsis_nn": kernels.name}
    write_json(options.output, {"schema": 1, "images": IMAGES, "versions": versions, "rows": rows})
    return 0 if all(_is_ahead(rows, model) for model in options.models) else 1


def _ours(artifact: Path, images: np.ndarray, optimize: str) -> dict[str, Any]:
    """Returns what generated C takes, its softmax included."""
    simulation = simulate(artifact, "avr", images, optimize=optimize, measured=len(images))
    with get_runtime("tflm").load(artifact) as model:
        [expected] = model.run([images.reshape(-1, *model.inputs[0].shape)])
    if not np.array_equal(simulation.scores, expected.reshape(len(images), -1)):
        raise RuntimeError(f"{artifact}: not TFLite Micro's bytes")
    report = simulation.report
    return {
        "cycles": report.cycles,
        "flash_bytes": report.code_bytes + report.constant_bytes,
        "ram_bytes": report.ram_bytes,
        "stack_bytes": report.stack_bytes,
    }


def _theirs(artifact: Path, images: np.ndarray, kernels: cmsis_nn.Kernels, folder: Path) -> dict[str, Any]:
    """Returns what the faster way on CMSIS-NN takes."""
    found = []
    for kind, content in without_softmax_both_ways(artifact).items():
        (folder / kind).mkdir()
        graph = parse_graph(content, artifact.stem)
        made = cmsis_nn.measure(graph, images, target_named("avr"), folder / kind, kernels, measured=len(images))
        expected = answers(content, images)
        if not np.array_equal(made.outputs.reshape(expected.shape), expected):
            continue
        found.append(made)
    if not found:
        return {"cycles": None, "flash_bytes": None, "ram_bytes": None, "stack_bytes": None}
    fastest = min(found, key=lambda made: max(each.cycles or 0 for each in made.measurements))
    footprint = fastest.footprint
    return {
        "cycles": max(each.cycles or 0 for each in fastest.measurements),
        "flash_bytes": footprint.flash_bytes,
        "ram_bytes": footprint.data_bytes + fastest.ram_bytes,
        "stack_bytes": fastest.stack_bytes,
    }


def _is_ahead(rows: list[dict[str, Any]], model: str) -> bool:
    """Returns whether some --optimize takes less of everything."""
    mine = [row for row in rows if row["model"] == model and row["optimize"]]
    [other] = [row for row in rows if row["model"] == model and not row["optimize"]]
    return other["cycles"] is None or any(
        all(row[key] < other[key] for key in ("cycles", "flash_bytes", "ram_bytes")) for row in mine
    )


if __name__ == "__main__":
    raise SystemExit(main())
