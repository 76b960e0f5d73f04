"""Layers that run from a table, where C is optimized for size: TFLite Micro's bytes, over what a table's line can hold."""

from typing import Any

import numpy as np
import pytest
from random_models import Draft
from random_models.by_hand import write
from random_models.drafts import Step
from random_models.harness import PATHS
from random_models.one_op import agree, agree_on_paths

from glyphlite.compiler.compile import compile_graph
from glyphlite.models.pretrained import pretrained_artifact
from glyphlite.tflite.reader import parse_graph

CHAINS = 60
SHARE_OF_CHAINS = 0.4
"""Those that have a table at least: others have multipliers of more than 8 or long sums, or would take more memory."""


def chain(seed: int) -> Draft:
    """A chain of convolutions and depthwise ones, 1 to 40 channels on maps of 1 to 9 columns, some with a dense layer behind."""
    rng = np.random.default_rng([seed, 24])
    height, width, channels = (int(rng.integers(1, most + 1)) for most in (12, 9, 6))
    shape, steps = (height, width, channels), list[Step]()
    for number in range(int(rng.integers(4, 9))):
        kind = "depthwise" if steps and shape[2] > 1 and rng.random() < 0.5 else "conv"
        padding = str(rng.choice(["SAME", "VALID"]))
        kernel = [int(rng.integers(1, 5)) for _ in range(2)] if rng.random() < 0.6 else [1, 1]
        dilation = int(rng.choice([1, 1, 1, 2])) if seed % 4 == 0 else 1
        if padding == "VALID":
            kernel = [min(size, 1 + (extent - 1) // dilation) for size, extent in zip(kernel, shape, strict=False)]
        stride = int(rng.choice([1, 1, 2])) if dilation == 1 else 1
        rows, columns = (
            -(-extent // stride) if padding == "SAME" else (extent - (size - 1) * dilation - 1) // stride + 1
            for extent, size in zip(shape, kernel, strict=False)
        )
        filters = shape[2] if kind == "depthwise" else int(rng.choice([1, 2, 3, 4, 7, 8, 15, 16, 17, 23, 40]))
        settings: dict[str, Any] = {
            "kernel": tuple(kernel),
            "strides": (stride, stride),
            "dilation": (dilation, dilation),
            "padding": padding,
            "bias": bool(rng.integers(2)),
            "fused": str(rng.choice(["none", "relu", "relu6"])),
            **({"multiplier": 1} if kind == "depthwise" else {"filters": filters}),
        }
        shape = (rows, columns, filters)
        steps.append(Step(kind, (number,), shape, settings))
    if rng.random() < 0.5:
        steps.append(Step("mean", (len(steps),), (shape[2],), {"keep": False}))
        steps.append(Step("dense", (len(steps),), (5,), {"bias": True, "fused": "none", "units": 5}))
    return Draft(seed, (height, width, channels), tuple(steps), "int8")


def chains() -> dict[str, bytes]:
    """Files of int8 weights, of INT4 ones, and of both in one model."""
    return {f"seed {seed}": write(chain(seed), narrow=(0.0, 1.0, 0.5)[seed % 3]) for seed in range(CHAINS)}


def has_table(model: bytes) -> bool:
    return "net_filter_table" in compile_graph(parse_graph(model), "net", optimize="size").files["net.c"]


@pytest.mark.slow
def test_most_chains_run_from_a_table():
    tabled = [has_table(model) for model in chains().values()]
    assert sum(tabled) >= SHARE_OF_CHAINS * CHAINS, sum(tabled)


def test_pretrained_models_give_the_bytes_of_tflite_micro():
    """Long chains, cut where a whole map takes less memory, with a mean behind them whose sums must be 0 before all of it."""
    models = {name: pretrained_artifact(name).read_bytes() for name in ("glyph-700", "glyph-1k", "glyph-4k", "glyph-8k")}
    assert all(map(has_table, models.values()))
    agree(models, optimize="size", path="v6m", inputs=8)


def large() -> dict[str, bytes]:
    """Files of few weights on maps of more than 65,535 bytes, and of rows of more: their numbers leave 16 bits."""
    shapes = {"tall": (300, 60, 1), "wide": (5, 9000, 1)}
    return {name: write(same_maps(number, shape), narrow=0.5) for number, (name, shape) in enumerate(shapes.items())}


def same_maps(seed: int, shape: tuple[int, int, int]) -> Draft:
    """Four convolutions of the same extents, 3x3 and 1x1 by turns, to 8 channels, none of which can be dropped."""
    height, width, _ = shape
    steps = []
    for number in range(5):
        kernel = (3, 3) if number % 2 == 0 else (1, 1)
        settings = {"kernel": kernel, "strides": (1, 1), "dilation": (1, 1), "padding": "SAME", "bias": True, "fused": "relu"}
        steps.append(Step("conv", (number,), (height, width, 8), {"filters": 8, **settings}))
    return Draft(seed, shape, tuple(steps), "int8")


@pytest.mark.slow
def test_tables_of_large_maps_give_the_bytes_of_tflite_micro():
    models = large()
    assert all(map(has_table, models.values()))
    agree_on_paths(models, ("plain", "dsp"), optimize="size", inputs=2)


@pytest.mark.slow
def test_tables_give_the_bytes_of_tflite_micro():
    agree_on_paths(chains(), PATHS, optimize="size", inputs=32)
