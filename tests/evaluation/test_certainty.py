"""Certainty against accuracy, on cases whose answer is known by hand."""

import numpy as np
import pytest

from glyphlite.evaluation.certainty import as_probabilities, expected_calibration_error, mean_certainty


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
