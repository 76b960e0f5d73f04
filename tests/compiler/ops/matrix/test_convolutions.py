"""TRANSPOSE_CONV and CONV_2D with groups: filters, strides, dilations, paddings, groups, biases and scales, on every path."""

from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, any_activation, one_op, outcomes

from glyphlite.compiler import compile_graph
from glyphlite.errors import ArtifactError
from glyphlite.tflite.checked_op import convolved
from glyphlite.tflite.reader import parse_graph

PADDINGS = ("same", "valid")


def weights_of(rng: np.random.Generator, shape: tuple[int, ...], source: float) -> tuple[list[Constant | None], float]:
    """Weights and a bias, or none, and a scale under which their sums use the range."""
    channels = shape[0]
    scales = [float(np.float32(scale)) for scale in 10 ** rng.uniform(-3, -1, channels if rng.random() < 0.6 else 1)]
    bias = Constant(rng.integers(-5000, 5000, channels).astype(np.int32), [source * scale for scale in scales])
    weights = Constant(rng.integers(-127, 128, shape).astype(np.int8), scales)
    return [weights, bias if rng.random() < 0.6 else None], source * float(np.median(scales)) * np.prod(shape[1:]) ** 0.5 * 60


def pair(rng: np.random.Generator, most: int) -> tuple[int, int]:
    return int(rng.integers(1, most)), int(rng.integers(1, most))


def transposed(rng: np.random.Generator) -> tuple[str, bytes]:
    """One in three has an output of an extent that another input would have had, too."""
    (height, width), (depth, channels), kernel, strides = pair(rng, 8), pair(rng, 8), pair(rng, 6), pair(rng, 4)
    padding = PADDINGS[int(rng.integers(2))]
    extents = [
        extent * stride if padding == "same" else (extent - 1) * stride + size
        for extent, size, stride in zip((height, width), kernel, strides, strict=True)
    ]
    if rng.random() < 0.3:
        extents = [max(1, extent + int(rng.integers(-2, 3))) for extent in extents]
    source = any_activation(rng, (1, height, width, depth))
    (weights, bias), scale = weights_of(rng, (channels, *kernel, depth), source.scale)
    operands = [Constant(np.array([1, *extents, channels], np.int32)), weights, source, *([bias] if bias else [])]
    output = any_activation(rng, (1, *extents, channels), scale)
    words = f"{source.shape} to {output.shape} by {kernel}, strides {strides}, {padding}"
    return words, one_op("TRANSPOSE_CONV", operands, output, "TransposeConvOptions", **options(rng, strides, padding))


