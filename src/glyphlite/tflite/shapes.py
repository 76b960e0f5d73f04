"""What the ops that glyphlite computes with ask of their tensors: how many, which shapes, types, scales and options fit together.

A runtime that trusts the file (TFLite Micro does) walks off its buffers when these do not hold, so they are checked while
reading. An op not listed here passes unchecked: glyphlite shows it and lets the runtimes judge. Shapes follow the kernels'
``Prepare`` functions in ``tensorflow/lite/kernels``; padding sizes follow ``ComputeOutSize`` in ``kernels/padding.h``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Operator, Tensor

_BIAS_TYPES = MappingProxyType(
    {
        "float32": ("float32",),
        "uint8": ("int32",),
        "int8": ("int32",),
        "int16": ("int32", "int64"),
    }
)
_LARGEST_STEP = 1 << 16
"""Strides, dilations, windows and paddings beyond this serve no image and would overflow the kernels' 32-bit index arithmetic."""

_SOFTMAX_UNIT = 1 << 26
"""beta * scale * 2^26 is the multiplier of ``PreprocessSoftmaxScaling`` (internal/quantization_util.cc); it must exceed 1."""


def check_operator(tensors: Sequence[Tensor], operator: Operator, name: str) -> None:
    """Check one op against its tensors.

    Args:
        tensors: all tensors of the graph, each valid by itself.
        operator: an op whose indices are in range.
        name: what messages call the file.

    Raises:
        ArtifactError: the op's tensors or options do not fit together.
    """
    check = _CHECKS.get(operator.name)
    if check is not None:
        check(_Site(tensors, operator, name))


