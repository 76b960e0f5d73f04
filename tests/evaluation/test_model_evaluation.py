"""Evaluation of real files on real MNIST images, held against LiteRT called directly, and refusals of what does not fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.datasets.dataset import Dataset, Split
from glyphlite.errors import ArtifactError, ModelError
from glyphlite.evaluation.accuracy import mcnemar_p
from glyphlite.evaluation.inspection import ask_compiler
from glyphlite.evaluation.model_evaluation import ArtifactEvaluation, KerasEvaluation, evaluate_artifact, evaluate_keras
from glyphlite.files.single import sha256_of
from glyphlite.models.loading import load_keras_model

IMAGES = 400


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Dataset:
    return replace(mnist, test=Split(mnist.test.images[:IMAGES], mnist.test.labels[:IMAGES]))


@pytest.fixture(scope="module")
def keras(samples: Path, few: Dataset) -> KerasEvaluation:
    return evaluate_keras(samples / "model.keras", few, validation_accuracy=0.9, best_epoch=3, latency=False)


@pytest.fixture(scope="module")
def int8(samples: Path, few: Dataset, keras: KerasEvaluation) -> ArtifactEvaluation:
    return evaluate_artifact(samples / "model_int8.tflite", few, keras_predictions=keras.predictions)


def litert_predictions(path: Path, images: np.ndarray) -> np.ndarray:
    """An independent way to the same classes: LiteRT's interpreter, one image at a time, quantized by hand."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    details, output = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    scale, zero_point = details["quantization"]
    classes = []
    for image in images:
        real = image.astype(np.float64) / 255
        stored = np.floor(real / scale + 0.5) + zero_point if scale else real
        interpreter.set_tensor(details["index"], stored[np.newaxis].astype(details["dtype"]))
        interpreter.invoke()
        classes.append(int(interpreter.get_tensor(output)[0].argmax()))
    return np.array(classes)


def test_keras_is_measured_on_the_file(keras: KerasEvaluation, samples: Path, few: Dataset):
    expected = load_keras_model(samples / "model.keras")(few.test.images / np.float32(255)).numpy()
    np.testing.assert_allclose(keras.probabilities, expected, atol=1e-5)
    report = keras.report
    assert report.sha256 == sha256_of(samples / "model.keras")
    assert report.accuracy.value == np.mean(expected.argmax(axis=1) == few.test.labels)
    assert (report.parameters, report.macs, report.bytes) == (21_898, 70_464, (samples / "model.keras").stat().st_size)
    assert (report.validation_accuracy, report.best_epoch, report.latency_us) == (0.9, 3, None)


def test_every_figure_of_an_artifact_is_of_that_file(
    int8: ArtifactEvaluation, samples: Path, few: Dataset, keras: KerasEvaluation
):
    path, report = samples / "model_int8.tflite", int8.report
    expected = litert_predictions(path, few.test.images)
    assert np.array_equal(int8.predictions, expected)
    assert report.accuracy.value == np.mean(expected == few.test.labels)
    assert report.accuracy.n == IMAGES
    assert np.sum(report.confusion) == IMAGES
    assert np.trace(report.confusion) == np.count_nonzero(expected == few.test.labels)
    assert report.agreement_with_keras == np.mean(expected == keras.predictions)
    assert report.mcnemar_p == mcnemar_p(expected, keras.predictions, few.test.labels)
    assert (report.variant, report.path, report.bytes) == ("int8", path.name, path.stat().st_size)
    assert report.sha256 == sha256_of(path)
    assert 21_898 <= report.weight_bytes < report.bytes
    assert report.latency_us is not None
    assert report.latency_us > 0


def test_runtimes_are_found_by_trying(int8: ArtifactEvaluation, samples: Path, few: Dataset):
    assert {name: each.accepts for name, each in int8.report.runtimes.items()} == {
        "litert": True,
        "litert_builtin": True,
        "litert_reference": True,
        "tflm": True,
    }
    assert 4_000 < (int8.report.runtimes["tflm"].arena_bytes or 0) < 12_000
    float16 = evaluate_artifact(samples / "model_float16.tflite", few, latency=False).report
    assert float16.runtimes["litert"].accepts
    assert not float16.runtimes["tflm"].accepts
    assert "int8" in (float16.runtimes["tflm"].reason or "")
    assert (float16.agreement_with_keras, float16.mcnemar_p, float16.latency_us) == (None, None, None)


