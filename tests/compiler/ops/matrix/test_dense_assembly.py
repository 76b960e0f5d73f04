"""FULLY_CONNECTED on emulated cores, whose assembly no host runs: vectors with and without a rest, the model's input, rows.

Cores without the DSP extension share code between layers.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import Draft
from random_models.by_hand import write
from random_models.drafts import Step

from glyphlite.compiler import compile_graph
from glyphlite.emulation.toolchain import compile_and_link, target_named
from glyphlite.evaluation.simulation import simulate
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import parse_graph

ANY: dict[str, Any] = {"bias": True, "fused": "relu"}
WINDOW: dict[str, Any] = {"kernel": (3, 3), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME"}


def dense(*widths: int) -> Draft:
    steps = tuple(Step("dense", (at,), (units,), {"units": units, **ANY}) for at, units in enumerate(widths[1:]))
    return Draft(1, widths[:1], steps, "int8")


DRAFTS = {
    "rests": dense(43, 29, 8, 16, 7, 3, 1, 2),
    "whole words": dense(64, 32, 12, 4, 24),
    "blocks": dense(1603, 9, 3),
    "rows": Draft(
        2,
        (5, 4, 3),
        (
            Step("conv", (0,), (5, 4, 7), {"filters": 7, **ANY, **WINDOW}),
            Step("reshape", (1,), (140,)),
            Step("dense", (2,), (6,), {"units": 6, **ANY}),
        ),
        "int8",
    ),
}


@pytest.mark.parametrize("core", ["cortex_m0", "cortex_m4"])
@pytest.mark.parametrize("name", ["whole words", "blocks"])
def test_emulated_cores_agree_without_unrolled_loops(core: str, name: str, tmp_path: Path):
    model = write(DRAFTS[name], narrow=0.0)
    (tmp_path / "model.tflite").write_bytes(model)
    graph = parse_graph(model, name)
    inputs = np.random.default_rng(1).integers(-128, 128, (8, *graph.input.shape[1:])).astype(np.int8)
    found = simulate(tmp_path / "model.tflite", core.replace("_", "-"), inputs, optimize="size").scores
    with get_runtime("tflm").load(tmp_path / "model.tflite") as reference:
        [expected] = reference.run((inputs,))
    assert np.array_equal(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("core", ["cortex_m0", "cortex_m4"])
@pytest.mark.parametrize("name", DRAFTS)
def test_emulated_cores_agree(core: str, name: str, tmp_path: Path):
    path = tmp_path / "model.tflite"
    path.write_bytes(write(DRAFTS[name], narrow=0.0))
    with get_runtime("tflm").load(path) as reference, get_runtime(core).load(path) as model:
        inputs = np.random.default_rng(1).integers(-128, 128, (20, *model.inputs[0].shape)).astype(np.int8)
        inputs[0], inputs[1] = -128, 127
        [expected], [got] = reference.run((inputs,)), model.run((inputs,))
        assert np.array_equal(got, expected)


@pytest.mark.parametrize("core", ["cortex-m0", "cortex-m4"])
@pytest.mark.parametrize(
    "flags", [("-O0",), ("-O3", "-fno-omit-frame-pointer"), ("-Os", "-fno-inline"), ("-O2", "-DNET_PORTABLE")]
)
def test_the_assembly_leaves_compilers_enough_registers(core: str, flags: tuple[str, ...], tmp_path: Path):
    compilation = compile_graph(parse_graph(write(DRAFTS["rows"], narrow=0.0), "rows"), "net")
    compilation.write(tmp_path)
    level, *rest = flags
    compile_and_link(
        target_named(core), [tmp_path / "net.c"], tmp_path / "net.elf", keep=["net_invoke"], optimize=level, flags=rest
    )


@pytest.mark.parametrize("core", ["cortex-m3", "rv32imc"])
@pytest.mark.parametrize(("seed", "layers"), [(5, 1), (25, 2)])
def test_layers_of_one_scale_share_code(core: str, seed: int, layers: int, tmp_path: Path):
    draft = replace(dense(24, 16, 12, 8, 20, 8, 4, 16, 36, 8, 12, 4), seed=seed)
    path = tmp_path / "model.tflite"
    path.write_bytes(write(draft, narrow=0.0))
    compilation = compile_graph(parse_graph(path.read_bytes(), "chain"), "net")
    assert compilation.files["net.c"].count("net_quad_dense(input, &") == layers
    inputs = np.random.default_rng(1).integers(-128, 128, (8, *parse_graph(path.read_bytes(), "chain").input.shape[1:]))
    found = simulate(path, core, inputs.astype(np.int8)).scores
    with get_runtime("tflm").load(path) as reference:
        [expected] = reference.run((inputs.astype(np.int8),))
    assert np.array_equal(found.reshape(expected.shape), expected)
