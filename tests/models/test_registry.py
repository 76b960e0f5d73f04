"""Names resolve to models, the listing is fast and true."""

import subprocess
import sys

import pytest

from glyphlite.errors import ModelError
from glyphlite.models import DEFAULT_ELSEWHERE, DEFAULT_EPOCHS, DEFAULT_MODEL, default_epochs, default_model
from glyphlite.models.cost import keras_macs, keras_parameters
from glyphlite.models.registry import MODEL_NAMES, describe_models, resolve_model


@pytest.mark.parametrize(("shape", "classes"), [((28, 28, 1), 10), ((32, 40, 3), 7)])
def test_summaries_equal_what_keras_counts(shape, classes):
    for summary in describe_models(shape, classes):
        model = resolve_model(summary.name, shape, classes).build()
        assert model.input_shape == (None, *shape)
        assert model.output_shape == (None, classes)
        assert (summary.parameters, summary.macs) == (keras_parameters(model), keras_macs(model))


def test_micro_cnn_costs_what_the_design_says():
    summary = next(summary for summary in describe_models() if summary.name == "micro-cnn")
    assert (summary.parameters, summary.macs) == (21_898, 70_464)


def test_listing_imports_no_tensorflow():
    code = (
        "import sys; from glyphlite.models.registry import describe_models, resolve_model; describe_models();"
        "resolve_model('mlp', (28, 28, 1), 10); sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_recipes_in_words():
    words = {summary.name: summary.recipe for summary in describe_models()}
    assert words["decay-cnn"] == "Adam, rate 0.0001 + 0.02 exp(-epoch / 3), 20 epochs, batches of 128"


def test_unknown_name_lists_the_known():
    with pytest.raises(ModelError, match="no model is called 'resnet'") as caught:
        resolve_model("resnet", (28, 28, 1), 10)
    assert all(name in str(caught.value) for name in MODEL_NAMES)


def test_images_too_small_for_the_layers():
    with pytest.raises(ModelError, match="edge-cnn needs larger images than 5x5x1: nothing is left after its layer conv2"):
        resolve_model("edge-cnn", (5, 5, 1), 10)


def test_only_mnist_has_a_default_with_teachers():
    assert (default_model("mnist"), default_epochs("mnist")) == (DEFAULT_MODEL, DEFAULT_EPOCHS)
    assert resolve_model(DEFAULT_MODEL, (28, 28, 1), 10).recipe.epochs > DEFAULT_EPOCHS
    assert (default_model("my-letters/"), default_epochs("my-letters/")) == (DEFAULT_ELSEWHERE, None)
    assert resolve_model(DEFAULT_ELSEWHERE, (28, 28, 1), 10).recipe.distillation is None


def test_fingerprints_tell_models_apart():
    assert len({resolve_model(name, (28, 28, 1), 10).fingerprint for name in MODEL_NAMES}) == len(MODEL_NAMES)
