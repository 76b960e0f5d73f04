"""The benchmark of searches: networks picked by hand are networks, fronts are compared as they should be."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from glyphlite.search.budget import Budget, Cost
from glyphlite.search.space import Candidate
from glyphlite.search.trials import TRAINED, TrialRecord

COST = Cost("cortex-m0", "speed", 8000, 1500, 90_000, None, 40_000, 4000, 7000)


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("search")


def trial(number: int, accuracy: float, flash: int) -> TrialRecord:
    return TrialRecord(number, TRAINED, Candidate(28, "c5s3x8", 0.02), replace(COST, flash_bytes=flash), accuracy, cpu_seconds=9)


def test_networks_picked_by_hand_can_be_built(benchmark: ModuleType) -> None:
    for candidate in benchmark.BY_HAND.values():
        costs = list(candidate.architecture(1).costs(candidate.input_shape(1), 10))
        assert costs[-1].output_shape == (10,)
    bitnet = benchmark.BY_HAND["BitNetMCU's layers"].architecture(1)
    assert [cost.macs for cost in bitnet.costs((16, 16, 1), 10) if cost.macs] == [256 * 64, 64 * 64, 64 * 64, 640]


def test_fronts_are_compared_point_by_point(benchmark: ModuleType) -> None:
    ways = {
        "search": [trial(0, 0.99, 5000), trial(1, 0.985, 4000)],
        "random": [trial(0, 0.98, 6000), trial(1, 0.99, 9000)],
        "by hand": [trial(0, 0.995, 9500)],
    }
    other = {**ways, "search": [trial(0, 0.99, 5000)]}
    found = benchmark.compared(Budget("cortex-m0", 10_000, 2000), [ways, other])
    assert found["search"]["hypervolumes"][0] > found["search"]["hypervolumes"][1]
    assert found["random"]["hypervolumes"][0] == found["random"]["hypervolumes"][1] == found["random"]["hypervolume"]
    assert [point["accuracy"] for point in found["random"]["front"]] == [0.99, 0.98]
    assert (found["random"]["dominated_by_search"], found["by hand"]["dominated_by_search"]) == (2, 0)
    assert found["search"]["hypervolume"] > found["random"]["hypervolume"] > found["by hand"]["hypervolume"]


def test_a_shorter_search_is_the_beginning_of_a_longer_one(benchmark: ModuleType) -> None:
    records = [trial(number, 0.9, 5000) for number in range(5)]
    assert benchmark.within(records, 10) == records[:2]
    assert benchmark.within(records, 100) == records
