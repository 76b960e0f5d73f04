"""Runtimes by name, and which takes which file, with a reason that tells what to do."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.runtimes.registry import INTERPRETERS, RUNTIME_NAMES, RUNTIMES, accepts, get_runtime, probabilities_of


def test_every_name_has_a_title_and_a_runtime_of_that_name() -> None:
    assert len({record.title for record in RUNTIMES.values()}) == len(RUNTIME_NAMES) == 14
    for name in RUNTIME_NAMES:
        assert get_runtime(name).name == name


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ToolError, match="there is no runtime 'onnx'; choose one of keras, litert"):
        get_runtime("onnx")
    with pytest.raises(ToolError, match="there is no runtime"):
        accepts("", Path("model.tflite"))


@pytest.mark.parametrize("isolated", [True, False])
@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic", "int8", "int16x8"])
def test_which_runtime_takes_which_variant(variant: str, isolated: bool, samples: Path) -> None:
    found = {name: accepts(name, samples / f"model_{variant}.tflite", isolated=isolated) for name in INTERPRETERS}
    taken = [name for name, acceptance in found.items() if acceptance.accepts]
    assert taken == [name for name in INTERPRETERS if name != "tflm" or variant not in ("float16", "dynamic")]
    if variant in ("float16", "dynamic"):
        assert {"float16": "float16", "dynamic": "dynamic range"}[variant] in str(found["tflm"].reason)
        assert "convert the model with --to int8" in str(found["tflm"].reason)


def test_keras_reads_its_own_files_only(samples: Path) -> None:
    assert accepts("keras", samples / "model.keras").accepts
    refused = accepts("keras", samples / "model_int8.tflite")
    assert not refused.accepts
    assert "model_int8.tflite" in str(refused.reason)
    assert not accepts("litert", samples / "model.keras").accepts


def test_probabilities_of_an_artifact(samples: Path, mnist: Dataset) -> None:
    images = mnist.test.images[:200]
    probabilities = probabilities_of(samples / "model_int8.tflite", images, OURS)
    assert probabilities.shape == (200, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=0.05)
    assert (probabilities.argmax(axis=1) == mnist.test.labels[:200]).mean() > 0.9
    with pytest.raises(ArtifactError, match=r"takes images of shape \[28, 28, 1\], the data has \[32, 32, 1\]"):
        probabilities_of(samples / "model_int8.tflite", np.zeros((1, 32, 32, 1), np.uint8), OURS)
