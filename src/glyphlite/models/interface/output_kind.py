"""The meaning of a classifier's outputs: one record, read from the model's last activation and used wherever classes are read.

Models end in a softmax, in nothing (logits), in a sigmoid per class, or in a single one for two classes; the largest of the
values is the class in all cases but the last. Knows arrays alone: exported programs carry this module as it is.
"""

from enum import StrEnum

import numpy as np

SUM_TOLERANCE = 0.1
"""By how much a row of probabilities may miss 1: quantized ones are each rounded to a step."""

FEWEST_VALUES = 20
"""From fewer values than this it cannot be told whether all lie in 0..1 by chance."""

WORDS = {
    "softmax": "probabilities",
    "logits": "logits",
    "sigmoids": "a probability per class, each by itself",
    "sigmoid": "the probability of the second class",
    "logit": "the logit of the second class",
}
"""The name of each kind of outputs in comments and tables."""

THRESHOLD = 0.5
"""Above it a single sigmoid means the second class."""


class OutputKind(StrEnum):
    """Lists the kinds of values that a classifier returns per image."""

    SOFTMAX = "softmax"
    """A probability per class; they add up to 1."""

    LOGITS = "logits"
    """A score per class, whose softmax are the probabilities."""

    SIGMOIDS = "sigmoids"
    """A probability per class, each by itself; the largest is the class."""

    SIGMOID = "sigmoid"
    """One value: the probability of the second of two classes."""

    LOGIT = "logit"
    """One value, whose sigmoid is the probability of the second of two classes."""

    @property
    def words(self) -> str:
        """Returns the name of these outputs in comments and tables."""
        return WORDS[self.value]

    @property
    def threshold(self) -> float:
        """Returns the value above which a single output means the second class."""
        return THRESHOLD if self is OutputKind.SIGMOID else 0.0

    @property
    def is_single(self) -> bool:
        """Returns whether a single value decides between two classes."""
        return self in (OutputKind.SIGMOID, OutputKind.LOGIT)

    def classes(self, values: int) -> int:
        """Returns how many classes a model of so many outputs knows."""
        return 2 if self.is_single else values

    def chosen(self, values: np.ndarray) -> np.ndarray:
        """Returns the class number of each image ``(n,)`` from real outputs ``(n, values)``; ties go to the lower."""
        if not self.is_single:
            return values.argmax(axis=1)
        return (values[:, 0] > self.seen(values).threshold).astype(np.int64)

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Returns probabilities ``(n, classes)`` from a model's real outputs ``(n, values)``."""
        kind = self.seen(values)
        if kind is OutputKind.LOGITS:
            return softmax(values)
        if kind is OutputKind.LOGIT:
            values = sigmoid(values)
        return np.concatenate([1 - values, values], axis=1) if kind.is_single else values

    def seen(self, values: np.ndarray) -> "OutputKind":
        """Returns the kind that values show where the model's last op tells of none, as a softmax written out in other ops."""
        if self not in (OutputKind.LOGITS, OutputKind.LOGIT) or not len(values):
            return self
        if self is OutputKind.LOGITS and are_probabilities(values):
            return OutputKind.SOFTMAX
        if values.size >= FEWEST_VALUES and values.min() >= 0 and values.max() <= 1:
            return OutputKind.SIGMOID if self is OutputKind.LOGIT else OutputKind.SIGMOIDS
        return self

    def stored(self, values: np.ndarray, wanted: "OutputKind") -> np.ndarray:
        """Returns the outputs of a model of this kind as one of another kind would give them, to compare the two."""
        own, wanted = self.seen(values), wanted
        if own is wanted or own.is_single is not wanted.is_single:
            return values
        if own in (OutputKind.LOGITS, OutputKind.LOGIT):
            found = own.probabilities(values)
            return found[:, 1:] if own.is_single else found
        if wanted is OutputKind.LOGITS:
            return np.log(np.maximum(values, 1e-12))
        return np.log(np.maximum(values, 1e-12) / np.maximum(1 - values, 1e-12)) if wanted is OutputKind.LOGIT else values


def output_kind(activation: str | None, values: int) -> OutputKind | None:
    """Returns what outputs mean by the last activation; None where no class can be read from them.

    Args:
        activation: its name, as Keras calls it; None or "linear" where there is none.
        values: outputs per image.
    """
    if values == 1:
        kinds = {"sigmoid": OutputKind.SIGMOID, "hard_sigmoid": OutputKind.SIGMOID, "linear": OutputKind.LOGIT}
        return kinds.get(activation or "linear")
    kinds = {"softmax": OutputKind.SOFTMAX, "sigmoid": OutputKind.SIGMOIDS, "hard_sigmoid": OutputKind.SIGMOIDS}
    return kinds.get(activation or "linear", OutputKind.LOGITS)


def are_probabilities(values: np.ndarray) -> bool:
    """Returns whether all values ``(n, classes)`` are 0 or more and each row adds up to 1, up to rounding."""
    sums = values.sum(axis=1, dtype=np.float64)
    return bool(np.all(values >= 0) and np.all(np.abs(sums - 1) <= SUM_TOLERANCE))


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Returns logits of any shape as probabilities, each by itself."""
    return 1 / (1 + np.exp(-np.clip(logits, -60, 60)))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns logits ``(n, classes)`` as probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
