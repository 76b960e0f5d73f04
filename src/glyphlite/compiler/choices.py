"""Which kernel a node gets: what its shape, its weights and what is optimized for allow.

Knows nodes and segments; plans no memory and writes nothing.
"""

from collections.abc import Sequence

from glyphlite.compiler.codegen import packing
from glyphlite.compiler.ir import Convolution, Dense, Depthwise, Node, Pad, Pool
from glyphlite.compiler.schedule import Segment

_FEW_OUTPUTS = 24  # spreading a row into lanes pays from about this many outputs on


class Choices:
    """Asked of each node of a scheduled program, before memory is planned and again when its kernel is described."""

    def __init__(self, segments: Sequence[Segment], optimize: str) -> None:
        self.segments, self.optimize = segments, optimize

    def has_dsp(self, node: Node) -> bool:
        """Whether its kernel has a path for cores with the DSP extension."""
        match node:
            case Convolution():
                return packing.is_packable(node.weights)
            case Dense():
                return packing.is_packable(node.weights) and self.row(node) >= packing.GROUP
            case Depthwise():
                return node.multiplier == 1 and node.output.channels % packing.GROUP == 0
        return False

    def is_stem(self, node: Convolution) -> bool:
        """The commonest first layer, which has a kernel of its own."""
        plain = node.pooled and node.weights.shape[1:] == (3, 3, 1) and not self.is_padded(node)
        return plain and (node.window.stride_y, node.window.stride_x, node.window.dilation_y, node.window.dilation_x) == (
            1,
            1,
            1,
            1,
        )

    @staticmethod
    def is_direct(node: Convolution) -> bool:
        """Whether a row of the filter lies in one piece of whole words."""
        return node.filter_window.dilation_x == 1 and node.weights.shape[2] * node.weights.shape[3] % packing.GROUP == 0

    def needs_patch(self, node: Convolution) -> bool:
        """Whether what a filter looks at is copied together first."""
        return not self.is_direct(node) or self.is_padded(node)

    def reads_bytes(self, node: Dense) -> bool:
        """Whether a dense layer takes rows as they are; else it spreads them into lanes once, for all its outputs."""
        few = node.output.channels <= _FEW_OUTPUTS or self.optimize != "speed"
        return few and self.row(node) % packing.GROUP == 0

    def row(self, node: Node) -> int:
        """Inputs that a dense layer takes at a time: a row of the map before it, or all."""
        for segment in self.segments:
            if segment.sink is node and segment.chain:
                return segment.chain[-1].output.row_bytes
        return node.inputs[0].elements

    @staticmethod
    def pixels(node: Convolution) -> int:
        """How many pixels of its output are computed at a time: those that waste the least of a row."""
        if node.pooled:
            return 4
        return min((4, 3, 2, 1), key=lambda pixels: (-(-node.output.width // pixels) * pixels, -pixels))

    @staticmethod
    def is_padded(node: Node) -> bool:
        """Whether its window ever lies beyond the map."""
        window = node.window
        height, width = node.output.height, node.output.width
        if isinstance(node, Convolution) and node.pooled:
            height, width = 2 * height, 2 * width
        bottom = (height - 1) * window.stride_y - window.pad_top + window.span_y
        right = (width - 1) * window.stride_x - window.pad_left + window.span_x
        source = node.inputs[0]
        return bool(window.pad_top or window.pad_left or bottom > source.height or right > source.width)


def is_windowed(node: Node) -> bool:
    """Whether a node reads rows of its input as a window moves over them."""
    return isinstance(node, (Convolution, Depthwise, Pool, Pad))
