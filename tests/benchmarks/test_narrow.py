"""Rounding a layer of a released file to INT4: what changes in the file, and in its answers."""

import importlib
from pathlib import Path

import numpy as np
import pytest

from glyphlite.errors import ModelError
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import read_graph


@pytest.mark.slow
def test_a_released_file_keeps_its_answers_with_its_hidden_layer_in_four_bits(monkeypatch, mnist, tmp_path) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    monkeypatch.setattr(importlib.import_module("narrow"), "NARROWING_IMAGES", 1_500)
    source, path = pretrained_artifact("glyph-50kmac"), tmp_path / "model_int8.tflite"
    path.write_bytes(importlib.import_module("narrow").narrowed_file(source.read_bytes(), ("hidden",), mnist))
    assert [tensor.name for tensor in read_graph(path).tensors if tensor.packed_bits] == ["hidden/kernel"]
    before, after = (
        {tensor.name: tensor.data for tensor in read_graph(each).tensors if tensor.data is not None} for each in (source, path)
    )
    assert np.abs(after["hidden/kernel"]).max() == 7
    assert all(np.array_equal(after[name], before[name]) for name in ("stem/kernel", "point2/bias", "pred/kernel"))
    images = (mnist.validation.images[:400].astype(np.int16) - 128).astype(np.int8)
    answers = []
    for each in (source, path):
        with get_runtime("litert").load(each) as model:
            answers.append(model.run((images,))[0].reshape(len(images), -1).argmax(axis=1))
    assert np.mean(answers[0] == answers[1]) >= 0.99


def test_a_model_without_layers_to_round_is_refused(monkeypatch, tmp_path) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    with pytest.raises(ModelError, match="glyph-4k is not a member of the family with layers to round"):
        importlib.import_module("narrow").narrow("glyph-50kmac", "glyph-4k", tmp_path)
