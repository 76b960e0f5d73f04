"""Calibration of confidence: how confident a model is against how often it is right, and the temperature that corrects it.

Pure functions on probabilities. Knows nothing of models, files or runtimes.
"""

import math
from collections.abc import Callable

import numpy as np

from glyphlite.evaluation.accuracy import accuracy_of
from glyphlite.models.interface.certainty import calibrated, is_refused, logits_of
from glyphlite.models.interface.output_kind import OutputKind, sigmoid, softmax
from glyphlite.records import Certainty, CertaintyTest

BINS = 15

REFUSED = 0.01
"""The rejection threshold refuses at most this part of the validation images."""
FEWEST_MISTAKES = 5
"""From fewer mistakes than this no temperature can be told: it stays 1."""
COLDEST, HOTTEST = 0.1, 10.0
_SMALLEST_FLOOR = 1e-12
_BISECTIONS = 40
_DIGITS = 4


def as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Returns a classifier's answers as probabilities ``(n, classes)``: themselves if they are some, else the softmax of its
    logits.
    """
    return OutputKind.LOGITS.probabilities(outputs)


def mean_certainty(probabilities: np.ndarray) -> float:
    """Returns the mean of the highest probability over all images ``(n, classes)``; 0 for no images."""
    return float(probabilities.max(axis=1).mean(dtype=np.float64)) if len(probabilities) else 0.0


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean gap between certainty and accuracy over 15 equal bins of certainty, weighted by their images.

    Source: M. P. Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.

    Args:
        probabilities: ``(n, classes)``.
        labels: true classes ``(n,)``.

    Returns:
        A fraction; 0 means that of all images the model calls "90 % sure", 90 % are right.
    """
    if not len(labels):
        return 0.0
    certainty = np.clip(probabilities.max(axis=1).astype(np.float64), 0.0, 1.0)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    bins = np.minimum((certainty * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights=right - certainty, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


def fit_confidence(probabilities: np.ndarray, labels: np.ndarray, *, independent: bool = False) -> Certainty:
    """Returns the temperature and the rejection threshold of a model, from images that it was neither trained nor is tested on.

    The temperature is the one under which the labels are likeliest (C. Guo et al., "On calibration of modern neural networks",
    ICML 2017). The logarithm of a probability stands for the logit, which a finished file does not give away; they differ by the
    same amount for all classes of an image, which the softmax takes out again.

    A quantized probability of 0 has no logarithm. It stands for anything from 0 to half a step, so it is taken for a quarter of
    one; the step is the smallest probability above 0 that the model gave.

    Args:
        probabilities: ``(n, classes)`` of validation images.
        labels: true classes ``(n,)``.
        independent: whether each class has a probability by itself, of a sigmoid: they need not add up to 1.
    """
    positive = probabilities[probabilities > 0]
    floor = max(float(positive.min()) / 4, _SMALLEST_FLOOR) if positive.size else _SMALLEST_FLOOR
    certainty = Certainty(temperature=1, least_certainty=0, floor=floor, images=len(labels), independent=independent)
    if not len(labels):
        return certainty
    if np.sum(probabilities.argmax(axis=1) != labels) >= FEWEST_MISTAKES:
        slope = _independent_slope if independent else _slope
        temperature = round(1 / _likeliest_sharpness(logits_of(probabilities, certainty), labels, slope), _DIGITS)
        certainty = certainty.model_copy(update={"temperature": temperature})
    # Rounded down, so that an image exactly there is not refused where another machine's last digit is another.
    least = float(np.quantile(calibrated(probabilities, certainty).max(axis=1), REFUSED, method="lower"))
    return certainty.model_copy(update={"least_certainty": math.floor(least * 10**_DIGITS) / 10**_DIGITS})


def with_test_figures(certainty: Certainty, probabilities: np.ndarray, labels: np.ndarray) -> Certainty:
    """Returns the same certainty with what it is worth on other images than those it was fitted on."""
    believed = calibrated(probabilities, certainty)
    refused = is_refused(believed, certainty)
    answers = probabilities.argmax(axis=1)
    test = CertaintyTest(
        expected_calibration_error=expected_calibration_error(believed, labels),
        refused=float(refused.mean()) if len(labels) else 0.0,
        accuracy=accuracy_of(answers[~refused], labels[~refused]),
    )
    return certainty.model_copy(update={"test": test})


def _likeliest_sharpness(
    logits: np.ndarray, labels: np.ndarray, slope: Callable[[np.ndarray, np.ndarray, float], float]
) -> float:
    """Returns 1 / temperature at which the labels are likeliest.

    The negative log-likelihood is convex in it, so its slope crosses zero once: bisection.
    """
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(logits, labels, middle) < 0 else (low, middle)
    return (low + high) / 2


def _slope(logits: np.ndarray, labels: np.ndarray, sharpness: float) -> float:
    """Returns the mean of what the softmax expects of the logits less the true one's."""
    expected = (softmax(sharpness * logits) * logits).sum(axis=1)
    return float(np.mean(expected - logits[np.arange(len(labels)), labels]))


def _independent_slope(logits: np.ndarray, labels: np.ndarray, sharpness: float) -> float:
    """Returns the same of a sigmoid per class, each a question of yes or no."""
    true = labels[:, np.newaxis] == np.arange(logits.shape[1])
    return float(np.mean(((sigmoid(sharpness * logits) - true) * logits).sum(axis=1)))
