"""One op and its tensors under one roof, with the questions that the checks of all ops share, and the one way to refuse it.

Knows what convolutions, windows and scales have in common; which op asks what stands in :mod:`glyphlite.tflite.op_checks`.
Padding sizes follow ``ComputeOutSize`` in ``tensorflow/lite/kernels/padding.h``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Operator, Tensor

FREE = -1
"""An extent that is known only at run time."""

LARGEST_STEP = (1 << 15) - 1
"""Of strides, dilations, windows and paddings, which the kernels hold in 16 bits (kernels/internal/types.h)."""

_BIAS_TYPES = MappingProxyType(
    {
        "float32": ("float32",),
        "uint8": ("int32",),
        "int8": ("int32",),
        "int16": ("int32", "int64"),
    }
)


def convolved(extent: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Returns the output extent of a window sliding along one axis; 0 or less where it does not fit, free where the input is.

    Args:
        extent: input size along the axis.
        kernel: window size in taps.
        stride: steps between windows.
        dilation: steps between taps.
        padding: ``same`` or ``valid``.
    """
    if extent == FREE:
        return FREE
    reach = (kernel - 1) * dilation + 1
    return (extent + stride - (1 if padding == "same" else reach)) // stride


def differ(one: int, other: int) -> bool:
    """Returns whether two extents cannot be the same."""
    return one != other and FREE not in (one, other)


