"""Errors in a results.json are reported without the words of the library that checks it."""

import json
from pathlib import Path
from typing import Any

import pytest

from glyphlite.errors import DataError
from glyphlite.results import Results

ACCURACY = {"value": 0.9, "low": 0.8, "high": 1.0, "n": 100}
WHOLE: dict[str, Any] = {
    "schema": 1,
    "model": "mlp",
    "dataset": "mnist",
    "seed": 0,
    "keras": {"parameters": 1, "macs": 1, "bytes": 1, "accuracy": ACCURACY},
}


def _load(tmp_path: Path, content: str) -> Results:
    path = tmp_path / "results.json"
    path.write_text(content)
    return Results.load(path)


def test_a_whole_one_is_read(tmp_path: Path) -> None:
    assert _load(tmp_path, json.dumps(WHOLE)).model == "mlp"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is not whole JSON"),
        (json.dumps(WHOLE)[:-5], "it is not whole JSON"),
        ("[]", "it is [], expected an object"),
        (json.dumps({**WHOLE, "model": 3}), "model is 3, expected text"),
        (json.dumps({**WHOLE, "seed": "many"}), "seed is 'many', expected a whole number"),
        (json.dumps({name: value for name, value in WHOLE.items() if name != "keras"}), "keras is missing"),
        (json.dumps({**WHOLE, "keras": {**WHOLE["keras"], "accuracy": {}}}), "keras.accuracy.value is missing"),
        (json.dumps({**WHOLE, "seconds": {"train": "x" * 99}}), "seconds.train is 'xxx"),
        (json.dumps({**WHOLE, "schema": 2}), "is of schema 2, this glyphlite reads 1"),
    ],
)
def test_one_that_is_not_says_where(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        _load(tmp_path, content)
    assert words in str(caught.value)
    assert "nput should" not in str(caught.value)
    assert "ield required" not in str(caught.value)
    assert len(str(caught.value)) < 300
