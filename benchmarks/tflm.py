"""Measures TensorFlow Lite Micro on the sample micro-cnn: its arena, and how far the other runtimes agree with it.

    python benchmarks/tflm.py

Runs ``glyphlite verify`` over all test images, emulated Cortex-M0 and Cortex-M4 included, and ``glyphlite evaluate`` for the
arenas of the variants that TensorFlow Lite Micro accepts. Writes benchmarks/results/tflm.json and the tables of docs that come
from it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from common.artifacts import SAMPLES
from common.figures import write_pages

from glyphlite.console import say
from glyphlite.files.single import write_json

RESULT = Path(__file__).parent / "results" / "tflm.json"
VARIANTS = ("int8", "float32", "int16x8")
RUNTIMES = "tflm,generated_c,cortex_m0,cortex_m4,litert_builtin,litert_reference,litert,keras"


def main() -> None:
    keras = SAMPLES / "model.keras"
    verified = _json("verify", SAMPLES / "model_int8.tflite", "--keras", keras, "--runtimes", RUNTIMES)
    files = [SAMPLES / f"model_{variant}.tflite" for variant in VARIANTS]
    evaluated = _json("evaluate", *files, "--keras", keras, "--no-latency")
    arenas = {row["variant"]: row["runtimes"]["tflm"] for row in evaluated["artifacts"]}
    write_json(RESULT, {"schema": 1, "model": "micro-cnn", "arenas": arenas, "verify": verified["verify"]})
    write_pages()


def _json(command: str, *arguments: object) -> Any:
    """Returns the JSON document that a command prints."""
    say(f"glyphlite {command}")
    words = [sys.executable, "-m", "glyphlite", command, *map(str, arguments), "--json"]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout)


if __name__ == "__main__":
    main()
