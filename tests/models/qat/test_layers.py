"""The layers that are trained for int8: what folds is what normalizes, what rounds is what int8 holds."""

from typing import Any

import numpy as np
import pytest

from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, FoldedDepthwise, GlobalMean, Pool
from glyphlite.models.loading import load_keras_model
from glyphlite.models.qat.state import (
    begin_freezing,
    express_frozen,
    freeze_weights,
    frozen_codes,
    in_float,
    is_quantization_aware,
    is_quantized,
    measure_ranges,
    set_quantized,
    with_nearest_frozen,
)

pytestmark = pytest.mark.slow  # Keras starts and trains

LAYERS = (FoldedConv("stem", 6, 5, 2), FoldedDepthwise("depth", 3), FoldedConv("point", 8, 1), Pool("pool"))
STATISTICS = ("beta", "gamma", "mean", "variance")


Weights = list[np.ndarray]


@pytest.fixture(scope="module")
def images(mnist) -> np.ndarray:
    images = mnist.train.images[:64].astype(np.float32) / 255
    images.setflags(write=False)
    return images


def _moved(architecture: Architecture, images: np.ndarray, batches: int = 300) -> Any:
    """A model whose statistics were moved by a few batches, as training moves them."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    built = architecture.build((28, 28, 1), 10)

    @tf.function
    def move() -> None:
        for _ in tf.range(batches):
            built(images, training=True)

    move()
    return built


def _with_weights(architecture: Architecture, weights: Weights) -> Any:
    """The same model again, which a test may change."""
    built = architecture.build((28, 28, 1), 10)
    built.set_weights(weights)
    return built


SMALL = Architecture("small", (*LAYERS, GlobalMean("mean")))


@pytest.fixture(scope="module")
def moved_small(images) -> Weights:
    built = _moved(SMALL, images)
    measure_ranges(built, images)
    return built.get_weights()


@pytest.fixture
def model(moved_small) -> Any:
    """Every kind of layer."""
    return _with_weights(SMALL, moved_small)


def _layer(model: Any, name: str) -> Any:
    return next(layer for layer in model.layers if layer.name == name)


def _range(model: Any, name: str, use: int = 0) -> tuple[float, float]:
    low, high = _layer(model, name).ranges[use]
    return float(low), float(high)


def test_the_folded_convolution_computes_what_normalization_did(model, images):
    trained, folded = np.asarray(model(images, training=True)), np.asarray(model(images, training=False))
    np.testing.assert_allclose(folded, trained, atol=0.02)
    assert trained.std() > 0.01


def test_folding_is_batch_normalization_by_its_formula(model, images):
    stem = _layer(model, "stem")
    kernel, bias = (np.asarray(each, np.float64) for each in stem.folded())
    beta, gamma, mean, variance = (np.asarray(getattr(stem.normalizations[0], name)) for name in STATISTICS)
    deviation = np.sqrt(variance.astype(np.float64) + 1e-3)
    np.testing.assert_allclose(kernel, np.asarray(stem.kernel) * (gamma / deviation), rtol=1e-5)
    np.testing.assert_allclose(bias, beta - mean * gamma / deviation, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("name", "axes"), [("stem", (0, 1, 2)), ("depth", (0, 1)), ("point", (0, 1, 2)), ("pred", (0,))])
def test_rounded_weights_are_whole_numbers_of_a_scale_a_channel(model, name, axes):
    from glyphlite.models.qat.layers import rounded_weights

    layer = _layer(model, name)
    weights = np.asarray(layer.kernel if name == "pred" else layer.folded()[0])
    rounded = np.asarray(rounded_weights(weights, axes=axes), np.float64)
    scale = np.abs(weights).max(axis=axes, keepdims=True).astype(np.float64) / 127
    steps = rounded / scale
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert np.abs(steps).max(axis=axes) == pytest.approx(127, abs=1e-3)
    assert np.abs(rounded - weights).max() <= scale.max() * 0.501


def test_an_activation_takes_at_most_256_values_in_the_quantized_state(model, images):
    import keras

    probe = keras.Model(model.inputs[0], [_layer(model, name).output for name in ("stem", "depth", "mean", "pred")])
    set_quantized(model, quantized=True)
    for values, name in zip(probe(images), ("stem", "depth", "mean", "pred"), strict=True):
        low, high = _range(model, name)
        step = (high - low) / 255
        found = np.unique(np.asarray(values))
        assert len(found) <= 256
        np.testing.assert_allclose(found / step, np.round(found / step), atol=0.02)
        assert 0 in found or found.min() > 0


def test_gradients_pass_the_rounding_and_move_a_range_that_clips(model, images):
    import tensorflow as tf

    set_quantized(model, quantized=True)
    _layer(model, "point").ranges[0][1].assign(0.1)
    with tf.GradientTape() as tape:
        objective = tf.reduce_sum(model(images, training=True)[:, 0])
    gradients = dict(
        zip([v.path for v in model.trainable_variables], tape.gradient(objective, model.trainable_variables), strict=True)
    )
    ends = {path.split("/")[-2:][0]: gradient for path, gradient in gradients.items() if path.endswith("high")}
    assert float(abs(ends["point"])) > 0
    assert all(np.abs(np.asarray(gradients[path])).max() > 0 for path in gradients if path.endswith("kernel"))


def test_a_rectified_range_begins_at_zero_and_the_input_is_exact(model):
    set_quantized(model, quantized=True)
    pixels = (np.arange(784, dtype=np.float32) % 256 / 255).reshape(1, 28, 28, 1)
    np.testing.assert_allclose(np.asarray(_layer(model, "rounded_input")(pixels)), pixels, atol=1e-7)
    assert _range(model, "stem")[0] == 0
    assert _range(model, "depth")[0] < 0


def test_a_keras_file_keeps_weights_ranges_and_state(model, images, tmp_path):
    set_quantized(model, quantized=True)
    expected = np.asarray(model(images))
    model.save(tmp_path / "model.keras")
    again = load_keras_model(tmp_path / "model.keras")
    assert is_quantized(again)
    np.testing.assert_array_equal(np.asarray(again(images)), expected)


def test_the_float_twin_is_the_same_weights_without_rounding(model, images):
    before = np.asarray(model(images))
    set_quantized(model, quantized=True)
    with in_float(model):
        assert not is_quantized(model)
        np.testing.assert_array_equal(np.asarray(model(images)), before)
    assert is_quantized(model)
    assert not np.array_equal(np.asarray(model(images)), before)


def test_ranges_hold_what_the_layers_give(model, images):
    import keras

    for name in ("stem", "depth", "point", "pred"):
        values = np.asarray(keras.Model(model.inputs[0], _layer(model, name).output)(images))
        low, high = _range(model, name)
        assert high == pytest.approx(values.max(), rel=0.1)
        assert low == pytest.approx(min(values.min(), 0), rel=0.1, abs=1e-6)


def test_only_such_layers_make_a_model_quantization_aware(model):
    from glyphlite.models.registry import resolve_model

    assert is_quantization_aware(model)
    assert not is_quantization_aware(resolve_model("mlp", (28, 28, 1), 10).build())


@pytest.mark.parametrize("last", [(GlobalMean("mean"),), (FoldedDepthwise("head", 5), Flatten())])
def test_counts_are_those_of_the_model_that_is_built(last):
    from glyphlite.models.cost import keras_macs

    architecture = Architecture("small", (*LAYERS, FoldedDepthwise("same", 3, padding="same"), *last))
    costs = list(architecture.costs((28, 28, 1), 10))
    model = architecture.build((28, 28, 1), 10)
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    assert all(shapes[cost.name] == cost.output_shape for cost in costs)
    assert sum(cost.macs for cost in costs) == keras_macs(model)


UNBIASED = Architecture(
    "unbiased",
    (
        FoldedConv("stem", 6, 5, 2, bias=False),
        FoldedDepthwise("depth", 3),
        FoldedConv("point", 8, 1, bias=False),
        GlobalMean("mean"),
    ),
)


@pytest.fixture(scope="module")
def moved_unbiased(images) -> Weights:
    return _moved(UNBIASED, images).get_weights()


@pytest.fixture
def unbiased(moved_unbiased) -> Any:
    """Convolutions without bias."""
    return _with_weights(UNBIASED, moved_unbiased)


def test_normalization_without_a_bias_divides_by_the_root_of_the_mean_square(unbiased, images):
    import keras
    import tensorflow as tf

    trained, folded = np.asarray(unbiased(images, training=True)), np.asarray(unbiased(images, training=False))
    np.testing.assert_allclose(folded, trained, atol=0.02)
    stem = _layer(unbiased, "stem")
    stem.normalizations[0].gamma.assign(np.linspace(0.5, 2, 6))
    sums = np.asarray(tf.nn.conv2d(images, stem.kernel.value, 2, "VALID"), np.float64)
    expected = np.maximum(sums / np.sqrt((sums**2).mean(axis=(0, 1, 2)) + 1e-3) * np.linspace(0.5, 2, 6), 0)
    np.testing.assert_allclose(np.asarray(stem(images, training=True)), expected, atol=1e-4)
    black = keras.Model(unbiased.inputs[0], _layer(unbiased, "point").output)(np.zeros((1, 28, 28, 1), np.float32))
    assert not np.asarray(black).any()


def test_a_convolution_without_bias_has_none_to_store(unbiased, images, tmp_path):
    from glyphlite.models.cost import keras_parameters

    stem, point = _layer(unbiased, "stem"), _layer(unbiased, "point")
    assert stem.folded()[1] is None
    assert (stem.deployed_parameters, point.deployed_parameters) == (6 * 25, 8 * 6)
    assert keras_parameters(unbiased) == 6 * 25 + 6 * 9 + 8 * 6 + 8 * 10 + 10
    costs = Architecture("unbiased", (FoldedConv("stem", 6, 5, 2, bias=False), GlobalMean("mean"))).costs((28, 28, 1), 10)
    assert [cost.parameters for cost in costs] == [6 * 25, 0, 6 * 10 + 10]
    unbiased.save(tmp_path / "model.keras")
    again = load_keras_model(tmp_path / "model.keras")
    assert not _layer(again, "stem").centered
    np.testing.assert_array_equal(np.asarray(again(images)), np.asarray(unbiased(images)))


@pytest.mark.parametrize("layers", [(GlobalMean("mean"),), (Flatten(),)], ids=["trained for int8", "not"])
def test_scores_without_bias_have_none_to_count_and_make_none_of_nothing(layers, images, tmp_path):
    from glyphlite.models.cost import keras_parameters

    architecture = Architecture("unbiased", layers, biased_scores=False)
    built = architecture.build((28, 28, 1), 10)
    assert keras_parameters(built) == sum(cost.parameters for cost in architecture.costs((28, 28, 1), 10))
    assert keras_parameters(built) == 10 * (1 if layers[0].name == "mean" else 784)
    built.save(tmp_path / "model.keras")
    again = load_keras_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(images)), np.asarray(built(images)))
    np.testing.assert_allclose(np.asarray(built(np.zeros_like(images[:1]))), 0.1, rtol=1e-5)
    assert architecture.document() != Architecture("unbiased", layers).document()


NARROW = Architecture("narrow", (*LAYERS, GlobalMean("mean")), weight_bits=4)


@pytest.fixture(scope="module")
def moved_narrow(images) -> Weights:
    return _moved(NARROW, images, batches=100).get_weights()


@pytest.fixture
def narrow(moved_narrow) -> Any:
    """The same layers with weights of four bits, still in float."""
    return _with_weights(NARROW, moved_narrow)


def _stored_kernel(layer: Any) -> np.ndarray:
    return np.asarray(layer._as_stored())


@pytest.mark.parametrize("name", ["stem", "depth", "point", "pred"])
def test_narrow_weights_are_few_multiples_of_their_steps_once_quantized(narrow, images, name):
    layer = _layer(narrow, name)
    before = np.asarray(layer.kernel if name == "pred" else layer.folded()[0])
    np.testing.assert_array_equal(_stored_kernel(layer), before)
    measure_ranges(narrow, images)
    set_quantized(narrow, quantized=True)
    step = np.exp(np.asarray(layer.log_step))
    codes = _stored_kernel(layer) / (step.reshape(1, 1, -1, 1) if name == "depth" else step)
    np.testing.assert_allclose(codes, np.round(codes), atol=1e-4)
    assert 4 <= np.abs(codes).max() <= 7 + 1e-4
    assert np.abs(_stored_kernel(layer) - before).max() < 0.5 * np.abs(before).max()


def test_steps_begin_with_the_least_squared_error():
    from glyphlite.models.qat.layers import best_steps

    weights = np.random.default_rng(4).normal(size=(3, 3, 5, 4)).astype(np.float32) * [0.1, 1, 10, 0]

    def error(steps: np.ndarray) -> np.ndarray:
        return np.square(np.clip(np.round(weights / steps), -7, 7) * steps - weights).sum(axis=(0, 1, 2))

    steps = best_steps(weights, (0, 1, 2), 4)
    assert steps.shape == (4,)
    assert (steps > 0).all()
    for factor in (0.8, 0.9, 1.1, 1.2):
        assert (error(steps) <= error(steps * factor) + 1e-9).all()
    assert best_steps(weights, (0, 1, 2, 3), 4).shape == (1,)


def test_gradients_of_a_step_are_those_of_learned_step_size_quantization():
    """Esser et al., equation 3: round(w/s) - w/s within the range, its end outside; a weight's gradient passes only within."""
    import tensorflow as tf

    from glyphlite.models.qat.layers import stepped_weights

    weights, step = tf.constant([0.26, -0.1, 3.0, -2.0]), tf.constant(0.1)
    tape: Any = tf.GradientTape(persistent=True)
    with tape:
        tape.watch([weights, step])
        rounded = stepped_weights(weights, step, 4)
        sums = [rounded[index] for index in range(4)]
    np.testing.assert_allclose(rounded, [0.3, -0.1, 0.7, -0.7], atol=1e-6)
    np.testing.assert_allclose([tape.gradient(each, step) for each in sums], [3 - 2.6, 0, 7, -7], atol=1e-5)
    np.testing.assert_allclose(tape.gradient(rounded, weights), [1, 1, 0, 0])


