"""Sheets of digits: docs hold the figures measured, they reach what was promised, and a small run counts every picture."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.evaluation.confidence import as_probabilities
from glyphlite.models.interface.input_convention import OURS
from glyphlite.records import Certainty
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from common.sheets_of_digits import DESK, SCHOOL, measure_sheets  # noqa: E402
from common.tables.pictures import OUTCOMES  # noqa: E402


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, int]]:
    return json.loads((ROOT / "benchmarks" / "results" / "sheets.json").read_text())["outcomes"]


@pytest.mark.parametrize(("group", "number"), [(SCHOOL, 500), (DESK, 250)])
def test_at_most_one_in_a_hundred_is_wrong_and_believed(outcomes: dict[str, dict[str, int]], group: str, number: int) -> None:
    row = outcomes[group]
    assert row["pictures"] == number == sum(row[outcome] for outcome in OUTCOMES)
    assert row["wrong and believed"] <= 0.01 * number
    assert row["right and believed"] >= 0.8 * number


def test_a_small_run_counts_every_picture(samples: Path, mnist: Dataset) -> None:
    model = get_runtime("litert", isolated=False).load(samples / "model_float32.tflite")
    certainty = Certainty(temperature=1, least_certainty=0.5, floor=1e-6, images=100)

    def classify(images: np.ndarray) -> np.ndarray:
        return as_probabilities(predict_probabilities(model, images[..., None], OURS))

    counts = measure_sheets(mnist.validation, classify, certainty, number=10, seed=3)
    assert counts[SCHOOL]["pictures"] == 10
    assert counts[DESK]["pictures"] == 5
    assert all(row["pictures"] == sum(row[outcome] for outcome in OUTCOMES) for row in counts.values())
    assert counts[SCHOOL]["right and believed"] >= 8
