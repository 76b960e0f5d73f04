"""Whether a model's certainty can be believed: how sure it says it is against how often it is right.

Pure functions on probabilities. Knows nothing of models, files or runtimes.
"""

import numpy as np

BINS = 15

SUM_TOLERANCE = 0.1
"""By how much a row of probabilities may miss 1: quantized ones are each rounded to a step."""


def as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """A classifier's answers as probabilities ``(n, classes)``: themselves if they are some, else the softmax of its logits."""
    sums = outputs.sum(axis=1, dtype=np.float64)
    if np.all(outputs >= 0) and np.all(np.abs(sums - 1) <= SUM_TOLERANCE):
        return outputs
    shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def mean_certainty(probabilities: np.ndarray) -> float:
    """The mean of the highest probability over all images ``(n, classes)``; 0 for no images."""
    return float(probabilities.max(axis=1).mean(dtype=np.float64)) if len(probabilities) else 0.0


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean gap between certainty and accuracy over 15 equal bins of certainty, weighted by their images.

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