def grouped(rng: np.random.Generator) -> tuple[str, bytes] | None:
    groups, depth, filters = int(rng.integers(2, 5)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    shape, kernel, strides, dilation = pair(rng, 9), pair(rng, 4), pair(rng, 4), pair(rng, 3)
    padding = PADDINGS[int(rng.integers(2))]
    extents = [convolved(*each, padding) for each in zip(shape, kernel, strides, dilation, strict=True)]
    if min(extents) < 1:
        return None
    source = any_activation(rng, (1, *shape, groups * depth))
    constants, scale = weights_of(rng, (groups * filters, *kernel, depth), source.scale)
    output = any_activation(rng, (1, *extents, groups * filters), scale)
    fields = {"dilationHFactor": dilation[0], "dilationWFactor": dilation[1], **options(rng, strides, padding)}
    words = f"{source.shape} in {groups} groups of {filters}, by {kernel}, strides {strides}, dilation {dilation}, {padding}"
    return words, one_op("CONV_2D", [source, *constants], output, "Conv2DOptions", **fields)


def options(rng: np.random.Generator, strides: tuple[int, int], padding: str) -> dict[str, Any]:
    fused = int(rng.choice([0, 1, 3]))
    return {"strideH": strides[0], "strideW": strides[1], "padding": PADDINGS.index(padding), "fusedActivationFunction": fused}


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_any_shapes_and_scales_agree(path: str):
    seed = list(PATHS).index(path)
    rng = np.random.default_rng(seed)
    models = dict(found for _ in range(24) for found in (transposed(rng), grouped(rng)) if found)
    agree(models, seed=seed, optimize=OPTIMIZE[seed % 3], path=path)


def one(shape: tuple[int, ...], *, name: str = "TRANSPOSE_CONV", scales: tuple[float, float, float] = (0.1, 0.02, 1.0)) -> bytes:
    """A layer of 2 x 2 filters, by strides of two, to an output of that shape."""
    source, rng = Activation((1, 3, 3, 4), scales[0], 5), np.random.default_rng(3)
    depth = 4 if name == "TRANSPOSE_CONV" else 2
    weights = Constant(rng.integers(-127, 128, (shape[3], 2, 2, depth)).astype(np.int8), [scales[1]])
    bias = Constant(np.arange(shape[3]).astype(np.int32), [scales[0] * scales[1]])
    operands: list[Any] = [source, weights, bias]
    if name == "TRANSPOSE_CONV":
        operands = [Constant(np.array(shape, np.int32)), weights, source, bias]
    kind = {"TRANSPOSE_CONV": "TransposeConvOptions"}.get(name, "Conv2DOptions")
    return one_op(name, operands, Activation(shape, scales[2], -3), kind, strideH=2, strideW=2)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), [("TRANSPOSE_CONV", (1, 6, 6, 2)), ("CONV_2D", (1, 2, 2, 4))])
def test_scales_far_apart_agree_or_are_refused(name: str, shape: tuple[int, ...]):
    models = {}
    for scale in (1e-30, 1e-12, 1e-4, 1e4, 1e12, 1e30):
        for place in range(3):
            scales = [0.1, 0.02, 1.0]
            scales[place] = float(np.float32(scale))
            models[f"{scales}"] = one(shape, name=name, scales=(scales[0], scales[1], scales[2]))
    assert outcomes(models)["equal"] >= 9


def test_an_output_of_another_shape_than_is_asked_for_is_refused():
    source = Activation((1, 3, 3, 4), 0.1, 5)
    weights = Constant(np.ones((2, 2, 2, 4), np.int8), [0.02])
    asked = Constant(np.array([1, 6, 7, 2], np.int32))
    model = one_op(
        "TRANSPOSE_CONV", [asked, weights, source], Activation((1, 6, 6, 2), 1.0, 0), "TransposeConvOptions", strideH=2, strideW=2
    )
    with pytest.raises(ArtifactError, match=r"computes the shape \[1, 6, 7, 2\], but its output has \[1, 6, 6, 2\]"):
        parse_graph(model)


def shape_given(content: bytes) -> bytes:
    """The same layer, the shape of its output an input of the model in the place of a constant."""
    model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    graph = model.subgraphs[0]
    asked = graph.operators[0].inputs[0]
    graph.tensors[asked].buffer, graph.inputs = 0, np.array([asked, *graph.inputs], np.int32)
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("path", PATHS)
def test_a_shape_that_comes_in_is_not_read(path: str):
    rng = np.random.default_rng(list(PATHS).index(path))
    agree({words: shape_given(model) for words, model in (transposed(rng) for _ in range(3))}, path=path)


def test_the_header_says_that_a_shape_is_not_read():
    compilation = compile_graph(parse_graph(shape_given(one((1, 6, 6, 2)))), "net")
    header = " ".join(compilation.files["net.h"].split())
    assert "const int32_t " in header
    assert "never read, by TensorFlow Lite Micro neither" in header.replace(" * ", " ")


def test_the_layers_cost_says_its_products():
    report = compile_graph(parse_graph(one((1, 6, 6, 2))), "net").report
    assert report.macs == 3 * 3 * 4 * 2 * 2 * 2
    assert compile_graph(parse_graph(one((1, 2, 2, 4), name="CONV_2D")), "net").report.macs == 2 * 2 * 4 * 2 * 2 * 2
