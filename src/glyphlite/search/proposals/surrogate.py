"""Surrogates, which tell from the networks that were tried how others will probably do. NumPy alone.

A Gaussian process with a linear mean (C. E. Rasmussen and C. Williams, "Gaussian Processes for Machine Learning", 2006, 2.2 and
2.7). Optuna's own needs PyTorch, and knows the choices that all trials have in common alone, not what a network weighs.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from glyphlite.search.space import AUGMENTATIONS, LIGHTS, Candidate

Vector = NDArray[np.float64]

_LENGTHS = (0.7, 1.5, 3.0)
"""Distances over which networks are alike, as multiples of the square root of the number of features."""

_NOISES = (0.01, 0.1, 0.5)
"""Variance of what is measured twice, as shares of the whole."""

_SLOPE = 0.5
"""Variance of each feature's slope, where features and values have a variance of 1."""


class Surrogate:
    """Expectation of a value, such as the logarithm of the errors, at points that were not tried."""

    def __init__(self, features: Vector, values: Vector) -> None:
        """Learns from points, one a row, and their values; lengths and noise are those under which these are likeliest."""
        self._middle, self._scale = features.mean(axis=0), np.maximum(features.std(axis=0), 0.1)
        self._points = self._scaled(features)
        self._mean, self._deviation = float(values.mean()), float(max(values.std(), 1e-3))
        scaled = (values - self._mean) / self._deviation
        fits = [self._fitted(scaled, length, noise) for length in _LENGTHS for noise in _NOISES]
        _, self._length, self._factor, self._weights = max(fits, key=lambda fit: fit[0])

    def expected(self, features: Vector) -> tuple[Vector, Vector]:
        """Returns mean and standard deviation of the value at each point."""
        points = self._scaled(features)
        across = self._kernel(points, self._points, self._length)
        solved = np.linalg.solve(self._factor, across.T)
        own = 1 + _SLOPE * np.square(points).mean(axis=1)
        variance = np.maximum(own - np.square(solved).sum(axis=0), 1e-9)
        return self._mean + self._deviation * (across @ self._weights), self._deviation * np.sqrt(variance)

    def _scaled(self, features: Vector) -> Vector:
        return (features - self._middle) / self._scale

    def _fitted(self, values: Vector, length: float, noise: float) -> tuple[float, float, Vector, Vector]:
        """Returns the logarithm of the values' likelihood, but for a constant, and what a prediction needs."""
        kernel = self._kernel(self._points, self._points, length) + noise * np.eye(len(values))
        factor = np.linalg.cholesky(kernel)
        weights = np.asarray(np.linalg.solve(factor.T, np.linalg.solve(factor, values)), np.float64)
        likelihood = -0.5 * float(values @ weights) - float(np.log(np.diag(factor)).sum())
        return likelihood, length, np.asarray(factor, np.float64), weights

    @staticmethod
    def _kernel(one: Vector, other: Vector, length: float) -> Vector:
        """Returns the covariance of each point with each other: of a plane, and of what departs from it smoothly."""
        count = one.shape[1]
        apart = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1)[None] - 2 * one @ other.T
        return np.exp(-0.5 * np.maximum(apart, 0) / (length**2 * count)) + _SLOPE * (one @ other.T) / count


@lru_cache(maxsize=8192)
def features_of(candidate: Candidate, channels: int, classes: int) -> tuple[float, ...]:
    """Returns what a network is, in numbers: weights, work and memory in powers of two, its layers, and its training.

    Args:
        candidate: a point of the space, or any other network.
        channels: of the images.
        classes: that are told apart.

    Raises:
        ModelError: the images are too small for the layers.
    """
    words = candidate.words.split()
    costs = list(candidate.architecture(channels).costs(candidate.input_shape(channels), classes))
    shapes = [candidate.input_shape(channels), *(cost.output_shape for cost in costs)]
    weights, macs = sum(cost.parameters for cost in costs), sum(cost.macs for cost in costs)
    is_narrow = "b4" in words
    stem = costs[0]
    return (
        math.log2(max(1, weights) / (2 if is_narrow else 1)),
        math.log2(max(1, macs)),
        math.log2(max(math.prod(one) + math.prod(other) for one, other in pairwise(shapes))),
        math.log2(max(1, math.prod(stem.output_shape))),
        math.log2(max(1, costs[-1].parameters)),
        candidate.side / 28,
        float(is_narrow),
        float("z" in words),
        float(sum(word[0] in "cd" for word in words)),
        float(any(word[0] == "d" for word in words)),
        float("m" in words),
        float(any(word[0] == "h" for word in words)),
        float(any("@" in word for word in words)),
        math.log2(candidate.rate),
        *(float(candidate.augmentation == each) for each in AUGMENTATIONS),
        *(float(candidate.light == each) for each in LIGHTS[1:]),
    )


def feature_rows(candidates: Sequence[Candidate], channels: int, classes: int) -> Vector:
    """Returns the features of some candidates, one a row."""
    return np.array([features_of(each, channels, classes) for each in candidates])