def test_the_float_twin_and_the_keras_file_keep_narrow_weights(narrow, images, tmp_path):
    measure_ranges(narrow, images)
    set_quantized(narrow, quantized=True)
    expected = {name: _stored_kernel(_layer(narrow, name)) for name in ("stem", "depth", "point", "pred")}
    narrow.save(tmp_path / "model.keras")
    again = load_keras_model(tmp_path / "model.keras")
    with in_float(again):
        for name, kernel in expected.items():
            np.testing.assert_array_equal(_stored_kernel(_layer(again, name)), kernel)
        twin = np.asarray(again(images))
    assert not np.array_equal(np.asarray(again(images)), twin)
    np.testing.assert_array_equal(np.asarray(again(images)), np.asarray(narrow(images)))


def test_weights_of_another_number_of_bits_are_refused():
    from glyphlite.models.qat.layers import QuantizedDense

    for bits in (1, 9):
        with pytest.raises(ValueError, match="expected 2 to 8"):
            QuantizedDense(3, weight_bits=bits)


def test_those_nearest_to_a_code_freeze_first_and_stay():
    codes = np.array([[0.1, 2.45], [-3.0, 5.8]])
    none = np.full((2, 2), np.nan)
    half = with_nearest_frozen(codes, none, 0.5)
    np.testing.assert_array_equal(half, [[0, np.nan], [-3, np.nan]])
    np.testing.assert_array_equal(with_nearest_frozen(codes + 1.2, half, 0.5), half)
    np.testing.assert_array_equal(with_nearest_frozen(codes + 1.2, half, 0.75), [[0, np.nan], [-3, 7]])
    np.testing.assert_array_equal(with_nearest_frozen(codes, half, 1.0), [[0, 2], [-3, 6]])
    np.testing.assert_array_equal(none, np.full((2, 2), np.nan))


