"""``glyphlite compile`` as a whole: what it reads, and how often."""

from pathlib import Path

import pytest

from glyphlite.pipeline.compile import compile_file
from glyphlite.tflite import reader


def test_a_file_is_validated_once_however_many_runtimes_read_it(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The self-check runs it in two runtimes, the convention is looked for, and it is compiled twice."""
    validated: list[str] = []
    decode = reader.decode

    def counted(content: bytes, name: str) -> object:
        validated.append(name)
        return decode(content, name)

    monkeypatch.setattr(reader, "decode", counted)
    compiled = compile_file(
        samples / "model_int8.tflite",
        tmp_path / "c",
        name="digits",
        optimize="size",
        scores="probabilities",
        dataset=None,
        sample=0,
        data_dir=None,
        compare=False,
    )
    assert "bit by bit" in compiled.words
    assert len(validated) == 1
