"""The vocabulary of a lowered model: tensors as maps, windows over them, and how sums become stored values.

Knows neither the file format nor C. Inside generated code an activation is held as ``stored + 128`` in a ``uint8_t``: a
ReLU's zero point becomes 0, Cortex-M0 can load it with an immediate offset, and a raw pixel needs no conversion at all.
All zero points and activation limits here are already in that form. An int16 activation is held as it is stored, and so are
bool, a byte of 0 or 1, and int32, which stands at the edges of a model alone.
"""

from dataclasses import dataclass
from typing import Literal

from glyphlite.tflite.quantization import Quantization

Optimize = Literal["speed", "size", "ram"]
ElementType = Literal["int8", "int16", "int32", "bool"]

ELEMENT_BYTES: dict[ElementType, int] = {"int8": 1, "int16": 2, "int32": 4, "bool": 1}

ACTIVATION_TYPES: tuple[ElementType, ...] = ("int8", "int16")
"""Those that ops compute with."""

AS_IT_IS = Quantization((1.0,), (0,))
"""Of whole numbers and of truth, which have no scale."""


@dataclass(frozen=True)
class Value:
    """A tensor as height x width x channels of one image; vectors have height = width = 1."""

    index: int
    name: str
    height: int
    width: int
    channels: int
    quantization: Quantization
    element_type: ElementType = "int8"
    offset: int = 0
    """In bytes, from the start of the memory of its index: a part of another value lies within it."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Returns height, width and channels."""
        return self.height, self.width, self.channels

    @property
    def elements(self) -> int:
        """Returns the number of stored elements."""
        return self.height * self.width * self.channels

    @property
    def bytes(self) -> int:
        """Returns the bytes of all elements."""
        return self.elements * ELEMENT_BYTES[self.element_type]

    @property
    def bits(self) -> int:
        """Returns the bits of one element."""
        return 8 * ELEMENT_BYTES[self.element_type]

    @property
    def row_bytes(self) -> int:
        """Returns the bytes of one row, all channels."""
        return self.width * self.channels * ELEMENT_BYTES[self.element_type]

    @property
    def zero_point(self) -> int:
        """Returns the zero point as held in generated code: of int8 0 to 255, of others as it is stored."""
        return self.quantization.zero_point + (128 if self.element_type == "int8" else 0)

    @property
    def scale(self) -> float:
        """Returns the real value of one step."""
        return self.quantization.scale


@dataclass(frozen=True)
class Window:
    """A filter's or a pool's extent, strides and dilations, and the padding before its first row and column."""

    height: int = 1
    width: int = 1
    stride_y: int = 1
    stride_x: int = 1
    dilation_y: int = 1
    dilation_x: int = 1
    pad_top: int = 0
    pad_left: int = 0

    @property
    def span_y(self) -> int:
        """Returns the input rows from the first to the last that one output row touches."""
        return (self.height - 1) * self.dilation_y + 1

    @property
    def span_x(self) -> int:
        """Returns the input columns from the first to the last that one output column touches."""
        return (self.width - 1) * self.dilation_x + 1


@dataclass(frozen=True)
class Requantization:
    """int32 sums to stored bytes: one multiplier and shift per channel (or one for all), then an offset and a clamp."""

    output_multipliers: tuple[int, ...]
    output_shifts: tuple[int, ...]
    output_offset: int
    activation_min: int
    activation_max: int

    def clamped(self, low: int, high: int) -> "Requantization":
        """Returns the same with a narrower clamp: a value that leaves ``low`` to ``high`` takes the nearer of them."""
        return Requantization(
            self.output_multipliers,
            self.output_shifts,
            self.output_offset,
            min(max(self.activation_min, low), high),
            max(min(self.activation_max, high), low),
        )
