"""Draws the ops of arithmetic that came after the first set, and says how a file holds them.

Every one is drawn by a generator of its own, between a network's body and its head, and from seed 1,000 on: the drafts of
earlier seeds, some of which campaigns found, stay what they were.
"""

from typing import Any

import numpy as np

FIRST_SEED = 1000
SAME_QUANTIZATION = {"reduce_max", "reduce_min"}
"""Kinds whose result keeps the quantization of what they read."""
REDUCTIONS = ("sum", "reduce_max", "reduce_min")


def draw_arithmetic(drawing: Any, rng: np.random.Generator) -> None:
    """Adds one op to a draft.

    Args:
        drawing: the draft in the making (``drafts._Drawing``).
        rng: the ops' own generator.
    """
    kind = str(rng.choice([*REDUCTIONS, "mean"]))
    _draw_reduction(drawing, rng, kind)


def _draw_reduction(drawing: Any, rng: np.random.Generator, kind: str) -> None:
    """Over some axes, of which one at least; what follows knows vectors and images only."""
    shape = drawing.shape
    rank = len(shape)
    axes = tuple(sorted(int(axis) for axis in rng.choice(rank, int(rng.integers(1, rank + 1)), replace=False)))
    kept = tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    dropped = tuple(extent for axis, extent in enumerate(shape) if axis not in axes)
    keep = len(dropped) != 1 or bool(rng.random() < 0.5)
    drawing.add(kind, kept if keep else dropped, keep=keep, axes=axes)


def axes_of(settings: dict[str, Any]) -> list[int]:
    """Returns the axes of a reduction as a file holds them, behind that of the batch."""
    return [axis + 1 for axis in settings.get("axes", (0, 1))]


def result_scale(kind: str, source: float, shape: tuple[int, ...], settings: dict[str, Any]) -> float:
    """Returns a scale under which a result uses its range."""
    if kind == "sum":
        return source * float(np.prod([shape[axis] for axis in settings["axes"]])) ** 0.7
    return source
