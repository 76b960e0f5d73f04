"""Keeps what README's table of the reference models shows, from the results.json of their runs.

    glyphlite run --model all && python benchmarks/reference_models.py runs/* [--write]

Writes benchmarks/results/reference_models.json, and with ``--write`` also README's table. Nothing in it is written by hand.
"""

import argparse
from pathlib import Path
from typing import Any

from common.artifacts import REFERENCE
from common.figures import ROOT, write_pages
from common.tables.reference import accuracy_table

from glyphlite.files.single import write_json
from glyphlite.results import Results

RESULT = ROOT / "benchmarks" / "results" / "reference_models.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path, default=sorted((ROOT / "runs").glob("*")), help="folders of finished runs")
    parser.add_argument("--write", action="store_true", help="write README's table, too")
    arguments = parser.parse_args()
    runs = [Results.load(folder / "results.json") for folder in arguments.runs if (folder / "results.json").is_file()]
    found = {run.model: run for run in runs if run.dataset == "mnist"}
    if missing := [model for model in REFERENCE if model not in found]:
        print(f"there is no finished run of {', '.join(missing)}; make them with: glyphlite run --model all")
        return
    rows = sorted((row_of(found[model]) for model in REFERENCE), key=lambda row: row["parameters"])
    document = {"schema": 1, "dataset": "mnist", "rows": rows}
    write_json(RESULT, document)
    print(accuracy_table(document))
    if arguments.write:
        write_pages()


def row_of(run: Results) -> dict[str, Any]:
    """Returns what is kept of a run."""
    artifacts = {each.variant: each for each in run.artifacts}
    return {
        "model": run.model,
        "seed": run.seed,
        "parameters": run.keras.parameters,
        "macs": run.keras.macs,
        "keras_accuracy": run.keras.accuracy.value,
        "int8_accuracy": artifacts["int8"].accuracy.model_dump(mode="json"),
        "int8_bytes": artifacts["int8"].bytes,
        "int8_sha256": artifacts["int8"].sha256,
        "float32_bytes": artifacts["float32"].bytes,
    }


if __name__ == "__main__":
    main()
