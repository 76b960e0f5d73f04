"""The cost of the main job: `glyphlite run` with its defaults, on MNIST, by the clock and in CPU time, stage by stage.

    python benchmarks/main_job.py [--run runs/glyph-4k] [--write]

Runs it once in a process of its own, into a temporary folder; ``--run`` takes the results.json of a run on this machine instead.
Prints the stages, the int8 file's accuracy, and what two idle cores need at least: half of the CPU time of training, which runs
on both, all of the rest. README says what the stages took by the clock, so nothing else should run meanwhile.
``--write`` writes benchmarks/results/main_job.json and the sentence about it in README.md, of which nothing is written by hand.
`TF_ENABLE_ONEDNN_OPTS=0 ONEDNN_MAX_CPU_ISA=AVX2` in the environment shows what TensorFlow did by itself on an older processor.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common.figures import write_pages
from common.tables.reference import main_job_sentence
from common.training_rates import processor_name

from glyphlite.files.single import write_json
from glyphlite.results import Results

OUTPUT = Path(__file__).parent / "results" / "main_job.json"
PARALLEL = ("train",)
"""Stages that keep two cores busy; the others run on one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, help="the folder of a finished run of the default model")
    parser.add_argument("--write", action="store_true", help="write the results and README's sentence")
    options = parser.parse_args()
    document = measured(Results.load(options.run / "results.json") if options.run else _run())
    for name, seconds in document["cpu_seconds"].items():
        print(f"{name:<10}{document['seconds'][name]:>8.1f} s{seconds:>8.1f} s of CPU")
    print(main_job_sentence(document))
    if options.write:
        write_json(OUTPUT, document)
        write_pages()
    return 0


def measured(results: Results) -> dict[str, Any]:
    """Returns what is kept of a run of the main job."""
    int8 = next(each for each in results.artifacts if each.variant == "int8")
    cpu = dict(results.cpu_seconds)
    two_cores = sum(seconds / 2 if name in PARALLEL else seconds for name, seconds in cpu.items())
    return {
        "schema": 1,
        "processor": processor_name(),
        "model": results.model,
        "epochs": len(results.training.accuracy) if results.training else None,
        "dataset": results.dataset,
        "seconds": dict(results.seconds),
        "cpu_seconds": cpu,
        "total_cpu_seconds": round(sum(cpu.values()), 1),
        "total_seconds": round(sum(results.seconds.values()), 1),
        "two_idle_cores_seconds": round(two_cores, 1),
        "int8_accuracy": int8.accuracy.value,
    }


def _run() -> Results:
    with tempfile.TemporaryDirectory(prefix="glyphlite-") as folder:
        subprocess.run([sys.executable, "-m", "glyphlite", "run", "--out", f"{folder}/run"], check=True)
        return Results.load(Path(folder) / "run" / "results.json")


if __name__ == "__main__":
    sys.exit(main())
