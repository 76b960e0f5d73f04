"""The sample that an exported project checks itself with: its inputs, and the outputs that TFLite Micro gives for them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glyphlite.compiler.report import EdgePlan
from glyphlite.runtimes.compiled import offsets


@dataclass(frozen=True)
class CheckedEdge:
    """An input or output of the sample that the check runs.

    Attributes:
        name: in C.
        element_type: what is stored.
        values: as stored.
        in_memory: whether it lies in ``NAME_memory_t``; an input that is never read does not.
    """

    name: str
    element_type: str
    values: tuple[int, ...]
    in_memory: bool = True

    @property
    def bytes(self) -> int:
        """Returns the bytes of the values."""
        return len(self.values) * np.dtype(self.element_type).itemsize

    @property
    def text(self) -> str:
        """Returns the values as lines of C."""
        return "\n    ".join(textwrap.wrap(", ".join(map(str, self.values)), 110))


def checked_edges(stored: np.ndarray, plans: Sequence[EdgePlan]) -> list[CheckedEdge]:
    """Returns inputs or outputs of one sample from the bytes that the C takes or gives."""
    found = []
    for plan, start in zip(plans, offsets([plan.bytes for plan in plans]), strict=True):
        values = stored[start : start + plan.bytes].view(plan.element_type)
        found.append(
            CheckedEdge(plan.name, plan.element_type, tuple(int(value) for value in values), plan.memory_offset is not None)
        )
    return found
