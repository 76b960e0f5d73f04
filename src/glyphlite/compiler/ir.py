"""What a graph is lowered to: values in memory and the nodes that compute them, every shape and constant decided.

Knows neither the file format nor C. Inside generated code an activation is held as ``stored + 128`` in a ``uint8_t``: a
ReLU's zero point becomes 0, Cortex-M0 can load it with an immediate offset, and a raw pixel needs no conversion at all.
All zero points and clamps here are already in that form.
"""

from dataclasses import dataclass

import numpy as np

from glyphlite.tflite.quantization import Quantization


@dataclass(frozen=True)
class Value:
    """A tensor as height x width x channels of one image; vectors have height = width = 1."""

    index: int
    name: str
    height: int
    width: int
    channels: int
    quantization: Quantization

    @property
    def elements(self) -> int:
        """Number of stored bytes."""
        return self.height * self.width * self.channels

    @property
    def row_bytes(self) -> int:
        """Bytes of one row, all channels."""
        return self.width * self.channels

    @property
    def zero_point(self) -> int:
        """The zero point as held in generated code, 0 to 255."""
        return self.quantization.zero_point + 128

    @property
    def scale(self) -> float:
        """Real value of one step."""
        return self.quantization.scale


@dataclass(frozen=True)
class Window:
    """How a row of output looks at rows of input: a filter's extent, strides, dilations and the zero padding before it."""

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
        """Input rows from the first to the last that one output row touches."""
        return (self.height - 1) * self.dilation_y + 1

    @property
    def span_x(self) -> int:
        """Input columns from the first to the last that one output column touches."""
        return (self.width - 1) * self.dilation_x + 1


@dataclass(frozen=True)
class Requantization:
    """int32 sums to stored bytes: one multiplier and shift for each channel (or one for all), then an offset and a clamp."""

    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    offset: int
    low: int
    high: int


@dataclass(frozen=True, kw_only=True)
class Node:
    """One function of generated C. ``sources`` are the ops of the file that it computes, in words."""

    name: str
    op: str
    inputs: tuple[Value, ...]
    output: Value
    sources: tuple[str, ...]
    macs: int = 0

    @property
    def window(self) -> Window:
        """The rows of the first input that one row of output needs; one, for everything element by element."""
        return Window()

    @property
    def streams(self) -> bool:
        """Whether the output can be computed a row at a time from rows of the inputs."""
        return True

    @property
    def rows_per_step(self) -> int:
        """Input rows that one output row spans, first to last."""
        return self.window.span_y

    @property
    def row_stride(self) -> int:
        """Input rows that one output row moves on by."""
        return self.window.stride_y


@dataclass(frozen=True, kw_only=True)
class Convolution(Node):
    """CONV_2D, or FULLY_CONNECTED on several rows; ``pooled`` when a 2x2 maximum of the sums is taken before requantization."""

    filter_window: Window
    weights: np.ndarray  # int8 (out, height, width, in)
    bias: np.ndarray  # int64 (out,), the input's zero point not yet folded in
    requantization: Requantization
    pooled: bool = False
    table: np.ndarray | None = None  # a following element-wise op, uint8 (256,)
    nibbles: bool = False  # weights of four bits, -8 to 7, which the file stores two in a byte

    @property
    def window(self) -> Window:
        """The filter's window."""
        return self.filter_window

    @property
    def rows_per_step(self) -> int:
        """Two rows of sums for each row of a pooled output."""
        return self.filter_window.span_y + (self.filter_window.stride_y if self.pooled else 0)

    @property
    def row_stride(self) -> int:
        """Two rows of sums for each row of a pooled output."""
        return self.filter_window.stride_y * (2 if self.pooled else 1)


@dataclass(frozen=True, kw_only=True)
class Depthwise(Node):
    """DEPTHWISE_CONV_2D."""

    filter_window: Window
    weights: np.ndarray  # int8 (height, width, out)
    bias: np.ndarray
    requantization: Requantization
    multiplier: int
    table: np.ndarray | None = None
    nibbles: bool = False

    @property
    def window(self) -> Window:
        """The filter's window."""
        return self.filter_window


@dataclass(frozen=True, kw_only=True)
class Dense(Node):
    """FULLY_CONNECTED on one vector; consumes a map row by row where the map is only flattened for it."""

    weights: np.ndarray  # int8 (out, in)
    bias: np.ndarray
    requantization: Requantization
    table: np.ndarray | None = None
    nibbles: bool = False

    @property
    def streams(self) -> bool:
        """It ends a stream: every row adds to every output."""
        return False


@dataclass(frozen=True, kw_only=True)
class Pool(Node):
    """MAX_POOL_2D or AVERAGE_POOL_2D, a window of any size."""

    kind: str  # "max" | "average"
    pool_window: Window
    low: int
    high: int
    table: np.ndarray | None = None

    @property
    def window(self) -> Window:
        """The pool's window."""
        return self.pool_window


@dataclass(frozen=True, kw_only=True)
class Mean(Node):
    """MEAN or AVERAGE_POOL_2D over the whole height and width: a sum for each channel, then one scaling."""

    requantization: Requantization | None  # None: the average pool's own division
    low: int
    high: int
    table: np.ndarray | None = None

    @property
    def streams(self) -> bool:
        """It ends a stream: every row adds to every output."""
        return False


@dataclass(frozen=True, kw_only=True)
class Binary(Node):
    """ADD or MUL of two maps, either of them broadcast, one of them possibly constant."""

    kind: str  # "add" | "mul"
    constant: np.ndarray | None  # uint8 (h, w, c) of the constant operand, else None
    constant_first: bool
    shapes: tuple[tuple[int, int, int], tuple[int, int, int]]
    zero_points: tuple[int, int]
    input_multipliers: tuple[tuple[int, int], tuple[int, int]]  # ADD: multiplier and shift of each operand
    requantization: Requantization
    table: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Concatenation(Node):
    """CONCATENATION along height (0), width (1) or channels (2)."""

    axis: int


@dataclass(frozen=True, kw_only=True)
class Pad(Node):
    """PAD: (before, after) of height, width and channels, filled with the zero point."""

    paddings: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]

    @property
    def window(self) -> Window:
        """One row, found above the output's by the padding."""
        return Window(pad_top=self.paddings[0][0])


@dataclass(frozen=True, kw_only=True)
class Table(Node):
    """Any op that turns one stored byte into another: activations, int8 to int8 QUANTIZE, arithmetic with a constant."""

    table: np.ndarray  # uint8 (256,)


@dataclass(frozen=True, kw_only=True)
class Softmax(Node):
    """SOFTMAX over the channels of every position."""

    exponentials: np.ndarray  # int32: exp(-d) as Q0.31 for each difference d from the maximum

    @property
    def streams(self) -> bool:
        """A row is all it needs, but it always stands at the end, on a vector."""
        return False


@dataclass(frozen=True)
class Program:
    """A lowered model: nodes in execution order, and what stands at its edges."""

    input: Value
    output: Value
    nodes: tuple[Node, ...]
    input_kind: str  # element type of the file's input: int8, uint8, float32
    output_kind: str
