"""Whole files through everything, as ``campaigns/corpus.py`` takes them: one that Keras made, and ones that no runtime takes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from random_models import model_of
from random_models.whole_files import COMPILED, difference, try_file
from support.altered import changed, tensor

ROOT = Path(__file__).resolve().parents[2]
BY_KERAS = 2
"""A seed whose model Keras builds."""


@pytest.fixture(scope="module")
def by_keras() -> bytes:
    pytest.importorskip("tensorflow")
    return model_of(BY_KERAS)[1]


def test_a_file_that_is_none_is_no_fault() -> None:
    found = try_file(b"no model at all")
    assert found["faults"] == []
    assert "is not a .tflite file" in found["reads"]
    assert not any(each["runs"] for each in found["runtimes"].values())


def test_what_is_not_read_is_still_run(samples: Path) -> None:
    odd = changed(samples / "model_int8.tflite", tensor(7, isVariable=True))
    found = try_file(odd, inputs=2)
    assert "variable and a constant" in found["reads"]
    assert found["runtimes"]["tflm"]["runs"] is True


def test_differences_are_counted_in_bytes_and_steps() -> None:
    one = np.array([[1, 2, 300]], np.int16)
    other = np.array([[1, 2, 44]], np.int16)
    assert difference((one,), (one.copy(),)) == {"output_bytes": 6, "differing_bytes": 0, "largest_difference": 0.0}
    assert difference((one,), (other,)) == {"output_bytes": 6, "differing_bytes": 1, "largest_difference": 256.0}
    assert difference((one,), (one.astype(np.int8),))["differing_bytes"] == -1


@pytest.mark.slow
def test_the_campaign_finds_what_keras_builds_exact_everywhere_and_goes_on_where_it_stopped(
    tmp_path: Path, by_keras: bytes
) -> None:
    folder, cache = tmp_path / "files", tmp_path / "cache"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "sound.tflite").write_bytes(by_keras)
    (folder / "damaged.tflite").write_bytes(b"\x1c\0\0\0TFL3" * 9)
    command = [sys.executable, ROOT / "campaigns" / "corpus.py", folder, "--inputs", "2", "--output", tmp_path / "out.json"]
    environment = {"XDG_CACHE_HOME": str(cache), "PATH": "/usr/bin:/bin"}
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=300) for _ in range(2)
    )
    document = json.loads((tmp_path / "out.json").read_text())
    assert first.stdout == second.stdout
    assert len(next(cache.rglob("corpus-2.jsonl")).read_text().splitlines()) == 2
    assert (document["tried"], document["tflm_runs"], document["compile"], document["faults"]) == (2, 1, 1, 0)
    assert document["differing_bytes"] == 0 < document["output_bytes"]
    assert "deep/sound.tflite" in first.stdout
    assert "not read: the file is damaged" in first.stdout
    found = document["files"]["deep/sound.tflite"]
    assert found["reads"] is found["compiles"] is found["int8"] is True
    assert {name: found["runtimes"][name]["differing_bytes"] for name in COMPILED} == dict.fromkeys(COMPILED, 0)
    assert set(found["paths"].values()) == {"equal"}
    assert 0 < found["c_arena_bytes"] < found["tflm_arena_bytes"]
