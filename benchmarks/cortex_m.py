"""Generated C against CMSIS-NN's kernels and TFLite Micro's arena on emulated microcontrollers: instructions, flash, RAM.

    python benchmarks/cortex_m.py [--models glyph-4k edge-cnn] [--cores cortex-m4]

The five reference models, a depthwise-separable one and the glyph family, on Cortex-M0, M4 and M33, both sides built by the
same compiler (zig cc), CMSIS-NN at -O3, up to the logits: the softmax is left out on both sides. Either side's logits must
equal TFLite Micro's in every byte, or there is no row. INT4 weights are unpacked to a byte each for CMSIS-NN, whose kernels
of that version take no others. It has no MEAN: plain C of ours stands in, without TFLite Micro's walk over indices.

CMSIS-NN 4.0.0 has no dense kernel for weights quantized per channel, as the converter makes them. It is measured both ways:
on the file, dense layers as the 1x1 convolutions that they are, and on the file with one scale for each dense layer, on its
dense kernel, which is faster. The faster counts; where that is the file with one scale, generated C's flash is of the same
file (what the other scales take stands beside it). RAM is all that must be writable: working memory, input, output, and the
stack as measured; CMSIS-NN's is planned as TFLite Micro plans it. TFLite Micro's arena, as its own interpreter on this host
asks for it, comes without its stack. Writes benchmarks/results/cortex_m.json after every model, rows that are not measured
again stay, and so does what was measured of CMSIS-NN where nothing of it has changed; exits 1 where generated C is not
ahead.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from common import cmsis_nn
from common.artifacts import REFERENCE, SEPARABLE, artifact_of
from rich.console import Console
from rich.table import Table

from glyphlite.compiler import compile_artifact
from glyphlite.console import say
from glyphlite.datasets.registry import load_dataset
from glyphlite.emulation.toolchain import Target, cross_compiler, target_named
from glyphlite.evaluation.simulation import simulate
from glyphlite.files.single import sha256_of, write_json
from glyphlite.models.pretrained import pretrained_artifact, pretrained_names
from glyphlite.runtimes.tflm_arena import measure_arena
from glyphlite.tflite.cost import total_macs
from glyphlite.tflite.reader import parse_graph, read_graph

CORES = ("cortex-m4", "cortex-m33", "cortex-m0")
FAMILY = tuple(name for name in pretrained_names() if name.startswith("glyph-"))
MODELS = (*REFERENCE, SEPARABLE, *FAMILY)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=5, help="test images to average generated C over")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--cores", nargs="*", choices=CORES, default=list(CORES))
    parser.add_argument("--afresh", action="store_true", help="measure CMSIS-NN again where nothing of it has changed")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "cortex_m.json")
    options = parser.parse_args()
    images = (load_dataset("mnist").test.images[: options.images].astype(np.int16) - 128).astype(np.int8)
    kernels = cmsis_nn.of_wheel()
    versions = {"compiler": cross_compiler(target_named(CORES[0])).version(), "cmsis_nn": kernels.name}
    rows = json.loads(options.output.read_text())["rows"] if options.output.is_file() else []
    for model in options.models:
        artifact = pretrained_artifact(model) if model in FAMILY else artifact_of(model)
        arena = measure_arena(artifact).host_bytes
        files = without_softmax_both_ways(artifact)
        expected = {kind: answers(changed, images) for kind, changed in files.items()}
        for core in options.cores:
            say(f"{model} on {core}")
            former = [row for row in rows if (row["model"], row["core"]) == (model, core)]
            known = former[0] if former and not options.afresh else {}
            found = _compare(artifact, images, files, expected, target_named(core), kernels, known)
            rows = [row for row in rows if row not in former]
            rows.append({"model": model, "tflm_arena_bytes": arena, **found})
        rows.sort(key=lambda row: (MODELS.index(row["model"]), CORES.index(row["core"])))
        write_json(options.output, {"schema": 1, "images": options.images, "versions": versions, "rows": rows})
    _print(rows)
    return 0 if all(row["instructions_ratio"] > 1 and row["ours"]["ram_bytes"] < row["tflm_arena_bytes"] for row in rows) else 1


def _compare(
    artifact: Path,
    images: np.ndarray,
    files: dict[str, bytes],
    expected: dict[str, np.ndarray],
    target: Target,
    kernels: cmsis_nn.Kernels,
    former: dict[str, Any],
) -> dict[str, Any]:
    """Compares one model on one core; what the former row tells of CMSIS-NN stays where nothing of it has changed."""
    graph = read_graph(artifact)
    facts = (sha256_of(artifact), target.name, len(images), cross_compiler(target).version())
    depends_on = cmsis_nn.fingerprint(kernels, *facts)
    with tempfile.TemporaryDirectory() as folder:
        ours = _ours(artifact, images, next(iter(expected.values())), target, Path(folder) / "ours")
        if former.get("depends_on") == depends_on:
            theirs = former["cmsis_nn_both_ways"]
        else:
            theirs = {
                kind: _theirs(artifact.stem, content, images, expected[kind], target, Path(folder) / kind, kernels)
                for kind, content in files.items()
            }
        faster = min(theirs, key=lambda kind: theirs[kind]["instructions"])
        same = ours
        if faster != next(iter(files)):  # CMSIS-NN's figure is of another file than the artifact: flash is of the same one
            changed = Path(folder) / f"{artifact.stem}.tflite"
            changed.write_bytes(files[faster])
            same = _ours(changed, images, expected[faster], target, Path(folder) / "same")
    best = theirs[faster]
    return {
        "core": target.name,
        "macs": total_macs(graph),
        "instructions_ratio": best["instructions"] / ours["instructions"],
        "ram_ratio": best["ram_bytes"] / ours["ram_bytes"],
        "flash_ratio": (best["code_bytes"] + best["constant_bytes"]) / (same["code_bytes"] + same["constant_bytes"]),
        "ours": ours,
        "ours_on_the_same_file": {key: same[key] for key in ("instructions", "code_bytes", "constant_bytes", "ram_bytes")},
        "cmsis_nn": {**best, "dense": faster},
        "cmsis_nn_both_ways": theirs,
        "depends_on": depends_on,
    }


def _theirs(
    name: str,
    content: bytes,
    images: np.ndarray,
    expected: np.ndarray,
    target: Target,
    folder: Path,
    kernels: cmsis_nn.Kernels,
) -> dict[str, int]:
    """Returns what CMSIS-NN takes for a file; its logits are compared first."""
    folder.mkdir()
    other = cmsis_nn.measure(parse_graph(content, name), images, target, folder, kernels)
    if not np.array_equal(other.outputs, expected):
        raise SystemExit(f"{name} on {target.name}, {folder.name}: CMSIS-NN's logits differ from TFLite Micro's")
    return {"instructions": other.instructions, **other.memory}


def _ours(artifact: Path, images: np.ndarray, expected: np.ndarray, target: Target, folder: Path) -> dict[str, Any]:
    compiled = compile_artifact(artifact, folder, name="net", scores="logits")
    simulation = simulate(folder, target.name, images, measured=len(images))
    if not np.array_equal(simulation.scores.reshape(expected.shape), expected):
        raise SystemExit(f"{artifact.stem} on {target.name}: generated C's logits differ from TFLite Micro's")
    report = simulation.report
    return {
        "instructions": round(float(np.mean(simulation.instructions))),
        "most_instructions": report.instructions,
        "code_bytes": report.code_bytes,
        "constant_bytes": report.constant_bytes,
        "arena_bytes": report.arena_bytes,
        "input_bytes": compiled.input_bytes,
        "output_bytes": compiled.output_bytes,
        "stack_bytes": report.stack_bytes,
        "stack_bound_bytes": report.stack_bound_bytes,
        "ram_bytes": simulation.ram_bytes,
    }


def without_softmax_both_ways(artifact: Path) -> dict[str, bytes]:
    """Returns the file up to its logits as it is, and with one scale per dense layer where that makes a difference."""
    content = artifact.read_bytes()
    graph = read_graph(artifact)
    dense = [graph.tensors[each.inputs[1]].quantization for each in graph.operators if each.name == "FULLY_CONNECTED"]
    if all(quantization is None or len(quantization.scales) == 1 for quantization in dense):
        return {"dense_kernel": _without_softmax(content)}
    return {"as_convolution": _without_softmax(content), "dense_kernel": _without_softmax(content, one_scale=True)}


def _without_softmax(content: bytes, *, one_scale: bool = False) -> bytes:
    """The file up to its logits; with ``one_scale`` the weights of each dense layer share their largest scale."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph = model.subgraphs[0]
    codes = [code.builtinCode for code in model.operatorCodes]
    if codes[graph.operators[-1].opcodeIndex] == schema.BuiltinOperator.SOFTMAX:
        graph.outputs = [graph.operators.pop().inputs[0]]
        model.signatureDefs = []
    for operator in graph.operators:
        if one_scale and codes[operator.opcodeIndex] == schema.BuiltinOperator.FULLY_CONNECTED:
            for index in operator.inputs[1:3]:
                quantization = graph.tensors[index].quantization
                quantization.scale, quantization.zeroPoint = [max(quantization.scale)], [0]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def answers(content: bytes, images: np.ndarray) -> np.ndarray:
    """TFLite Micro's answers to images."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(content, arena_size=8 << 20)
    answers = []
    for image in images:
        interpreter.set_input(image[None], 0)
        interpreter.invoke()
        answers.append(interpreter.get_output(0).reshape(-1).copy())
    return np.array(answers)


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(title="One inference up to the logits; CMSIS-NN 4.0.0 at -O3; bytes")
    for column in (
        "model",
        "core",
        "instructions",
        "CMSIS-NN",
        "times fewer",
        "flash",
        "CMSIS-NN",
        "RAM",
        "CMSIS-NN",
        "TFLM arena",
    ):
        table.add_column(column, justify="left" if column in ("model", "core") else "right")
    for row in rows:
        ours, other = row["ours"], row["cmsis_nn"]
        cells = (ours["instructions"], other["instructions"], f"{row['instructions_ratio']:.2f}")
        flash = tuple(each["code_bytes"] + each["constant_bytes"] for each in (row.get("ours_on_the_same_file", ours), other))
        ram = (ours["ram_bytes"], other["ram_bytes"], row["tflm_arena_bytes"])
        table.add_row(
            row["model"], row["core"], *(f"{cell:,}" if isinstance(cell, int) else cell for cell in (*cells, *flash, *ram))
        )
    Console(width=150).print(table)
    for core in dict.fromkeys(row["core"] for row in rows):
        ratios = [row["instructions_ratio"] for row in rows if row["core"] == core]
        smaller = [row["tflm_arena_bytes"] / row["ours"]["ram_bytes"] for row in rows if row["core"] == core]
        print(f"{core}: {min(ratios):.2f} to {max(ratios):.2f} times fewer instructions than CMSIS-NN; RAM {min(smaller):.2f} to "
              f"{max(smaller):.2f} times smaller than TFLite Micro's arena alone")  # fmt: skip
    for row in rows:
        for figure in ("instructions", "ram", "flash"):
            if row[f"{figure}_ratio"] < 1:
                print(f"behind CMSIS-NN: {row['model']} on {row['core']} in {figure}, {row[f'{figure}_ratio']:.2f}")


if __name__ == "__main__":
    sys.exit(main())
