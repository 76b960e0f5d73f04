"""Measures what generated C costs: every emulated core, and every choice of ``--optimize``.

    python benchmarks/generated_c.py

Runs ``glyphlite simulate`` on the int8 files of micro-cnn and edge-cnn, softmax included: instructions (mean over test images),
code, constants, arena, stack and total RAM. Writes benchmarks/results/generated_c.json and the tables of docs that come from it.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from common.artifacts import artifact_of
from common.figures import write_pages

from glyphlite.console import say
from glyphlite.files.single import write_json

RESULT = Path(__file__).parent / "results" / "generated_c.json"
CORES = ("cortex-m4", "cortex-m33", "cortex-m7", "cortex-m3", "rv32imc", "cortex-m0")
OPTIMIZE = ("speed", "ram", "size")
COLUMNS = ("code_bytes", "constant_bytes", "arena_bytes", "stack_bytes", "ram_bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=10, help="test images to average instructions over")
    options = parser.parse_args()
    rows = simulated("micro-cnn", "speed", CORES, options.images)
    rows += [row for optimize in OPTIMIZE[1:] for row in simulated("micro-cnn", optimize, CORES[:1], options.images)]
    rows += [row for optimize in OPTIMIZE for row in simulated("edge-cnn", optimize, CORES[:1], options.images)]
    write_json(RESULT, {"schema": 1, "images": options.images, "rows": rows})
    write_pages()


def simulated(model: str, optimize: str, cores: tuple[str, ...], images: int) -> list[dict[str, Any]]:
    """Returns one row per core, as ``glyphlite simulate`` measures it."""
    say(f"{model}, --optimize {optimize}")
    command = [sys.executable, "-m", "glyphlite", "simulate", str(artifact_of(model)), "--optimize", optimize]
    command += [f"--cpu={core}" for core in cores] + ["--images", str(images), "--json"]
    reports = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return [
        {
            "model": model,
            "optimize": optimize,
            "core": report["cpu"],
            "instructions": round(statistics.fmean(image["instructions"] for image in report["images"])),
            **{column: report[column] for column in COLUMNS},
        }
        for report in reports
    ]


if __name__ == "__main__":
    main()
