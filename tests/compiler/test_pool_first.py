"""A maximum moves ahead of sums and products with a constant for each channel where these never fall, and no byte changes."""

from typing import Any

import numpy as np
import pytest
from random_models.by_hand import _Writer
from random_models.drafts import Draft, Step
from random_models.harness import PATHS
from random_models.one_op import agree

from glyphlite.compiler.lower import lower
from glyphlite.compiler.passes import optimize
from glyphlite.tflite.reader import parse_graph

POOLS: dict[str, Any] = {
    "2x2": {"kernel": (2, 2), "strides": (2, 2)},
    "3x3, overlapping": {"kernel": (3, 3), "strides": (2, 1)},
    "of a row": {"kernel": (1, 3), "strides": (1, 3)},
}


class _LargeOperands(_Writer):
    """Writes models whose constants are mostly above their zero point, as a normalization's are."""

    def operand(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.rng.integers(90, 128, shape).astype(np.int8)


def normalized(seed: int, pool: str, *, fused: str = "none", kind: str = "mul") -> bytes:
    """A convolution, a MUL and an ADD with constants for each channel, a maximum."""
    rng = np.random.default_rng([seed, 23])
    height, width, channels = int(rng.integers(4, 9)), int(rng.integers(4, 9)), int(rng.integers(1, 7))
    shape, window = (height, width, channels), {**POOLS[pool], "padding": "VALID", "dilation": (1, 1)}
    pooled = [1 + (extent - size) // step for extent, size, step in zip(shape, window["kernel"], window["strides"], strict=False)]
    point = {"kernel": (1, 1), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME"}
    constant = {"constant": (1, 1, channels), "fused": fused}
    steps = (
        Step("conv", (0,), shape, {"filters": channels, "bias": True, "fused": "none", **point}),
        Step(kind, (1,), shape, constant),
        Step("add", (2,), shape, {**constant, "fused": "none"}),
        Step("max_pool", (3,), (*pooled, channels), {"fused": "relu" if seed % 3 == 0 else "none", **window}),
        Step("tanh", (4,), (*pooled, channels)),
    )
    return _LargeOperands(Draft(seed, (height, width, 3), steps, "int8")).finish()


def ops(model: bytes) -> list[str]:
    return [node.op for node in optimize(lower(parse_graph(model))).nodes]


@pytest.mark.parametrize("path", PATHS)
def test_models_agree(path: str):
    place = 100 * list(PATHS).index(path)
    models = {f"{pool} {seed}": normalized(place + seed, pool) for pool in POOLS for seed in range(4)}
    agree(models, path=path, inputs=16, optimize=("speed", "size", "ram")[place // 100 % 3])


def test_the_maximum_joins_the_convolution_where_products_never_fall():
    found = {tuple(ops(normalized(seed, "2x2"))) for seed in range(12)}
    assert ("CONV_2D", "MUL", "ADD") in found
    assert any("MAX_POOL_2D" in each for each in found)  # of a negative factor


def test_a_window_of_another_size_stands_before_the_sums():
    found = {tuple(ops(normalized(seed, "3x3, overlapping"))) for seed in range(12)}
    assert ("CONV_2D", "MAX_POOL_2D", "MUL", "ADD") in found
