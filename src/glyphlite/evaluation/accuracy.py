"""Statistics of predictions: accuracy with its interval, per class, confusion, McNemar's test.

Pure functions on arrays of class numbers. Knows nothing of models, files or runtimes.
"""

import math
from dataclasses import dataclass

import numpy as np

from glyphlite.records import Accuracy

Z_95 = 1.959963984540054
"""The standard normal's 97.5 % quantile: 95 % two-sided."""


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 of one class; a figure whose denominator is empty is 0."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class MacroFigures:
    """Each class's figures and their unweighted means over the classes that occur in the labels."""

    precision: float
    recall: float
    f1: float
    classes: tuple[ClassFigures, ...]


def wilson_interval(correct: int, n: int) -> Accuracy:
    """Returns an accuracy with its 95 % Wilson score interval.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).

    Args:
        correct: how many were right, 0 to ``n``.
        n: how many there were. None at all (0) says nothing: the interval is [0, 1].

    Returns:
        Fractions: the share that was right, and the interval's ends.
    """
    if not 0 <= correct <= n:
        raise ValueError(f"correct must be within 0 and n, but {correct} of {n} was given")
    if n == 0:
        return Accuracy(value=0.0, low=0.0, high=1.0, n=0)
    share, squared = correct / n, Z_95 * Z_95
    centre = (share + squared / (2 * n)) / (1 + squared / n)
    half = Z_95 / (1 + squared / n) * math.sqrt(share * (1 - share) / n + squared / (4 * n * n))
    low = 0.0 if correct == 0 else max(0.0, centre - half)
    high = 1.0 if correct == n else min(1.0, centre + half)
    return Accuracy(value=share, low=low, high=high, n=n)


def accuracy_of(predictions: np.ndarray, labels: np.ndarray) -> Accuracy:
    """Returns the share of predicted classes ``(n,)`` that equal the labels ``(n,)``, with its interval."""
    return wilson_interval(int(np.count_nonzero(predictions == labels)), len(labels))


def per_class_accuracy(predictions: np.ndarray, labels: np.ndarray, classes: int) -> list[Accuracy]:
    """Returns for each true class the share of its images that were recognized (its recall), with interval."""
    return [accuracy_of(predictions[labels == each], labels[labels == each]) for each in range(classes)]


def confusion_matrix(predictions: np.ndarray, labels: np.ndarray, classes: int) -> list[list[int]]:
    """Counts by true class (rows) and predicted class (columns)."""
    cells = np.asarray(labels, np.int64) * classes + np.asarray(predictions, np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes).tolist()


def agreement_of(first: np.ndarray, second: np.ndarray) -> float:
    """Returns the share of images that two predictions give the same class; 1 for no images."""
    return float(np.mean(first == second)) if len(first) else 1.0


def mcnemar_p(first: np.ndarray, second: np.ndarray, labels: np.ndarray) -> float:
    """Computes McNemar's exact two-sided test: how likely so uneven a split of the disagreements is, were both equally good.

    Only images that exactly one of the two gets right count. Under equal accuracy each such image is a fair coin toss, so p is
    twice the binomial tail, at most 1. Source: Q. McNemar, Psychometrika 12 (1947), in its exact binomial form.

    Args:
        first: predicted classes ``(n,)``.
        second: predicted classes ``(n,)`` of the same images.
        labels: true classes ``(n,)``.

    Returns:
        p in (0, 1]; 1 where neither is ahead.
    """
    first_right, second_right = first == labels, second == labels
    return _binomial_two_sided(
        int(np.count_nonzero(first_right & ~second_right)), int(np.count_nonzero(second_right & ~first_right))
    )


def macro_of(confusion: list[list[int]]) -> MacroFigures:
    """Computes precision, recall and F1 per class from a confusion matrix (rows: true), and their means over classes with
    images.
    """
    counts = np.asarray(confusion, np.float64)
    figures = []
    for each in range(len(counts)):
        right, predicted, true = counts[each, each], counts[:, each].sum(), counts[each].sum()
        precision, recall = _share(right, predicted), _share(right, true)
        f1 = _share(2 * right, predicted + true)
        figures.append(ClassFigures(precision, recall, f1, int(true)))
    present = [each for each in figures if each.support] or figures
    return MacroFigures(
        precision=float(np.mean([each.precision for each in present])) if present else 0.0,
        recall=float(np.mean([each.recall for each in present])) if present else 0.0,
        f1=float(np.mean([each.f1 for each in present])) if present else 0.0,
        classes=tuple(figures),
    )


def _binomial_two_sided(fewer: int, more: int) -> float:
    """Computes twice the lower tail of Binomial(fewer + more, 1/2) at the smaller count, in exact integers, at most 1."""
    tosses = fewer + more
    term = total = 1
    for successes in range(1, min(fewer, more) + 1):
        term = term * (tosses - successes + 1) // successes
        total += term
    return min(1.0, 2 * total / (1 << tosses))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
