"""Ops that move values, over their parameters, against TFLite Micro: which element comes where."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from random_models.by_hand import Parameters
from random_models.drafts import Shape
from random_models.harness import PATHS
from random_models.one_op import Activation, Constant, agree
from random_models.one_op import one_op as any_op

from glyphlite.compiler.lower import lower
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.slicing import strided


def one_op(
    name: str,
    shapes: Sequence[Shape],
    outputs: Sequence[Shape],
    constants: Sequence[np.ndarray] = (),
    options: str | None = None,
    *,
    order: Sequence[int] | None = None,
    output_parameters: Parameters = (0.5, 3),
    **fields: Any,
) -> bytes:
    """A file of one op that moves the values of the input, seen in each of the shapes; constants come last but for the order."""
    operands = [*(Activation(shape, 0.5, 3) for shape in shapes), *map(Constant, constants)]
    if order is not None:
        operands = [operands[place] for place in order]
    return any_op(name, operands, [Activation(shape, *output_parameters) for shape in outputs], options, **fields)


def integers(*values: Any) -> np.ndarray:
    return np.array(values, np.int32)


def shape_of(rng: np.random.Generator, most_axes: int = 4) -> tuple[int, ...]:
    """The shape of one image, vector or sequence."""
    return (1, *(int(extent) for extent in rng.integers(1, 7, int(rng.integers(1, most_axes)))))


def strided_slice(rng: np.random.Generator) -> tuple[str, bytes]:
    """Any begin, end, stride and mask that leaves something."""
    while True:
        shape = shape_of(rng)
        rank = len(shape)
        options = {
            "begin": rng.integers(-8, 9, rank).tolist(),
            "end": rng.integers(-8, 9, rank).tolist(),
            "strides": rng.choice([1, 1, 1, 2, 3, -1, -2], rank).tolist(),
            "begin_mask": int(rng.integers(0, 1 << rank)) | 1,
            "end_mask": int(rng.integers(0, 1 << rank)) | 1,
            "shrink_axis_mask": int(rng.integers(0, 1 << rank)) if rng.random() < 0.3 else 0,
        }
        options["strides"][0] = 1
        taken = strided(shape, options)
        inside = all(each.count > 0 and 0 <= each.start < extent for each, extent in zip(taken, shape, strict=True))
        if inside and not any(each.shrinks and each.stride < 0 for each in taken):
            break
    output = tuple(each.count for each in taken if not each.shrinks)
    bounds = [integers(*options[name]) for name in ("begin", "end", "strides")]
    masks = {f"{name.split('_')[0]}{'Axis' * ('axis' in name)}Mask": options[name] for name in options if "mask" in name}
    return f"{shape} {options}", one_op("STRIDED_SLICE", [shape], [output], bounds, "StridedSliceOptions", **masks)


def plain_slice(rng: np.random.Generator) -> tuple[str, bytes]:
    shape = shape_of(rng, 5)
    begin = [int(rng.integers(0, extent)) for extent in shape]
    counts = [int(rng.integers(1, extent - first + 1)) for first, extent in zip(begin, shape, strict=True)]
    size = [-1 if first + count == extent else count for first, count, extent in zip(begin, counts, shape, strict=True)]
    return f"{shape} {begin} {size}", one_op("SLICE", [shape], [tuple(counts)], [integers(*begin), integers(*size)])


def split(rng: np.random.Generator) -> tuple[str, bytes]:
    shape = list(shape_of(rng))
    axis, parts = int(rng.integers(len(shape) == 4, len(shape))), int(rng.integers(1, 5))
    part = list(shape)
    shape[axis] *= parts
    given = axis - len(shape) if rng.random() < 0.5 else axis
    model = one_op(
        "SPLIT", [tuple(shape)], [tuple(part)] * parts, [np.array(given, np.int32)], "SplitOptions",
        order=(1, 0), taken=int(rng.integers(parts)), numSplits=parts,
    )  # fmt: skip
    return f"{shape} axis {given} parts {parts}", model


def split_v(rng: np.random.Generator) -> tuple[str, bytes]:
    shape = list(shape_of(rng))
    axis, sizes = int(rng.integers(len(shape) == 4, len(shape))), rng.integers(1, 5, int(rng.integers(1, 5))).tolist()
    shape[axis] = sum(sizes)
    outputs = [tuple(size if place == axis else extent for place, extent in enumerate(shape)) for size in sizes]
    if rng.random() < 0.3:
        sizes[int(rng.integers(len(sizes)))] = -1
    constants = [integers(*sizes), np.array(axis, np.int32)]
    taken = int(rng.integers(len(sizes)))
    model = one_op("SPLIT_V", [tuple(shape)], outputs, constants, "SplitVOptions", taken=taken, numSplits=len(sizes))
    return f"{shape} axis {axis} sizes {sizes}", model


def unpack(rng: np.random.Generator) -> tuple[str, bytes]:
    shape = shape_of(rng)
    axis = int(rng.integers(len(shape)))
    part, given = shape[:axis] + shape[axis + 1 :], axis - len(shape) if rng.random() < 0.5 else axis
    taken = int(rng.integers(shape[axis]))
    model = one_op("UNPACK", [shape], [part] * shape[axis], [], "UnpackOptions", taken=taken, num=shape[axis], axis=given)
    return f"{shape} axis {given}", model


def pack(rng: np.random.Generator) -> tuple[str, bytes]:
    shape, count = shape_of(rng), int(rng.integers(1, 4))
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    place = axis % (len(shape) + 1)
    output = (*shape[:place], count, *shape[place:])
    model = one_op("PACK", [shape] * count, [output], [], "PackOptions", valuesCount=count, axis=axis)
    return f"{shape} x {count} axis {axis}", model


def transpose(rng: np.random.Generator) -> tuple[str, bytes]:
    shape = shape_of(rng, 5)
    axes = rng.permutation(len(shape)).tolist()
    output = tuple(shape[axis] for axis in axes)
    return f"{shape} {axes}", one_op("TRANSPOSE", [shape], [output], [integers(*axes)], "TransposeOptions")


def space_to_depth(rng: np.random.Generator) -> tuple[str, bytes]:
    height, width, channels, block = (int(extent) for extent in rng.integers(1, 4, 4))
    shape, output = (1, height * block, width * block, channels), (1, height, width, channels * block * block)
    return f"{shape} {block}", one_op("SPACE_TO_DEPTH", [shape], [output], [], "SpaceToDepthOptions", blockSize=block)


def depth_to_space(rng: np.random.Generator) -> tuple[str, bytes]:
    height, width, channels, block = (int(extent) for extent in rng.integers(1, 4, 4))
    shape, output = (1, height, width, channels * block * block), (1, height * block, width * block, channels)
    return f"{shape} {block}", one_op("DEPTH_TO_SPACE", [shape], [output], [], "DepthToSpaceOptions", blockSize=block)


def reverse(rng: np.random.Generator) -> tuple[str, bytes]:
    shape = shape_of(rng)
    axis = int(rng.integers(len(shape)))
    return f"{shape} {axis}", one_op("REVERSE_V2", [shape], [shape], [integers(axis)], "ReverseV2Options")


def broadcast_to(rng: np.random.Generator) -> tuple[str, bytes]:
    wanted = shape_of(rng)
    shape = tuple(1 if rng.random() < 0.4 else extent for extent in wanted)
    return f"{shape} {wanted}", one_op("BROADCAST_TO", [shape], [wanted], [integers(*wanted)], "BroadcastToOptions")


DRAWN = (
    *(strided_slice, plain_slice, split, split_v, unpack, pack, transpose),
    *(space_to_depth, depth_to_space, reverse, broadcast_to),
)


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_an_op_over_its_parameters(draw: Any):
    rng = np.random.default_rng(23)
    models = dict(draw(rng) for _ in range(30 if draw is strided_slice else 10))
    path = list(PATHS)[DRAWN.index(draw) % len(PATHS)]
    agree(models, path=path, inputs=12)


def test_slices_that_tflite_micro_has_no_kernel_for_are_refused():
    bounds = [integers(0, 1, 0, 0), integers(1, 3, 4, 5), integers(1, 1, 1, 1)]
    masks: tuple[dict[str, Any], ...] = ({"newAxisMask": 2}, {"ellipsisMask": 2})
    for mask in masks:
        model = one_op("STRIDED_SLICE", [(1, 3, 4, 5)], [(1, 2, 4, 5)], bounds, "StridedSliceOptions", **mask)
        with pytest.raises(ArtifactError, match=r"mask is set; slice with a begin and an end for each axis"):
            lower(parse_graph(model))


def test_a_slice_may_change_what_its_bytes_stand_for():
    """TFLite Micro copies the bytes, whatever scale its output has; what reads them takes the output's."""
    models = {}
    for name, constants in (("SLICE", 2), ("STRIDED_SLICE", 3)):
        bounds = [integers(0, 1, 0, 2), integers(1, 2, 4, 3), integers(1, 1, 1, 1)][:constants]
        output = (1, 2, 4, 3) if name == "SLICE" else (1, 1, 4, 1)
        options = None if name == "SLICE" else "StridedSliceOptions"
        models[name] = one_op(name, [(1, 3, 4, 5)], [output], bounds, options, output_parameters=(0.25, -7))
    agree(models)


