"""The ops that move values, drawn for a random network, written into a file and expressed in Keras."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Shape = tuple[int, ...]


class Drawing(Protocol):
    """What drawing a move needs of the draft in the making."""

    for_keras: bool
    shapes: list[Shape]
    current: int

    @property
    def shape(self) -> Shape:
        """The current value's shape."""
        ...

    def add(self, kind: str, shape: Shape, sources: tuple[int, ...] | None = None, **settings: Any) -> int:
        """Append an op and make its result the current value."""
        ...


def draw_move(drawing: Drawing, rng: np.random.Generator) -> None:
    """Append one move of the current value, a vector or an image, to either."""
    kinds = [_draw_slice, _draw_slice, _draw_split, _draw_gather]
    if len(drawing.shape) == 3:
        kinds += [
            _draw_transpose,
            _draw_unpack,
            _draw_blocks,
            _draw_blocks,
            _draw_resize,
            _draw_resize,
            _draw_padding,
            _draw_padding,
        ]
    if not drawing.for_keras:
        kinds += [_draw_reverse, _draw_broadcast]
    kinds[int(rng.integers(len(kinds)))](drawing, rng)


def _draw_slice(drawing: Drawing, rng: np.random.Generator) -> None:
    shape = drawing.shape
    begin = [int(rng.integers(0, extent)) if rng.random() < 0.6 else 0 for extent in shape]
    end = [int(rng.integers(first + 1, extent + 1)) for first, extent in zip(begin, shape, strict=True)]
    if rng.random() < 0.4:
        size = tuple(last - first for first, last in zip(begin, end, strict=True))
        drawing.add("slice", size, begin=begin, size=list(size))
        return
    strides = [int(rng.choice([1, 1, 1, 2, 3])) for _ in shape]
    counts = [-(-(last - first) // step) for first, last, step in zip(begin, end, strides, strict=True)]
    drawing.add("strided_slice", tuple(counts), begin=begin, end=end, strides=strides)


def _draw_split(drawing: Drawing, rng: np.random.Generator) -> None:
    """Equal parts or parts of any size, which the converter leaves in float; one goes on, the others may be added or joined."""
    here, shape = drawing.current, drawing.shape
    axis = int(rng.integers(len(shape)))
    extent = shape[axis]
    if rng.random() < 0.5 or drawing.for_keras:
        parts = int(rng.choice([parts for parts in range(1, min(extent, 4) + 1) if extent % parts == 0]))
        kind, sizes = "split", [extent // parts] * parts
    else:
        cuts = sorted(rng.choice(np.arange(1, extent), int(rng.integers(0, min(extent, 4))), replace=False).tolist())
        kind, sizes = "split_v", np.diff([0, *cuts, extent]).tolist()
    shapes = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
    parts = _add_parts(drawing, rng, kind, here, axis, shapes, sizes=sizes)
    if drawing.for_keras and len(parts) > 1:  # its converter leaves a part in float that nothing reads
        drawing.add("concatenation", shape, tuple(rng.permutation(parts).tolist()), axis=axis)


def _draw_unpack(drawing: Drawing, rng: np.random.Generator) -> None:
    """Unpacked along one axis, and some of the parts packed along another."""
    here, shape = drawing.current, drawing.shape
    axis = int(np.argmin(shape))
    part = shape[:axis] + shape[axis + 1 :]
    parts = _add_parts(drawing, rng, "unpack", here, axis, [part] * shape[axis])
    along = int(rng.integers(3))
    sources = tuple(rng.permutation(parts)[: len(parts) if drawing.for_keras else int(rng.integers(1, 4))].tolist())
    drawing.add("pack", (*part[:along], len(sources), *part[along:]), sources, axis=along)


def _add_parts(
    drawing: Drawing, rng: np.random.Generator, kind: str, source: int, axis: int, shapes: list[Shape], **settings: Any
) -> list[int]:
    """Append a step for each part of one op, and go on with one of them."""
    parts = [
        drawing.add(kind, shape, (source,), axis=axis, part=part, shapes=shapes, **settings) for part, shape in enumerate(shapes)
    ]
    drawing.current = parts[int(rng.integers(len(parts)))]
    return parts


def _draw_transpose(drawing: Drawing, rng: np.random.Generator) -> None:
    axes = rng.permutation(3).tolist()
    drawing.add("transpose", tuple(drawing.shape[axis] for axis in axes), axes=axes)


def _draw_blocks(drawing: Drawing, rng: np.random.Generator) -> None:
    height, width, channels = drawing.shape
    block = int(rng.choice([1, 2, 3]))
    if height % block == 0 and width % block == 0 and rng.random() < 0.5:
        drawing.add("space_to_depth", (height // block, width // block, channels * block**2), block=block)
    elif channels % block**2 == 0:
        drawing.add("depth_to_space", (height * block, width * block, channels // block**2), block=block)
    else:
        _draw_transpose(drawing, rng)


def _draw_reverse(drawing: Drawing, rng: np.random.Generator) -> None:
    drawing.add("reverse_v2", drawing.shape, axis=int(rng.integers(len(drawing.shape))))


def _draw_broadcast(drawing: Drawing, rng: np.random.Generator) -> None:
    shape = tuple(int(rng.integers(1, 5)) if extent == 1 else extent for extent in drawing.shape)
    drawing.add("broadcast_to", shape)


def _draw_gather(drawing: Drawing, rng: np.random.Generator) -> None:
    shape = drawing.shape
    axis = int(rng.integers(len(shape)))
    places = rng.integers(0, shape[axis], int(rng.integers(1, 6))).tolist()
    drawing.add("gather", (*shape[:axis], len(places), *shape[axis + 1 :]), axis=axis, places=places)


def _draw_padding(drawing: Drawing, rng: np.random.Generator) -> None:
    shape = drawing.shape
    kind = "mirror_pad" if rng.random() < 0.5 else "padv2"
    mode = int(rng.integers(2))
    most = [min(extent + mode, 4) if kind == "mirror_pad" else 3 for extent in shape[:2]]
    pads = [tuple(rng.integers(0, limit, 2).tolist()) for limit in most]
    amounts = [*pads, (0, 0)]
    padded = tuple(extent + sum(pair) for extent, pair in zip(shape, amounts, strict=True))
    drawing.add(kind, padded, amounts=amounts, mode=mode, fill=int(rng.integers(-128, 128)))


def _draw_resize(drawing: Drawing, rng: np.random.Generator) -> None:
    height, width, channels = drawing.shape
    kind = "resize_bilinear" if rng.random() < 0.5 else "resize_nearest_neighbor"
    size = (2 * height, 2 * width) if rng.random() < 0.5 else tuple(rng.integers(1, 12, 2).tolist())
    align, half = bool(rng.random() < 0.3), bool(rng.random() < 0.5)
    drawing.add(kind, (*size, channels), size=size, align=align, half=half and not align)


MOVES = (
    *("slice", "strided_slice", "split", "split_v", "unpack", "pack"),
    *("transpose", "space_to_depth", "depth_to_space", "reverse_v2", "broadcast_to"),
    *("gather", "mirror_pad", "padv2", "resize_nearest_neighbor", "resize_bilinear"),
)
FIRST_INPUT = ("split",)
"""Those whose constant comes before the value."""


def constants(kind: str, shape: Shape, settings: dict[str, Any]) -> list[np.ndarray]:
    """The constant inputs of a move, the batch among their axes."""

    def integers(*values: int) -> np.ndarray:
        return np.array(values, np.int32)

    match kind:
        case "slice":
            return [integers(0, *settings["begin"]), integers(1, *settings["size"])]
        case "strided_slice":
            return [integers(0, *settings["begin"]), integers(1, *settings["end"]), integers(1, *settings["strides"])]
        case "split":
            return [np.array(settings["axis"] + 1, np.int32)]
        case "split_v":
            return [integers(*settings["sizes"]), np.array(settings["axis"] + 1, np.int32)]
        case "transpose":
            return [integers(0, *(axis + 1 for axis in settings["axes"]))]
        case "reverse_v2":
            return [integers(settings["axis"] + 1)]
        case "broadcast_to":
            return [integers(1, *shape)]
        case "gather":
            return [integers(*settings["places"])]
        case "mirror_pad" | "padv2":
            fill = [np.array(settings["fill"], np.int8)] if kind == "padv2" else []
            return [np.array([(0, 0), *settings["amounts"]], np.int32), *fill]
        case "resize_nearest_neighbor" | "resize_bilinear":
            return [integers(*settings["size"])]
        case _:
            return []


def options(kind: str, settings: dict[str, Any], inputs: int) -> tuple[str | None, dict[str, Any]]:
    """The options table of a move, and its fields."""
    parts = len(settings.get("shapes", ()))
    centers = {"alignCorners": settings.get("align", False), "halfPixelCenters": settings.get("half", False)}
    tables: dict[str, tuple[str, dict[str, Any]]] = {
        "strided_slice": ("StridedSliceOptions", {}),
        "split": ("SplitOptions", {"numSplits": parts}),
        "split_v": ("SplitVOptions", {"numSplits": parts}),
        "unpack": ("UnpackOptions", {"num": parts, "axis": settings.get("axis", 0) + 1}),
        "pack": ("PackOptions", {"valuesCount": inputs, "axis": settings.get("axis", 0) + 1}),
        "transpose": ("TransposeOptions", {}),
        "space_to_depth": ("SpaceToDepthOptions", {"blockSize": settings.get("block", 1)}),
        "depth_to_space": ("DepthToSpaceOptions", {"blockSize": settings.get("block", 1)}),
        "gather": ("GatherOptions", {"axis": settings.get("axis", 0) + 1}),
        "mirror_pad": ("MirrorPadOptions", {"mode": settings.get("mode", 0)}),
        "padv2": ("PadV2Options", {}),
        "resize_nearest_neighbor": ("ResizeNearestNeighborOptions", centers),
        "resize_bilinear": ("ResizeBilinearOptions", centers),
    }
    return tables.get(kind, (None, {}))


def in_keras(kind: str, sources: list[Any], settings: dict[str, Any]) -> Any:
    """A move as Keras expresses it."""
    import keras
    import tensorflow as tf

    def layer(function: Callable[[Any], Any]) -> Any:
        return keras.layers.Lambda(function)(x)

    x, axis = sources[0], settings.get("axis", 0) + 1
    match kind:
        case "slice":
            begin, size = [0, *settings["begin"]], [1, *settings["size"]]
            return layer(lambda image: tf.slice(image, begin, size))
        case "strided_slice":
            bounds = zip(settings["begin"], settings["end"], settings["strides"], strict=True)
            return x[(slice(None), *(slice(*bound) for bound in bounds))]
        case "split":
            return layer(lambda image: tf.split(image, len(settings["sizes"]), axis)[settings["part"]])
        case "unpack":
            return layer(lambda image: tf.unstack(image, axis=axis)[settings["part"]])
        case "pack":
            return keras.ops.stack(sources, axis)
        case "transpose":
            return keras.ops.transpose(x, (0, *(place + 1 for place in settings["axes"])))
        case "space_to_depth" | "depth_to_space":
            function = tf.nn.space_to_depth if kind == "space_to_depth" else tf.nn.depth_to_space
            return x if settings["block"] == 1 else layer(lambda image: function(image, settings["block"]))
        case "gather":
            return keras.ops.take(x, settings["places"], axis)
        case "mirror_pad":
            return keras.ops.pad(x, ((0, 0), *settings["amounts"]), ("reflect", "symmetric")[settings["mode"]])
        case "padv2":
            return keras.ops.pad(x, ((0, 0), *settings["amounts"]), constant_values=settings["fill"] / 64)
        case "resize_nearest_neighbor" | "resize_bilinear":
            method = "bilinear" if kind == "resize_bilinear" else "nearest"
            return layer(lambda image: tf.image.resize(image, settings["size"], method))
        case _:
            raise AssertionError(kind)
