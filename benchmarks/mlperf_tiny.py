"""MLPerf Tiny's five int8 files: generated C against CMSIS-NN on emulated cores, and the best that others have published.

    python benchmarks/mlperf_tiny.py DIR [--cmsis-nn CHECKOUT] [--models kws vww] [--cores cortex-m4]

DIR holds, wherever below it, the files as https://github.com/mlcommons/tiny publishes them
(benchmark/training/*/trained_models). Each is compiled unchanged with the default ``--optimize speed``, and its layers are
called one after another in CMSIS-NN at -O3, both built by the same compiler and counted by the same emulator, softmax
included. Either side's outputs must equal TensorFlow Lite Micro's in every byte on every input, or there is no row. The
inputs are random, over the whole range of int8.

CMSIS-NN is version 4.0.0 of the ``bakenn`` wheel, whose ADD and SOFTMAX are missing: plain C of ours takes their place, and
what it takes is told apart. ``--cmsis-nn`` measures a checkout of https://github.com/ARM-software/CMSIS-NN beside it; the
tables show the better of the two in every column. Its memory is one arena of whole maps, as TensorFlow Lite Micro plans it,
and each layer's scratch. RAM is all that must be writable, input, output and stack among it; flash is code and constants.

Writes benchmarks/results/mlperf_tiny.json after every row (figures and the files' hashes only) and the tables of README and
docs; rows of models and cores that are not named stay as they were, and so does what was measured of CMSIS-NN where nothing
of it has changed. Exits 1 where generated C is behind.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from common import cmsis_nn
from common.figures import write_pages
from common.tables.mlperf_tiny import CORES, MODELS, behind, mlperf_table
from rich.console import Console
from rich.markdown import Markdown

from glyphlite.console import say
from glyphlite.emulation.toolchain import cross_compiler, target_named
from glyphlite.errors import ArtifactError
from glyphlite.evaluation.input_sets.input_set import InputSet
from glyphlite.evaluation.input_sets.random_inputs import random_set
from glyphlite.evaluation.input_sets.value_ranges import inputs_of
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import sha256_of, write_json
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.cost import total_macs
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import read_graph

RESULT = Path(__file__).parent / "results" / "mlperf_tiny.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="the five .tflite files are below it")
    parser.add_argument("--cmsis-nn", type=Path, metavar="CHECKOUT", help="also measure this checkout of ARM-software/CMSIS-NN")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--cores", nargs="*", choices=CORES, default=list(CORES))
    parser.add_argument("--inputs", type=int, default=20, help="random inputs that the outputs are compared on")
    parser.add_argument("--counted", type=int, default=1, help="of these, how many are counted instruction by instruction")
    parser.add_argument("--afresh", action="store_true", help="measure CMSIS-NN again where nothing of it has changed")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    versions = [cmsis_nn.of_wheel(), *([cmsis_nn.checkout(options.cmsis_nn)] if options.cmsis_nn else [])]
    document = _former(options.output)
    document |= {
        "schema": 1,
        "inputs": options.inputs,
        "counted": options.counted,
        "compiler": cross_compiler(target_named(CORES[0])).version(),
        "cmsis_nn": [{"name": each.name, "sha256": each.sha256, "plain": list(each.plain)} for each in versions],
    }
    for model in options.models:
        path = next(iter(sorted(options.folder.rglob(MODELS[model].file))), None)
        if path is None:
            raise SystemExit(f"{MODELS[model].file} is not below {options.folder}; it is in https://github.com/mlcommons/tiny")
        graph = read_graph(path)
        inputs = random_set(inputs_of(graph), options.inputs)
        with get_runtime("tflm").load(path) as reference:
            expected = reference.run(inputs.arrays)[0]
        document["files"][model] = {"name": path.name, "sha256": sha256_of(path), "macs": total_macs(graph)}
        for core in options.cores:
            say(f"{model} on {core}")
            former = [each for each in document["rows"] if (each["model"], each["core"]) == (model, core)]
            known = {} if options.afresh or not former else former[0]["cmsis_nn"]
            facts = (document["files"][model]["sha256"], core, options.inputs, options.counted, document["compiler"])
            row = {
                "model": model,
                "core": core,
                "ours": _ours(path, core, inputs, expected, options.counted),
                "cmsis_nn": _theirs(graph, core, inputs, expected, options.counted, versions, facts, known),
            }
            document["rows"] = [*(each for each in document["rows"] if each not in former), row]
            document["rows"].sort(key=lambda each: (list(MODELS).index(each["model"]), CORES.index(each["core"])))
            write_json(options.output, document)
    Console(width=180).print(Markdown(mlperf_table(document, options.cores)))
    if options.output == RESULT:
        write_pages()
    slower = behind(document)
    print("\n".join(f"behind: {each}" for each in slower) or "no row is behind CMSIS-NN in instructions, flash or RAM")
    return 1 if slower else 0


def _former(path: Path) -> dict[str, Any]:
    """Returns what was measured before; rows that are not measured again stay."""
    return json.loads(path.read_text()) if path.is_file() else {"files": {}, "rows": []}


def _ours(path: Path, core: str, inputs: InputSet, expected: np.ndarray, counted: int) -> dict[str, int]:
    """Returns what generated C takes; its outputs are compared first."""
    simulation = simulate(path, core, inputs, measured=counted)
    _check(simulation.given[0], expected, f"{path.name} on {core}: generated C")
    report = simulation.report
    return {
        "instructions": round(float(np.mean(simulation.instructions))),
        "flash_bytes": report.code_bytes + report.constant_bytes,
        "code_bytes": report.code_bytes,
        "constant_bytes": report.constant_bytes,
        "arena_bytes": report.arena_bytes,
        "stack_bytes": report.stack_bytes,
        "ram_bytes": simulation.ram_bytes,
    }


def _theirs(
    graph: Graph,
    core: str,
    inputs: InputSet,
    expected: np.ndarray,
    counted: int,
    versions: Iterable[cmsis_nn.Kernels],
    facts: tuple[object, ...],
    known: Mapping[str, dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Returns what each version of CMSIS-NN takes, by its name; what is known of the same kernels and ``facts`` stays."""
    found = {}
    for kernels in versions:
        depends_on = cmsis_nn.fingerprint(kernels, *facts)
        if known.get(kernels.name, {}).get("depends_on") == depends_on:
            found[kernels.name] = known[kernels.name]
            continue
        with tempfile.TemporaryDirectory() as folder:
            other = cmsis_nn.measure(graph, inputs.arrays[0], target_named(core), Path(folder), kernels, measured=counted)
        _check(other.outputs, expected, f"{kernels.name} on {core}")
        found[kernels.name] = {
            "depends_on": depends_on,
            "instructions": other.instructions,
            "plain_instructions": sum(other.plain_instructions.values()),
            "flash_bytes": other.footprint.flash_bytes,
            **other.memory,
        }
    return found


def _check(given: np.ndarray, expected: np.ndarray, what: str) -> None:
    if not np.array_equal(given.reshape(len(given), -1), expected.reshape(len(expected), -1)):
        raise SystemExit(f"{what} differs from TensorFlow Lite Micro")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ArtifactError as error:
        sys.exit(str(error))
