"""The page believes and refuses what Python does: the same probabilities through both."""

import json
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from support.web_tools import node

from glyphlite.datasets.dataset import Dataset
from glyphlite.evaluation.confidence import as_probabilities, fit_confidence
from glyphlite.export.web.page import export_web
from glyphlite.files.single import sha256_of
from glyphlite.models.interface.certainty import calibrated, is_refused
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime

SCRIPT = """
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const { calibrated, refusalOf } = await import(pathToFileURL(process.argv[2]));
const { rows, model } = JSON.parse(readFileSync(process.argv[3], "utf8"));
process.stdout.write(JSON.stringify(rows.map((row) => {
  const believed = calibrated(row, model.certainty);
  return { believed, refusal: refusalOf(believed, model) };
})));
"""


@pytest.fixture(scope="module")
def run(samples: Path, mnist: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A run's folder with a certainty fitted on 1,000 validation images, and what the model says of 500 test images."""
    folder = tmp_path_factory.mktemp("run")
    model = folder / "model_int8.tflite"
    model.write_bytes((samples / "model_int8.tflite").read_bytes())
    with get_runtime("litert").load(model) as loaded:
        held_out = predict_probabilities(loaded, mnist.validation.images[:1000], OURS)
        answers = predict_probabilities(loaded, mnist.test.images[:500], OURS)
    certainty = fit_confidence(as_probabilities(held_out), mnist.validation.labels[:1000])
    record = {"sha256": sha256_of(model), "certainty": certainty.model_dump(mode="json")}
    (folder / "results.json").write_text(json.dumps({"artifacts": [record]}))
    return model, as_probabilities(answers)


def through_node(rows: np.ndarray, model: dict, folder: Path) -> list[dict]:
    (folder / "script.mjs").write_text(SCRIPT)
    (folder / "rows.json").write_text(json.dumps({"rows": rows.tolist(), "model": model}))
    module = Path(str(files("glyphlite.export") / "templates" / "web" / "confidence.js"))
    command = [node(), folder / "script.mjs", module, folder / "rows.json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.slow
def test_the_page_carries_the_certainty_and_computes_the_same(run: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    from glyphlite.evaluation.recorded_confidence import certainty_of

    path, answers = run
    certainty = certainty_of(path)
    assert certainty is not None
    page = export_web(path, tmp_path / "page")
    model = json.loads((page.folder / "model.json").read_text())
    found = through_node(answers, model, tmp_path)
    believed = calibrated(answers, certainty)
    np.testing.assert_allclose([each["believed"] for each in found], believed, atol=1e-12)
    refused = is_refused(believed, certainty)
    assert [each["refusal"] is not None for each in found] == refused.tolist()
    assert 1 <= refused.sum() <= 20
    words = next(each["refusal"] for each in found if each["refusal"])
    assert words.startswith("Unsure (")


def test_without_a_certainty_nothing_is_changed_or_refused(run: tuple[Path, np.ndarray], tmp_path: Path) -> None:
    _, answers = run
    found = through_node(answers[:5], {"certainty": None, "labels": ["a", "b"]}, tmp_path)
    assert [each["believed"] for each in found] == answers[:5].astype(float).tolist()
    assert all(each["refusal"] is None for each in found)


def test_a_refusal_by_a_twins_threshold_says_that_the_file_has_seen_these_images_since(tmp_path: Path) -> None:
    certainty = {"temperature": 1, "leastCertainty": 0.9, "floor": 0.001, "independent": False}
    rows = np.array([[0.5, 0.5]])
    own, twin = (
        through_node(rows, {"certainty": {**certainty, "twin": each}, "labels": ["0", "1"]}, tmp_path)[0]["refusal"]
        for each in (False, True)
    )
    assert "99 % of validation digits reach 90.0 %, so" in own
    assert "99 % of validation digits reached 90.0 % before the model was trained on them, too, so" in twin
