"""Two runtimes, tensor by tensor: which differ, by how much at most, which op wrote the first. Knows arrays and graphs only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from glyphlite.escaping import printable
from glyphlite.records import TensorDifference
from glyphlite.tflite.graph import Graph

LARGEST_FLOAT = float(np.finfo(np.float32).max)
"""Stands for a difference that is not a number, since JSON has none."""

LONGEST_NAME = 300
"""Characters of a tensor's name in a report; converted models name a tensor after every layer that was fused into it."""


def differences(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns absolute differences, float64, of two arrays of one shape and type; equal values, NaN among them, differ by 0."""
    if first.dtype.kind in "iu":
        return np.abs(first.astype(np.int64) - second.astype(np.int64)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        apart = np.abs(first.astype(np.float64) - second.astype(np.float64))
    same = (first == second) | (np.isnan(first) & np.isnan(second))
    return np.where(same, 0.0, np.nan_to_num(apart, nan=LARGEST_FLOAT, posinf=LARGEST_FLOAT))


@dataclass
class TensorComparison:
    """Collects, chunk of images by chunk, how far each tensor of one runtime is from the reference's.

    Attributes:
        graph: the model.
        fuses: whether the runtime may fuse ops and leave the tensors between them unwritten. What it leaves there does not follow
            the image: a tensor that stays the same where the reference's changes is then not compared.
        images: how many were compared.
        compared: indices of the tensors that were.
        largest: the largest difference, by index.
        differing: how many images differ, by index.
    """

    graph: Graph
    fuses: bool = False
    images: int = 0
    compared: set[int] = field(default_factory=set)
    largest: dict[int, float] = field(default_factory=dict)
    differing: dict[int, int] = field(default_factory=dict)

    @cached_property
    def _constant(self) -> set[int]:
        """Returns tensors that no image reaches, such as dequantized weights; runtimes fold them away."""
        reached = set(self.graph.inputs)
        for operator in self.graph.operators:
            if reached.intersection(operator.inputs):
                reached.update(operator.outputs)
        return set(range(len(self.graph.tensors))) - reached

    def add(self, reference: Mapping[int, np.ndarray], other: Mapping[int, np.ndarray], images: int) -> None:
        """Takes in the tensors of one chunk of images, ``(n, ...)`` each, by their index in the file."""
        self.images += images
        for index in (reference.keys() & other.keys()) - self._constant:
            first, second = reference[index], other[index]
            if first.dtype != second.dtype or first.size != second.size:
                continue  # a runtime that keeps a tensor in another form does not show this one
            if self.fuses and _is_still(second) and not _is_still(first):
                continue
            self.compared.add(index)
            apart = differences(first.reshape(images, -1), second.reshape(images, -1))
            self.largest[index] = max(self.largest.get(index, 0.0), float(apart.max(initial=0.0)))
            self.differing[index] = self.differing.get(index, 0) + int((apart > 0).any(axis=1).sum())

    def report(self) -> list[TensorDifference]:
        """Returns every tensor that differs, in the order in which ops write them."""
        return [
            TensorDifference(
                tensor=printable(self.graph.tensors[index].name, LONGEST_NAME),
                op=operator.name,
                op_index=operator.index,
                largest_difference=self.largest[index],
                differing_images=self.differing[index],
                difference_unit="value" if self.graph.tensors[index].dtype.kind == "f" else "steps",
            )
            for operator in self.graph.operators
            for index in operator.outputs
            if self.differing.get(index)
        ]


def _is_still(values: np.ndarray) -> bool:
    """Returns whether a tensor is the same for every image of a chunk."""
    return bool((values == values[:1]).all())