@pytest.fixture
def freezing(narrow, images) -> Any:
    """The same with two thirds of its weights frozen."""
    measure_ranges(narrow, images)
    set_quantized(narrow, quantized=True)
    begin_freezing(narrow)
    freeze_weights(narrow, narrow, 2 / 3)
    return narrow


@pytest.mark.parametrize("name", ["stem", "depth", "point", "pred"])
def test_in_training_the_frozen_are_rounded_and_the_others_are_not(freezing, name):
    layer = _layer(freezing, name)
    step = np.asarray(layer._step())
    frozen, trained = layer.frozen.numpy(), np.asarray(layer._as_stored(training=True)) / step
    is_free = np.isnan(frozen)
    assert np.mean(is_free) == pytest.approx(1 / 3, abs=0.02)
    np.testing.assert_allclose(trained[~is_free], frozen[~is_free], atol=1e-5)
    np.testing.assert_allclose(trained[is_free], layer.codes()[is_free], atol=1e-4)
    assert np.abs(trained[is_free] - np.round(trained[is_free])).min() > 0.1
    asked = _stored_kernel(layer) / step
    np.testing.assert_allclose(asked, np.round(layer.codes()), atol=1e-4)


def test_only_what_is_not_frozen_gets_a_gradient(freezing, images):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        objective = tf.reduce_sum(freezing(images, training=True)[:, 0])
    kernels = [_layer(freezing, name).kernel.value for name in ("stem", "depth", "point", "pred")]
    for gradient, frozen in zip(tape.gradient(objective, kernels), frozen_codes(freezing), strict=True):
        gradient, is_free = np.asarray(gradient), np.isnan(frozen.numpy())
        assert np.all(gradient[~is_free] == 0)
        assert np.any(gradient[is_free] != 0)