def convolved(extent: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output extent of a window sliding along one axis; 0 or less where it does not fit.

    Args:
        extent: input size along the axis.
        kernel: window size in taps.
        stride: steps between windows.
        dilation: steps between taps.
        padding: ``same`` or ``valid``.
    """
    reach = (kernel - 1) * dilation + 1
    return (extent + stride - (1 if padding == "same" else reach)) // stride


@dataclass(frozen=True)
class _Site:
    """An op with its tensors at hand, and the one way to refuse it."""

    tensors: Sequence[Tensor]
    operator: Operator
    name: str

    def refuse(self, detail: str) -> NoReturn:
        raise ArtifactError(f"{self.name}: op {self.operator.index} ({self.operator.name}) {detail}; convert the model again")

    def arity(self, fewest: int, most: int | None = None) -> None:
        """Exactly one output, so many inputs, none of the required ones absent."""
        most = fewest if most is None else most
        count = len(self.operator.inputs)
        if not fewest <= count <= most or len(self.operator.outputs) != 1:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            self.refuse(f"has {count} inputs and {len(self.operator.outputs)} outputs instead of {wanted} and 1")
        if -1 in self.operator.inputs[:fewest]:
            self.refuse("lacks an input that it cannot do without")

    def input(self, position: int) -> Tensor:
        return self.tensors[self.operator.inputs[position]]

    def optional(self, position: int) -> Tensor | None:
        inputs = self.operator.inputs
        return self.tensors[inputs[position]] if len(inputs) > position and inputs[position] != -1 else None

    @property
    def output(self) -> Tensor:
        return self.tensors[self.operator.outputs[0]]

    def rank(self, tensor: Tensor, rank: int, what: str) -> None:
        if len(tensor.shape) != rank:
            self.refuse(f"takes {what} of {rank} dimensions, not of shape {list(tensor.shape)}")

    def shape(self, expected: Sequence[int]) -> None:
        """The stored output shape must be the one that the op computes; a free batch may be stored as 1."""
        if tuple(map(abs, self.output.shape)) != tuple(map(abs, expected)):
            self.refuse(
                f"computes the shape {[abs(extent) for extent in expected]}, but its output has {list(self.output.shape)}"
            )

    def same_type(self, *tensors: Tensor) -> None:
        found = {tensor.dtype.name for tensor in (*tensors, self.output)}
        if len(found) > 1:
            self.refuse(f"mixes the types {', '.join(sorted(found))}")

    def quantized(self, *tensors: Tensor) -> None:
        """8- and 16-bit integers stand for real numbers in this op: each tensor needs one scale."""
        for tensor in tensors:
            if tensor.dtype.kind in "iu" and tensor.dtype.itemsize <= 2:
                if tensor.quantization is None:
                    self.refuse(f"computes with tensor {tensor.index}, an {tensor.dtype.name} without a scale")
                if len(tensor.quantization.scales) != 1:
                    self.refuse(
                        f"computes with tensor {tensor.index}, which has {len(tensor.quantization.scales)} scales instead of 1"
                    )

    def steps(self, option: str) -> tuple[int, int]:
        """A pair of sizes from the options, each at least 1."""
        height, width = self.operator.options[option]
        if not (1 <= height <= _LARGEST_STEP and 1 <= width <= _LARGEST_STEP):
            self.refuse(f"has the {option} {height} x {width}; each must be 1 to {_LARGEST_STEP:,}")
        return height, width

    def window(self, image: Tensor, size: tuple[int, int], channels: int) -> None:
        """The output of a window that slides over height and width."""
        strides = self.steps("strides")
        dilations = self.steps("dilations") if "dilations" in self.operator.options else (1, 1)
        padding = self.operator.options["padding"]
        extents = [
            convolved(abs(image.shape[axis]), size[axis - 1], strides[axis - 1], dilations[axis - 1], padding) for axis in (1, 2)
        ]
        if min(extents) < 1:
            self.refuse(f"has a window of {size[0]} x {size[1]} that does not fit into the shape {list(image.shape)}")
        self.shape((image.shape[0], *extents, channels))

    def bias(self, image: Tensor, channels: int) -> None:
        bias = self.optional(2)
        if bias is None:
            return
        if bias.elements != channels:
            self.refuse(f"has a bias of {bias.elements:,} values for {channels:,} channels")
        allowed = _BIAS_TYPES.get(image.dtype.name, ())
        if bias.dtype.name not in allowed:
            self.refuse(f"has a bias of type {bias.dtype.name} for an input of type {image.dtype.name}")
        if bias.quantization is not None and any(bias.quantization.zero_points):
            self.refuse("has a bias with a zero point other than 0")

    def channel_scales(self, weights: Tensor, axis: int, channels: int) -> None:
        """Integer weights need one scale, or one for each output channel along the channel axis."""
        if weights.dtype.kind not in "iu":
            return
        scales = weights.quantization
        if scales is None:
            self.refuse(f"has {weights.dtype.name} weights without a scale")
        if len(scales.scales) not in (1, channels) or (len(scales.scales) > 1 and scales.axis != axis):
            self.refuse(
                f"has {len(scales.scales)} weight scales along axis {scales.axis}; it takes 1, or {channels} along axis {axis}"
            )


def _convolution(site: _Site) -> None:
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


def _depthwise_convolution(site: _Site) -> None:
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


def _pooling(site: _Site) -> None:
    site.arity(1)
    image = site.input(0)
    site.rank(image, 4, "an input")
    site.same_type(image)
    if site.operator.name != "MAX_POOL_2D":
        site.quantized(image, site.output)
    site.window(image, site.steps("window"), abs(image.shape[3]))


def _fully_connected(site: _Site) -> None:
    site.arity(2, 3)
    image, weights, output = site.input(0), site.input(1), site.output
    site.rank(weights, 2, "weights")
    channels, depth = map(abs, weights.shape)
    if image.elements % depth:
        site.refuse(f"has weights of shape {list(weights.shape)} that do not fit an input of shape {list(image.shape)}")
    site.same_type(image)
    site.quantized(image, output)
    site.channel_scales(weights, 0, channels)
    site.bias(image, channels)
    rows = image.elements // depth
    if site.operator.options["keep_dims"]:
        if not image.shape or abs(image.shape[-1]) != depth:
            site.refuse(
                f"keeps the dimensions of an input of shape {list(image.shape)}, whose last is not the {depth} of its weights"
            )
        site.shape((*image.shape[:-1], channels))
    elif output.elements != rows * channels or not output.shape or abs(output.shape[-1]) != channels:
        site.refuse(f"computes {rows} rows of {channels} values, but its output has the shape {list(output.shape)}")


def _elementwise(site: _Site) -> None:
    site.arity(1)
    site.same_type(site.input(0))
    site.quantized(site.input(0), site.output)
    site.shape(site.input(0).shape)


def _softmax(site: _Site) -> None:
    site.arity(1)
    site.quantized(site.input(0), site.output)
    if not 1 <= len(site.input(0).shape) <= 4:
        site.refuse(f"takes an input of 1 to 4 dimensions, not of shape {list(site.input(0).shape)}")
    site.shape(site.input(0).shape)
    beta, quantization = site.operator.options["beta"], site.input(0).quantization
    if not 0 < beta <= _LARGEST_STEP:
        site.refuse(f"has the beta {beta}; it must be a number above 0")
    if quantization is not None and beta * quantization.scale * _SOFTMAX_UNIT <= 1:
        site.refuse(f"has the beta {beta} and the input scale {quantization.scale}, too small for the kernels' fixed point")


def _convert(site: _Site) -> None:
    """QUANTIZE and DEQUANTIZE: the same shape, any types; constants may be quantized per channel."""
    site.arity(1)
    site.shape(site.input(0).shape)
    integer = site.output if site.operator.name == "QUANTIZE" else site.input(0)
    if integer.dtype.kind in "iu" and integer.quantization is None:
        site.refuse(f"has the {integer.dtype.name} tensor {integer.index} without a scale")


def _binary(site: _Site) -> None:
    site.arity(2)
    first, second = site.input(0), site.input(1)
    site.same_type(first, second)
    site.quantized(first, second, site.output)
    site.shape(_broadcast(site, first, second))


def _broadcast(site: _Site, first: Tensor, second: Tensor) -> list[int]:
    rank = max(len(first.shape), len(second.shape))
    expected = []
    for axis in range(-rank, 0):
        extents = {abs(tensor.shape[axis]) for tensor in (first, second) if len(tensor.shape) >= -axis} - {1}
        if len(extents) > 1:
            site.refuse(f"takes shapes that do not broadcast: {list(first.shape)} and {list(second.shape)}")
        expected.append(extents.pop() if extents else 1)
    return expected


def _axis(site: _Site, axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        site.refuse(f"works along axis {axis} of a tensor of {rank} dimensions")
    return axis % rank


def _reduction(site: _Site) -> None:
    site.arity(2)
    image = site.input(0)
    if site.operator.name == "MEAN":
        site.same_type(image)
        site.quantized(image, site.output)
    if "axes" not in site.operator.options:
        if site.input(1).is_constant:
            site.refuse(f"takes its axes from a {site.input(1).dtype.name} of shape {list(site.input(1).shape)}")
        return
    rank = len(image.shape)
    axes = {_axis(site, axis, rank) for axis in site.operator.options["axes"]}
    if site.operator.options["keep_dims"]:
        site.shape([1 if axis in axes else extent for axis, extent in enumerate(image.shape)])
    else:
        site.shape([extent for axis, extent in enumerate(image.shape) if axis not in axes])


def _pad(site: _Site) -> None:
    site.arity(3 if site.operator.name == "PADV2" else 2)
    image = site.input(0)
    site.same_type(image, *([site.input(2)] if site.operator.name == "PADV2" else []))
    if "paddings" not in site.operator.options:
        if site.input(1).is_constant:
            site.refuse(f"takes its paddings from a {site.input(1).dtype.name} of shape {list(site.input(1).shape)}")
        return
    paddings = site.operator.options["paddings"]
    if len(paddings) != len(image.shape):
        site.refuse(f"has {len(paddings)} paddings for an input of shape {list(image.shape)}")
    if any(not 0 <= amount <= _LARGEST_STEP for pair in paddings for amount in pair):
        site.refuse(f"has the paddings {[list(pair) for pair in paddings]}; each must be 0 to {_LARGEST_STEP:,}")
    if site.operator.name == "MIRROR_PAD":
        edge = 1 if site.operator.options["mode"] == "reflect" else 0
        if any(max(pair) > abs(extent) - edge for pair, extent in zip(paddings, image.shape, strict=True)):
            site.refuse(f"mirrors more than there is of an input of shape {list(image.shape)}")
    site.shape([abs(extent) + sum(pair) for extent, pair in zip(image.shape, paddings, strict=True)])


def _concatenation(site: _Site) -> None:
    inputs = site.operator.inputs
    site.arity(max(len(inputs), 1))
    parts = [site.input(position) for position in range(len(inputs))]
    site.same_type(*parts)
    rank = len(parts[0].shape)
    axis = _axis(site, site.operator.options["axis"], rank)
    for part in parts[1:]:
        if len(part.shape) != rank or any(
            abs(one) != abs(other)
            for place, (one, other) in enumerate(zip(parts[0].shape, part.shape, strict=True))
            if place != axis
        ):
            site.refuse(f"joins the shapes {list(parts[0].shape)} and {list(part.shape)}, which differ off the axis {axis}")
    total = sum(abs(part.shape[axis]) for part in parts)
    site.shape([total if place == axis else extent for place, extent in enumerate(parts[0].shape)])


def _reshape(site: _Site) -> None:
    """RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape."""
    site.arity(1, 2)
    image, output = site.input(0), site.output
    site.same_type(image)
    if image.elements != output.elements:
        site.refuse(f"turns the shape {list(image.shape)} into {list(output.shape)}, which holds another number of values")
    new_shape = site.operator.options.get("new_shape")
    if site.operator.name == "RESHAPE" and new_shape is not None:
        stored = [abs(extent) for extent in output.shape]
        wanted = [extent if extent != -1 else actual for extent, actual in zip(new_shape, stored, strict=False)]
        if len(new_shape) != len(stored) or wanted != stored or list(new_shape).count(-1) > 1:
            site.refuse(f"asks for the shape {list(new_shape)}, but its output has {list(output.shape)}")


def _transpose(site: _Site) -> None:
    site.arity(2)
    image = site.input(0)
    site.same_type(image)
    if "permutation" not in site.operator.options:
        return
    permutation = site.operator.options["permutation"]
    rank = len(image.shape)
    axes = [_axis(site, axis, rank) for axis in permutation]
    if sorted(axes) != list(range(rank)):
        site.refuse(f"has the permutation {list(permutation)} of an input of {rank} dimensions")
    site.shape([image.shape[axis] for axis in axes])


def _same_shape(site: _Site) -> None:
    site.arity(1)
    site.shape(site.input(0).shape)


def _comparison(site: _Site) -> None:
    site.arity(2)
    if site.input(0).dtype != site.input(1).dtype:
        site.refuse(f"mixes the types {site.input(0).dtype.name} and {site.input(1).dtype.name}")
    site.shape(_broadcast(site, site.input(0), site.input(1)))


def _pack(site: _Site) -> None:
    inputs = site.operator.inputs
    site.arity(max(len(inputs), 1))
    first = site.input(0)
    site.same_type(*(site.input(position) for position in range(len(inputs))))
    axis = _axis(site, site.operator.options["axis"], len(first.shape) + 1)
    for position in range(1, len(inputs)):
        if [*map(abs, site.input(position).shape)] != [*map(abs, first.shape)]:
            site.refuse(f"stacks the shapes {list(first.shape)} and {list(site.input(position).shape)}, which differ")
    site.shape((*first.shape[:axis], len(inputs), *first.shape[axis:]))


def _strided_slice(site: _Site) -> None:
    site.arity(4)
    site.same_type(site.input(0))
    for position in (1, 2, 3):
        bound = site.input(position)
        if len(bound.shape) != 1 or bound.elements > len(site.input(0).shape) or bound.dtype.name != "int32":
            site.refuse(
                f"slices a tensor of {len(site.input(0).shape)} dimensions by a {bound.dtype.name} of shape {list(bound.shape)}"
            )


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
_BINARY = ("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "SQUARED_DIFFERENCE")
_REDUCTIONS = ("MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL")

_CHECKS: Mapping[str, Callable[[_Site], None]] = MappingProxyType(
    dict.fromkeys(_ELEMENTWISE, _elementwise)
    | dict.fromkeys(_SAME_SHAPE, _same_shape)
    | dict.fromkeys(_COMPARISONS, _comparison)
    | dict.fromkeys(_BINARY, _binary)
    | dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D"), _pooling)
    | dict.fromkeys(_REDUCTIONS, _reduction)
    | dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _pad)
    | dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshape)
    | dict.fromkeys(("QUANTIZE", "DEQUANTIZE"), _convert)
    | {
        "CONV_2D": _convolution,
        "DEPTHWISE_CONV_2D": _depthwise_convolution,
        "FULLY_CONNECTED": _fully_connected,
        "SOFTMAX": _softmax,
        "CONCATENATION": _concatenation,
        "TRANSPOSE": _transpose,
        "PACK": _pack,
        "STRIDED_SLICE": _strided_slice,
    }
)
"""The check of each op that glyphlite computes with."""
