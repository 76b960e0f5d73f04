"""A model trained with weights of four bits becomes a file that stores four bits, and computes what was trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.aware import aware_model

from glyphlite.conversion.converter import convert_exported, exported
from glyphlite.datasets.dataset import as_float
from glyphlite.models.interface.input_convention import OURS
from glyphlite.models.qat.state import in_float
from glyphlite.runtimes.base import predict_probabilities
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.cost import weight_bytes
from glyphlite.tflite.int4 import pack_int4
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.int4_weights import with_narrow_weights
from glyphlite.tflite.writer import pack_model, unpack_model

pytestmark = pytest.mark.slow

INT8, INT4 = 9, 17


@pytest.fixture(scope="module")
def model(mnist) -> Any:
    """Odd numbers of weights among them, so that a last half byte is left over."""
    return aware_model(mnist, "narrow", seed=7, stem=5, weight_bits=4)


@pytest.fixture(scope="module")
def files(model) -> dict[str, bytes]:
    with exported(model) as saved:
        return {name: convert_exported(saved, name).content for name in ("float32", "int8")}


def _kernels(content: bytes) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in parse_graph(content).tensors if tensor.name.endswith("/kernel")}


def test_every_kernel_is_stored_in_four_bits(files):
    kernels = _kernels(files["int8"])
    assert {name: tensor.stored_type for name, tensor in kernels.items()} == dict.fromkeys(
        ("stem/kernel", "depth/kernel", "point/kernel", "pred/kernel"), "int4"
    )
    assert {name: tensor.bytes for name, tensor in kernels.items()} == {
        "stem/kernel": 63,
        "depth/kernel": 23,
        "point/kernel": 30,
        "pred/kernel": 60,
    }
    biases = 4 * (5 + 12 + 5)  # the dense layer's, still all zero, is left out
    assert weight_bytes(parse_graph(files["int8"])) == 63 + 23 + 30 + 60 + biases
    scales = {name: len(tensor.quantization.scales) for name, tensor in kernels.items()}
    assert scales == {"stem/kernel": 5, "depth/kernel": 5, "point/kernel": 12, "pred/kernel": 1}


def test_the_file_holds_the_weights_that_were_trained(model, files):
    for name, tensor in _kernels(files["int8"]).items():
        layer = next(layer for layer in model.layers if layer.name == name.split("/")[0])
        trained = np.asarray(layer._as_stored())
        scales = np.asarray(tensor.quantization.scales)
        stored = tensor.data * (
            scales if tensor.data.ndim == 4 and layer.depthwise else scales.reshape(-1, *[1] * (tensor.data.ndim - 1))
        )
        order = {"stem": (1, 2, 3, 0), "point": (1, 2, 3, 0), "depth": (1, 2, 3, 0), "pred": (1, 0)}[layer.name]
        np.testing.assert_allclose(stored.transpose(order), trained, atol=1e-6 + 0.004 * np.abs(trained).max())


def test_the_file_gives_what_the_simulation_gives(model, files, mnist, tmp_path):
    path = tmp_path / "model_int8.tflite"
    path.write_bytes(files["int8"])
    images = mnist.validation.images[:500]
    simulated = np.asarray(model(as_float(images)))
    deployed = predict_probabilities(get_runtime("tflm").load(path), images, OURS)
    np.testing.assert_allclose(deployed, simulated, atol=0.03)
    assert np.mean(np.abs(deployed - simulated)) < 0.003


def test_four_bits_give_the_bytes_that_eight_give(files, mnist, tmp_path):
    """TFLite Micro unpacks what was packed: the same codes, a byte each, give the same scores."""
    model = unpack_model(files["int8"])
    for tensor in model.subgraphs[0].tensors:
        if tensor.type == INT4:
            values = next(t.data for t in _kernels(files["int8"]).values() if t.name == tensor.name.decode())
            model.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
            tensor.type = INT8
    images = mnist.validation.images[:100]
    scores = []
    for name, content in (("four", files["int8"]), ("eight", pack_model(model))):
        (tmp_path / f"{name}.tflite").write_bytes(content)
        scores.append(predict_probabilities(get_runtime("tflm").load(tmp_path / f"{name}.tflite"), images, OURS))
    np.testing.assert_array_equal(*scores)


def test_the_float_twin_has_the_same_few_weights(model, files, mnist, tmp_path):
    for name, tensor in _kernels(files["float32"]).items():
        axis = 3 if name.startswith("depth") else 0
        each = np.moveaxis(tensor.data, axis, 0).reshape(tensor.data.shape[axis], -1)
        assert max(len(np.unique(np.round(channel, 6))) for channel in each) <= 15
    path = tmp_path / "model_float32.tflite"
    path.write_bytes(files["float32"])
    images = mnist.validation.images[:50]
    with in_float(model):
        found = predict_probabilities(get_runtime("litert").load(path), images, OURS)
        np.testing.assert_allclose(found, model(as_float(images)), atol=1e-5)


def test_weights_of_eight_bits_stay_as_they_are(samples):
    content = (samples / "model_int8.tflite").read_bytes()
    assert with_narrow_weights(content) == content


def test_a_kernel_of_zeros_is_packed_too(samples):
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    weights = model.subgraphs[0].tensors[int(model.subgraphs[0].operators[0].inputs[1])]
    model.buffers[weights.buffer].data = np.zeros(len(model.buffers[weights.buffer].data), np.uint8)
    content = with_narrow_weights(pack_model(model))
    graph = parse_graph(content)
    kernel = graph.tensors[graph.operators[0].inputs[1]]
    assert kernel.stored_type == "int4"
    assert kernel.data is not None
    assert not kernel.data.any()
    np.testing.assert_array_equal(pack_int4(kernel.data), np.zeros(kernel.bytes))


def assert_runs_everywhere_as_simulated(model, content: bytes, images: np.ndarray, folder: Path) -> None:
    path = folder / "model_int8.tflite"
    path.write_bytes(content)
    simulated = np.asarray(model(as_float(images)))
    deployed = {
        name: predict_probabilities(get_runtime(name).load(path), images, OURS) for name in ("litert", "tflm", "generated_c")
    }
    for probabilities in deployed.values():
        np.testing.assert_allclose(probabilities, simulated, atol=0.03)
    np.testing.assert_array_equal(deployed["generated_c"], deployed["tflm"])


@pytest.mark.parametrize("biased_scores", [True, False])
def test_convolutions_without_bias_share_their_zeros_and_run_everywhere(mnist, tmp_path, biased_scores):
    model = aware_model(mnist, "unbiased", seed=7, stem=12, weight_bits=4, bias=False, biased_scores=biased_scores)
    if biased_scores:
        model.get_layer("pred").bias.assign(np.linspace(-1, 1, 10))
    with exported(model) as saved:
        content = convert_exported(saved, "int8").content
    graph = parse_graph(content)
    weights = 12 * 25 // 2 + 12 * 9 // 2 + 12 * 12 // 2 + 12 * 10 // 2
    assert weight_bytes(graph) == weights + 4 * 12 + 4 * 10 * biased_scores
    assert_runs_everywhere_as_simulated(model, content, mnist.validation.images[:200], tmp_path)


@pytest.mark.parametrize("bits", [4, 8])
def test_weights_used_twice_are_stored_once_and_run_everywhere(mnist, tmp_path, bits):
    model = aware_model(mnist, "twice", seed=9, stem=12, weight_bits=bits, bias=False, biased_scores=False, again=True)
    with exported(model) as saved:
        content = convert_exported(saved, "int8").content
    graph = parse_graph(content)
    assert weight_bytes(graph) == (12 * 25 + 12 * 9 + 12 * 12 + 12 * 10) * bits // 8 + 4 * 12
    scales = {
        tensor.name: tensor.quantization.scales
        for tensor in graph.tensors
        if tensor.name.startswith("point/kernel") and tensor.quantization is not None
    }
    assert set(scales) == {"point/kernel", "point/kernel_2"}
    assert scales["point/kernel"] != scales["point/kernel_2"]
    assert_runs_everywhere_as_simulated(model, content, mnist.validation.images[:200], tmp_path)
