"""Probabilities at the temperature that was fitted for a file, and which answers are rejected.

Knows arrays alone: exported programs carry this module as it is. The fit is `glyphlite.evaluation.confidence`'s.
"""

from typing import Protocol

import numpy as np

from glyphlite.models.interface.output_kind import sigmoid, softmax


class FittedCertainty(Protocol):
    """The numbers of a fit, as `glyphlite.records.Certainty` holds them."""

    @property
    def temperature(self) -> float:
        """Returns the temperature that calibrates the probabilities."""
        ...

    @property
    def least_certainty(self) -> float:
        """Returns the rejection threshold."""
        ...

    @property
    def floor(self) -> float:
        """Returns the probability that replaces any smaller one."""
        ...

    @property
    def independent(self) -> bool:
        """Returns whether each probability comes from a sigmoid of its own."""
        ...

    @property
    def twin(self) -> bool:
        """Returns whether it was fitted on a twin's answers: the model itself was trained on the images of the fit, too."""
        ...


def calibrated(probabilities: np.ndarray, certainty: FittedCertainty) -> np.ndarray:
    """Probabilities ``(n, classes)`` at the fitted temperature, float64; the order of an image's classes stays."""
    logits = logits_of(probabilities, certainty) / certainty.temperature
    return sigmoid(logits) if certainty.independent else softmax(logits)


def is_refused(calibrated_probabilities: np.ndarray, certainty: FittedCertainty) -> np.ndarray:
    """Returns which images ``(n,)`` are below the rejection threshold."""
    return calibrated_probabilities.max(axis=1) < certainty.least_certainty


def logits_of(probabilities: np.ndarray, certainty: FittedCertainty) -> np.ndarray:
    """Returns the logarithms of probabilities, of independent ones those of their odds."""
    logarithms = np.log(np.maximum(probabilities.astype(np.float64), certainty.floor))
    if not certainty.independent:
        return logarithms
    return logarithms - np.log(np.maximum(1 - probabilities.astype(np.float64), certainty.floor))
