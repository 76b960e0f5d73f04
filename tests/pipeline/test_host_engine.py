"""``--engine c``: generated C, built here, in the place of LiteRT."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glyphlite import host_compiler
from glyphlite.datasets.dataset import Dataset
from glyphlite.errors import ArtifactError, ToolError
from glyphlite.pipeline.evaluate import evaluate_files
from glyphlite.pipeline.predict import predict_pictures
from glyphlite.runtimes.registry import get_runtime

PREDICTING: dict[str, Any] = {"show": None, "every": False, "dataset": "mnist", "data_dir": None, "samples": [0, 1, 2]}
EVALUATING: dict[str, Any] = {"keras": None, "latency": False, "seed": 0, "data_dir": None}


def test_predict_answers_with_the_bytes_of_tflite_micro(samples: Path, mnist: Dataset):
    model = samples / "model_int8.tflite"
    answers = predict_pictures([], model_path=model, engine="c", **PREDICTING).predictions
    with get_runtime("tflm").load(model) as reference:
        stored = (mnist.test.images[:3].astype(np.int16) - 128).astype(np.int8)
        expected = (reference.predict(stored).astype(np.int16) + 128) / 256
    assert [each.label for each in answers] == [str(row.argmax()) for row in expected]
    assert [each.probability for each in answers] == [row.max() for row in expected]


@pytest.mark.slow
def test_evaluate_measures_generated_c_and_leaves_results_json_alone(samples: Path, mnist: Dataset, tmp_path: Path):
    model = tmp_path / "model_int8.tflite"
    model.write_bytes((samples / "model_int8.tflite").read_bytes())
    evaluation = evaluate_files([model], "mnist", engine="c", **EVALUATING)
    with get_runtime("generated_c").load(model) as loaded:
        classes = loaded.predict((mnist.test.images.astype(np.int16) - 128).astype(np.int8)).argmax(axis=1)
    accuracy = evaluation.artifacts[str(model)].accuracy
    assert accuracy.value == pytest.approx(float((classes == mnist.test.labels).mean()))
    assert evaluation.document()["engine"] == "c"
    assert not (tmp_path / "results.json").exists()


def test_without_a_compiler_it_is_said_how_to_get_one(samples: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(host_compiler, "host_compilers", tuple)
    with pytest.raises(ToolError, match=r"no C compiler here; install gcc, or: pip install 'glyphlite\[firmware\]'"):
        predict_pictures([], model_path=samples / "model_int8.tflite", engine="c", **PREDICTING)


@pytest.mark.parametrize(
    ("file", "words"), [("model.keras", "is a Keras model; --engine c takes int8"), ("model_float32.tflite", "")]
)
def test_other_files_are_refused(samples: Path, file: str, words: str):
    with pytest.raises(ArtifactError, match=words or "int8"):
        predict_pictures([], model_path=samples / file, engine="c", **PREDICTING)
