"""GATHER, MIRROR_PAD, PADV2 and the two resizes, over their parameters, against TFLite Micro."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, Constant, agree, one_op

from glyphlite.compiler.lower import lower
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph

Rng = np.random.Generator


def shape_of(rng: Rng, axes: int) -> tuple[int, ...]:
    return (1, *(int(extent) for extent in rng.integers(1, 8, axes)))


def given(shape: tuple[int, ...]) -> Activation:
    return Activation(shape, 0.5, 3)


def gather(rng: Rng) -> tuple[str, bytes]:
    shape = shape_of(rng, int(rng.integers(1, 4)))
    axis = int(rng.integers(len(shape)))
    count = () if rng.random() < 0.1 else tuple(rng.integers(1, 5, 1 if rng.random() < 0.8 else 2).tolist())
    places = rng.integers(0, shape[axis], count).astype(np.int32)
    output = given((*shape[:axis], *count, *shape[axis + 1 :]))
    which = axis - len(shape) if rng.random() < 0.3 else axis
    model = one_op("GATHER", [given(shape), Constant(places)], output, "GatherOptions", axis=which)
    return f"{shape} axis {which} places {places.tolist()}", model


def mirror_pad(rng: Rng) -> tuple[str, bytes]:
    shape, mode = shape_of(rng, 3), int(rng.integers(2))
    pads = [(0, 0), *(tuple(rng.integers(0, extent + mode, 2).tolist()) for extent in shape[1:])]
    output = given(tuple(extent + before + after for extent, (before, after) in zip(shape, pads, strict=True)))
    operands = [given(shape), Constant(np.array(pads, np.int32))]
    return f"{shape} {pads} mode {mode}", one_op("MIRROR_PAD", operands, output, "MirrorPadOptions", mode=mode)


def pad_v2(rng: Rng) -> tuple[str, bytes]:
    shape = shape_of(rng, 3)
    pads = [(0, 0), *(tuple(rng.integers(0, 4, 2).tolist()) for _ in shape[1:])]
    output = given(tuple(extent + before + after for extent, (before, after) in zip(shape, pads, strict=True)))
    fill = np.array(rng.integers(-128, 128), np.int8)
    operands = [given(shape), Constant(np.array(pads, np.int32)), Constant(fill, [0.5], 3)]
    return f"{shape} {pads} fill {fill}", one_op("PADV2", operands, output, "PadV2Options")


def resize(name: str, options: str) -> Callable[[Rng], tuple[str, bytes]]:
    def draw(rng: Rng) -> tuple[str, bytes]:
        shape = shape_of(rng, 3)
        size = tuple(rng.integers(1, 16, 2).tolist()) if rng.random() < 0.7 else (2 * shape[1], 3 * shape[2])
        align = bool(rng.random() < 0.4)
        half = bool(rng.random() < 0.4) and not (align and name == "RESIZE_BILINEAR")
        operands = [given(shape), Constant(np.array(size, np.int32))]
        output = given((1, *size, shape[3]))
        model = one_op(name, operands, output, options, alignCorners=align, halfPixelCenters=half)
        return f"{shape} to {size} align {align} half {half}", model

    return draw


DRAWN = {
    "gather": gather,
    "mirror_pad": mirror_pad,
    "padv2": pad_v2,
    "resize_nearest": resize("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"),
    "resize_bilinear": resize("RESIZE_BILINEAR", "ResizeBilinearOptions"),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_an_op_over_its_parameters(kind: str):
    rng, place = np.random.default_rng(23), list(DRAWN).index(kind)
    models = dict(DRAWN[kind](rng) for _ in range(14))
    agree(models, path=list(PATHS)[place % len(PATHS)], optimize=OPTIMIZE[place % 3], inputs=12)


@pytest.mark.parametrize("kind", ["resize_nearest", "resize_bilinear"])
def test_large_resizes_round_as_tflite_micro(kind: str):
    """Places far from the start, where float32 and the ten bits of fraction round."""
    name, options = {
        "resize_nearest": ("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions"),
        "resize_bilinear": ("RESIZE_BILINEAR", "ResizeBilinearOptions"),
    }[kind]
    models: dict[str, bytes] = {}
    switches: tuple[dict[str, Any], ...] = ({}, {"alignCorners": True}, {"halfPixelCenters": True})
    for extent, size in ((300, 700), (701, 33), (97, 1000)):
        for fields in switches:
            operands = [given((1, 1, extent, 1)), Constant(np.array((1, size), np.int32))]
            models[f"{extent} to {size} {fields}"] = one_op(name, operands, given((1, 1, size, 1)), options, **fields)
    refused = {words for words, model in models.items() if _is_refused(model)}
    assert all(kind == "resize_bilinear" and words.startswith("97 to 1000") for words in refused), refused
    agree({words: model for words, model in models.items() if words not in refused}, inputs=8)


def _is_refused(model: bytes) -> bool:
    try:
        lower(parse_graph(model))
    except ArtifactError as error:
        return "TFLite Micro reads beyond the" in str(error)
    return False


def test_a_resize_that_aligns_both_ways_is_refused():
    operands = [given((1, 2, 2, 1)), Constant(np.array((4, 4), np.int32))]
    fields: dict[str, Any] = {"alignCorners": True, "halfPixelCenters": True}
    model = one_op("RESIZE_BILINEAR", operands, given((1, 4, 4, 1)), "ResizeBilinearOptions", **fields)
    with pytest.raises(ArtifactError, match="both align_corners and half_pixel_centers; set one of them"):
        lower(parse_graph(model))


def test_a_resize_by_a_whole_factor_needs_no_table():
    operands = [given((1, 3, 5, 2)), Constant(np.array((6, 15), np.int32))]
    model = one_op("RESIZE_NEAREST_NEIGHBOR", operands, given((1, 6, 15, 2)), "ResizeNearestNeighborOptions")
    from glyphlite.compiler import compile_graph

    assert "offsets" not in compile_graph(parse_graph(model), "net").files["net_weights.h"]


def test_what_is_padded_with_needs_the_scale_of_the_output():
    operands = [
        given((1, 2, 2, 1)),
        Constant(np.array([(0, 0), (1, 1), (0, 0), (0, 0)], np.int32)),
        Constant(np.array(5, np.int8), [0.25], 3),
    ]
    model = one_op("PADV2", operands, given((1, 4, 2, 1)), "PadV2Options")
    with pytest.raises(ArtifactError, match="pads with differs in scale or zero point"):
        lower(parse_graph(model))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            one_op("GATHER", [given((1, 3)), Constant(np.array([3], np.int32))], given((1, 1)), "GatherOptions", axis=1),
            "positions 3",
        ),
        (
            one_op("GATHER", [given((1, 3)), Constant(np.array([-1], np.int32))], given((1, 1)), "GatherOptions", axis=1),
            "positions -1",
        ),
        (
            one_op(
                "RESIZE_BILINEAR",
                [given((1, 2, 2, 1)), Constant(np.array((0, 4), np.int32))],
                given((1, 1, 4, 1)),
                "ResizeBilinearOptions",
            ),
            r"resizes to \[0, 4\]",
        ),
        (
            one_op(
                "RESIZE_BILINEAR",
                [given((1, 2, 2, 1)), Constant(np.array((4, 4), np.int32))],
                given((1, 3, 4, 1)),
                "ResizeBilinearOptions",
            ),
            "computes the shape",
        ),
        (
            one_op(
                "PADV2",
                [given((1, 2)), Constant(np.array([(0, 0), (1, 1)], np.int32)), Constant(np.zeros(2, np.int8), [0.5], 3)],
                given((1, 4)),
                "PadV2Options",
            ),
            "pads with the 2 values",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(model: bytes, words: str):
    with pytest.raises(ArtifactError, match=words):
        parse_graph(model)


def concatenation(rng: Rng) -> tuple[str, bytes]:
    """Parts of any rank up to five, along any axis, some of them constant; the first comes from the input."""
    shape = shape_of(rng, int(rng.integers(1, 5)))
    axis = int(rng.integers(len(shape)))
    constant = Constant(
        rng.integers(-128, 128, (*shape[:axis], int(rng.integers(1, 4)), *shape[axis + 1 :])).astype(np.int8), [0.5], 3
    )
    operands = [given(shape), *([constant] if rng.random() < 0.6 else []), *([given(shape)] if rng.random() < 0.6 else [])]
    if rng.random() < 0.5:
        operands.reverse()
    extents = [each.values.shape[axis] if isinstance(each, Constant) else each.shape[axis] for each in operands]
    which = axis - len(shape) if rng.random() < 0.3 else axis
    output = given((*shape[:axis], sum(extents), *shape[axis + 1 :]))
    return f"{shape} axis {which} {extents}", one_op("CONCATENATION", operands, output, "ConcatenationOptions", axis=which)


@pytest.mark.parametrize("path", PATHS)
def test_parts_are_joined_along_any_axis(path: str):
    place = list(PATHS).index(path)
    rng = np.random.default_rng(place)
    agree(dict(concatenation(rng) for _ in range(8)), path=path, optimize=OPTIMIZE[place % 3], inputs=12)


def test_the_largest_maps_are_lowered_at_once():
    """No list of places is made of an axis that stays as it is; one that asks for a list beyond reason is refused."""
    size, pads = 100_000_000, np.array([(0, 0), (1, 0), (0, 0), (0, 0)], np.int32)
    lower(
        parse_graph(
            one_op("MIRROR_PAD", [given((1, 1, 1, size)), Constant(pads)], given((1, 2, 1, size)), "MirrorPadOptions", mode=1)
        )
    )
    pads = np.array([(0, 0), (0, 0), (0, 0), (1, 0)], np.int32)
    model = one_op("MIRROR_PAD", [given((1, 1, 1, size)), Constant(pads)], given((1, 1, 1, size + 1)), "MirrorPadOptions")
    with pytest.raises(ArtifactError, match=r"mirrors an axis of 100,000,000 elements; .* pad a smaller map"):
        lower(parse_graph(model))
