"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN: every set of axes, kept or dropped, on every path."""

from itertools import chain, combinations

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, any_activation, one_op, outcomes

SHAPES = ((1, 4, 5, 3), (1, 3, 7, 8), (1, 6, 5), (1, 9), (1, 2, 300, 4))


def reduction(name: str, source: Activation, output: Activation, axes: tuple[int, ...], *, keep: bool) -> bytes:
    return one_op(name, [source, Constant(np.array(axes, np.int32))], output, "ReducerOptions", keepDims=keep)


def every(name: str, seed: int) -> dict[str, bytes]:
    """Each set of axes of each shape, some of them counted from the end, one named twice."""
    rng = np.random.default_rng(seed)
    models = {}
    for shape in SHAPES:
        rank = len(shape)
        for axes in chain.from_iterable(combinations(range(rank), count) for count in range(1, rank + 1)):
            keep = bool(rng.random() < 0.5) or len(axes) == rank
            kept = [1 if axis in axes else extent for axis, extent in enumerate(shape)]
            result = kept if keep else [extent for axis, extent in enumerate(shape) if axis not in axes]
            source = any_activation(rng, shape)
            count = np.prod(shape) // np.prod(kept) if name == "SUM" else 1
            output = any_activation(rng, result, source.scale * float(count) ** 0.7)
            if name.startswith("REDUCE"):
                output = Activation(tuple(result), source.scale, source.zero_point)
            named = tuple(axis - rank if rng.random() < 0.3 else axis for axis in (*axes, axes[0]))
            models[f"{name} {shape} {named} keep {keep}"] = reduction(name, source, output, named, keep=keep)
    return models


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "name"), [*enumerate(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"))])
def test_every_set_of_axes_agrees(seed: int, name: str):
    agree(every(name, seed), seed=seed, optimize=OPTIMIZE[seed % 3], path=list(PATHS)[seed % len(PATHS)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MEAN", "SUM", "REDUCE_MAX"])
def test_scales_far_apart_agree_or_are_refused(name: str):
    models = {}
    for ratio in (1e-30, 1e-9, 1e-3, 0.999, 1e3, 1e8, 1e9, 3e9, 1e30):
        for zero_point in (-128, 127):
            source, output = Activation((1, 3, 4, 2), 0.5, 3), Activation((1, 2), float(np.float32(0.5 * ratio)), zero_point)
            models[f"{ratio} {zero_point}"] = reduction(name, source, output, (1, 2), keep=False)
    found = outcomes(models)
    assert found["equal"] >= 12 if name != "REDUCE_MAX" else found["not compiled"] == 18
