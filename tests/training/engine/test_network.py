"""The compiled engine's passes against TensorFlow's, on small nets of every kind that it knows."""

import numpy as np
import pytest

from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, FoldedDepthwise, GlobalMean, Pool
from glyphlite.models.qat.state import measure_ranges, set_quantized
from glyphlite.training.engine import network as network_module
from glyphlite.training.engine.library import engine_library
from glyphlite.training.engine.network import Network, network_of
from glyphlite.training.engine.plan import plan_of

SIDE, CLASSES = 13, 5
MANY = 70
"""Images: two whole groups, and one of which some lanes are empty."""

ARCHITECTURES = {
    "separable": (
        FoldedConv("stem", 9, 4, 2, "same"),
        FoldedDepthwise("depth1", 3, padding="same"),
        FoldedConv("point1", 11, 1),
        FoldedDepthwise("depth2", 3),
        FoldedConv("point2", 17, 1),
        GlobalMean("mean"),
    ),
    "without biases": (
        FoldedConv("stem", 7, 3, 2, "same", bias=False),
        FoldedDepthwise("depth", 3),
        FoldedConv("point", 8, 1, bias=False),
        GlobalMean("mean"),
    ),
    "weights used twice": (
        FoldedConv("stem", 6, 3, 2),
        FoldedDepthwise("depth1", 3, padding="same"),
        FoldedConv("point1", 6, 1, bias=False),
        FoldedDepthwise("depth2", 3, padding="valid", weights_of="depth1"),
        FoldedConv("point2", 6, 1, bias=False, weights_of="point1"),
        GlobalMean("mean"),
    ),
    "pooled and flattened": (
        FoldedConv("stem", 5, 3),
        Pool("pool"),
        FoldedConv("wide", 6, 3, padding="same"),
        FoldedConv("strided", 7, 3, 2, "same"),
        Flatten(),
    ),
    "strided depthwise": (
        FoldedConv("stem", 4, 2),
        FoldedDepthwise("depth", 5, 2, "same"),
        FoldedConv("strided", 6, 2, 2),
        FoldedDepthwise("head", 3),
        Flatten(),
    ),
    "places in several chunks": (
        FoldedConv("stem", 7, 3, padding="same"),
        FoldedConv("point1", 5, 1),
        FoldedDepthwise("depth", 3, padding="same"),
        FoldedConv("point2", 9, 1),
        Pool("pool"),
        FoldedConv("point3", 3, 1, bias=False),
        GlobalMean("mean"),
    ),
    "strided 1x1": (
        FoldedConv("stem", 6, 3),
        FoldedConv("point", 5, 1, 2),
        FoldedDepthwise("depth", 1, 2),
        FoldedConv("late", 7, 3),
        Flatten(),
    ),
    "hidden": (FoldedConv("stem", 5, 5, 3), FoldedConv("hidden", 13, 3), Flatten()),
}


def _model(name: str, *, quantized: bool, bits: int = 8):
    import keras

    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(2)
    architecture = Architecture("net", ARCHITECTURES[name], bits, biased_scores=name != "without biases")
    model = architecture.build((SIDE, SIDE, 1), CLASSES)
    for variable in model.trainable_variables:
        variable.assign(variable + rng.normal(scale=0.1, size=variable.shape))
    if quantized:
        measure_ranges(model, _images(MANY))
        for layer in model.layers:
            for low, high in layer.ranges if getattr(layer, "learns_range", False) else ():
                low.assign(low * 0.7)  # so that some values are clipped at either end
                high.assign(high * 0.7)
        set_quantized(model, quantized=True)
    return model


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (count, SIDE, SIDE, 1)).astype(np.float32) / np.float32(255)


def _network(model, threads: int = 2) -> Network:
    plan, library = plan_of(model), engine_library()
    assert plan is not None
    assert library is not None
    return Network(library, plan, MANY, threads)


def _step(model, scores, images):
    """Returns scores, gradients of the weights and moving statistics of a step; the model is left as it was."""
    import tensorflow as tf

    before = model.get_weights()
    labels = np.arange(len(images)) % CLASSES
    with tf.GradientTape() as tape:
        given = scores(images)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, given))
    weights = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    moved = [variable.numpy() for variable in model.non_trainable_variables]
    model.set_weights(before)
    return given.numpy(), [np.asarray(each) for each in gradients], moved


