"""The record of a set of inputs: one array per input of a model, as stored, and where it comes from. Knows arrays alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class InputSet:
    """Inputs for one model.

    Attributes:
        arrays: for every input of the model what its tensor holds, ``(n, *shape of one sample)``, in the file's order.
        source: where they come from, in words: "256 random inputs (seed 0)".
        unit: what one sample is called: "input", or "image" where it is one.
        reals: the real numbers that they stand for, where the source gave those; else they are dequantized.
        labels: the class of each sample, ``(n,)``, where they are known.
        class_names: the classes by their numbers; empty where the labels have no names.
        notes: what was assumed of the source, a sentence each.
        is_random: whether nobody chose them.
        unrelated: whether no sample goes on from the one before, as one picture from another: what a model keeps between calls is
            reset before each.
    """

    arrays: tuple[np.ndarray, ...]
    source: str
    unit: str = "input"
    reals: tuple[np.ndarray, ...] | None = None
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_random: bool = False
    unrelated: bool = False

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self.arrays[0]) if self.arrays else 0

    def chosen(self, places: Sequence[int] | np.ndarray | slice) -> "InputSet":
        """Returns the samples at these places, in their order."""
        return replace(
            self,
            arrays=tuple(values[places] for values in self.arrays),
            reals=None if self.reals is None else tuple(values[places] for values in self.reals),
            labels=None if self.labels is None else self.labels[places],
        )

    def twice(self) -> "InputSet":
        """Returns the same samples again after themselves, as calls of a model that keeps state: consecutive ones, and after a
        reset, before each of them where they are unrelated.
        """
        again = self.chosen(np.tile(np.arange(len(self)), 2))
        how = "each after a reset" if self.unrelated else "after a reset"
        return replace(again, unit="call", source=f"{self.source}, as consecutive calls, and again {how}")

    def drawn(self, count: int | None, seed: int) -> "InputSet":
        """Returns ``count`` of the samples, drawn with the seed and in their order; all of them when None or too many."""
        if count is None or count >= len(self):
            return self
        return self.chosen(np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False)))
