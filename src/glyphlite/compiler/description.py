"""What each template is told about its node, and the constants that the node needs.

Knows nodes, packing, where buffers lie and which kernel a node gets; nothing of files.
"""

from types import SimpleNamespace

import numpy as np

from glyphlite.compiler.arena import Arena
from glyphlite.compiler.choices import Choices, is_windowed
from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Constants
from glyphlite.compiler.codegen.requantization import clamp_of, scaling_of
from glyphlite.compiler.ir import (
    Binary,
    Concatenation,
    Convolution,
    Dense,
    Depthwise,
    Mean,
    Node,
    Pad,
    Pool,
    Program,
    Softmax,
)
from glyphlite.compiler.schedule import Segment

Kernel = SimpleNamespace  # what a template sees of a node


class Descriptions:
    """Describes node after node, in the order of the program.

    Attributes:
        uses: the helpers that the described kernels call.
    """

    def __init__(self, program: Program, choices: Choices, arena: Arena, constants: Constants, prefix: str) -> None:
        """``prefix``: of the macros, in capitals."""
        self.program, self.choices, self.arena, self.constants, self.prefix = program, choices, arena, constants, prefix
        self.uses: set[str] = set()

    def unroll(self, count: int) -> str:
        """The pragma before a hot loop."""
        return "" if self.choices.optimize == "size" else f"{self.prefix}_UNROLL({count})"

    def describe(self, segment: Segment, position: int) -> Kernel:
        """One node of a segment, its constants laid down."""
        node = segment.nodes[position]
        streamed = position > 0
        sources = [self.arena.source(segment, position, value) for value in node.inputs]
        kernel = Kernel(
            name=node.name,
            noinline=f"{self.prefix}_LAYER",
            input=node.inputs[0],
            output=node.output,
            window=node.window,
            windowed=is_windowed(node),
            row_stride=node.row_stride,
            span=node.rows_per_step,
            padded=self.choices.is_padded(node),
            sources_in=sources,
            reads_input=not streamed and node.inputs[0].index == self.program.input.index,
            counts_rows=position + 1 < len(segment.nodes) and is_windowed(segment.nodes[position + 1]),
            requantization=None,
            nibbles=getattr(node, "nibbles", False),
            table=False,
            scratch=self.arena.scratch(node),
            dsp=self.choices.has_dsp(node),
            comment=_comment(node),
            aligned=False,
            unroll=self.unroll,
        )
        if position + 1 < len(segment.nodes):
            kernel.ring = self.arena.ring(node, segment.nodes[position + 1])
        if kernel.windowed:
            self.uses.add("rows")
        if streamed and sources and any(1 < source.capacity < source.height for source in sources):
            self.uses.add("ring_row")
        table = getattr(node, "table", None)
        if table is not None:
            kernel.table = True
            self.constants.add(node, "table", "uint8_t", table)
        self._fill(kernel, node, segment)
        return kernel

    def _fill(self, kernel: Kernel, node: Node, segment: Segment) -> None:
        match node:
            case Convolution():
                self._fill_convolution(kernel, node)
            case Dense():
                self._fill_dense(kernel, node, sink=bool(segment.chain))
            case Depthwise():
                self._fill_depthwise(kernel, node)
            case Pool():
                kernel.kernel, kernel.kind, kernel.low, kernel.high = "pool", node.kind, node.low, node.high
            case Mean():
                self._fill_mean(kernel, node)
            case Binary():
                self._fill_binary(kernel, node)
            case Concatenation():
                self._fill_concatenation(kernel, node)
            case Pad():
                kernel.kernel = "pad"
                kernel.before = (node.paddings[1][0], node.paddings[2][0])
            case Softmax():
                kernel.kernel = "softmax"
                kernel.depth, kernel.rows = node.output.channels, node.output.height * node.output.width
                kernel.entries = len(node.exponentials)
                self.constants.add(node, "exp", "int32_t", node.exponentials)
                self.uses.add("product")
            case _:
                kernel.kernel = "table"

    def _fill_convolution(self, kernel: Kernel, node: Convolution) -> None:
        rows = node.weights.reshape(len(node.weights), -1)
        if self.choices.is_stem(node):
            self._fill_stem(kernel, node)
            return
        kernel.kernel = "convolution"
        kernel.pooled, kernel.pixels, kernel.depth = node.pooled, self.choices.pixels(node), rows.shape[1]
        kernel.groups = -(-rows.shape[1] // packing.GROUP)
        kernel.block = packing.blocks_of(rows, nibbles=node.nibbles)
        kernel.blocks = -(-kernel.groups // kernel.block)
        kernel.even_filters = node.output.channels + node.output.channels % 2
        kernel.direct, kernel.patch = self.choices.is_direct(node), self.choices.needs_patch(node)
        kernel.small = self.choices.optimize != "speed"
        if node.nibbles:
            self._convolution_nibbles(kernel, node, rows)
        else:
            if kernel.dsp:
                kernel.dot = "dot_4_bytes" if kernel.small else "dot_2x2"
                self.uses |= {"load4", kernel.dot} if kernel.small else {"expand", "load4", kernel.dot}
                words = packing.pack_quads(rows) if kernel.small else packing.pack_pairs(rows)
                kernel.lane_words, kernel.lane_type = (4 if kernel.small else 2), "int32_t"
                self.constants.add(node, "lane_weights", kernel.lane_type, words, "dsp")
            self.constants.add(node, "weights", "int8_t", rows, "plain" if kernel.dsp else "both")
        self._scale(kernel, node, rows)

    def _convolution_nibbles(self, kernel: Kernel, node: Convolution, rows: np.ndarray) -> None:
        """Weights of four bits; loops over wide vectors keep a byte for each."""
        words = packing.pack_nibble_quads(rows) if kernel.small else packing.pack_nibble_pairs(rows)
        kernel.dot = "dot_4_bytes_nibbles" if kernel.small else "dot_2x2_nibbles"
        kernel.lane_words, kernel.lane_type = (2 if kernel.small else 1), "uint32_t"
        self.uses |= {"load4", "nibble", "nibble_lanes", kernel.dot, "dot_nibbles" if kernel.small else "expand"}
        self.constants.add(node, "lane_weights", kernel.lane_type, words, "dsp")
        self.constants.add(
            node, "nibble_weights", "uint16_t", packing.pack_nibble_rows(rows), "plain" if kernel.small else "narrow"
        )
        if not kernel.small:
            self.constants.add(node, "weights", "int8_t", rows, "wide")

    def _fill_stem(self, kernel: Kernel, node: Convolution) -> None:
        kernel.kernel, kernel.dsp = "stem", True
        rows = node.weights.reshape(len(node.weights), -1)
        kernel.weight_type = (
            "int8_t" if self.choices.optimize == "size" else "int32_t"
        )  # Cortex-M0: a signed byte takes two instructions
        if not node.nibbles:
            self.constants.add(node, "weights", kernel.weight_type, rows, "narrow")
        self.constants.add(node, "tap_weights", "int32_t", rows.T, "wide")
        requantization = node.requantization
        shifts = -np.array(requantization.shifts)
        largest = int(np.abs(node.bias).max()) + 9 * 127 * 255
        kernel.aligned = bool(
            largest < 2**22
            and shifts.min() >= 0
            and shifts.max() - shifts.min() < 8
            and requantization.low >= requantization.offset
        )
        exponents = np.zeros(len(rows), np.int64)
        path = "plain" if kernel.aligned else "both"
        folded = self._scale(kernel, node, rows, path)
        if kernel.aligned:
            exponents = shifts.max() - shifts + 1
            rounding = (1 << 30) + np.where(shifts > 0, 1 << (30 + shifts), 0)
            constants = (folded * np.array(requantization.multipliers, np.int64) + rounding) * 2**exponents
            self.constants.add(node, "rounding", "int64_t", constants, "dsp")
            kernel.aligned_multiplier = kernel.requantization.multiplier.replace("channel", "filter")
            kernel.aligned_shift = int(shifts.max())
            kernel.clamp = clamp_of(requantization)
        if node.nibbles:
            self.uses |= {"nibble", "column_lanes"}
            columns = packing.pack_nibble_columns_3x3(node.weights[..., 0], exponents)
            self.constants.add(node, "nibble_weights", "uint16_t", columns, "not wide")
        else:
            self.constants.add(
                node, "lane_weights", "int32_t", packing.pack_columns_3x3(node.weights[..., 0], 2**exponents), "dsp"
            )

    def _fill_dense(self, kernel: Kernel, node: Dense, *, sink: bool) -> None:
        kernel.kernel, kernel.sink = "dense", sink
        kernel.lanes = sink and not self.choices.reads_bytes(node)
        row = self.choices.row(node)
        kernel.row = row
        parts = np.split(node.weights, node.weights.shape[1] // row, axis=1)
        kernel.block = min(packing.blocks_of(part, nibbles=node.nibbles) for part in parts)
        kernel.groups = -(-row // packing.GROUP) if sink else row // packing.GROUP
        kernel.tail = 0 if sink else row % packing.GROUP
        kernel.blocks = -(-kernel.groups // kernel.block)
        kernel.quads = -(-node.output.channels // 4)
        if kernel.dsp:
            kernel.dot = ("dot_4" if kernel.lanes else "dot_4_bytes") + ("_nibbles" if node.nibbles else "")
            kernel.lane_words, kernel.lane_type = (2, "uint32_t") if node.nibbles else (4, "int32_t")
            self.uses |= {"expand", "load4", kernel.dot} if kernel.lanes else {"load4", kernel.dot}
            pack = packing.pack_nibble_quads if node.nibbles else packing.pack_quads
            self.constants.add(node, "lane_weights", kernel.lane_type, np.concatenate([pack(part) for part in parts]), "dsp")
        path = "narrow" if kernel.dsp else "not wide"
        kernel.plain_type, kernel.plain_weights = ("uint16_t", "nibble_weights") if node.nibbles else ("uint8_t", "weights")
        kernel.quad_step = row if node.nibbles else 4 * row
        if node.nibbles:
            self.uses |= {"nibble", "nibble_lanes"}
            plain = np.concatenate([packing.interleave_nibble_quads(part) for part in parts])
            self.constants.add(node, "nibble_weights", "uint16_t", plain, path)
        else:
            plain = np.concatenate([packing.interleave_quads(part) for part in parts])
            self.constants.add(node, "weights", "uint8_t", plain, path)
        self.constants.add(node, "row_weights", "int8_t", np.concatenate([part.reshape(-1) for part in parts]), "wide")
        self._scale(kernel, node, node.weights)

    def _fill_depthwise(self, kernel: Kernel, node: Depthwise) -> None:
        kernel.kernel, kernel.multiplier = "depthwise", node.multiplier
        kernel.by_words = node.inputs[0].channels % 4 == 0
        fill = np.array([node.inputs[0].zero_point] * 4, np.uint8).view(np.int32)[0]
        kernel.fill_word = f"({fill})" if fill != -(2**31) else "INT32_MIN"
        if kernel.by_words and kernel.padded:
            self.uses.add("load4")
        rows = np.moveaxis(node.weights, 2, 0).reshape(node.output.channels, -1)
        if node.nibbles:
            self._depthwise_nibbles(kernel, node)
        else:
            if kernel.dsp:
                self.uses.add("load4")
                self.constants.add(node, "lane_weights", "int32_t", packing.pack_depthwise(node.weights), "dsp")
            self.constants.add(node, "weights", "int8_t", node.weights, "plain" if kernel.dsp else "both")
        self._scale(kernel, node, rows)

    def _depthwise_nibbles(self, kernel: Kernel, node: Depthwise) -> None:
        """Four channels at a time where they come in fours, for every core but one of wide vectors."""
        self.uses.add("nibble")
        if kernel.dsp:
            kernel.shares_sums = self.choices.optimize == "size" and not kernel.reads_input
            self.uses |= {"load4", "depthwise_nibbles"} if kernel.shares_sums else {"load4"}
            self.constants.add(node, "nibble_weights", "uint16_t", packing.pack_nibble_depthwise(node.weights), "not wide")
        else:
            path = "not wide" if node.multiplier == 1 else "both"
            self.constants.add(node, "nibble_weights", "uint8_t", packing.pair_nibble_channels(node.weights), path)
        if node.multiplier == 1:
            self.constants.add(node, "weights", "int8_t", node.weights, "wide")

    def _fill_mean(self, kernel: Kernel, node: Mean) -> None:
        kernel.kernel, kernel.low, kernel.high = "mean", node.low, node.high
        kernel.by_words = node.output.channels % 4 == 0 and node.inputs[0].width <= 257
        if kernel.by_words:
            self.uses.add("load4")
        kernel.positions = node.inputs[0].height * node.inputs[0].width
        if node.requantization:
            self.uses |= {"scale_wide", "round_shift"}
            requantization = node.requantization
            kernel.requantization = SimpleNamespace(
                multiplier=requantization.multipliers[0], shift=requantization.shifts[0], offset=requantization.offset
            )

    def _fill_binary(self, kernel: Kernel, node: Binary) -> None:
        self.uses |= {"scale_wide", "round_shift"}
        kernel.kernel, kernel.kind, kernel.zero_points = "binary", node.kind, node.zero_points
        kernel.operands = node.input_multipliers
        requantization = node.requantization
        kernel.requantization = SimpleNamespace(
            multiplier=requantization.multipliers[0],
            shift=requantization.shifts[0],
            offset=requantization.offset,
            low=requantization.low,
            high=requantization.high,
        )
        kernel.index = [_index_of(shape) for shape in node.shapes]
        if node.constant is not None:
            name = self.constants.add(node, "constant", "uint8_t", node.constant)
            height, width, channels = node.constant.shape
            source = SimpleNamespace(place=name, height=height, capacity=height, row_bytes=width * channels)
            kernel.sources_in.insert(0 if node.constant_first else 1, source)

    def _fill_concatenation(self, kernel: Kernel, node: Concatenation) -> None:
        kernel.kernel, kernel.axis = "concatenation", {0: 0, 1: 1, 2: 2}[node.axis]
        begin = 0
        parts = []
        for value, source in zip(node.inputs, kernel.sources_in, strict=True):
            parts.append(
                SimpleNamespace(
                    place=source.place,
                    row_bytes=value.row_bytes,
                    channels=value.channels,
                    begin=begin,
                    end=begin + value.height,
                )
            )
            begin += value.height
        kernel.all_parts = kernel.parts = parts

    def _scale(self, kernel: Kernel, node: Convolution | Dense | Depthwise, rows: np.ndarray, path: str = "both") -> np.ndarray:
        packs = kernel.dsp and self.choices.optimize == "speed"
        kernel.requantization, folded = scaling_of(node, rows, self.constants, self.uses, packs=packs, path=path)
        return folded


def _index_of(shape: tuple[int, int, int]) -> str:
    """The C subscript of a broadcast operand within its row."""
    _, width, channels = shape
    parts = []
    if width > 1:
        parts.append(f"x * {channels}" if channels > 1 else "x")
    if channels > 1:
        parts.append("channel")
    return " + ".join(parts) or "0"


def _comment(node: Node) -> str:
    value = node.inputs[0]
    lines = [
        *node.sources,
        f"input {value.height}x{value.width}x{value.channels}, scale {value.scale:.8g}, "
        f"zero point {value.quantization.zero_point}",
        f"output {node.output.height}x{node.output.width}x{node.output.channels}, scale {node.output.scale:.8g}, "
        f"zero point {node.output.quantization.zero_point}" + (f"; {node.macs} multiply-accumulates" if node.macs else ""),
    ]
    body = "\n * ".join(line.replace("*/", "* /") for line in lines)
    return f"/* {node.name}\n * {body} */"
