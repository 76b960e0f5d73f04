"""Steps of joined weights against steps of each weight, and against Adam as its paper has it."""

from typing import Any

import numpy as np

from glyphlite.training.engine.adam import BETA1, BETA2, EPSILON, JoinedWeights, move_average, move_weights

SHAPES = ((3, 2), (), (5,))
RATES = (0.1, 0.05)
DECAY = 0.75


def _floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def _variables(values: list[np.ndarray]) -> list[Any]:
    import tensorflow as tf

    return [tf.Variable(tf.constant(value)) for value in values]


def _drawn(rng: np.random.Generator) -> list[np.ndarray]:
    return [np.asarray(rng.standard_normal(shape), np.float32) for shape in SHAPES]


def test_joined_weights_move_as_single_ones_do():
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(0)
    begin, slopes = _drawn(rng), _drawn(rng)
    zeros = [np.zeros_like(each) for each in begin]
    weights = [keras.Variable(value) for value in begin]
    moments = _variables(zeros), _variables(zeros)
    averages = _variables(begin)
    joined = JoinedWeights(weights, moments, averages)

    @tf.function(autograph=False)
    def together() -> None:
        joined.join()
        for rate in RATES:
            values = joined.read()
            with tf.GradientTape() as tape:
                tape.watch(values)
                with joined.standing_for(values):
                    parts = [weight.value * slope * weight.value for weight, slope in zip(weights, slopes, strict=True)]
                    total = tf.add_n([tf.reduce_sum(part) for part in parts])
            joined.move(tape.gradient(total, values), rate, DECAY)
        joined.part()

    together()
    expected, first, second, averaged = _variables(begin), _variables(zeros), _variables(zeros), _variables(begin)
    for rate in RATES:
        for weight, slope, one, two, average in zip(expected, slopes, first, second, averaged, strict=True):
            move_weights(weight, one, two, 2 * weight * slope, rate)
            move_average(average, weight, DECAY)
    for given, wanted in ((weights, expected), (moments[0], first), (moments[1], second), (averages, averaged)):
        for one, other in zip(given, wanted, strict=True):
            np.testing.assert_allclose(np.asarray(one), other.numpy(), rtol=1e-6, atol=1e-7)
    assert not np.allclose(np.asarray(weights[0]), begin[0])


def test_a_step_is_adams():
    """D. P. Kingma and J. Ba, "Adam" (ICLR 2015), algorithm 1, whose bias correction is in the rate."""
    weight, first, second = _variables([_floats(1, -2), _floats(0, 0), _floats(0, 0)])
    gradient = _floats(0.5, -3)
    move_weights(weight, first, second, gradient, 0.01)
    m, v = (1 - BETA1) * gradient, (1 - BETA2) * gradient**2
    np.testing.assert_allclose(weight.numpy(), _floats(1, -2) - 0.01 * m / (np.sqrt(v) + EPSILON), rtol=1e-6)


def test_without_averages_nothing_is_averaged():
    import keras

    weights = [keras.Variable(_floats(1, 2))]
    joined = JoinedWeights(weights, (_variables([_floats(0, 0)]), _variables([_floats(0, 0)])), [])
    joined.join()
    joined.move(_floats(1, 1), 0.1, DECAY)
    joined.part()
    assert (np.asarray(weights[0]) < [1, 2]).all()
