"""The node of every op that turns one stored byte into another: 256 answers, looked up."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator

EVERY_BYTE = np.arange(256)


@dataclass(frozen=True, kw_only=True)
class Lookup(Node):
    """An element-wise op; ``answers`` are uint8 ``(256,)``, by stored byte. It is fused into what comes before it."""

    in_place: ClassVar[bool] = True

    answers: np.ndarray

    @property
    def is_identity(self) -> bool:
        """Returns whether every byte stays as it is."""
        return np.array_equal(self.answers, EVERY_BYTE)

    @property
    def as_clamp(self) -> tuple[int, int] | None:
        """Returns the limits of a table that only clamps; None where it does something else."""
        low, high = int(self.answers[0]), int(self.answers[255])
        return (low, high) if low <= high and np.array_equal(self.answers, np.clip(EVERY_BYTE, low, high)) else None

    def kernel(self, site: Site) -> "LookupKernel":
        """Returns the kernel: a copy needs no table."""
        table = None if self.is_identity else site.add("table", "uint8_t", self.answers)
        return LookupKernel(layer=replace(site.layer, table=table))


@dataclass(frozen=True, kw_only=True)
class LookupKernel(Kernel):
    """A row, looked up byte by byte, or copied."""

    template: ClassVar[str] = "lookup.c.j2"


def add_lookup(context: Context, operator: Operator, source: Value, output: Value, answers: np.ndarray) -> None:
    """Appends the node of an element-wise op.

    Args:
        context: what lowering has found so far.
        operator: the op.
        source: what it reads.
        output: what it writes.
        answers: int8 ``(256,)``, by stored int8 from -128 up.
    """
    stored = (answers.astype(np.int16) + 128).astype(np.uint8)
    context.nodes.append(Lookup(**context.facts(operator), inputs=(source,), output=output, answers=stored))