@pytest.mark.parametrize("name", ["stem", "depth", "point", "pred"])
def test_what_is_frozen_keeps_its_code_whatever_became_of_the_weights(freezing, name):
    layer = _layer(freezing, name)
    if name in ("stem", "point"):
        gamma = layer.normalizations[0].gamma
        gamma.assign(gamma * -1.7)
    layer.kernel.assign(layer.kernel + 0.3)
    before = np.asarray(layer.kernel)
    express_frozen(freezing, freezing)
    frozen = layer.frozen.numpy()
    is_free = np.isnan(frozen)
    codes = _stored_kernel(layer) / np.asarray(layer._step())
    np.testing.assert_allclose(codes[~is_free], frozen[~is_free], atol=1e-4)
    np.testing.assert_array_equal(np.asarray(layer.kernel)[is_free], before[is_free])


TWICE = Architecture(
    "twice",
    (
        FoldedConv("stem", 6, 5, 2, bias=False),
        FoldedDepthwise("depth1", 3),
        FoldedConv("point1", 6, 1, bias=False),
        FoldedDepthwise("depth2", 3, padding="same", weights_of="depth1"),
        FoldedConv("point2", 6, 1, bias=False, weights_of="point1"),
        GlobalMean("mean"),
    ),
    weight_bits=4,
    biased_scores=False,
)
"""A separable convolution whose weights are used once more."""


