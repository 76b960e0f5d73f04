"""Checks of the ops that move values without computing: slices, parts, permutations, resizes, gathers.

Shapes follow TFLite Micro's ``Prepare`` functions, which refuse an output of another shape. Where an op's numbers are computed,
not constant, only their type is checked.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from glyphlite.tflite.checked_op import FREE, LARGEST_STEP, Site, differ
from glyphlite.tflite.graph import Tensor
from glyphlite.tflite.slicing import Taken, sliced, strided


def _transpose(site: Site) -> None:
    site.arity(2)
    image = site.input(0)
    site.same_type(image)
    if "permutation" not in site.operator.options:
        return
    permutation = site.operator.options["permutation"]
    rank = len(image.shape)
    axes = [site.axis(axis, rank) for axis in permutation]
    if sorted(axes) != list(range(rank)):
        site.refuse(f"has the permutation {list(permutation)} of an input of {rank} dimensions")
    site.shape([image.shape[axis] for axis in axes])


def _pack(site: Site) -> None:
    inputs = site.operator.inputs
    site.arity(max(len(inputs), 1))
    if site.operator.options["parts"] != len(inputs):
        site.refuse(f"has {len(inputs)} inputs for {site.operator.options['parts']} parts")
    first = site.input(0)
    site.same_type(*(site.input(position) for position in range(len(inputs))))
    axis = site.axis(site.operator.options["axis"], len(first.shape) + 1)
    for position in range(1, len(inputs)):
        other = site.input(position).shape
        if len(other) != len(first.shape) or any(differ(*pair) for pair in zip(first.shape, other, strict=True)):
            site.refuse(f"stacks the shapes {list(first.shape)} and {list(other)}, which differ")
    site.shape((*first.shape[:axis], len(inputs), *first.shape[axis:]))


def _strided_slice(site: Site) -> None:
    site.arity(4)
    image, options = site.input(0), site.operator.options
    site.same_type(image)
    rank = len(image.shape)
    for position in (1, 2, 3):
        bound = site.input(position)
        if len(bound.shape) != 1 or bound.elements > rank or bound.dtype.name != "int32":
            site.refuse(f"slices a tensor of {rank} dimensions by a {bound.dtype.name} of shape {list(bound.shape)}")
    bounds = [options.get(name) for name in ("begin", "end", "strides")]
    if 0 in (bounds[2] or ()):
        site.refuse(f"has the strides {list(options['strides'])}; none may be 0")
    masked = options["ellipsis_mask"] or options["new_axis_mask"] or options["offset"]
    if masked or any(bound is None or len(bound) != rank for bound in bounds):
        return
    _taken(site, image, strided(image.shape, options))


def _slice(site: Site) -> None:
    site.arity(3)
    image, options = site.input(0), site.operator.options
    site.same_type(image)
    rank = len(image.shape)
    for position in (1, 2):
        site.integers(position, rank)
    if "begin" not in options or "size" not in options:
        return
    if {len(options["begin"]), len(options["size"])} != {rank}:
        site.refuse(f"slices a tensor of {rank} dimensions from {list(options['begin'])} by {list(options['size'])}")
    if min((0, *options["begin"])) < 0 or min((0, *options["size"])) < -1:
        site.refuse(f"slices from {list(options['begin'])} by {list(options['size'])}; only a size may be below 0, and then -1")
    _taken(site, image, sliced(image.shape, options))


def _taken(site: Site, image: Tensor, taken: Sequence[Taken]) -> None:
    """Checks that what a slice takes lies within the image, and the output's shape."""
    for each, extent in zip(taken, image.shape, strict=True):
        last = each.start + (each.count - 1) * each.stride
        if extent != FREE and (each.count < 1 or not (0 <= each.start < extent and 0 <= last < extent)):
            site.refuse(f"takes {each.count} elements from {each.start} on, {each.stride} apart, of an extent of {extent}")
    extents = [
        FREE if extent == FREE else each.count for each, extent in zip(taken, image.shape, strict=True) if not each.shrinks
    ]
    site.shape(extents)


