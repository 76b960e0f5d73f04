"""A few hundred damaged .tflite files through inspect, verify and export: only clear refusals or correct results.

``campaigns/mutations.py`` does the same with ten thousand.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.mutants import KINDS, Mutant, make_mutant, sound_files
from support.mutation_trial import Trial, summarize, try_mutant

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import ArtifactError
from glyphlite.runtimes.tflm_arena import measure_arena
from glyphlite.tflite.reader import parse_graph

SEED = 1
READ, TRIED = 1000, 140
PATIENCE = 60.0
"""Seconds a stage; the campaign, which has the machine to itself, allows two."""


@pytest.fixture(scope="module")
def sources(samples: Path) -> dict[str, bytes]:
    return sound_files(samples.parent)


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    return replace(mnist, test=Split(mnist.test.images[:2], mnist.test.labels[:2]))


@pytest.fixture(scope="module")
def trials(sources: dict[str, bytes], samples: Path, few: Dataset, tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    folder = tmp_path_factory.mktemp("mutants")
    arena = measure_arena(samples / "model_int8.tflite")
    return [
        try_mutant(make_mutant(sources, SEED, index), folder, few, arena=None if index % 60 == 0 else arena, longest_s=PATIENCE)
        for index in range(TRIED)
    ]


@pytest.mark.slow
def test_the_reader_takes_every_mutant_or_refuses_it_in_one_line(sources: dict[str, bytes]) -> None:
    refusals = [refusal_of(make_mutant(sources, SEED, index)) for index in range(READ)]
    refused = [line for line in refusals if line is not None]
    assert [line for line in refused if "mutant.tflite" not in line or not line.isprintable() or len(line) > 1000] == []
    assert 0.4 * READ < len(refused) < 0.9 * READ


def refusal_of(mutant: Mutant) -> str | None:
    try:
        parse_graph(mutant.content, "mutant.tflite")
    except ArtifactError as error:
        return str(error)
    return None


@pytest.mark.slow
def test_no_mutant_crashes_hangs_or_passes_for_what_it_is_not(trials: list[Trial]) -> None:
    assert [(trial.index, trial.kind, trial.faults) for trial in trials if trial.faults] == []


@pytest.mark.slow
def test_the_mutants_reach_every_stage(trials: list[Trial]) -> None:
    outcomes = summarize(trials)["outcomes"]
    assert outcomes["inspect"].keys() == {"shown", "refused"}
    assert outcomes["verify"].keys() >= {"agrees", "refused"}
    assert outcomes["export"].keys() == {"exported", "refused"}
    assert outcomes["export"]["exported"] < outcomes["inspect"]["shown"]
    assert {trial.kind for trial in trials} == set(KINDS)


def test_a_sound_file_passes_the_whole_trial(sources: dict[str, bytes], few: Dataset, tmp_path: Path) -> None:
    sound = replace(make_mutant(sources, SEED, 0), content=sources["branches/model_int8"])
    trial = try_mutant(sound, tmp_path, few, arena=None, longest_s=PATIENCE)
    assert trial.outcomes == {"inspect": "shown", "verify": "agrees", "export": "exported"}
    assert trial.faults == []


def test_the_trial_finds_faults(monkeypatch: pytest.MonkeyPatch, sources: dict[str, bytes], few: Dataset, tmp_path: Path) -> None:
    """A stage that raises what it should not, or tells what is not so, is caught."""
    from support import mutation_trial

    sound = replace(make_mutant(sources, SEED, 0), content=sources["micro-cnn/model_int8"])
    honest: Any = mutation_trial.inspect_artifact
    told = honest(Path(__file__).parent / "samples" / "branches" / "model_int8.tflite")
    monkeypatch.setattr(mutation_trial, "inspect_artifact", lambda path: told)
    monkeypatch.setattr(mutation_trial, "verify", lambda *_, **__: 1 / 0)
    faults = try_mutant(sound, tmp_path, few, arena=None, longest_s=PATIENCE).faults
    assert any("ops instead of" in fault for fault in faults)
    assert any("ZeroDivisionError" in fault for fault in faults)


def test_a_mutant_is_its_seed_and_number(sources: dict[str, bytes]) -> None:
    assert [make_mutant(sources, 5, index) for index in range(20)] == [make_mutant(sources, 5, index) for index in range(20)]
    assert make_mutant(sources, 5, 3).content != make_mutant(sources, 6, 3).content