LIES: dict[str, tuple[bytes, str]] = {
    "a slice beyond its input": (one_op("SLICE", [(1, 3)], [(1, 3)], [integers(0, 1), integers(1, 3)]), "of an extent of 3"),
    "a slice from before its input": (one_op("SLICE", [(1, 3)], [(1, 3)], [integers(0, -1), integers(1, 3)]), "below 0"),
    "a slice of another shape": (one_op("SLICE", [(1, 3)], [(1, 3)], [integers(0, 1), integers(1, 2)]), "computes the shape"),
    "bounds for other axes": (one_op("SLICE", [(1, 3)], [(1, 3)], [integers(0), integers(1)]), "slices a tensor of 2"),
    "bounds of another type": (
        one_op("SLICE", [(1, 3)], [(1, 3)], [np.zeros(2, np.int8), integers(1, 3)]),
        "integers as input 1, not a int8",
    ),
    "a stride of 0": (
        one_op("STRIDED_SLICE", [(1, 3)], [(1, 3)], [integers(0, 0), integers(1, 3), integers(1, 0)], "StridedSliceOptions"),
        "none may be 0",
    ),
    "an empty slice": (
        one_op("STRIDED_SLICE", [(1, 3)], [(1, 3)], [integers(0, 2), integers(1, 1), integers(1, 1)], "StridedSliceOptions"),
        "takes -1 elements",
    ),
    "an axis removed beyond its input": (
        one_op(
            "STRIDED_SLICE",
            [(1, 3)],
            [(1,)],
            [integers(0, 3), integers(1, 9), integers(1, 1)],
            "StridedSliceOptions",
            shrinkAxisMask=2,
        ),
        "takes 1 elements from 3 on",
    ),
    "unequal parts": (
        one_op("SPLIT", [(1, 5)], [(1, 2), (1, 3)], [np.array(1, np.int32)], "SplitOptions", order=(1, 0), numSplits=2),
        "into 2 equal parts",
    ),
    "fewer outputs than parts": (
        one_op("SPLIT", [(1, 4)], [(1, 2)], [np.array(1, np.int32)], "SplitOptions", order=(1, 0), numSplits=2),
        "1 outputs for 2 parts",
    ),
    "parts of another sum": (
        one_op("SPLIT_V", [(1, 4)], [(1, 2), (1, 1)], [integers(2, 1), np.array(1, np.int32)], "SplitVOptions", numSplits=2),
        r"parts of \[2, 1\]",
    ),
    "two parts that are the rest": (
        one_op("SPLIT_V", [(1, 4)], [(1, 2)] * 2, [integers(-1, -1), np.array(1, np.int32)], "SplitVOptions", numSplits=2),
        r"parts of \[-1, -1\]",
    ),
    "an axis that is not there": (
        one_op("SPLIT", [(1, 4)], [(1, 2)] * 2, [np.array(2, np.int32)], "SplitOptions", order=(1, 0), numSplits=2),
        "axis 2 of a tensor of 2",
    ),
    "fewer inputs than packed": (
        one_op("PACK", [(1, 2)], [(1, 1, 2)], [], "PackOptions", valuesCount=2, axis=1),
        "1 inputs for 2 parts",
    ),
    "more unpacked than there is": (
        one_op("UNPACK", [(1, 2)], [(1,)] * 3, [], "UnpackOptions", num=3, axis=1),
        "unpacks an extent of 2 into 3",
    ),
    "a permutation with one axis twice": (
        one_op("TRANSPOSE", [(1, 2, 3)], [(1, 2, 2)], [integers(0, 1, 1)], "TransposeOptions"),
        "has the permutation",
    ),
    "blocks that do not fit": (
        one_op("SPACE_TO_DEPTH", [(1, 3, 4, 1)], [(1, 1, 2, 4)], [], "SpaceToDepthOptions", blockSize=2),
        "do not divide",
    ),
    "blocks of nothing": (
        one_op("DEPTH_TO_SPACE", [(1, 3, 4, 4)], [(1, 3, 4, 4)], [], "DepthToSpaceOptions", blockSize=0),
        "blocks of 0",
    ),
    "a broadcast of what does not fit": (
        one_op("BROADCAST_TO", [(1, 2)], [(1, 4)], [integers(1, 4)], "BroadcastToOptions"),
        "broadcasts the shape",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_does_not_fit_together_is_refused(lie: str):
    model, words = LIES[lie]
    with pytest.raises(ArtifactError, match=words):
        parse_graph(model)
