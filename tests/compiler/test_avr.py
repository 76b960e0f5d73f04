"""Random models on an emulated AVR: TFLite Micro's bytes, with an `int` of 16 bits, constants in flash and products of bytes.

int8, int16x8, INT4 weights, state and several inputs are among the seeds; ``optimize`` goes round.
"""

from pathlib import Path

import numpy as np
import pytest
from random_models import Oracle, from_model, model_of, stored_inputs, to_model
from random_models.harness import OPTIMIZE
from support.avr import require_avr

from glyphlite.compiler import compile_graph
from glyphlite.emulation.avr import AvrEmulator
from glyphlite.emulation.toolchain import TARGETS, compile_and_link
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.runtimes.compiled import offsets, place_call
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph

SEEDS = (5, 11, 23, 37, 67, 1005, 1013, 1023)
"""67: a tile of eight pixels, which needs most registers."""


def run_on_avr(graph: Graph, stored: np.ndarray, folder: Path, *, optimize: str) -> np.ndarray:
    """The bytes that generated C gives on the emulated core, as :func:`random_models.harness.run_generated` has them."""
    compilation = compile_graph(graph, "net", optimize=optimize)
    compilation.write(folder)
    report = compilation.report
    keep = ["net_invoke", "net_reset"] if report.state_bytes else ["net_invoke"]
    flags = ("-Wall", "-Wextra", "-Werror")
    elf = compile_and_link(TARGETS["avr"], [folder / "net.c"], folder / "net.elf", keep=keep, optimize="-Os", flags=flags)
    given, gets = [edge.bytes for edge in report.input_tensors], [edge.bytes for edge in report.output_tensors]
    results = []
    with AvrEmulator(elf, TARGETS["avr"]) as machine:
        footprint = machine.image.footprint()
        assert footprint.data_bytes + footprint.bss_bytes == 0, "constants were copied to RAM"
        places = place_call(machine, given, gets, state_bytes=report.state_bytes, arena_bytes=report.plain_arena_bytes)
        if places.state is not None:
            machine.call("net_reset", places.state)
        for sample in np.ascontiguousarray(stored).view(np.int8).reshape(len(stored), -1):
            for start, size, at in zip(np.cumsum([0, *given]), given, offsets(given), strict=False):
                machine.write(places.inputs + at, sample[start : start + size])
            machine.call("net_invoke", *places.arguments)
            held = np.frombuffer(machine.read(places.outputs, places.output_bytes), np.int8)
            results.append(np.concatenate([held[at : at + size] for at, size in zip(offsets(gets), gets, strict=True)]))
    return np.array(results)


def agree(content: bytes, seed: int, folder: Path, optimize: str) -> None:
    graph = parse_graph(content, f"seed {seed}")
    stored = stored_inputs(seed, 3, graph)
    expected = from_model(graph, Oracle(content).run_all(to_model(graph, stored)))
    got = run_on_avr(graph, stored, folder, optimize=optimize)
    assert np.array_equal(got, expected.view(np.int8).reshape(len(got), -1)), optimize


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_random_models_agree(seed: int, tmp_path: Path) -> None:
    require_avr()
    agree(model_of(seed)[1], seed, tmp_path, OPTIMIZE[seed // 2 % 3])


@pytest.mark.slow
@pytest.mark.parametrize("optimize", OPTIMIZE)
def test_a_model_of_int4_weights_agrees(optimize: str, tmp_path: Path) -> None:
    require_avr()
    agree(pretrained_artifact("glyph-700").read_bytes(), 0, tmp_path, optimize)
