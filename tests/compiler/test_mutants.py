"""Slices of ``campaigns/every_byte.py`` and ``structured.py``: each changed file is equal to TFLite Micro or refused."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from random_models.differential import examine
from random_models.equal_before import EqualBefore
from random_models.smallest import smallest_model, with_byte
from random_models.structured import changed_models
from support.mutants import sound_files

SEED = 5


def test_the_smallest_model_is_equal() -> None:
    model = smallest_model()
    assert len(model) * 255 >= 160_000
    assert [verdict.outcome for verdict in examine([model])] == ["equal"]


@pytest.mark.slow
def test_any_byte_of_another_value_is_equal_or_refused() -> None:
    model, rng = smallest_model(), np.random.default_rng(SEED)
    places = rng.choice(len(model), 400)
    contents = [with_byte(model, place, model[place] ^ int(rng.integers(1, 256))) for place in places]
    verdicts = examine(contents)
    faults = [(place, verdict) for place, verdict in zip(places, verdicts, strict=True) if verdict.is_fault]
    assert faults == []
    counts = Counter(verdict.outcome for verdict in verdicts)
    assert counts["equal"] > 40
    assert counts["not read"] > 100


@pytest.mark.slow
def test_several_changes_are_equal_or_refused(samples: Path) -> None:
    models = changed_models(sound_files(samples.parent), SEED, range(160))
    verdicts = examine([model.content for model in models], inputs=12)
    faults = [(model.source, model.changes, verdict) for model, verdict in zip(models, verdicts, strict=True) if verdict.is_fault]
    assert faults == []
    counts = Counter(verdict.outcome for verdict in verdicts)
    assert counts["equal"] > 20
    assert counts["not read"] > 20
    assert counts["not compiled"] > 10
    assert len({verdict.c_digest for verdict in verdicts}) > 20


def test_a_changed_model_is_its_seed_and_number(samples: Path) -> None:
    files = sound_files(samples.parent)
    some = changed_models(files, SEED, range(30, 50))
    assert changed_models(files, SEED, [37, 45]) == [some[7], some[15]]
    assert changed_models(files, SEED + 1, [37])[0].content != some[7].content


def test_what_was_found_equal_is_not_built_again_for_the_same_file_path_and_inputs(tmp_path: Path) -> None:
    model = smallest_model()
    before = EqualBefore(tmp_path / "equal")
    assert [(each.outcome, each.was_known) for each in examine([model, model], before=before)] == [("equal", False)] * 2
    assert len(before) == 1
    before = EqualBefore(tmp_path / "equal")
    assert [(each.outcome, each.was_known) for each in examine([model], before=before)] == [("equal", True)]
    assert [each.was_known for each in examine([model], before=before, path="dsp")] == [False]
    assert [each.was_known for each in examine([model], before=before, seed=1)] == [False]
    assert [each.was_known for each in examine([with_byte(model, len(model) - 1, 255)], before=before)] == [False]
    assert len(EqualBefore(tmp_path / "equal")) >= 3
