"""The array against the file: compiled with every warning an error, linked, and read back byte for byte."""

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from glyphlite.errors import ArtifactError, OutputError
from glyphlite.export.c_array import LARGEST_ARRAY, model_data_sources, write_model_data

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"]

DUMP = """
#include <stdint.h>
#include <stdio.h>
#include "model_data.h"
int main(void) {
  if ((uintptr_t)NAME_data % 16 != 0) return 1;
  return fwrite(NAME_data, 1, NAME_data_length, stdout) == NAME_data_length ? 0 : 2;
}
"""


def _compiled_bytes(folder: Path, name: str, compiler: list[str], source: str) -> bytes:
    """What a program sees that links the array."""
    main = folder / f"main{Path(source).suffix}"
    main.write_text(DUMP.replace("NAME", name))
    subprocess.run([*compiler, *WARNINGS, str(folder / source), str(main), "-o", str(folder / "dump")], check=True)
    return subprocess.run([str(folder / "dump")], check=True, capture_output=True).stdout


@pytest.mark.parametrize("variant", ["int8", "float16"])  # one that TFLite Micro takes, one that it refuses
@pytest.mark.parametrize(
    ("language", "compiler"),
    [("cc", ["g++", "-std=c++17"]), ("c", ["gcc", "-std=c11"]), ("c", ["gcc", "-std=c99"])],
    ids=["c++17", "c11", "c99"],
)
def test_the_compiled_array_is_the_file(samples: Path, tmp_path: Path, variant: str, language: str, compiler: list[str]) -> None:
    artifact = samples / f"model_{variant}.tflite"
    data = write_model_data(artifact, tmp_path, name="micro_cnn", language="c" if language == "c" else "cc")
    assert [path.name for path in data.files] == ["model_data.h", f"model_data.{language}"]
    assert _compiled_bytes(tmp_path, "micro_cnn", compiler, f"model_data.{language}") == artifact.read_bytes()
    assert data.bytes == artifact.stat().st_size
    for path in data.files:
        assert sha256(artifact.read_bytes()).hexdigest() in path.read_text()


def test_a_hostile_file_name_stays_in_its_comment(samples: Path, tmp_path: Path) -> None:
    artifact = tmp_path / "* int x; %{{ 7 }} \\\n#error no ??\\.tflite"
    artifact.write_bytes((samples / "model_int8.tflite").read_bytes())
    write_model_data(artifact, tmp_path / "out", name="m", language="c")
    assert _compiled_bytes(tmp_path / "out", "m", ["gcc", "-std=c11"], "model_data.c") == artifact.read_bytes()


def test_other_files_in_the_folder_are_left_alone(samples: Path, tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("mine")
    write_model_data(samples / "model_int8.tflite", tmp_path)
    assert (tmp_path / "main.c").read_text() == "mine"


def test_what_is_not_a_tflite_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"PK\x03\x04 not a flatbuffer")
    with pytest.raises(ArtifactError, match=r"is not a \.tflite file"):
        write_model_data(tmp_path / "model.tflite", tmp_path / "out")
    with pytest.raises(ArtifactError, match="cannot read"):
        write_model_data(tmp_path / "missing.tflite", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sizes_and_names_that_no_firmware_takes_are_refused() -> None:
    with pytest.raises(OutputError, match="C array"):
        model_data_sources(bytes(LARGEST_ARRAY + 1), "model.tflite", name="model", language="cc")
    with pytest.raises(OutputError, match="--name"):
        model_data_sources(b"x", "model.tflite", name="int", language="cc")
    with pytest.raises(OutputError, match="--language"):
        model_data_sources(b"x", "model.tflite", name="model", language="rust")  # pyright: ignore[reportArgumentType]