def test_certainty_is_fitted_on_validation_and_tested_on_the_test_split(
    int8: ArtifactEvaluation, keras: KerasEvaluation, few: Dataset
):
    for evaluation in (int8, keras):
        certainty = evaluation.report.certainty
        assert certainty is not None
        assert certainty.images == len(few.validation) == 5000
        assert 0.5 < certainty.temperature < 2
        assert 0.4 < certainty.least_certainty < 0.9
        assert certainty.test is not None
        assert 0 < certainty.test.refused < 0.03
        assert certainty.test.accuracy.value > evaluation.report.accuracy.value
        assert certainty.test.expected_calibration_error < 0.02
    assert int8.report.certainty is not None
    assert int8.report.certainty.floor == 1 / 1024


def test_nothing_is_fitted_on_no_images(samples: Path, few: Dataset):
    nothing = Split(few.validation.images[:0], few.validation.labels[:0])
    report = evaluate_artifact(
        samples / "model_int8.tflite", replace(few, validation=nothing), latency=False, runtimes=False
    ).report
    assert report.certainty is None


def test_progress_counts_every_image(samples: Path, few: Dataset):
    done: list[int] = []
    evaluate_artifact(samples / "model_int8.tflite", few, latency=False, runtimes=False, progress=done.append)
    assert sum(done) == IMAGES


def test_what_is_no_artifact_is_refused(tmp_path: Path, few: Dataset):
    broken = tmp_path / "noise.tflite"
    broken.write_bytes(np.random.default_rng(0).bytes(5_000))
    with pytest.raises(ArtifactError, match=r"noise\.tflite"):
        evaluate_artifact(broken, few)
    with pytest.raises(ArtifactError, match=r"absent\.tflite"):
        evaluate_artifact(tmp_path / "absent.tflite", few)


def test_a_dataset_that_does_not_fit_is_refused_with_both_shapes(samples: Path, few: Dataset):
    small = np.zeros((4, 8, 8, 1), np.uint8)
    split = Split(small, np.zeros(4, np.int64))
    with pytest.raises(ArtifactError, match=r"28 x 28 x 1.*8 x 8 x 1"):
        evaluate_artifact(samples / "model_int8.tflite", replace(few, train=split, test=split))
    other = replace(few, labels=("a", "b", "c"))
    with pytest.raises(ArtifactError, match=r"10 outputs.*3 classes"):
        evaluate_artifact(samples / "model_int8.tflite", other)
    with pytest.raises(ModelError, match=r"model\.keras"):
        evaluate_keras(samples / "model.keras", other)


def test_a_model_trained_with_int8_simulated_is_measured_in_float32(few: Dataset) -> None:
    from glyphlite.models.pretrained import pretrained_keras
    from glyphlite.models.qat.state import in_float

    path = pretrained_keras("glyph-1k")
    model = load_keras_model(path)
    images = few.test.images.astype(np.float32) / 255
    simulated = np.asarray(model(images))
    with in_float(model):
        expected = np.asarray(model(images))
    measured = evaluate_keras(path, few, latency=False).probabilities
    np.testing.assert_allclose(measured, expected, atol=1e-5)
    assert np.abs(measured - simulated).max() > 1e-3


def test_the_compiler_is_asked_for_what_computes_with_integers(samples: Path, few: Dataset) -> None:
    asked = {
        variant: evaluate_artifact(samples / f"model_{variant}.tflite", few, latency=False, compiler=ask_compiler).report
        for variant in ("int16x8", "float32")
    }
    assert asked["int16x8"].variant == "int16x8"
    assert asked["int16x8"].runtimes["generated_c"].accepts
    assert "generated_c" not in asked["float32"].runtimes
