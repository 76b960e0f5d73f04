"""The comparison with CMSIS-NN: its memory plan over residual maps, and tables that tell where generated C is behind."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from common.cmsis_nn.harness import Harness
from common.cmsis_nn.kernels import Kernels
from common.published_tiny import SUBMISSIONS, best_published
from common.tables.mlperf_tiny import MODELS, behind, best, mlperf_sentence, mlperf_table, plain_table
from support.assembled import Assembly

from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_graph

ROOT = Path(__file__).resolve().parents[2]
README, RESULTS = ROOT / "README.md", ROOT / "benchmarks" / "results"
KERNELS = Kernels("some version", (), (), plain=("ADD", "MEAN", "SOFTMAX"), per_channel_dense=False, sha256="")


def row(core: str = "cortex-m4", **ours: int) -> dict[str, Any]:
    figures = {"instructions": 1_000, "flash_bytes": 500, "ram_bytes": 100}
    theirs = {name: 2 * value for name, value in figures.items()} | {"plain_instructions": 30, "scratch_bytes": 8}
    older = theirs | {"instructions": 1_500, "ram_bytes": 300}
    return {"model": "kws", "core": core, "ours": figures | ours, "cmsis_nn": {"new": theirs, "old": older}}


def residual() -> Graph:
    """A convolution, another behind it, and the sum of both maps."""
    part = (assembly := Assembly()).subgraph()
    image, first, second, total = (part.tensor((1, 8, 8, channels), (0.05, 3)) for channels in (3, 4, 4, 4))
    for source, target, channels in ((image, first, 3), (first, second, 4)):
        weights = part.constant(np.ones((4, 3, 3, channels), np.int8), [(0.01, 0)])
        bias = part.constant(np.zeros(4, np.int32), [(0.0005, 0)])
        part.op("CONV_2D", [source, weights, bias], [target], "Conv2DOptions", padding=0, strideH=1, strideW=1)
    part.op("ADD", [first, second], [total], "AddOptions")
    part.edges([image], [total])
    return parse_graph(assembly.pack())


def test_the_arena_holds_both_maps_of_a_residual_block() -> None:
    harness = Harness(residual(), KERNELS)
    layout = harness.plan([16, 16, 0])
    assert layout.arena_bytes == 3 * 8 * 8 * 4  # at the ADD; the image is gone by then
    assert "arm_elementwise_add_s8(" in harness.source(layout)


def test_every_layer_is_called_with_places_inside_the_arena(samples: Path) -> None:
    harness = Harness(read_graph(samples / "model_int8.tflite"), KERNELS)
    layout = harness.plan([0] * harness.layers)
    source = harness.source(layout)
    assert source.count("return 1;") == 1
    assert f"arena[{layout.arena_bytes}]" in source
    assert not {"INPUT", "OTHER", "OUTPUT"} & set(source.replace(",", " ").split())
    assert harness.plain_functions == ("arm_softmax_s8",)


def test_rows_behind_the_best_version_are_named_by_figure() -> None:
    assert behind({"rows": [row()]}) == []
    assert behind({"rows": [row(instructions=1_600, ram_bytes=250)]}) == [
        "kws on Cortex-M4: 1,600 instructions, CMSIS-NN 1,500",
        "kws on Cortex-M4: 250 RAM, CMSIS-NN 200",
    ]


def test_the_table_shows_the_better_version_in_every_column() -> None:
    table = mlperf_table({"rows": [row()]}, ("cortex-m4",))
    assert "| 1,000 | 1,500 | **1.5** | 500 | 1,000 | 100 | 200 | 5,182,466 (X-CUBE-AI 9.0) |" in table
    assert "| old | 1,500 | 30 |" in plain_table({"rows": [row()]})


def test_the_sentence_claims_less_ram_only_where_every_row_has_it() -> None:
    rows = [row(), row("cortex-m0", instructions=1_200)]
    assert "1.5 times fewer instructions" in mlperf_sentence({"rows": rows})
    assert "on a Cortex-M0 1.2 times fewer, and 2.0 times less RAM" in mlperf_sentence({"rows": rows})
    worse = mlperf_sentence({"rows": [*rows, {**row(ram_bytes=200), "model": "ad"}]})
    assert "RAM" not in worse
    assert worse.endswith("1.2 times fewer ([table](#on-a-microcontroller)).")


def test_readme_claims_fewer_instructions_on_the_m4_only_while_every_row_has_them() -> None:
    assert "instructions than [CMSIS-NN](#on-a-microcontroller), Arm's own library, on all models measured" in README.read_text()
    tiny, models = (json.loads((RESULTS / f"{name}.json").read_text())["rows"] for name in ("mlperf_tiny", "cortex_m"))
    m4 = [row for row in tiny if row["core"] == "cortex-m4"]
    assert {row["model"] for row in m4} == MODELS.keys()
    assert all(best(row, "instructions") > row["ours"]["instructions"] for row in m4)
    assert all(row["instructions_ratio"] > 1 for row in models if row["core"] == "cortex-m4")


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda each: f"{each.engine} {each.board}")
def test_published_cycles_are_clock_over_throughput(submission: Any) -> None:
    assert submission.throughput.keys() <= MODELS.keys()
    for model, throughput in submission.throughput.items():
        assert submission.cycles(model) * throughput == pytest.approx(submission.mhz * 1e6, rel=1e-4)
        first = best_published(model, submission.core)
        assert first is not None
        assert first.cycles(model) <= submission.cycles(model)


def test_nothing_is_published_of_a_core_that_nobody_submitted() -> None:
    assert best_published("kws", "rv32imc") is None
