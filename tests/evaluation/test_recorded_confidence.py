"""A certainty is found for the very file it was fitted on, in a run's results or a model's card; broken records are none."""

import json
from pathlib import Path

import pytest

from glyphlite.evaluation.recorded_confidence import certainty_of
from glyphlite.files.single import sha256_of
from glyphlite.records import Certainty

CERTAINTY = Certainty(temperature=0.8, least_certainty=0.9, floor=1 / 1024, images=5000)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model_int8.tflite"
    path.write_bytes(b"a model")
    return path


def test_it_is_found_at_any_depth_of_either_record(model: Path):
    assert certainty_of(model) is None
    entry = {"sha256": sha256_of(model), "certainty": CERTAINTY.model_dump()}
    other = {"sha256": "0" * 64, "certainty": CERTAINTY.model_copy(update={"temperature": 3.0}).model_dump()}
    for name, document in (
        ("results.json", {"keras": other, "artifacts": [other, entry]}),
        ("card.json", {"name": "x", **entry}),
    ):
        (model.parent / name).write_text(json.dumps(document))
        assert certainty_of(model) == CERTAINTY
        (model.parent / name).unlink()


def test_a_file_that_was_replaced_has_none(model: Path):
    (model.parent / "results.json").write_text(json.dumps({"sha256": sha256_of(model), "certainty": CERTAINTY.model_dump()}))
    model.write_bytes(b"another model")
    assert certainty_of(model) is None


@pytest.mark.parametrize(
    "content",
    ["", "{", "[" * 100_000, '"x"', '{"sha256": "%s", "certainty": null}', '{"sha256": "%s", "certainty": {"temperature": 0}}'],
)
def test_a_broken_record_is_no_record(model: Path, content: str):
    content = content.replace("%s", sha256_of(model))
    (model.parent / "results.json").write_text(content)
    assert certainty_of(model) is None
    (model.parent / "results.json").write_bytes(b"\xff\xfe")
    assert certainty_of(model) is None


@pytest.mark.parametrize(
    "wrong",
    [
        *({"temperature": value} for value in (-1, "hot", float("inf"), float("nan"), 1e-300, 1e300, "1; exit(0)")),
        *({"floor": value} for value in (0, float("nan"), float("inf"), 2)),
        *({"least_certainty": value} for value in (None, float("nan"), -1, 1.5)),
    ],
)
def test_impossible_figures_are_not_believed(model: Path, wrong: dict[str, object]):
    record = {"sha256": sha256_of(model), "certainty": CERTAINTY.model_dump() | wrong}
    (model.parent / "results.json").write_text(json.dumps(record))
    assert certainty_of(model) is None