@dataclass(frozen=True)
class Site:
    """An op with its tensors at hand, and the one way to refuse it."""

    tensors: Sequence[Tensor]
    operator: Operator
    name: str

    def refuse(self, detail: str) -> NoReturn:
        """Refuses the file, naming the op."""
        raise ArtifactError(f"{self.name}: op {self.operator.index} ({self.operator.name}) {detail}; convert the model again")

    def arity(self, fewest: int, most: int | None = None, *, outputs: int = 1) -> None:
        """Requires so many inputs, none of the required ones absent, and so many outputs."""
        most = fewest if most is None else most
        count = len(self.operator.inputs)
        if not fewest <= count <= most or len(self.operator.outputs) != outputs:
            wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            self.refuse(f"has {count} inputs and {len(self.operator.outputs)} outputs instead of {wanted} and {outputs}")
        if -1 in self.operator.inputs[:fewest]:
            self.refuse("lacks an input that it cannot do without")

    def input(self, position: int) -> Tensor:
        """Returns a required input; :meth:`arity` has made sure that it is there."""
        return self.tensors[self.operator.inputs[position]]

    def optional(self, position: int) -> Tensor | None:
        """Returns an input that may be left out."""
        inputs = self.operator.inputs
        return self.tensors[inputs[position]] if len(inputs) > position and inputs[position] != -1 else None

    @property
    def output(self) -> Tensor:
        """Returns the one output."""
        return self.tensors[self.operator.outputs[0]]

    def rank(self, tensor: Tensor, rank: int, what: str) -> None:
        """Refuses a tensor without that many dimensions."""
        if len(tensor.shape) != rank:
            self.refuse(f"takes {what} of {rank} dimensions, not of shape {list(tensor.shape)}")

    def shape(self, expected: Sequence[int], output: int = 0) -> None:
        """Refuses a stored output shape that is not the one that the op computes; what is free on either side fits anything."""
        stored = self.tensors[self.operator.outputs[output]].shape
        if len(stored) != len(expected) or any(differ(one, other) for one, other in zip(stored, expected, strict=True)):
            self.refuse(f"computes the shape {list(expected)}, but its output has {list(stored)}")

    def same_type(self, *tensors: Tensor) -> None:
        """Refuses tensors and outputs that do not share one element type."""
        outputs = (self.tensors[index] for index in self.operator.outputs)
        found = {tensor.stored_type for tensor in (*tensors, *outputs)}
        if len(found) > 1:
            self.refuse(f"mixes the types {', '.join(sorted(found))}")

    def quantized(self, *tensors: Tensor) -> None:
        """Requires one scale for each tensor, as 8- and 16-bit integers stand for real numbers in this op."""
        for tensor in tensors:
            if tensor.dtype.kind in "iu" and tensor.dtype.itemsize <= 2:
                if tensor.quantization is None:
                    self.refuse(f"computes with tensor {tensor.index}, an {tensor.dtype.name} without a scale")
                if len(tensor.quantization.scales) != 1:
                    self.refuse(
                        f"computes with tensor {tensor.index}, which has {len(tensor.quantization.scales)} scales instead of 1"
                    )

    def axis(self, axis: int, rank: int) -> int:
        """Returns an axis counted from the first on; refuses one that a tensor of that rank does not have."""
        if not -rank <= axis < rank:
            self.refuse(f"works along axis {axis} of a tensor of {rank} dimensions")
        return axis % rank

    def integers(self, position: int, most: int) -> None:
        """Refuses an input that is no short vector of integers: bounds, sizes, axes."""
        vector = self.input(position)
        if len(vector.shape) > 1 or vector.elements > most or vector.dtype.name not in ("int32", "int64"):
            self.refuse(
                f"takes at most {most} integers as input {position}, not a {vector.dtype.name} of shape {list(vector.shape)}"
            )

    def steps(self, option: str) -> tuple[int, int]:
        """Returns a pair of sizes from the options, each at least 1."""
        height, width = self.operator.options[option]
        if not (1 <= height <= LARGEST_STEP and 1 <= width <= LARGEST_STEP):
            self.refuse(f"has the {option} {height} x {width}; each must be 1 to {LARGEST_STEP:,}")
        return height, width

    def window(self, image: Tensor, size: tuple[int, int], channels: int) -> None:
        """Checks the output of a window that slides over height and width."""
        strides = self.steps("strides")
        dilations = self.steps("dilations") if "dilations" in self.operator.options else (1, 1)
        padding = self.operator.options["padding"]
        extents = [
            convolved(image.shape[axis], size[axis - 1], strides[axis - 1], dilations[axis - 1], padding) for axis in (1, 2)
        ]
        if any(extent < 1 for extent, source in zip(extents, image.shape[1:3], strict=True) if source != FREE):
            self.refuse(f"has a window of {size[0]} x {size[1]} that does not fit into the shape {list(image.shape)}")
        if padding == "same":
            self._padded(image, size, extents, strides, dilations)
        self.shape((image.shape[0], *extents, channels))

    def _padded(
        self,
        image: Tensor,
        size: tuple[int, int],
        extents: Sequence[int],
        strides: tuple[int, int],
        dilations: tuple[int, int],
    ) -> None:
        """Refuses a padding before the image that 16 bits do not hold. Source: ``ComputePadding``, kernels/padding.h."""
        for extent, source, kernel, stride, dilation in zip(extents, image.shape[1:3], size, strides, dilations, strict=True):
            total = (extent - 1) * stride + (kernel - 1) * dilation + 1 - source
            if source != FREE and total // 2 > LARGEST_STEP:
                self.refuse(f"pads its input by {total:,}; at most {LARGEST_STEP:,} fit on either side")

    def spread(self, output: Tensor, size: tuple[int, int]) -> None:
        """Checks the window of a transposed convolution, which slides over its output."""
        strides = self.steps("strides")
        padding = self.operator.options["padding"]
        pairs = zip(output.shape[1:3], size, strides, strict=True)
        extents = [convolved(extent, kernel, stride, 1, padding) for extent, kernel, stride in pairs]
        if padding == "same":
            self._padded(output, size, extents, strides, (1, 1))

    def bias(self, image: Tensor, channels: int, position: int = 2) -> None:
        """Checks the bias, if there is one: a value per channel, of the accumulator's type, with no zero point."""
        bias = self.optional(position)
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
        """Requires one scale for integer weights, or one for each output channel along the channel axis."""
        if weights.dtype.kind not in "iu":
            return
        scales = weights.quantization
        if scales is None:
            self.refuse(f"has {weights.dtype.name} weights without a scale")
        if len(scales.scales) not in (1, channels) or (len(scales.scales) > 1 and scales.axis != axis):
            self.refuse(
                f"has {len(scales.scales)} weight scales along axis {scales.axis}; it takes 1, or {channels} along axis {axis}"
            )
