"""Exports of a model whose name, and its file's, would break out of Python, Markdown, C or UTF-8: the same code."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_names.trial import shape_of

from glyphlite.pipeline.export import export_file
from glyphlite.tflite.metadata import add_metadata, read_metadata

NAMES = {
    "Python": '""";import os;os.abort()#.tflite',
    "Python's escapes": "\\N{x}\\.tflite",
    "not UTF-8": os.fsdecode(b"caf\xe9.tflite"),
    "C, Markdown and a terminal": "*\\ `a`\x1b[31m\u2028\u202e.tflite",
}
TEXTS = (
    ".py",
    ".rs",
    ".md",
    ".c",
    ".h",
    ".cc",
    ".toml",
    ".json",
    ".properties",
    ".txt",
    ".yml",
    ".pdsc",
    ".kt",
    ".kts",
    ".xml",
    "",
)


@pytest.mark.parametrize("target", ["android", "cmake", "python", "rust", "tflm"])
def test_a_files_name_becomes_no_code(samples: Path, tmp_path: Path, target: str) -> None:
    shapes = {}
    for kind, name in {"benign": "model.tflite", **NAMES}.items():
        (tmp_path / kind).mkdir()
        artifact = tmp_path / kind / name
        artifact.write_bytes(_called((samples / "model_int8.tflite").read_bytes(), artifact.stem))
        folder = tmp_path / kind / "out"
        inputs = "random:1" if target not in ("android", "python") else None
        export_file(artifact, target, folder, name="net", language="cc", dataset=None, sample=0, data_dir=None, inputs=inputs)
        texts = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in TEXTS)
        assert len(texts) > 5
        for path in texts:
            assert not [each for each in path.read_text(encoding="utf-8") if not each.isprintable() and each not in "\n\t"], path
        shapes[kind] = {path.relative_to(folder): shape_of(path) for path in texts if path.suffix != ".json"}
    assert all(each == shapes["benign"] for each in shapes.values())


def _called(content: bytes, name: str) -> bytes:
    """Returns the file with a name of its own."""
    return add_metadata(content, replace(read_metadata(content), name=name.encode(errors="replace").decode()))
