"""Convolutions, depthwise ones and dense layers with Arm's Helium, in QEMU: every shape gives TFLite Micro's bytes."""

from pathlib import Path

import numpy as np
import pytest
from random_models import Oracle, from_model, model_of, stored_inputs, to_model
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.vector_shapes import some_models
from support.debian import NoPackagesError, debian_tool

from glyphlite.compiler import compile_graph
from glyphlite.emulation.qemu_core import QemuCore
from glyphlite.emulation.toolchain import compile_and_link, target_named, zig
from glyphlite.errors import ArtifactError
from glyphlite.runtimes.compiled import FIRMWARE_FLAGS
from glyphlite.tflite.reader import parse_graph

SHAPES, INT4_SHAPES = range(7000, 7050), range(7100, 7140)
MODELS = range(3001, 3013, 2)
INPUTS = 6


def helium() -> None:
    try:
        debian_tool("qemu-system-arm", "qemu-system-arm")
    except NoPackagesError as error:
        pytest.skip(str(error))
    if zig() is None:
        pytest.skip("no zig here: pip install ziglang")


def with_one_edge(models: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """Those of one input and one output, both int8, which the C takes as they are."""
    found = []
    for words, content in models.items():
        graph = parse_graph(content, words)
        types = {np.dtype(graph.tensors[edge].dtype) for edge in (*graph.inputs, *graph.outputs)}
        if len(graph.inputs) == len(graph.outputs) == 1 and types == {np.dtype(np.int8)}:
            found.append((words, content))
    return found


def first_layers() -> dict[str, bytes]:
    """3x3 filters on one channel and a 2x2 maximum behind them, which have a kernel of their own."""
    models = {}
    for seed, (height, width, filters) in enumerate([(8, 8, 3), (28, 28, 8), (6, 11, 17)]):
        window = {"kernel": (3, 3), "strides": (1, 1), "dilation": (1, 1), "padding": "VALID"}
        pool = {"fused": "none", "kernel": (2, 2), "strides": (2, 2), "dilation": (1, 1), "padding": "VALID"}
        extents = height - 2, width - 2
        conv = Step("conv", (0,), (*extents, filters), {"filters": filters, "bias": True, "fused": "relu", **window})
        steps = (conv, Step("max_pool", (1,), (extents[0] // 2, extents[1] // 2, filters), pool))
        models[f"3x3 and 2x2, {seed}"] = write(Draft(seed, (height, width, 1), steps, "int8"), narrow=float(seed == 2))
    return models


@pytest.mark.slow
def test_helium_gives_the_bytes_of_the_reference(tmp_path: Path):
    helium()
    shapes = {**some_models(SHAPES), **some_models(INT4_SHAPES, narrow=1.0), **first_layers()}
    models = with_one_edge({**shapes, **{f"seed {seed}": model_of(seed)[1] for seed in MODELS}})
    made = []
    for number, (words, content) in enumerate(models):
        graph = parse_graph(content, words)
        try:
            compilation = compile_graph(graph, f"net{number}", optimize="ram" if number % 4 == 3 else "speed")
        except ArtifactError:  # no matter here
            continue
        if "_state_t" in compilation.files[f"net{number}.h"]:
            continue
        compilation.write(tmp_path)
        stored = stored_inputs(number, INPUTS, graph)
        expected = from_model(graph, Oracle(content).run_all(to_model(graph, stored)))
        made.append((f"net{number}", words, compilation.report, stored, expected))
    assert sum("vmladav" in path.read_text() or "_mve_dots" in path.read_text() for path in tmp_path.glob("net*.c")) > 10
    target = target_named("cortex-m55")
    sources = [tmp_path / f"{name}.c" for name, *_ in made]
    keep = [f"{name}_invoke" for name, *_ in made]
    elf = compile_and_link(target, sources, tmp_path / "all.elf", keep=keep, flags=FIRMWARE_FLAGS, timeout_s=600)
    wrong = []
    for name, words, report, stored, expected in made:
        with QemuCore(elf, target) as core:
            source, result = core.allocate(report.input_bytes), core.allocate(report.output_bytes)
            arena = core.allocate(report.arena_bytes)
            core.write(arena, np.full(report.arena_bytes, 0xA5, np.uint8))
            got = core.call_batch(f"{name}_invoke", (source, result, arena), stored, source, result, report.output_bytes)
            if not np.array_equal(got.view(np.int8), expected.reshape(got.shape)):
                wrong.append(words)
    assert not wrong, "\n".join(wrong)
    assert len(made) > 40