@pytest.fixture(scope="module")
def moved_twice(images) -> Weights:
    return _moved(TWICE, images).get_weights()


@pytest.fixture
def twice(moved_twice) -> Any:
    return _with_weights(TWICE, moved_twice)


def test_weights_used_twice_are_counted_once_and_computed_with_twice(twice):
    from glyphlite.models.cost import keras_macs, keras_parameters

    costs = {cost.name: cost for cost in TWICE.costs((28, 28, 1), 10)}
    assert (costs["depth2"].parameters, costs["point2"].parameters) == (0, 0)
    assert (costs["depth2"].output_shape, costs["point2"].macs) == ((10, 10, 6), 6 * 6 * 10 * 10)
    assert keras_parameters(twice) == sum(cost.parameters for cost in costs.values()) == 6 * 25 + 6 * 9 + 6 * 6 + 6 * 10
    assert keras_macs(twice) == sum(cost.macs for cost in costs.values())
    assert "weights_of" not in str(Architecture("small", LAYERS).document())
    assert "weights_of" in str(TWICE.document())


def test_each_use_has_a_normalization_and_a_range_of_its_own(twice, images):
    import keras

    point = _layer(twice, "point1")
    first, second = (np.asarray(each.variance) for each in point.normalizations)
    assert not np.allclose(first, second, rtol=0.05)
    trained, folded = np.asarray(twice(images, training=True)), np.asarray(twice(images, training=False))
    np.testing.assert_allclose(folded, trained, atol=0.02)
    point.normalizations[1].gamma.assign(-np.linspace(1, 5, 6))
    measure_ranges(twice, images)
    after = keras.Model(twice.inputs[0], _layer(twice, "mean").input)(images)
    assert _range(twice, "point1", 1)[1] == pytest.approx(float(np.max(after)), rel=0.1)
    assert _range(twice, "point1", 1)[1] > 2 * _range(twice, "point1", 0)[1]


