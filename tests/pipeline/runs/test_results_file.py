"""The results that evaluate writes beside the files: added to what is known, never in place of it, and only where they belong."""

import json
from pathlib import Path

import pytest

from glyphlite.pipeline.runs.results_file import keep_results
from glyphlite.records import Accuracy, ArtifactReport, KerasReport
from glyphlite.results import Results

LABELS = tuple("ab")
ACCURACY = Accuracy(value=0.5, low=0.4, high=0.6, n=100)


def _keras(sha256: str, **changed) -> KerasReport:
    return KerasReport(**{"parameters": 1, "macs": 1, "bytes": 1, "sha256": sha256, "accuracy": ACCURACY, **changed})


def _artifact(path: str, sha256: str, **changed) -> ArtifactReport:
    fields = {"variant": "int8", "path": path, "bytes": 1, "weight_bytes": 1, "sha256": sha256, "accuracy": ACCURACY}
    return ArtifactReport(**{**fields, **changed})


def _keep(folder: Path, keras: dict, artifacts: dict, dataset: str = "mnist") -> Path | None:
    named = [{str(folder / name): report for name, report in each.items()} for each in (keras, artifacts)]
    return keep_results(*named, dataset=dataset, labels=LABELS, seed=0)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    assert _keep(tmp_path, {"model.keras": _keras("k")}, {"a.tflite": _artifact("a.tflite", "1", latency_us=5.0)})
    return tmp_path


def test_a_folder_without_one_gets_one(kept: Path) -> None:
    results = Results.load(kept / "results.json")
    assert (results.model, results.dataset, results.labels) == (kept.name, "mnist", list(LABELS))
    assert [each.path for each in results.artifacts] == ["a.tflite"]


def test_new_files_are_added_changed_ones_replaced_and_the_same_bytes_stay_as_known(kept: Path) -> None:
    same, other = _artifact("a.tflite", "1", latency_us=None), _artifact("b.tflite", "2")
    assert _keep(kept, {}, {"a.tflite": same, "b.tflite": other})
    results = Results.load(kept / "results.json")
    assert [(each.path, each.latency_us) for each in results.artifacts] == [("a.tflite", 5.0), ("b.tflite", None)]
    _keep(kept, {"model.keras": _keras("new")}, {"a.tflite": _artifact("a.tflite", "3")})
    results = Results.load(kept / "results.json")
    assert results.keras.sha256 == "new"
    assert [(each.path, each.sha256) for each in results.artifacts] == [("a.tflite", "3"), ("b.tflite", "2")]


def test_a_tflite_file_alone_leaves_nothing(tmp_path: Path) -> None:
    assert _keep(tmp_path, {}, {"a.tflite": _artifact("a.tflite", "1")}) is None
    assert not list(tmp_path.iterdir())


def test_files_of_several_folders_leave_nothing(tmp_path: Path) -> None:
    assert _keep(tmp_path, {"x/model.keras": _keras("k")}, {"y/a.tflite": _artifact("a.tflite", "1")}) is None
    assert not list(tmp_path.rglob("results.json"))


@pytest.mark.parametrize("content", ["not JSON", json.dumps({"accuracy": 1})])
def test_a_file_of_that_name_that_is_not_ours_stays(tmp_path: Path, content: str, capfd) -> None:
    (tmp_path / "results.json").write_text(content)
    assert _keep(tmp_path, {"model.keras": _keras("k")}, {}) is None
    assert (tmp_path / "results.json").read_text() == content
    assert "stays as it is" in " ".join(capfd.readouterr().err.split())


def test_results_of_other_data_stay(kept: Path, capfd) -> None:
    before = (kept / "results.json").read_bytes()
    assert _keep(kept, {"model.keras": _keras("other")}, {}, dataset="fashion-mnist") is None
    assert (kept / "results.json").read_bytes() == before
    assert "is about mnist" in " ".join(capfd.readouterr().err.split())


def test_models_that_come_with_glyphlite_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("{}")
    assert _keep(tmp_path / "seed-0", {"model.keras": _keras("k")}, {}) is None
    assert not (tmp_path / "seed-0").exists()
