"""Checks of the tensors of each op: how many, which shapes, types, scales and options fit together.

A runtime that trusts the file (TFLite Micro does) walks off its buffers when these do not hold, so they are checked while
reading. An op not listed here passes unchecked: glyphlite shows it and lets the runtimes judge. Shapes follow the kernels'
``Prepare`` functions in ``tensorflow/lite/kernels``.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from glyphlite.tflite.checked_op import FREE, LARGEST_STEP, Site, differ
from glyphlite.tflite.graph import Operator, Tensor
from glyphlite.tflite.op_checks.moves import MOVES
from glyphlite.tflite.op_checks.recurrent import RECURRENT

_SOFTMAX_UNIT = 1 << 26
"""beta * scale * 2^26 is the multiplier of ``PreprocessSoftmaxScaling`` (internal/quantization_util.cc); it must exceed 1."""


def check_operator(tensors: Sequence[Tensor], operator: Operator, name: str) -> None:
    """Checks one op against its tensors.

    Args:
        tensors: all tensors of the graph, each valid by itself.
        operator: an op whose indices are in range.
        name: what messages call the file.

    Raises:
        ArtifactError: the op's tensors or options do not fit together.
    """
    site = Site(tensors, operator, name)
    _no_empty_inputs(site)
    if operator.name in _CHECKS:
        _CHECKS[operator.name](site)
    elif operator.name in _INPUTS:
        site.arity(*_INPUTS[operator.name])


def _no_empty_inputs(site: Site) -> None:
    """Refuses a constant without values but where it stands for the shape or the axes of a scalar."""
    for position, index in enumerate(site.operator.inputs):
        if index != -1 and not site.tensors[index].elements and (not position or site.operator.name not in _TAKES_EMPTY):
            site.refuse(f"reads tensor {index}, which holds no values")


def _convolution(site: Site) -> None:
    site.arity(2, 3)
    image, weights = site.input(0), site.input(1)
    site.rank(image, 4, "an input")
    site.rank(weights, 4, "a filter")
    channels, height, width, depth = map(abs, weights.shape)
    if abs(image.shape[3]) % depth or channels % (abs(image.shape[3]) // depth):
        site.refuse(f"has a filter of shape {list(weights.shape)} that does not fit an input of shape {list(image.shape)}")
    site.same_type(image)
    site.quantized(image, site.output)
    site.channel_scales(weights, 0, channels)
    site.bias(image, channels)
    site.window(image, (height, width), channels)


def _transposed_convolution(site: Site) -> None:
    """Checks TRANSPOSE_CONV: its first input is the output's shape, which need not be what the strides make of the input's."""
    site.arity(3, 4)
    shape, weights, image, output = site.input(0), site.input(1), site.input(2), site.output
    site.rank(image, 4, "an input")
    site.rank(weights, 4, "a filter")
    site.rank(output, 4, "an output")
    channels, height, width, depth = map(abs, weights.shape)
    if differ(image.shape[3], depth):
        site.refuse(f"has a filter of shape {list(weights.shape)} that does not fit an input of shape {list(image.shape)}")
    if shape.dtype.name != "int32" or shape.elements != 4:
        site.refuse(f"takes its output's shape from a {shape.dtype.name} of shape {list(shape.shape)}")
    site.same_type(image)
    site.quantized(image, output)
    site.channel_scales(weights, 0, channels)
    site.bias(image, channels, position=3)
    site.shape(shape.data.reshape(-1).tolist() if shape.data is not None else output.shape)
    site.shape((image.shape[0], *output.shape[1:3], channels))
    site.spread(output, (height, width))


def _depthwise_convolution(site: Site) -> None:
    site.arity(2, 3)
    image, weights = site.input(0), site.input(1)
    site.rank(image, 4, "an input")
    site.rank(weights, 4, "a filter")
    one, height, width, channels = map(abs, weights.shape)
    multiplier = site.operator.options["depth_multiplier"]
    if one != 1 or channels != abs(image.shape[3]) * multiplier:
        site.refuse(
            f"has a filter of shape {list(weights.shape)}, depth multiplier {multiplier}, for an input of {list(image.shape)}"
        )
    site.same_type(image)
    site.quantized(image, site.output)
    site.channel_scales(weights, 3, channels)
    site.bias(image, channels)
    site.window(image, (height, width), channels)


def _pooling(site: Site) -> None:
    site.arity(1)
    image = site.input(0)
    site.rank(image, 4, "an input")
    site.same_type(image)
    if site.operator.name != "MAX_POOL_2D":
        site.quantized(image, site.output)
    site.window(image, site.steps("window"), abs(image.shape[3]))


def _fully_connected(site: Site) -> None:
    site.arity(2, 3)
    image, weights, output = site.input(0), site.input(1), site.output
    site.rank(weights, 2, "weights")
    channels, depth = map(abs, weights.shape)
    if image.elements % depth and FREE not in image.shape:
        site.refuse(f"has weights of shape {list(weights.shape)} that do not fit an input of shape {list(image.shape)}")
    site.same_type(image)
    site.quantized(image, output)
    site.channel_scales(weights, 0, channels)
    site.bias(image, channels)
    rows = FREE if FREE in image.shape else image.elements // depth
    if site.operator.options["keep_dims"]:
        if not image.shape or differ(image.shape[-1], depth):
            site.refuse(
                f"keeps the dimensions of an input of shape {list(image.shape)}, whose last is not the {depth} of its weights"
            )
        site.shape((*image.shape[:-1], channels))
    elif (
        not output.shape
        or output.shape[-1] != channels
        or (rows != FREE and FREE not in output.shape and output.elements != rows * channels)
    ):
        site.refuse(f"computes {rows} rows of {channels} values, but its output has the shape {list(output.shape)}")


def _batch_matmul(site: Site) -> None:
    """Checks BATCH_MATMUL: matrices in the last two axes, either transposed, and batches that broadcast before them."""
    site.arity(2)
    first, second = site.input(0), site.input(1)
    if min(len(first.shape), len(second.shape)) < 2:
        site.refuse(f"multiplies the shapes {list(first.shape)} and {list(second.shape)}, which are no matrices")
    site.same_type(first, second)
    site.quantized(first, second, site.output)
    rows, depth = first.shape[-2:][:: -1 if site.operator.options["adjoint_x"] else 1]
    other_depth, columns = second.shape[-2:][:: -1 if site.operator.options["adjoint_y"] else 1]
    if differ(depth, other_depth):
        site.refuse(f"multiplies matrices of {rows} x {depth} and {other_depth} x {columns}")
    site.shape([*_broadcast(site, first.shape[:-2], second.shape[:-2]), rows, columns])


def _elementwise(site: Site) -> None:
    site.arity(1)
    site.same_type(site.input(0))
    site.quantized(site.input(0), site.output)
    site.shape(site.input(0).shape)


def _softmax(site: Site) -> None:
    site.arity(1)
    site.quantized(site.input(0), site.output)
    if not 1 <= len(site.input(0).shape) <= 4:
        site.refuse(f"takes an input of 1 to 4 dimensions, not of shape {list(site.input(0).shape)}")
    site.shape(site.input(0).shape)
    beta, quantization = site.operator.options["beta"], site.input(0).quantization
    if not 0 < beta <= LARGEST_STEP:
        site.refuse(f"has the beta {beta}; it must be a number above 0")
    if quantization is not None and site.input(0).dtype.itemsize == 1 and beta * quantization.scale * _SOFTMAX_UNIT <= 1:
        site.refuse(f"has the beta {beta} and the input scale {quantization.scale}, too small for the kernels' fixed point")


def _convert(site: Site) -> None:
    """Checks QUANTIZE and DEQUANTIZE: the same shape, any types; constants may be quantized per channel."""
    site.arity(1)
    site.shape(site.input(0).shape)
    integer = site.output if site.operator.name == "QUANTIZE" else site.input(0)
    if integer.dtype.kind in "iu" and integer.quantization is None:
        site.refuse(f"has the {integer.dtype.name} tensor {integer.index} without a scale")


def _binary(site: Site) -> None:
    site.arity(2)
    first, second = site.input(0), site.input(1)
    site.same_type(first, second)
    site.quantized(first, second, site.output)
    site.shape(_broadcast(site, first.shape, second.shape))


def _broadcast(site: Site, first: Sequence[int], second: Sequence[int]) -> list[int]:
    rank = max(len(first), len(second))
    expected: list[int] = []
    for axis in range(-rank, 0):
        extents = {shape[axis] for shape in (first, second) if len(shape) >= -axis} - {1}
        if len(extents - {FREE}) > 1:
            site.refuse(f"takes shapes that do not broadcast: {list(first)} and {list(second)}")
        expected.append(max(extents) if extents else 1)
    return expected


def _reduction(site: Site) -> None:
    site.arity(2)
    image = site.input(0)
    if site.operator.name in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
        site.same_type(image)
        site.quantized(image, site.output)
    if "axes" not in site.operator.options:
        if site.input(1).is_constant:
            site.refuse(f"takes its axes from a {site.input(1).dtype.name} of shape {list(site.input(1).shape)}")
        return
    rank = len(image.shape)
    axes = {site.axis(axis, rank) for axis in site.operator.options["axes"]}
    if site.operator.options["keep_dims"]:
        site.shape([1 if axis in axes else extent for axis, extent in enumerate(image.shape)])
    else:
        site.shape([extent for axis, extent in enumerate(image.shape) if axis not in axes])


def _pad(site: Site) -> None:
    site.arity(3 if site.operator.name == "PADV2" else 2)
    image = site.input(0)
    site.same_type(image, *([site.input(2)] if site.operator.name == "PADV2" else []))
    if site.operator.name == "PADV2" and site.input(2).elements != 1:
        site.refuse(f"pads with the {site.input(2).elements:,} values of tensor {site.input(2).index} instead of one")
    if "paddings" not in site.operator.options:
        if site.input(1).is_constant:
            site.refuse(f"takes its paddings from a {site.input(1).dtype.name} of shape {list(site.input(1).shape)}")
        return
    paddings = site.operator.options["paddings"]
    if len(paddings) != len(image.shape):
        site.refuse(f"has {len(paddings)} paddings for an input of shape {list(image.shape)}")
    if any(not 0 <= amount <= LARGEST_STEP for pair in paddings for amount in pair):
        site.refuse(f"has the paddings {[list(pair) for pair in paddings]}; each must be 0 to {LARGEST_STEP:,}")
    if site.operator.name == "MIRROR_PAD":
        edge = 1 if site.operator.options["mode"] == "reflect" else 0
        if any(max(pair) > extent - edge for pair, extent in zip(paddings, image.shape, strict=True) if extent != FREE):
            site.refuse(f"mirrors more than there is of an input of shape {list(image.shape)}")
    site.shape([FREE if extent == FREE else extent + sum(pair) for extent, pair in zip(image.shape, paddings, strict=True)])


def _concatenation(site: Site) -> None:
    inputs = site.operator.inputs
    site.arity(max(len(inputs), 1))
    parts = [site.input(position) for position in range(len(inputs))]
    site.same_type(*parts)
    rank = len(parts[0].shape)
    axis = site.axis(site.operator.options["axis"], rank)
    for part in parts[1:]:
        if len(part.shape) != rank or any(
            differ(one, other) for place, (one, other) in enumerate(zip(parts[0].shape, part.shape, strict=True)) if place != axis
        ):
            site.refuse(f"joins the shapes {list(parts[0].shape)} and {list(part.shape)}, which differ off the axis {axis}")
    joined = [part.shape[axis] for part in parts]
    total = FREE if FREE in joined else sum(joined)
    site.shape([total if place == axis else extent for place, extent in enumerate(parts[0].shape)])


def _reshape(site: Site) -> None:
    """Checks RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape."""
    site.arity(1, 2)
    image, output = site.input(0), site.output
    site.same_type(image)
    if FREE in image.shape or FREE in output.shape:
        return
    if image.elements != output.elements:
        site.refuse(f"turns the shape {list(image.shape)} into {list(output.shape)}, which holds another number of values")
    new_shape = site.operator.options.get("new_shape")
    if site.operator.name == "RESHAPE" and new_shape is not None:
        if list(new_shape).count(FREE) > 1:
            site.refuse(f"asks for the shape {list(new_shape)}, which leaves more than one extent free")
        site.shape(new_shape)


def _same_shape(site: Site) -> None:
    site.arity(1)
    site.shape(site.input(0).shape)


def _comparison(site: Site) -> None:
    site.arity(2)
    if site.input(0).dtype != site.input(1).dtype:
        site.refuse(f"mixes the types {site.input(0).dtype.name} and {site.input(1).dtype.name}")
    site.shape(_broadcast(site, site.input(0).shape, site.input(1).shape))


def _sum_of_several(site: Site) -> None:
    site.arity(max(len(site.operator.inputs), 2))
    maps = [site.input(position) for position in range(len(site.operator.inputs))]
    site.same_type(*maps)
    site.quantized(*maps, site.output)
    for each in maps:
        site.shape(each.shape)


def _choice(site: Site) -> None:
    """Checks SELECT and SELECT_V2: a condition and two maps, which broadcast to the output."""
    site.arity(3)
    condition, first, second = (site.input(position) for position in range(3))
    site.same_type(first, second)
    site.shape(_broadcast(site, condition.shape, _broadcast(site, first.shape, second.shape)))


def _place_of_extreme(site: Site) -> None:
    """Checks ARG_MAX and ARG_MIN: one axis, which the output lacks."""
    site.arity(2)
    image, axis = site.input(0), site.input(1)
    if axis.elements != 1 or axis.dtype.name not in ("int32", "int64"):
        site.refuse(f"takes its axis from a {axis.dtype.name} of shape {list(axis.shape)}")
    if site.output.dtype.name not in ("int32", "int64"):
        site.refuse(f"gives places as {site.output.dtype.name}")
    if "axes" in site.operator.options:
        place = site.axis(site.operator.options["axes"][0], len(image.shape))
        site.shape([extent for each, extent in enumerate(image.shape) if each != place])


_ELEMENTWISE = ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH", "LOGISTIC", "TANH", "LEAKY_RELU", "ELU", "GELU")
_SAME_SHAPE = (
    *("ABS", "EXP", "LOG", "SQRT", "RSQRT", "SQUARE", "NEG", "SIN", "COS", "FLOOR", "CEIL", "ROUND", "SIGN", "LOGICAL_NOT"),
    *("CAST", "ZEROS_LIKE", "LOG_SOFTMAX", "L2_NORMALIZATION"),
)
_COMPARISONS = (
    *(
        "EQUAL",
        "NOT_EQUAL",
        "LESS",
        "LESS_EQUAL",
        "GREATER",
        "GREATER_EQUAL",
        "LOGICAL_AND",
        "LOGICAL_OR",
        "FLOOR_DIV",
        "FLOOR_MOD",
        "POW",
    ),
)
_BINARY = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE", "PRELU")
_REDUCTIONS = ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL")

_TAKES_EMPTY = ("RESHAPE", *_REDUCTIONS, "TRANSPOSE", "BROADCAST_TO", "FILL")

_COUNTED: tuple[tuple[int, tuple[str, ...]], ...] = (
    (1, ("SHAPE", "RANK")),
    (2, ("GATHER_ND", "CUMSUM", "FILL", "EMBEDDING_LOOKUP")),
    (3, ("RANGE", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")),
)
_INPUTS: Mapping[str, tuple[int, int]] = MappingProxyType({name: (count, count) for count, names in _COUNTED for name in names})
"""Fewest and most inputs of ops that are only shown: kernels read them before they count them."""

_CHECKS: Mapping[str, Callable[[Site], None]] = MappingProxyType(
    dict.fromkeys(_ELEMENTWISE, _elementwise)
    | dict.fromkeys(_SAME_SHAPE, _same_shape)
    | dict.fromkeys(_COMPARISONS, _comparison)
    | dict.fromkeys(_BINARY, _binary)
    | dict.fromkeys(("SELECT", "SELECT_V2"), _choice)
    | dict.fromkeys(("ARG_MAX", "ARG_MIN"), _place_of_extreme)
    | {"ADD_N": _sum_of_several}
    | dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D"), _pooling)
    | dict.fromkeys(_REDUCTIONS, _reduction)
    | dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _pad)
    | dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshape)
    | dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _convert)
    | {
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise_convolution,
        "TRANSPOSE_CONV": _transposed_convolution,
        "FULLY_CONNECTED": _fully_connected,
        "BATCH_MATMUL": _batch_matmul,
        "SOFTMAX": _softmax,
        "CONCATENATION": _concatenation,
    }
    | dict(MOVES)
    | dict(RECURRENT)
)
"""The check of each op that glyphlite computes with."""
