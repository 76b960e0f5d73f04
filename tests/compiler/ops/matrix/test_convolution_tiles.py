"""CONV_2D without the DSP extension: tiles of one to eight pixels, single or in pairs, in C and in Cortex-M0's assembly."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import Draft
from random_models.by_hand import write
from random_models.drafts import Step
from random_models.one_op import Activation, Constant, agree, any_activation, one_op

from glyphlite.compiler import compile_graph
from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops.matrix.convolution import Convolution
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.checked_op import convolved
from glyphlite.tflite.reader import parse_graph

PADDINGS = ("same", "valid")


def tiles_of(model: bytes) -> list[tuple[int, bool]]:
    nodes = [node for node in lower(parse_graph(model)).nodes if isinstance(node, Convolution)]
    return [(node.tile.words, node.tile.in_pairs) for node in nodes]


def convolution(rng: np.random.Generator, shape: tuple[int, int, int], filters: int, most: int, **window: Any) -> bytes:
    """A file of one convolution whose weights are at most so large."""
    kernel, strides = window.get("kernel", (1, 1)), window.get("strides", (1, 1))
    dilation, padding = window.get("dilation", (1, 1)), window.get("padding", "valid")
    source = any_activation(rng, (1, *shape))
    weights = rng.integers(-most, most + 1, (filters, *kernel, shape[2])).astype(np.int8)
    if window.get("least"):
        weights[rng.random(weights.shape) < 0.02] = -128
    scales = [float(np.float32(scale)) for scale in 10 ** rng.uniform(-3, -1, filters)]
    bias = Constant(rng.integers(-3000, 3000, filters).astype(np.int32), [source.scale * scale for scale in scales])
    spread = source.scale * float(np.median(scales)) * np.prod(weights.shape[1:]) ** 0.5 * 0.5 * most
    extents = [convolved(*each, padding) for each in zip(shape[:2], kernel, strides, dilation, strict=True)]
    output = any_activation(rng, (1, *extents, filters), spread)
    fields = {"strideH": strides[0], "strideW": strides[1], "dilationHFactor": dilation[0], "dilationWFactor": dilation[1]}
    fields |= {"padding": PADDINGS.index(padding), "fusedActivationFunction": int(rng.choice([0, 1, 3]))}
    return one_op("CONV_2D", [source, Constant(weights, scales), bias], output, "Conv2DOptions", **fields)


def any_convolution(rng: np.random.Generator) -> tuple[str, bytes] | None:
    shape = int(rng.integers(1, 6)), int(rng.integers(1, 18)), int(rng.integers(1, 41))
    window: dict[str, Any] = {
        "kernel": (int(rng.integers(1, 4)), int(rng.integers(1, 4))),
        "strides": (int(rng.integers(1, 3)), int(rng.integers(1, 3))),
        "dilation": (int(rng.integers(1, 3)), int(rng.integers(1, 3))) if rng.random() < 0.3 else (1, 1),
        "padding": PADDINGS[int(rng.integers(2))],
        "least": rng.random() < 0.1,
    }
    kernel, strides, dilation = window["kernel"], window["strides"], window["dilation"]
    axes = zip(shape[:2], kernel, strides, dilation, strict=True)
    if min(convolved(*each, window["padding"]) for each in axes) < 1:
        return None
    filters, most = int(rng.integers(1, 9)), int(rng.choice([127, 127, 30, 8, 2, 1]))
    return f"{shape} to {filters}, weights up to {most}, {window}", convolution(rng, shape, filters, most, **window)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["plain", "v6m"])
def test_any_shapes_and_weights_agree(path: str):
    rng = np.random.default_rng(len(path))
    models = dict(found for _ in range(40) if (found := any_convolution(rng)))
    kinds = {kind for model in models.values() for kind in tiles_of(model)}
    assert {words for words, in_pairs in kinds if not in_pairs} == {1, 2, 3, 4, 5}
    assert {words for words, in_pairs in kinds if in_pairs} >= {1, 2, 3, 4}
    agree(models, path=path)


def narrowing(depth: int, widths: range, kernel: int = 2) -> Draft:
    """Convolutions whose maps lose a column each time."""
    window = {"kernel": (1, kernel), "strides": (1, 1), "dilation": (1, 1), "padding": "VALID"}
    settings = {"bias": True, "fused": "relu", "filters": depth, **window}
    steps = tuple(Step("conv", (at,), (3, width, depth), settings) for at, width in enumerate(widths))
    return Draft(3, (3, widths[0] + kernel - 1, 3), steps, "int8")


def pooled(depth: int, padding: str, *extents: tuple[int, int]) -> Draft:
    """A 3x3 convolution with a 2x2 maximum behind it; the extents of input, sums and output."""
    window = {"kernel": (3, 3), "strides": (1, 1), "dilation": (1, 1), "padding": padding}
    pool = {"kernel": (2, 2), "strides": (2, 2), "padding": "VALID", "fused": "none"}
    convolve = Step("conv", (0,), (*extents[1], 5), {"bias": True, "fused": "relu", "filters": 5, **window})
    return Draft(4, (*extents[0], depth), (convolve, Step("max_pool", (1,), (*extents[2], 5), pool)), "int8")


POOLED = pooled(3, "SAME", (9, 10), (9, 10), (4, 5))
EMULATED = {
    "bytes": lambda: write(narrowing(7, range(5, 0, -1)), narrow=0.0),
    "INT4": lambda: write(narrowing(25, range(8, 0, -1)), narrow=1.0),
    "INT4 in blocks": lambda: write(narrowing(150, range(4, 2, -1)), narrow=1.0),
    "under a maximum": lambda: write(POOLED, narrow=0.0),
    "INT4 under a maximum": lambda: write(POOLED, narrow=1.0),
    "one channel under a maximum": lambda: write(pooled(1, "VALID", (9, 12), (7, 10), (3, 5)), narrow=0.0),
    **{
        f"pairs, {width} wide": lambda width=width: convolution(np.random.default_rng(width), (2, width, 90), 5, 3)
        for width in (2, 4, 6, 8)
    },
}


@pytest.mark.parametrize("name", EMULATED)
def test_the_assembly_of_cortex_m0_agrees(name: str, tmp_path: Path):
    path = tmp_path / "model.tflite"
    path.write_bytes(EMULATED[name]())
    with get_runtime("tflm").load(path) as reference, get_runtime("cortex_m0").load(path) as model:
        inputs = np.random.default_rng(1).integers(-128, 128, (20, *model.inputs[0].shape)).astype(np.int8)
        inputs[0], inputs[1] = -128, 127
        [expected], [got] = reference.run((inputs,)), model.run((inputs,))
        assert np.array_equal(got, expected)


def test_the_emulated_models_reach_every_tile():
    kinds = {kind for model in EMULATED.values() for kind in tiles_of(model())}
    assert kinds >= {(words, False) for words in range(1, 6)} | {(words, True) for words in range(1, 5)}


def test_equal_activations_are_taken_apart_at_the_ends():
    """Sums of pairs at the ends of 16 bits: 255 times 128 fits, 255 times 129 is added up in blocks."""
    for total in (128, 129):
        weights = np.zeros((2, 1, 1, 32), np.int8)
        weights[0, ..., ::2], weights[1, ..., ::2] = 8, -8
        weights[0, ..., 0] += total - 128
        source, output = Activation((1, 1, 4, 32), 0.1, -128), Activation((1, 1, 4, 2), 10.0, 0)
        model = one_op(
            "CONV_2D", [source, Constant(weights, [0.1, 0.1])], output, "Conv2DOptions", strideH=1, strideW=1, padding=1
        )
        tile = next(node for node in lower(parse_graph(model)).nodes if isinstance(node, Convolution)).tile
        assert (tile.in_pairs, tile.block) == ((True, 8) if total == 128 else (True, 4))
        agree({f"{total}": model})


@pytest.mark.parametrize(("filters", "called"), [(8, False), (16, True)])
def test_what_gathers_a_pixel_is_called_where_products_are_many(filters: int, called: bool):
    model = convolution(np.random.default_rng(1), (8, 8, 16), filters, 127, kernel=(3, 3), padding="same")
    [line] = [
        line for line in compile_graph(parse_graph(model), "net").files["net.c"].splitlines() if "_fill_words(const" in line
    ]
    assert line.startswith("NET_LAYER ") == called
