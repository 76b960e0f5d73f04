"""Draws the ops of arithmetic that came after the first set, and says how a file holds them.

Every one is drawn by a generator of its own, between a network's body and its head, and from seed 1,000 on: the drafts of
earlier seeds, some of which campaigns found, stay what they were.
"""

from typing import Any

import numpy as np

FIRST_SEED = 1000
SAME_QUANTIZATION = {"reduce_max", "reduce_min"}
"""Kinds whose result keeps the quantization of what they read."""
FIXED = {"log_softmax": (16 / 256, 127), "l2_normalization": (1 / 128, 0)}
"""Scale and zero point of the results of kinds that have their own."""
REDUCTIONS = ("sum", "reduce_max", "reduce_min")
FUNCTIONS = ("abs", "elu", "rsqrt", "log_softmax", "l2_normalization")
PAIRS = ("maximum", "minimum", "prelu", "squared_difference", "div")
"""Kinds of two operands, of which the second is a constant here."""
WEIGHTED = ("transpose_conv", "grouped")
"""Kinds of convolution, of images alone."""
FUSED = ("none", "none", "relu", "relu6")
NOT_FROM_KERAS = {"elu", "rsqrt", "l2_normalization", "squared_difference", "div", "abs", "batch_matmul"}
"""Kinds that the converter leaves in float or writes as other ops, or as int16 where generated C has int8 alone."""
OPTIONS = {
    "l2_normalization": "L2NormOptions",
    "log_softmax": "LogSoftmaxOptions",
    "maximum": "MaximumMinimumOptions",
    "minimum": "MaximumMinimumOptions",
    "squared_difference": "SquaredDifferenceOptions",
    "div": "DivOptions",
    "abs": "AbsOptions",
}


def draw_arithmetic(drawing: Any, rng: np.random.Generator) -> None:
    """Adds one op to a draft.

    Args:
        drawing: the draft in the making (``drafts._Drawing``).
        rng: the ops' own generator.
    """
    kinds = [*REDUCTIONS, "mean", *FUNCTIONS, *PAIRS, *((*(WEIGHTED * 3), "batch_matmul") if len(drawing.shape) == 3 else ())]
    kind = str(rng.choice([kind for kind in kinds if not (drawing.for_keras and kind in NOT_FROM_KERAS)]))
    if kind in FUNCTIONS:
        drawing.add(kind, drawing.shape)
    elif kind in PAIRS:
        shape = drawing.shape
        each = [shape, (*(1,) * (len(shape) - 1), shape[-1]), (1,) * len(shape)]
        drawing.add(kind, shape, constant=each[int(rng.integers(2 if kind == "prelu" else 3))])
    elif kind == "batch_matmul":  # of each row with itself, as attention does
        drawing.add(kind, (*drawing.shape[:2], drawing.shape[1]), (drawing.current, drawing.current))
    elif kind == "transpose_conv":
        _draw_transposed(drawing, rng)
    elif kind == "grouped":
        _draw_grouped(drawing, rng)
    else:
        _draw_reduction(drawing, rng, kind)


def _draw_transposed(drawing: Any, rng: np.random.Generator) -> None:
    """Any filter and strides; by hand also an output of an extent that another input would have had, too."""
    kernel, strides = (tuple(int(size) for size in rng.integers(1, most, 2)) for most in (5, 4))
    padding = str(rng.choice(["SAME", "VALID"]))
    extents = []
    for extent, size, stride in zip(drawing.shape[:2], kernel, strides, strict=True):
        whole = extent * stride + (max(size - stride, 0) if padding == "VALID" else 0)
        extents.append(whole if drawing.for_keras or rng.random() < 0.7 else max(1, whole + int(rng.integers(-2, 3))))
    filters = int(rng.integers(1, 6))
    settings = {"kernel": kernel, "strides": strides, "padding": padding, "filters": filters, "bias": bool(rng.random() < 0.7)}
    drawing.add("transpose_conv", (*extents, filters), fused=str(rng.choice(FUSED)), **settings)


def _draw_grouped(drawing: Any, rng: np.random.Generator) -> None:
    """Behind a layer that makes channels to divide, where there are none."""
    groups = int(rng.integers(2, 4))
    if drawing.shape[2] % groups:
        window = {"kernel": (1, 1), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME"}
        filters = groups * int(rng.integers(1, 4))
        drawing.add("conv", (*drawing.shape[:2], filters), filters=filters, bias=True, fused="none", **window)
    kernel, strides = (tuple(int(size) for size in rng.integers(1, 4, 2)) for _ in range(2))
    dilation = (1, 1) if rng.random() < 0.6 or drawing.for_keras else tuple(int(step) for step in rng.integers(1, 3, 2))
    strides = (strides[0], strides[0]) if drawing.for_keras else strides
    filters = groups * int(rng.integers(1, 4))
    shape = (*(-(-extent // stride) for extent, stride in zip(drawing.shape[:2], strides, strict=True)), filters)
    settings = {"kernel": kernel, "strides": strides, "dilation": dilation, "padding": "SAME", "filters": filters}
    drawing.add("grouped", shape, groups=groups, fused=str(rng.choice(FUSED)), bias=bool(rng.random() < 0.7), **settings)


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


def second_operand(kind: str, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> tuple[np.ndarray, float, int]:
    """Returns a constant's stored values, scale and zero point; the divisors of a DIV within an octave, none of them 0."""
    stored = float(np.float32(scale * 10 ** rng.uniform(-1, 1)))
    if kind == "div":
        return (rng.integers(64, 128, shape) * rng.choice([-1, 1], shape)).astype(np.int8), stored, 0
    return rng.integers(-128, 128, shape).astype(np.int8), stored, int(rng.integers(-128, 128))


def result_scale(kind: str, source: float, shape: tuple[int, ...], settings: dict[str, Any], second: float = 0.0) -> float:
    """Returns a scale under which a result uses its range."""
    match kind:
        case "sum":
            return source * float(np.prod([shape[axis] for axis in settings["axes"]])) ** 0.7
        case "batch_matmul":
            return source**2 * 60 * shape[-1] ** 0.5
        case "rsqrt":
            return source**-0.5 / 100
        case "div":
            return source / (second * 96) / 4
        case "squared_difference":
            return max(source, second) ** 2 * 150
        case _:
            return source
