"""``glyphlite compile`` as a whole: what it reads, and how often."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from glyphlite.compiler.report import CompilationReport
from glyphlite.pipeline import compile as compile_module
from glyphlite.pipeline.compile import compile_file
from glyphlite.tflite import reader
from glyphlite.tflite.graph import Graph, Tensor


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


@pytest.mark.parametrize(
    ("fitted", "scores", "why"),
    [
        (True, "none", "with --scores none there are no scores"),
        (False, "probabilities", "no certainty was fitted"),
        (True, "probabilities", ""),
        (True, "logits", ""),
    ],
)
def test_it_says_why_nothing_doubts_the_answer(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fitted: bool,
    scores: str,
    why: str,
) -> None:
    if not fitted:
        monkeypatch.setattr("glyphlite.pipeline.compile.certainty_of", lambda _: None)
    compile_file(
        Path("glyph-1k"),
        tmp_path / "c",
        name="digits",
        optimize="size",
        scores=scores,
        dataset=None,
        sample=0,
        data_dir=None,
        compare=False,
        check=False,
        with_picture=True,
    )
    printed = " ".join("".join(capsys.readouterr()).split())
    assert ("No doubt:" in printed) == bool(why)
    assert why in printed
    assert (tmp_path / "c" / "digits_sure.c").is_file() == (not why)


@pytest.mark.parametrize(("shape", "advised"), [((1, 4), True), ((1, 6, 6, 4), False)])
def test_labels_are_advised_where_they_can_be_given(shape: tuple[int, ...], advised: bool):
    """A map has no classes to name."""
    tensors = tuple(Tensor(at, f"t{at}", (1, 8) if at == 0 else shape, np.dtype(np.int8), None) for at in range(2))
    report = SimpleNamespace(classifies=False, output_tensors=("t1",), purpose="so it is")
    words = compile_module._purpose_words(cast("CompilationReport", report), Graph(tensors, (), (0,), (1,)))
    assert words.endswith("--labels names their classes") is advised