def test_weights_used_twice_have_the_same_codes_in_both_uses(twice, images):
    point = _layer(twice, "point1")
    point.normalizations[1].gamma.assign(np.linspace(-1, 5, 6))
    measure_ranges(twice, images)
    set_quantized(twice, quantized=True)
    for layer in (point, _layer(twice, "depth1")):
        codes = [np.asarray(layer._as_stored(use) / layer._step(use)) for use in (0, 1)]
        np.testing.assert_allclose(codes[0], np.round(codes[0]), atol=1e-4)
        np.testing.assert_allclose(codes[0], codes[1], atol=1e-4)
        assert 4 <= np.abs(codes[0]).max() <= 7 + 1e-4
    assert not np.allclose(point._as_stored(0), point._as_stored(1))


def test_frozen_weights_used_twice_are_the_same_in_both_uses(twice, images):
    measure_ranges(twice, images)
    set_quantized(twice, quantized=True)
    begin_freezing(twice)
    freeze_weights(twice, twice, 0.5)
    point = _layer(twice, "point1")
    assert len(frozen_codes(twice)) == 4
    frozen = np.isfinite(point.frozen.numpy())
    assert frozen.sum() == 18
    for use in (0, 1):
        stored = np.asarray(point._as_stored(use, training=True) / point._step(use))
        np.testing.assert_allclose(stored[frozen], point.frozen.numpy()[frozen], atol=1e-4)
        assert np.abs(stored[~frozen] - np.round(stored[~frozen])).max() > 0.05


def test_a_keras_file_keeps_that_weights_are_used_twice(twice, images, tmp_path):
    measure_ranges(twice, images)
    set_quantized(twice, quantized=True)
    twice.save(tmp_path / "model.keras")
    again = load_keras_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(again(images)), np.asarray(twice(images)))
    assert len(again.weights) == len(twice.weights)
    assert sum(weight.path.endswith("kernel") for weight in again.weights) == 4


def test_every_use_has_a_bias_a_channel_where_normalization_is_centred():
    from glyphlite.models.qat.layers import QuantizedConv2D

    once, twice = QuantizedConv2D(0, 3, depthwise=True), QuantizedConv2D(4, 1, padding=["valid", "same"])
    for layer in (once, twice):
        layer.build((None, 8, 8, 5))
    assert (once.deployed_parameters, twice.deployed_parameters) == (5 * 9 + 5, 5 * 4 + 2 * 4)
