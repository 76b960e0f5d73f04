"""DEPTHWISE_CONV_2D channel after channel along a row: TFLite Micro's bytes over its parameter space, on every path."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.harness import PATHS
from random_models.one_op import agree, agree_on_paths

from glyphlite.compiler import compile_graph
from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops.matrix.depthwise_columns import DistantColumns, NeighbourColumns, SingleColumns, fit_16_bits
from glyphlite.compiler.ops.matrix.depthwise_convolution import DepthwiseConvolution
from glyphlite.compiler.values import Value, Window
from glyphlite.emulation.toolchain import compile_and_link, target_named
from glyphlite.runtimes.registry import get_runtime
from glyphlite.tflite.checked_op import convolved
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.reader import parse_graph

FUSED = ("none", "relu", "relu6")


def draft_of(seed: int) -> Draft:
    """One depthwise layer, or two of which the second reads rows of the first; most widths are small, all paddings occur."""
    rng = np.random.default_rng([seed, 24])
    channels = int(rng.integers(2, 41))
    shapes = [(int(rng.integers(1, 10)), int(rng.integers(3, 12)), channels)]
    steps: list[Step] = []
    for _ in range(int(rng.integers(1, 3))):
        kernel = (3, 3) if rng.random() < 0.4 else (int(rng.integers(1, 6)), int(rng.integers(1, 6)))
        strides = (1, 1) if rng.random() < 0.5 else (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        dilation = (int(rng.integers(1, 3)), 1) if rng.random() < 0.2 and strides == (1, 1) else (1, 1)
        padding = str(rng.choice(["SAME", "VALID"]))
        extents = [convolved(*each, padding.lower()) for each in zip(shapes[-1][:2], kernel, strides, dilation, strict=True)]
        if min(extents) < 1:
            padding = "SAME"
            extents = [-(-extent // stride) for extent, stride in zip(shapes[-1][:2], strides, strict=True)]
        settings: dict[str, Any] = {"kernel": kernel, "strides": strides, "dilation": dilation, "padding": padding}
        settings |= {"multiplier": 1, "bias": bool(rng.random() < 0.8), "fused": str(rng.choice(FUSED))}
        shapes.append((extents[0], extents[1], channels))
        steps.append(Step("depthwise", (len(steps),), shapes[-1], settings))
    return Draft(seed, shapes[0], tuple(steps), "int8")


def layers_of(content: bytes) -> list[DepthwiseConvolution]:
    return [node for node in lower(parse_graph(content)).nodes if isinstance(node, DepthwiseConvolution)]


@pytest.mark.slow
@pytest.mark.parametrize("narrow", [0.0, 1.0])
@pytest.mark.parametrize("path", PATHS)
def test_any_shapes_agree(path: str, narrow: float):
    first = 100 * list(PATHS).index(path) + 50 * int(narrow)
    models = {f"seed {seed}": write(draft_of(seed), narrow=narrow) for seed in range(first, first + 12)}
    kinds = Counter(
        (layer.in_columns, layer.int4, layer.in_columns and type(layer.plain_columns))
        for content in models.values()
        for layer in layers_of(content)
    )
    assert kinds[True, narrow > 0, DistantColumns if narrow else SingleColumns] > 3
    agree(models, seed=first, path=path)


def two_layers(shape: tuple[int, int, int], narrow: float) -> bytes:
    """Two layers in a chain, 3x3, the same padding, the second by strides of two."""
    height, width, channels = shape
    settings: dict[str, Any] = {"kernel": (3, 3), "dilation": (1, 1), "padding": "SAME", "multiplier": 1, "bias": True}
    first = Step("depthwise", (0,), shape, {**settings, "strides": (1, 1), "fused": "none"})
    halved = (-(-height // 2), -(-width // 2), channels)
    second = Step("depthwise", (1,), halved, {**settings, "strides": (2, 2), "fused": "relu"})
    return write(Draft(sum(shape), shape, (first, second), "int8"), narrow=narrow)


@pytest.mark.slow
def test_every_number_of_channels_agrees():
    models = {
        f"{channels} channels": two_layers((5, 6 + channels % 4, channels), float(channels % 8 > 3))
        for channels in range(4, 41, 12)
    }
    agree_on_paths(models, PATHS)


def value_of(height: int, width: int) -> Value:
    return Value(0, "map", height, width, 4, Quantization((1.0,), (0,), 0))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_every_tap_meets_its_column(width: int, stride: int):
    columns = NeighbourColumns(Window(1, width, stride_x=stride), value_of(1, 40), value_of(1, 6))
    halves = {"b": 0, "t": 1}
    for output in range(2):
        met: list[tuple[int, int | None]] = []
        for product in columns.products:
            taps = columns.taps[product.weights]
            sides = product.instruction.removeprefix("__smla")
            pairs = [(0, 0), (1, 1)] if sides == "d" else [(halves[sides[0]], halves[sides[1]])]
            if product.output == output:
                met += [(2 * product.columns + at, taps[tap]) for at, tap in pairs]
        assert set(met) == {(output * stride + tap, tap) for tap in range(width)}
        assert len(met) == width


@pytest.mark.parametrize(("left", "width"), [(0, 9), (1, 5), (2, 6), (1, 3), (3, 4)])
def test_runs_count_the_columns_in_the_map(left: int, width: int):
    window = Window(3, 2 * left + 1, pad_left=left)
    for kind in (NeighbourColumns, DistantColumns, SingleColumns):
        columns = kind(window, value_of(9, width), value_of(9, width))
        assert sum(columns.runs) == columns.words
        assert sum(map(any, columns.inside())) == sum(columns.runs[1:4])


def test_sums_of_16_bits_are_those_of_small_weights():
    assert fit_16_bits(np.full((2, 16), -8, np.int8))
    assert fit_16_bits(np.full((2, 18), 7, np.int8))
    assert not fit_16_bits(np.full((2, 17), -8, np.int8))
    assert not fit_16_bits(np.array([[127, 2], [1, 1]], np.int8))
    assert fit_16_bits(np.array([[127, -127], [1, 1]], np.int8))


def pairing(shape: tuple[int, int, int], strides: tuple[int, ...], padding: str, fused: str = "none") -> Draft:
    """A chain of depthwise layers between 1x1 convolutions, which make two rows a call where they can."""
    shapes, steps = [shape], list[Step]()
    common: dict[str, Any] = {"dilation": (1, 1), "bias": True, "fused": fused}
    for stride in strides:
        height, width, channels = shapes[-1]
        point: dict[str, Any] = {"kernel": (1, 1), "strides": (1, 1), "padding": "SAME", "filters": channels, **common}
        steps.append(Step("conv", (len(steps),), shapes[-1], point))
        shapes.append(shapes[-1])
        extents = [convolved(extent, 3, stride, 1, padding.lower()) for extent in (height, width)]
        shapes.append((extents[0], extents[1], channels))
        depth: dict[str, Any] = {"kernel": (3, 3), "strides": (stride, stride), "padding": padding, "multiplier": 1, **common}
        steps.append(Step("depthwise", (len(steps),), shapes[-1], depth))
    return Draft(sum(shape) + len(strides), shape, tuple(steps), "int8")


PAIRED = {
    "an even number of rows": (pairing((8, 9, 5), (1, 1), "SAME"), 0.0),
    "an odd one, INT4": (pairing((7, 8, 8), (1, 1), "SAME", "relu"), 1.0),
    "no padding": (pairing((11, 10, 6), (1, 1, 1), "VALID"), 0.0),
    "no padding, INT4": (pairing((12, 13, 4), (1, 1), "VALID", "relu6"), 1.0),
    "strides of two": (pairing((13, 12, 7), (2, 1), "SAME"), 0.0),
    "two rows": (pairing((2, 3, 4), (1, 1), "SAME"), 0.0),
    "three rows": (pairing((3, 5, 4), (1,), "SAME"), 0.0),
}


@pytest.mark.parametrize("name", PAIRED)
def test_two_rows_a_call_agree_on_a_core_that_runs_the_assembly(name: str, tmp_path: Path):
    draft, narrow = PAIRED[name]
    path = tmp_path / "model.tflite"
    path.write_bytes(write(draft, narrow=narrow))
    text = compile_graph(parse_graph(path.read_bytes()), "net").files["net.c"]
    assert "], %[start]" in text
    with get_runtime("tflm").load(path) as reference, get_runtime("cortex_m4").load(path) as model:
        inputs = np.random.default_rng(1).integers(-128, 128, (12, *model.inputs[0].shape)).astype(np.int8)
        inputs[0], inputs[1] = -128, 127
        [expected], [got] = reference.run((inputs,)), model.run((inputs,))
        assert np.array_equal(got, expected)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_two_rows_a_call_agree_on_any_shape(path: str):
    rng = np.random.default_rng([24, list(PATHS).index(path)])
    models: dict[str, bytes] = {}
    for _ in range(12):
        padding, strides = str(rng.choice(["SAME", "VALID"])), tuple(int(s) for s in rng.integers(1, 3, rng.integers(1, 4)))
        shape = int(rng.integers(1, 10)), int(rng.integers(3, 10)), int(rng.integers(4, 41))
        if padding == "VALID":
            shape = shape[0] + 14, shape[1] + 14, shape[2] // 3 + 4
        narrow = float(rng.integers(2))
        models[f"{shape} {strides} {padding} {narrow}"] = write(pairing(shape, strides, padding), narrow=narrow)
    agree(models, path=path)


@pytest.mark.parametrize(
    "flags", [("-O0",), ("-O3", "-fno-omit-frame-pointer"), ("-Os", "-fno-inline"), ("-O2", "-DNET_PORTABLE")]
)
def test_the_assembly_leaves_compilers_enough_registers(flags: tuple[str, ...], tmp_path: Path):
    compile_graph(parse_graph(write(pairing((5, 7, 4), (1, 2), "SAME"), narrow=0.0)), "net").write(tmp_path)
    level, *rest = flags
    core = target_named("cortex-m4")
    compile_and_link(core, [tmp_path / "net.c"], tmp_path / "net.elf", keep=["net_invoke"], optimize=level, flags=rest)


def test_assembly_multiplies_as_c_does():
    for stride, rows in ((1, 4), (2, 5)):
        columns = NeighbourColumns(Window(3, 3, stride, stride), value_of(9, 40), value_of(4, 6), 2)
        firsts = [product[0] for load in columns.loads for product in load.products if product[4]]
        assert (columns.rows, sorted(firsts), firsts[-1]) == (rows, [0, 1, 2, 3], columns.last_sum)
        met = {(sum_, load.lane % columns.unit, row, tap) for load in columns.loads for sum_, _, row, tap, _ in load.products}
        assert all(lane == row + stride * (sum_ // 2) for sum_, lane, row, _ in met)
        assert sum(len(load.products) for load in columns.loads) == 2 * 3 * len(columns.products)
