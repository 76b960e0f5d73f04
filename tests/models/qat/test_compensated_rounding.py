"""Rounding to four bits that makes up for its errors: what it costs a layer's sums, and a model's file."""

import numpy as np
import pytest

from glyphlite.conversion.converter import convert
from glyphlite.errors import ModelError
from glyphlite.models.architecture import Architecture, Flatten, FoldedConv
from glyphlite.models.qat.compensated_rounding import LARGEST, compensated_codes, narrow_layers
from glyphlite.models.qat.state import measure_ranges, set_quantized
from glyphlite.tflite.reader import parse_graph


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    """Inputs that hang together, as the pixels of a map do; the last is always 0."""
    rng = np.random.default_rng(0)
    seen = np.maximum(rng.normal(size=(2_000, 8)) @ rng.normal(size=(8, 40)) + 0.3 * rng.normal(size=(2_000, 40)), 0)
    seen[:, -1] = 0
    return seen


def test_sums_change_less_than_by_rounding_each_weight_for_itself(inputs: np.ndarray) -> None:
    weights = np.random.default_rng(1).normal(size=(12, 40))
    codes, steps = compensated_codes(weights, inputs.T @ inputs / len(inputs))
    assert np.array_equal(codes, np.round(codes))
    assert np.abs(codes).max() <= LARGEST
    nearest = np.abs(weights).max(axis=1) / LARGEST
    alone = np.round(weights / nearest[:, None]) * nearest[:, None]
    errors = [np.mean((inputs @ (weights - rounded).T) ** 2) for rounded in (codes * steps[:, None], alone)]
    assert errors[0] < 0.25 * errors[1]


def test_weights_on_their_steps_stay(inputs: np.ndarray) -> None:
    exact = np.random.default_rng(2).integers(-LARGEST, LARGEST + 1, (5, 40)).astype(float)
    exact[:, 0] = LARGEST
    codes, steps = compensated_codes(exact * 0.125, inputs.T @ inputs / len(inputs))
    assert np.array_equal(codes, exact)
    assert steps == pytest.approx(np.full(5, 0.125))


@pytest.mark.slow
def test_a_narrowed_layer_is_stored_in_four_bits_and_the_others_are_not(mnist) -> None:
    import keras

    keras.utils.set_random_seed(0)
    layers = (FoldedConv("stem", 4, 4, 4), FoldedConv("hidden", 8, 7), Flatten())
    model = Architecture("small", layers).build((28, 28, 1), 10)
    images = mnist.train.images[:300].astype(np.float32) / 255
    measure_ranges(model, images)
    set_quantized(model, quantized=True)
    before = np.asarray(model(images[:50]))
    narrow_layers(model, ("hidden",), images)
    graph = parse_graph(convert(model, "int8").content)
    bits = {tensor.name: tensor.packed_bits for tensor in graph.tensors if "kernel" in tensor.name}
    assert bits == {"stem/kernel": None, "hidden/kernel": 4, "pred/kernel": None}
    assert np.abs(np.asarray(model(images[:50])) - before).max() < 0.1
    narrow_layers(model, ("stem",), images)
    assert np.abs(np.asarray(model(images[:50])) - before).max() < 0.2, "one with a stride, too"
    with pytest.raises(ModelError, match="no convolution pred whose weights could be rounded"):
        narrow_layers(model, ("pred",), images)
