"""A model trained with int8 simulated becomes int8 without calibration, and what was trained is what runs."""

from typing import Any

import numpy as np
import pytest
from support.aware import aware_model

from glyphlite.conversion.converter import convert_exported, exported
from glyphlite.conversion.folder import convert_to_folder
from glyphlite.datasets.dataset import as_float
from glyphlite.errors import ConversionError
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.qat.state import in_float, is_quantized
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.reader import parse_graph

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(mnist) -> Any:
    return aware_model(mnist, "aware", seed=5, stem=6)


@pytest.fixture(scope="module")
def files(model) -> dict[str, bytes]:
    with exported(model) as saved:
        return {name: convert_exported(saved, name).content for name in ("float32", "int8")}


def test_int8_needs_no_calibration_and_holds_integers_only(files):
    graph = parse_graph(files["int8"])
    names = [operator.name for operator in graph.operators]
    assert names == ["CONV_2D", "MAX_POOL_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]
    assert {tensor.dtype.name for tensor in graph.tensors} == {"int8", "int32"}


def test_the_ranges_in_the_file_are_the_trained_ones(model, files):
    graph = parse_graph(files["int8"])
    for layer in model.layers:
        if not getattr(layer, "learns_range", False):
            continue
        tensor = next(each for each in graph.tensors if each.name == layer.name)
        assert tensor.quantization is not None
        low, high = layer.ranges[0]
        assert tensor.quantization.scales[0] == pytest.approx((float(high) - float(low)) / 255, rel=1e-4)


def test_the_file_gives_what_the_simulation_gives(model, files, mnist, tmp_path):
    path = tmp_path / "model_int8.tflite"
    path.write_bytes(files["int8"])
    images = mnist.validation.images[:500]
    simulated = np.asarray(model(as_float(images)))
    deployed = predict_probabilities(get_runtime("tflm").load(path), images, OURS)
    np.testing.assert_allclose(deployed, simulated, atol=0.03)
    assert np.mean(np.abs(deployed - simulated)) < 0.003


def test_the_float_variant_is_free_of_quantization(model, files, mnist, tmp_path):
    assert {tensor.dtype.name for tensor in parse_graph(files["float32"]).tensors} <= {"float32", "int32"}
    path = tmp_path / "model_float32.tflite"
    path.write_bytes(files["float32"])
    images = mnist.validation.images[:50]
    with in_float(model):
        found = predict_probabilities(get_runtime("litert").load(path), images, OURS)
        np.testing.assert_allclose(found, model(as_float(images)), atol=1e-5)
    assert is_quantized(model)


def test_int16x8_is_calibrated_as_ever(model, mnist):
    with exported(model) as saved, pytest.raises(ConversionError, match="needs representative images"):
        convert_exported(saved, "int16x8")


def test_a_folder_of_int8_alone_draws_no_images(model, mnist, tmp_path, monkeypatch):
    monkeypatch.setattr("glyphlite.conversion.folder.representative_images", lambda *_: pytest.fail("calibrated"))
    (artifact,) = convert_to_folder(model, tmp_path, ["int8"], dataset=mnist)
    assert artifact.path.is_file()


def test_the_keras_runtime_runs_the_float_twin(model, mnist):
    from glyphlite.runtimes.keras import KerasModel

    images = as_float(mnist.validation.images[:50])
    with in_float(model):
        expected = np.asarray(model(images))
    np.testing.assert_allclose(KerasModel(model).predict(images), expected, atol=1e-6)
    assert is_quantized(model)