def _split(site: Site) -> None:
    """Checks SPLIT, into equal parts, and SPLIT_V, into parts of given sizes, one of which may be -1: the rest."""
    parts = len(site.operator.outputs)
    even = site.operator.name == "SPLIT"
    site.arity(2 if even else 3, outputs=parts)
    image = site.input(1 if even else 0)
    site.same_type(image)
    site.integers(0 if even else 2, 1)
    if not even:
        site.integers(1, parts)
    _parts(site, parts)
    if "axes" not in site.operator.options:
        return
    axis = site.axis(site.operator.options["axes"][0], len(image.shape))
    extent = image.shape[axis]
    if even:
        if extent != FREE and extent % parts:
            site.refuse(f"splits an extent of {extent} into {parts} equal parts")
        sizes = (FREE if extent == FREE else extent // parts,) * parts
    elif "sizes" not in site.operator.options:
        return
    else:
        sizes = split_sizes(site.operator.options["sizes"], extent)
        if len(sizes) != parts or min(sizes) < 1 or (extent != FREE and sum(sizes) != extent):
            site.refuse(f"splits an extent of {extent} into {parts} parts of {list(site.operator.options['sizes'])}")
    for number, size in enumerate(sizes):
        site.shape([size if place == axis else other for place, other in enumerate(image.shape)], number)


def split_sizes(sizes: Sequence[int], extent: int) -> tuple[int, ...]:
    """Returns the extent of each part of a SPLIT_V: a size of -1 is the rest."""
    rest = extent - sum(size for size in sizes if size != -1)
    return tuple(rest if size == -1 and list(sizes).count(-1) == 1 else size for size in sizes)


def _parts(site: Site, parts: int) -> None:
    """Refuses an option that gives another number of parts than there are outputs."""
    if site.operator.options["parts"] != parts:
        site.refuse(f"has {parts} outputs for {site.operator.options['parts']} parts")


def _unpack(site: Site) -> None:
    parts = len(site.operator.outputs)
    site.arity(1, outputs=parts)
    image = site.input(0)
    site.same_type(image)
    _parts(site, parts)
    axis = site.axis(site.operator.options["axis"], len(image.shape))
    if differ(image.shape[axis], parts):
        site.refuse(f"unpacks an extent of {image.shape[axis]} into {parts}")
    for number in range(parts):
        site.shape((*image.shape[:axis], *image.shape[axis + 1 :]), number)


def _reverse(site: Site) -> None:
    site.arity(2)
    image = site.input(0)
    site.same_type(image)
    site.integers(1, len(image.shape))
    for axis in site.operator.options.get("axes", ()):
        site.axis(axis, len(image.shape))
    site.shape(image.shape)


def _broadcast_to(site: Site) -> None:
    site.arity(2)
    image = site.input(0)
    site.same_type(image)
    site.integers(1, 8)
    wanted = site.operator.options.get("new_shape")
    if wanted is None:
        return
    shorter = len(wanted) - len(image.shape)
    fits = shorter >= 0 and all(extent in (1, FREE, other) for extent, other in zip(image.shape, wanted[shorter:], strict=True))
    if not fits or min((1, *wanted)) < 1:
        site.refuse(f"broadcasts the shape {list(image.shape)} to {list(wanted)}")
    site.shape(wanted)


def _tile(site: Site) -> None:
    site.arity(2)
    image, multiples = site.input(0), site.operator.options.get("multiples")
    site.same_type(image)
    site.integers(1, 8)
    if multiples is None:
        return
    if len(multiples) != len(image.shape) or any(not 1 <= times <= LARGEST_STEP for times in multiples):
        site.refuse(f"repeats the shape {list(image.shape)} {list(multiples)} times")
    site.shape([FREE if extent == FREE else extent * times for extent, times in zip(image.shape, multiples, strict=True)])


def _blocks(site: Site) -> None:
    """Checks SPACE_TO_DEPTH and DEPTH_TO_SPACE: square blocks of the map become channels, and back."""
    site.arity(1)
    image = site.input(0)
    site.same_type(image)
    site.rank(image, 4, "an input")
    block = site.operator.options["block"]
    batch, height, width, channels = image.shape
    if not 1 <= block <= LARGEST_STEP:
        site.refuse(f"has blocks of {block}; they must be 1 to {LARGEST_STEP:,} wide")
    if site.operator.name == "SPACE_TO_DEPTH":
        fits = all(extent == FREE or extent % block == 0 for extent in (height, width))
        sizes = [FREE if extent == FREE else extent // block for extent in (height, width)]
        channels = FREE if channels == FREE else channels * block * block
    else:
        fits = channels == FREE or channels % (block * block) == 0
        sizes = [FREE if extent == FREE else extent * block for extent in (height, width)]
        channels = FREE if channels == FREE else channels // (block * block)
    if not fits:
        site.refuse(f"has blocks of {block} x {block} that do not divide the shape {list(image.shape)}")
    site.shape((batch, *sizes, channels))


def _resize(site: Site) -> None:
    site.arity(2)
    image, size = site.input(0), site.input(1)
    site.same_type(image)
    site.rank(image, 4, "an input")
    if size.shape != (2,) or size.dtype.name != "int32":
        site.refuse(f"takes its size from a {size.dtype.name} of shape {list(size.shape)}")
    wanted = site.operator.options.get("size")
    if wanted is None:
        return
    if min(wanted) < 1 or max(wanted) > LARGEST_STEP:
        site.refuse(f"resizes to {list(wanted)}; each must be 1 to {LARGEST_STEP:,}")
    site.shape((image.shape[0], *wanted, image.shape[3]))


def _gather(site: Site) -> None:
    site.arity(2)
    image, places = site.input(0), site.input(1)
    site.same_type(image)
    if places.dtype.name not in ("int32", "int16", "int8", "int64"):
        site.refuse(f"takes its positions from a {places.dtype.name}")
    axis = site.axis(site.operator.options["axis"], len(image.shape))
    batch_dims = site.operator.options["batch_dims"]
    if not 0 <= batch_dims + (len(places.shape) if batch_dims < 0 else 0) <= min(axis, len(places.shape)):
        site.refuse(f"has {batch_dims} batch dimensions for positions of shape {list(places.shape)}")
    extent = image.shape[axis]
    if places.data is not None and extent != FREE and not 0 <= int(places.data.min()) <= int(places.data.max()) < extent:
        site.refuse(f"reads positions {places.data.min()} to {places.data.max()} of an extent of {extent}")
    if batch_dims == 0:
        site.shape((*image.shape[:axis], *places.shape, *image.shape[axis + 1 :]))


MOVES: Mapping[str, Callable[[Site], None]] = MappingProxyType(
    dict.fromkeys(("SPLIT", "SPLIT_V"), _split)
    | dict.fromkeys(("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"), _blocks)
    | dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), _resize)
    | {
        "TRANSPOSE": _transpose,
        "PACK": _pack,
        "STRIDED_SLICE": _strided_slice,
        "SLICE": _slice,
        "UNPACK": _unpack,
        "REVERSE_V2": _reverse,
        "BROADCAST_TO": _broadcast_to,
        "TILE": _tile,
        "GATHER": _gather,
    }
)
"""The check of each op that moves values."""
