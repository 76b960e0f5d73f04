"""Labels and description inside a .tflite file: as other tools read them, and never a danger to read."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlite.errors import ArtifactError
from glyphlite.runtimes.registry import INTERPRETERS, accepts
from glyphlite.tflite.metadata import LABELS_FILE, ModelMetadata, add_metadata, read_labels, read_metadata
from glyphlite.tflite.reader import parse_graph

METADATA = ModelMetadata(
    "micro_cnn",
    "Classifies digits; ein Satz mit Umlauten: äöü.",
    "1.0",
    ("null", "eins", "zwölf"),
    (0.0, 10.5, 127.5),
    (255.0, 1.0, 127.5),
)


@pytest.fixture(scope="module")
def plain(samples: Path) -> bytes:
    return (samples.parent / "converter" / "model_int8.tflite").read_bytes()


@pytest.fixture(scope="module")
def described(plain: bytes) -> bytes:
    return add_metadata(plain, METADATA)


def test_what_is_written_is_read(described: bytes) -> None:
    assert read_metadata(described) == METADATA
    assert read_labels(described) == METADATA.labels


def test_a_file_without_metadata_has_none(plain: bytes) -> None:
    assert read_metadata(plain) == ModelMetadata()


def test_the_model_is_the_same_and_hardly_larger(plain: bytes, described: bytes) -> None:
    before, after = parse_graph(plain), parse_graph(described)
    assert after.operators == before.operators
    assert after.signatures == before.signatures
    assert after.description == METADATA.description
    assert "TFLITE_METADATA" in after.metadata
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.name, old.shape, old.quantization) == (new.name, new.shape, new.quantization)
        if old.data is not None:
            assert new.data is not None
            np.testing.assert_array_equal(old.data, new.data)
    assert 0 < len(described) - len(plain) < 1024


def test_constants_are_aligned(described: bytes) -> None:
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.Model.GetRootAs(described, 0)
    stored = [model.Buffers(index).DataAsNumpy() for index in range(model.BuffersLength()) if model.Buffers(index).DataLength()]
    whole: Any = np.frombuffer(described, np.uint8)
    assert len(stored) > 5
    for values in stored:
        assert (values.__array_interface__["data"][0] - whole.__array_interface__["data"][0]) % 16 == 0


@pytest.mark.parametrize("runtime", INTERPRETERS)
@pytest.mark.parametrize("variant", ["float32", "int8", "int16x8"])
def test_every_runtime_still_takes_the_file(runtime: str, variant: str, samples: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(add_metadata((samples / f"model_{variant}.tflite").read_bytes(), METADATA))
    assert accepts(runtime, path).accepts


def test_the_labels_are_a_zip_archive_that_any_tool_opens(described: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(described)) as archive:
        assert archive.namelist() == [LABELS_FILE]
        assert archive.read(LABELS_FILE).decode() == "null\neins\nzwölf\n"


def test_metadata_written_again_replaces_the_old(described: bytes) -> None:
    assert add_metadata(described, METADATA) == described
    other = replace(METADATA, labels=("a", "b"), description="Other.")
    assert read_metadata(add_metadata(described, other)) == other


@pytest.mark.parametrize("label", ["two\nlines", "", "carriage\rreturn"])
def test_labels_that_would_not_come_back_are_refused(label: str, plain: bytes) -> None:
    with pytest.raises(ArtifactError, match="rename the class"):
        add_metadata(plain, replace(METADATA, labels=("fine", label)))


def _with_archive(plain: bytes, name: str, content: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO(plain)
    stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream, "a", compression) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def test_hostile_archives_give_no_labels(plain: bytes) -> None:
    bomb = _with_archive(plain, LABELS_FILE, b"a\n" * (8 << 20), zipfile.ZIP_DEFLATED)
    assert len(bomb) < len(plain) + 100_000
    assert read_labels(bomb) == ()
    assert read_labels(_with_archive(plain, "../" + LABELS_FILE, b"a\n")) == ()
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert read_labels(_with_archive(plain, LABELS_FILE, b"a\n", method)) == ()
    assert read_labels(_with_archive(plain, LABELS_FILE, b"\xff\xfe\n\n ok \n")) == (r"\xff\xfe", "ok")


@given(content=st.binary(max_size=300))
def test_any_bytes_can_be_read(content: bytes) -> None:
    assert read_metadata(content) == ModelMetadata()


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damaged_metadata_are_read_without_harm(described: bytes, data: st.DataObject) -> None:
    damaged = bytearray(described)
    start = described.index(b"M001") - 8
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(start, start + 520) | st.integers(len(damaged) - 180, len(damaged) - 1))] = data.draw(
            st.integers(0, 255)
        )
    end = data.draw(st.integers(0, len(damaged)) | st.just(len(damaged)))
    assert isinstance(read_metadata(bytes(damaged[:end])), ModelMetadata)
