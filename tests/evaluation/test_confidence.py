"""Certainty against accuracy, on cases whose answer is known by hand."""

import numpy as np
import pytest

from glyphlite.evaluation.confidence import (
    as_probabilities,
    calibrated,
    expected_calibration_error,
    fit_confidence,
    is_refused,
    mean_certainty,
    softmax,
    with_test_figures,
)


def test_a_model_that_is_as_often_right_as_it_says_has_no_error():
    probabilities = np.tile([0.75, 0.25], (8, 1))
    labels = np.array([0] * 6 + [1] * 2)
    assert mean_certainty(probabilities) == 0.75
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.0)


def test_a_model_that_is_always_sure_and_half_the_time_wrong_is_off_by_a_half():
    probabilities = np.array([[1.0, 0.0]] * 10)
    assert expected_calibration_error(probabilities, np.array([0, 1] * 5)) == pytest.approx(0.5)


def test_gaps_in_different_bins_do_not_cancel():
    probabilities = np.array([[1.0, 0.0]] * 4 + [[0.6, 0.4]] * 4)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 0])
    assert expected_calibration_error(probabilities, labels) == pytest.approx((4 * 0.5 + 4 * 0.4) / 8)


def test_dequantized_probabilities_just_above_one_and_no_images_are_fine():
    assert expected_calibration_error(np.array([[1.0000001, 0.0]], np.float32), np.array([0])) == pytest.approx(0.0)
    assert expected_calibration_error(np.zeros((0, 10)), np.zeros(0, int)) == 0.0
    assert mean_certainty(np.zeros((0, 10))) == 0.0


def test_probabilities_are_left_alone_and_logits_become_some():
    quantized = np.array([[255, 1, 0], [128, 127, 2]], np.float32) / 256
    assert as_probabilities(quantized) is quantized
    logits = np.array([[900.0, -900.0, 0.0], [0.0, np.log(3.0), -np.inf]])
    np.testing.assert_allclose(as_probabilities(logits), [[1, 0, 0], [0.25, 0.75, 0]], atol=1e-12)
    assert as_probabilities(np.zeros((0, 10), np.float32)).shape == (0, 10)


def honest(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits ``(n, 10)`` and labels drawn with just the probabilities that they stand for."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 3, (n, 10))
    labels = (softmax(logits).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_a_distorted_model_is_found_again(temperature: float):
    logits, labels = honest(20_000, seed=1)
    certainty = fit_confidence(softmax(logits / temperature).astype(np.float32), labels)
    assert certainty.temperature == pytest.approx(1 / temperature, rel=0.04)
    other, other_labels = honest(20_000, seed=2)
    distorted = softmax(other / temperature)
    tested = with_test_figures(certainty, distorted, other_labels).test
    assert tested is not None
    assert tested.expected_calibration_error < 0.015
    if temperature != 1:
        assert expected_calibration_error(distorted, other_labels) > 0.05
    np.testing.assert_allclose(calibrated(distorted, certainty), softmax(other), atol=0.03)


def test_int8_probabilities_of_zero_stand_for_a_quarter_of_a_step():
    logits, labels = honest(5_000, seed=3)
    stored = np.minimum(np.round(softmax(2 * logits) * 256), 255) / 256
    certainty = fit_confidence(stored.astype(np.float32), labels)
    assert certainty.floor == 1 / 1024
    assert certainty.temperature > 1.1
    believed = calibrated(stored, certainty)
    np.testing.assert_allclose(believed.sum(axis=1), 1)
    assert believed.min() > 0
    # Equal scores may tie; which classes lead does not change.
    assert np.all(np.take_along_axis(stored, believed.argmax(axis=1)[:, None], 1)[:, 0] == stored.max(axis=1))
    assert expected_calibration_error(believed, labels) < expected_calibration_error(stored, labels) / 3


def test_at_most_one_in_a_hundred_of_the_validation_images_is_refused():
    logits, labels = honest(5_000, seed=4)
    probabilities = softmax(logits)
    certainty = fit_confidence(probabilities, labels)
    refused = is_refused(calibrated(probabilities, certainty), certainty)
    assert 0.008 <= refused.mean() <= 0.01
    tested = with_test_figures(certainty, probabilities, labels).test
    assert tested is not None
    assert tested.refused == refused.mean()
    assert tested.accuracy.n == 5_000 - refused.sum()
    assert tested.accuracy.value > np.mean(probabilities.argmax(axis=1) == labels)


def test_too_few_mistakes_or_images_leave_the_temperature_alone():
    sure = np.tile([0.98, 0.02], (300, 1))
    labels = np.zeros(300, int)
    labels[:4] = 1
    certainty = fit_confidence(sure, labels)
    assert certainty.temperature == 1
    assert certainty.least_certainty == pytest.approx(0.98, abs=1e-4)
    assert not is_refused(calibrated(sure, certainty), certainty).any()
    nothing = fit_confidence(np.zeros((0, 10)), np.zeros(0, int))
    assert (nothing.temperature, nothing.least_certainty, nothing.images) == (1, 0, 0)
    assert with_test_figures(nothing, np.zeros((0, 10)), np.zeros(0, int)).test is not None


def test_a_model_that_is_surest_when_wrong_gets_the_highest_temperature():
    certain = np.tile([1.0, 0.0], (100, 1))
    certainty = fit_confidence(certain, np.ones(100, int))
    assert certainty.temperature == pytest.approx(10, rel=0.01)