def _by_tensorflow(model):
    import keras

    sums = keras.Model(model.inputs, model.layers[-1].input)
    return lambda images: sums([images], training=True)


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Returns the size of the difference, relative to that of what TensorFlow gives."""
    return float(np.linalg.norm(ours - theirs) / (np.linalg.norm(theirs) + 1e-7))


@pytest.mark.parametrize("images", [MANY, 3])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_step_is_tensorflows(name: str, images: int):
    model = _model(name, quantized=False)
    given = _images(images)
    ours, theirs = _step(model, _network(model).scores, given), _step(model, _by_tensorflow(model), given)
    assert _distance(ours[0], theirs[0]) < 1e-5
    for variable, mine, other in zip(model.trainable_variables, ours[1], theirs[1], strict=True):
        assert _distance(mine, other) < 1e-3, variable.path  # sums whose order differs; a ReLU may open on one side alone
    for variable, mine, other in zip(model.non_trainable_variables, ours[2], theirs[2], strict=True):
        assert _distance(mine, other) < 1e-5, variable.path


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_step_with_int8_simulated_is_tensorflows(name: str, bits: int):
    model = _model(name, quantized=True, bits=bits)
    given = _images(MANY)
    ours, theirs = _step(model, _network(model).scores, given), _step(model, _by_tensorflow(model), given)
    assert _distance(ours[0], theirs[0]) < 3e-3  # a tie may be rounded the other way
    distances = [_distance(mine, other) for mine, other in zip(ours[1], theirs[1], strict=True)]
    assert max(distances) < 0.05, dict(zip([each.path for each in model.trainable_variables], distances, strict=True))
    assert np.median(distances) < 3e-3
    assert any(np.any(gradient) for gradient in theirs[1])
    for mine, other in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_array_equal(mine, other)  # nothing moves any more


@pytest.mark.parametrize("quantized", [False, True])
def test_the_number_of_threads_changes_no_bit(quantized: bool):
    model = _model("separable", quantized=quantized)
    steps = [_step(model, _network(model, threads).scores, _images(MANY)) for threads in (1, 2, 3)]
    for other in steps[1:]:
        for mine, theirs in zip(steps[0], other, strict=True):
            for one, two in zip(mine, theirs, strict=True):
                np.testing.assert_array_equal(one, two)


def test_a_batch_knows_nothing_of_the_one_before():
    model = _model("strided depthwise", quantized=False)
    network = _network(model)
    fresh = _step(model, network.scores, _images(3))
    _step(model, network.scores, _images(MANY)[::-1])
    again = _step(model, network.scores, _images(3))
    np.testing.assert_array_equal(fresh[0], again[0])
    for one, two in zip(fresh[1], again[1], strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("quantized", [False, True])
def test_a_weight_that_is_no_number_is_seen_in_the_scores(quantized: bool):
    model = _model("hidden", quantized=quantized)
    network = _network(model)
    kernel = next(variable for variable in model.trainable_variables if variable.path == "stem/kernel")
    kernel.assign(np.full(kernel.shape, np.nan))
    assert np.isnan(network.scores(_images(3)).numpy()).all()


def test_too_large_a_batch_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    from glyphlite.errors import ModelError

    class Library:
        @staticmethod
        def network_new(*_):
            return None

        network_free = None

    monkeypatch.setattr(network_module, "engine_library", Library)
    with pytest.raises(ModelError, match="no memory to train in batches of 70; use smaller ones"):
        network_of(_model("hidden", quantized=False), MANY)


def test_more_images_than_there_is_memory_for_are_refused():
    network = _network(_model("hidden", quantized=False))
    with pytest.raises(ValueError, match="a batch of 71 images in memory for 70"):
        network.scores(_images(MANY + 1))


def test_without_a_compiler_tensorflow_trains(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(network_module, "engine_library", lambda: None)
    assert network_of(_model("hidden", quantized=False), MANY) is None
