"""What glyphlite generates has the same bytes in another folder, process, time zone, locale, home and umask."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMANDS = Path(__file__).with_name("commands.py")

PLACES = {
    "one": {"PYTHONHASHSEED": "1", "TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "USER": "alice", "COLUMNS": "200"},
    # An ASCII locale that Python may not better; standard output alone gets its encoding said.
    "another folder/é": {
        "PYTHONHASHSEED": "2",
        "TZ": "America/Los_Angeles",
        "LC_ALL": "POSIX",
        "USER": "bob",
        "COLUMNS": "50",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "utf-8",
    },
}


def _generate(place: Path, samples: Path, umask: str, circumstances: dict[str, str]) -> dict[str, bytes]:
    """Returns every file that the commands left in a place, by path."""
    place.mkdir(parents=True)
    home = place.with_name("home")
    home.mkdir()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    environment = {**os.environ, **circumstances, "HOME": str(home), "XDG_CACHE_HOME": cache}
    command = [sys.executable, str(COMMANDS), str(samples), umask]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def generated(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, bytes]]:
    root = tmp_path_factory.mktemp("places")
    return [
        _generate(root / str(number) / name, samples, umask, circumstances)
        for number, ((name, circumstances), umask) in enumerate(zip(PLACES.items(), ("022", "077"), strict=True))
    ]


def test_every_kind_of_file_is_there(generated: list[dict[str, bytes]]) -> None:
    assert {
        *("models/model.keras", "models/model_float32.tflite", "models/model_int8.tflite"),
        *("c/model_int8.c", "c/model_int8.h", "c/model_int8.json", "c/example/example.c", "c/.glyphlite.json"),
        *("array/model_data.cc", "tflm/model_inference.cc", "tflm/test_image.h", "web/index.html"),
        *("cmake/src/model_check.c", "python/predict.py", "rust/src/lib.rs", "models/smaller.tflite"),
        *("graph.svg", "seen.png", "run/report.html", "run/figures/confusion.png", "comparison.html"),
    } <= set(generated[0])


def test_it_is_the_same_in_two_places_to_the_byte(generated: list[dict[str, bytes]]) -> None:
    one, other = generated
    assert set(one) == set(other)
    assert [name for name, content in one.items() if content != other[name]] == []


def test_no_file_names_the_place(generated: list[dict[str, bytes]]) -> None:
    for place, files in zip(PLACES, generated, strict=True):
        word = place.rpartition("/")[0] or place
        naming = [name for name, content in files.items() if f"/{word}/".encode() in content]
        assert naming == []
    assert json.loads(generated[0]["c/model_int8.json"])["dataset"] == "../data.npz"


def test_a_keras_file_has_no_date_and_no_memory_addresses(generated: list[dict[str, bytes]]) -> None:
    with zipfile.ZipFile(io.BytesIO(generated[0]["models/model.keras"])) as archive:
        assert "date_saved" not in json.loads(archive.read("metadata.json"))
        config = archive.read("config.json").decode()
    assert max(int(number) for number in re.findall(r'"shared_object_id": (\d+)', config)) < 1000
