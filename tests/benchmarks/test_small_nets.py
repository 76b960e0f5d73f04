"""The search for small nets by cost: its words for architectures, and exact costs of one."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from glyphlite.models.architecture import Flatten, FoldedConv, FoldedDepthwise, GlobalMean, Pool


@pytest.fixture
def small_nets(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("small_nets")


def test_a_line_of_words_is_an_architecture(small_nets: ModuleType) -> None:
    architecture = small_nets.architecture_of("c5s3x8 d3= c1x12 p2 h40 b4 z")
    assert architecture.weight_bits == 4
    assert not architecture.biased_scores
    assert [type(layer) for layer in architecture.layers] == [FoldedConv, FoldedDepthwise, FoldedConv, Pool, FoldedConv, Flatten]
    first, depthwise, _, _, hidden, _ = architecture.layers
    assert (first.filters, first.kernel, first.stride, first.bias) == (8, 5, 3, False)
    assert depthwise.padding == "same"
    assert (hidden.filters, hidden.kernel) == (40, 4), "over the whole map"
    assert isinstance(small_nets.architecture_of("c4s4x16 m").layers[-1], GlobalMean)
    with pytest.raises(SystemExit, match="cannot read"):
        small_nets.architecture_of("c4s4x16 q7")


def test_a_members_name_is_the_architecture_that_is_trained(small_nets: ModuleType) -> None:
    named = small_nets.architecture_of("glyph-4k")
    words = small_nets.architecture_of("c4s2x24= d3 c1x32 d3 c1x32 d3 c1x32 d3 c1x48 m b4")
    macs = [sum(each.macs for each in one.costs((28, 28, 1), 10)) for one in (named, words)]
    assert macs == [498_272, 498_272]


@pytest.mark.slow
def test_the_cost_of_an_untrained_net_is_what_its_build_takes(small_nets: ModuleType) -> None:
    found = small_nets.cost("c4s4x8 h12", ["cortex-m4"], ["size"])
    assert found["macs"] == 49 * 16 * 8 + 49 * 8 * 12 + 120
    build = found["cortex-m4 size"]
    assert found["weight_bytes"] < build["flash"] < found["weight_bytes"] + 3_000
    assert 784 < build["ram"] < 2_000
    assert sum(instructions for _, instructions in build["layers"]) <= build["instructions"] * 1.01
