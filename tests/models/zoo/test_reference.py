"""The reference architectures are exactly what the specification says."""

import hashlib
import json

import pytest

from glyphlite.models.registry import REFERENCE_NAMES, resolve_model
from glyphlite.models.zoo.reference import CLASSICS

PARAMETERS = {"decay-cnn": 287_306, "micro-cnn": 21_898, "edge-cnn": 225_034, "mlp": 101_770, "classic-cnn": 34_826}


@pytest.fixture(scope="module")
def models():
    return {name: resolve_model(name, (28, 28, 1), 10).build() for name in REFERENCE_NAMES}


def _layers(model):
    """(class, the numbers that define it) of every layer."""
    described = []
    for layer in model.layers:
        config = layer.get_config()
        numbers = [
            config[key]
            for key in ("filters", "kernel_size", "strides", "pool_size", "units", "rate", "activation")
            if key in config
        ]
        described.append((type(layer).__name__, *numbers))
    return described


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_parameters(models, name, parameters):
    assert models[name].count_params() == parameters


def test_micro_cnn_layer_names(models):
    assert [layer.name for layer in models["micro-cnn"].layers] == ["input_layer", "conv", "pool", "flatten", "fc", "pred"]


def test_micro_cnn_layers(models):
    assert _layers(models["micro-cnn"])[1:] == [
        ("Conv2D", 8, (3, 3), (1, 1), "relu"),
        ("MaxPooling2D", (2, 2), (2, 2)),
        ("Flatten",),
        ("Dense", 16, "relu"),
        ("Dense", 10, "softmax"),
    ]


def test_edge_cnn_layers(models):
    assert [type(layer).__name__ for layer in models["edge-cnn"].layers] == [
        "InputLayer", "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dropout", "Dense",
    ]  # fmt: skip
    assert models["edge-cnn"].get_layer("dropout").rate == 0.3


def test_decay_cnn_layers(models):
    model = models["decay-cnn"]
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    assert [(layer.filters, layer.kernel_size, layer.strides) for layer in convolutions] == [
        (24, (6, 6), (1, 1)),
        (48, (5, 5), (2, 2)),
        (64, (4, 4), (2, 2)),
    ]
    block = ["Conv2D", "BatchNormalization", "ReLU", "Dropout"]
    names = [type(layer).__name__ for layer in model.layers]
    assert names == ["InputLayer", *block * 3, "Flatten", "Dense", *block[1:], "Dense"]
    assert [layer.rate for layer in model.layers if type(layer).__name__ == "Dropout"] == [0.25] * 4


@pytest.mark.parametrize("name", REFERENCE_NAMES)
def test_ends_in_float32_softmax(models, name):
    last = models[name].layers[-1]
    assert (last.name, last.units, last.activation.__name__, last.compute_dtype) == ("pred", 10, "softmax", "float32")


def test_specified_recipes():
    recipes = {classic.architecture.name: classic.recipe for classic in CLASSICS}
    assert (recipes["decay-cnn"].batch_size, recipes["decay-cnn"].epochs, recipes["decay-cnn"].optimizer) == (128, 20, "adam")
    for name in ("mlp", "classic-cnn"):
        assert (recipes[name].epochs, recipes[name].optimizer) == (5, "adam")


def test_a_training_that_an_older_version_left_unfinished_is_of_the_same_architecture():
    """What a checkpoint is compared by must not change with what other architectures learn to say."""
    documents = {known.architecture.name: known.architecture.document() for known in CLASSICS}
    found = {name: hashlib.sha256(json.dumps(each, sort_keys=True).encode()).hexdigest()[:12] for name, each in documents.items()}
    assert found == {
        "decay-cnn": "d01b14562369",
        "micro-cnn": "1e96f8880168",
        "edge-cnn": "efe2321da037",
        "mlp": "1dd6fa49d944",
        "classic-cnn": "896573ccd118",
    }
