"""CONV_2D by strips of lanes: every shape of map and filter gives TFLite Micro's bytes, and every pixel of a row is computed."""

import numpy as np
import pytest
from random_models.by_hand import write
from random_models.drafts import FUSED, Draft, Step
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import agree
from support.slow import rest_slow

from glyphlite.compiler.ops.matrix.strip import in_order, strip_of
from glyphlite.compiler.values import Window
from glyphlite.tflite.checked_op import convolved


def any_draft(seed: int) -> Draft | None:
    """A convolution, in one of three with the layer behind it that its 2x2 maximum or a second convolution is."""
    rng = np.random.default_rng([seed, 24])
    height, width = int(rng.integers(1, 6)), int(rng.integers(1, 10))
    channels, filters = int(rng.integers(1, 41)), int(rng.integers(1, 20))
    kernel = (1, 1) if rng.random() < 0.3 else (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    strides = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    dilation = (int(rng.choice([1, 1, 2])), int(rng.choice([1, 1, 1, 2]))) if strides == (1, 1) else (1, 1)
    padding = str(rng.choice(["SAME", "VALID"]))
    window = {"kernel": kernel, "strides": strides, "dilation": dilation, "padding": padding}
    extents = [convolved(*each, padding.lower()) for each in zip((height, width), kernel, strides, dilation, strict=True)]
    if min(extents) < 1:
        return None
    settings = {"bias": bool(rng.random() < 0.8), "fused": str(rng.choice(FUSED)), **window}
    steps = [Step("conv", (0,), (*extents, filters), {"filters": filters, **settings})]
    if seed % 3 == 0 and min(extents) > 1:
        pool = {"fused": "none", "kernel": (2, 2), "strides": (2, 2), "dilation": (1, 1), "padding": "VALID"}
        steps.append(Step("max_pool", (1,), (extents[0] // 2, extents[1] // 2, filters), pool))
    elif seed % 3 == 1:
        point = {"kernel": (1, 1), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME", "bias": True, "fused": "relu"}
        steps.append(Step("conv", (1,), (*extents, 5), {"filters": 5, **point}))
    return Draft(seed, (height, width, channels), tuple(steps), "int8")


def some_models(first: int, count: int) -> dict[str, bytes]:
    drafts = [draft for seed in range(first, first + count) if (draft := any_draft(seed))]
    return {f"seed {draft.seed}: {draft}": write(draft, narrow=float(draft.seed % 4 == 0)) for draft in drafts}


@pytest.mark.parametrize("path", rest_slow(sorted(PATHS, key="dsp".__ne__)))
def test_any_shape_agrees(path: str):
    agree(some_models(100 * list(PATHS).index(path), 12 if path == "dsp" else 5), path=path)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_many_shapes_agree(path: str):
    place = list(PATHS).index(path)
    agree(some_models(1000 * (place + 1), 60 if path == "dsp" else 8), path=path, optimize=OPTIMIZE[place % 2 * 2])


def deep(channels: int, width: int, kernel: int, seed: int) -> bytes:
    """Filters so deep that their sums may leave the bits in which two can be told apart."""
    settings = {"kernel": (1, kernel), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME", "bias": True, "fused": "none"}
    step = Step("conv", (0,), (1, width, 6), {"filters": 6, **settings})
    return write(Draft(seed, (1, width, channels), (step,), "int8"), narrow=float(seed % 2))


@pytest.mark.slow
def test_sums_beyond_their_bits_agree():
    shapes = [(516, 1, 1), (1030, 3, 1), (700, 5, 1), (264, 2, 3), (1100, 7, 1)]
    models = {f"{shape}, seed {seed}": deep(*shape, seed) for shape in shapes for seed in range(2)}
    agree(models, path="dsp")


@pytest.mark.parametrize("pooled", [False, True])
def test_every_pixel_of_a_row_is_computed(pooled: bool):
    for width in range(1, 60):
        for macs in (100, 10**7):
            runs = strip_of(Window(), 8, width, macs=macs, padded=False, pooled=pooled).runs
            assert runs[0].first == 0
            assert [run.first for run in runs[1:]] == [run.end for run in runs[:-1]]
            assert runs[-1].end == width
            assert all(pooled or run.pixels <= run.end - run.first for run in runs)


def test_threes_and_pairs_compute_no_pixel_twice_where_that_would_cost_much():
    for width in range(2, 60):
        runs = strip_of(Window(), 8, width, macs=10**7, padded=False, pooled=False).runs
        computed = sum(-(-(run.end - run.first) // run.pixels) * run.pixels for run in runs)
        assert computed <= 1.05 * width


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (10, 4), (4, 1), (1, 3), (5, 5)])
def test_every_input_of_a_filter_has_one_lane(channels: int, kernel: tuple[int, int]):
    strip = strip_of(Window(height=kernel[0], width=kernel[1]), channels, 9, macs=1, padded=False, pooled=False)
    depth = kernel[0] * kernel[1] * channels
    assert sorted(place for place in strip.order if place >= 0) == list(range(depth))
    assert len(strip.order) % 4 == 0
    filters = np.arange(1, depth + 1).reshape(1, -1)
    assert [value - 1 for value in in_order(filters, strip.order)[0]] == list(strip.order)


def test_columns_follow_one_another():
    order = strip_of(Window(height=3, width=2), 4, 9, macs=1, padded=False, pooled=False).order
    assert order[4:8] == (8, 9, 10, 11)
    assert order[12:16] == (4, 5, 6, 7)
