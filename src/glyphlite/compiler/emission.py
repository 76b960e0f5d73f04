"""From segments to C: what each template is told about its node, where its buffers lie, and the files that come out.

Knows nodes, packing, the memory plan and the templates in ``kernels/``; knows nothing of the file that the model came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace

import jinja2
import numpy as np

from glyphlite import __version__
from glyphlite.compiler import packing
from glyphlite.compiler.memory import Buffer, align, plan
from glyphlite.compiler.nodes import (
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
    Requantization,
    Softmax,
    Table,
    Value,
)
from glyphlite.compiler.packing import Array
from glyphlite.compiler.schedule import Segment

Kernel = SimpleNamespace  # what a template sees of a node

_FEW_OUTPUTS = 24  # spreading a row into lanes pays from about this many outputs on


@dataclass(frozen=True)
class Sample:
    """An image for ``example.c``: uint8 (height, width, channels) and its class, where one is known."""

    image: np.ndarray
    label: int | None


@dataclass(frozen=True)
class Placed:
    """A buffer of the arena with its offset, for the memory map."""

    buffer: Buffer
    offset: int


@dataclass(frozen=True)
class Emitted:
    """The files by name, and what the report says of them."""

    files: dict[str, str]
    arena_bytes: int
    buffers: tuple[Placed, ...]
    constants: dict[str, tuple[Array, ...]]


class _Memory:
    """Collects the buffers of a program with their lifetimes, then tells where each lies."""

    def __init__(self) -> None:
        self.buffers: list[Buffer] = []
        self.offsets: tuple[int, ...] = ()
        self.size = 0

    def add(self, name: str, size: int, first: int, last: int) -> int:
        self.buffers.append(Buffer(name, size, first, last))
        return len(self.buffers) - 1

    def settle(self) -> None:
        layout = plan(self.buffers)
        self.offsets, self.size = layout.offsets, layout.size

    def bytes_at(self, key: int) -> str:
        offset = self.offsets[key]
        return f"bytes + {offset}" if offset else "bytes"

    def words_at(self, key: int) -> str:
        offset = self.offsets[key] // 4
        return f"(int32_t *)arena->words + {offset}" if offset else "(int32_t *)arena->words"


class _Emitter:
    """One emission: node by node into kernels and constants, then the templates."""

    def __init__(self, program: Program, segments: Sequence[Segment], name: str, scores: str, optimize: str) -> None:
        self.program, self.segments, self.p, self.scores, self.optimize = program, segments, name, scores, optimize
        self.P = name.upper()
        self.dsp_macro = f"{self.P}_DSP"
        self.memory = _Memory()
        self.arrays: dict[str, list[Array]] = {}
        self.uses: set[str] = set()
        self.value_keys: dict[int, int] = {}
        self.last_use = self._last_uses()
        self.scratch_keys: dict[str, int] = {}
        self.ring_keys: dict[str, int] = {}
        self.sums_keys: dict[int, int] = {}

    # Memory

    def _last_uses(self) -> dict[int, int]:
        last: dict[int, int] = {}
        for step, segment in enumerate(self.segments):
            for node in segment.nodes:
                for value in node.inputs:
                    last[value.index] = step
        return last

    def _reserve(self) -> None:
        """Ask for every buffer: values between segments, rings and scratch within them."""
        result = self.program.output.index
        if self.pixel_table is not None:
            self.pixel_key = self.memory.add("pixels", self.program.input.elements, 0, self.last_use[self.program.input.index])
        for step, segment in enumerate(self.segments):
            output = segment.output.output
            external = output.index == result and self.scores != "none"
            if not external:
                last = len(self.segments) if output.index == result else self.last_use[output.index]
                if not self._share(step, segment, last):
                    self.value_keys[output.index] = self.memory.add(output.name, output.elements, step, last)
            for node, follower in zip(segment.nodes, segment.nodes[1:], strict=False):
                rows = min(node.output.height, follower.rows_per_step if _is_windowed(follower) else 1)
                key = self.memory.add(f"{node.name} rows", rows * node.output.row_bytes, step, step)
                self.ring_keys[node.name] = key
            for node in segment.nodes:
                scratch = self._scratch_bytes(node, sink=node is segment.sink and bool(segment.chain))
                if scratch:
                    self.scratch_keys[node.name] = self.memory.add(f"{node.name} scratch", scratch, step, step)
            if segment.sink is not None and self._accumulates(segment):
                channels = segment.sink.output.channels
                self.sums_keys[step] = self.memory.add(f"{segment.sink.name} sums", 4 * -(-channels // 4) * 4, step, step)
        self.memory.settle()

    def _share(self, step: int, segment: Segment, last: int) -> bool:
        """An element-wise op writes where it reads, if nothing needs its input any more."""
        node = segment.nodes[0]
        if len(segment.nodes) > 1 or not isinstance(node, (Table, Softmax, Binary)):
            return False
        for value in node.inputs:
            key = self.value_keys.get(value.index)
            if key is not None and self.last_use[value.index] == step and value.elements == node.output.elements:
                buffer = self.memory.buffers[key]
                if buffer.last != step:
                    continue
                self.memory.buffers[key] = Buffer(buffer.name, buffer.size, buffer.first, last)
                self.value_keys[node.output.index] = key
                return True
        return False

    @staticmethod
    def _accumulates(segment: Segment) -> bool:
        return bool(segment.chain) or isinstance(segment.sink, Mean)

    def _scratch_bytes(self, node: Node, *, sink: bool) -> int:
        if isinstance(node, Convolution) and self._is_stem(node):
            return max(8 * (2 * node.output.width + 2), 4 * node.output.channels)
        if isinstance(node, Convolution):
            depth = int(np.prod(node.weights.shape[1:]))
            groups = -(-depth // packing.GROUP)
            best = 4 * (node.output.channels + node.output.channels % 2) if node.pooled else 0
            if self.optimize != "speed":
                return 4 * groups + best
            lanes = groups * (20 if self._needs_patch(node) else 16) + best
            return max(lanes if self._has_dsp(node) else 0, depth * self._pixels(node))
        if isinstance(node, Depthwise) and self._is_padded(node):
            return int(node.weights.shape[0] * node.weights.shape[1] * node.inputs[0].channels)
        if isinstance(node, Dense) and sink and not self._reads_bytes(node):
            return 8 * -(-self._row(node) // packing.GROUP) if self._has_dsp(node) else 0
        return 0

    # Nodes

    def _has_dsp(self, node: Node) -> bool:
        match node:
            case Convolution():
                return packing.is_packable(node.weights)
            case Dense():
                return packing.is_packable(node.weights) and self._row(node) >= packing.GROUP
            case Depthwise():
                return node.multiplier == 1 and node.output.channels % packing.GROUP == 0
        return False

    def _is_stem(self, node: Convolution) -> bool:
        """The commonest first layer, which has a kernel of its own."""
        plain = node.pooled and node.weights.shape[1:] == (3, 3, 1) and not self._is_padded(node)
        return plain and (node.window.stride_y, node.window.stride_x, node.window.dilation_y, node.window.dilation_x) == (
            1,
            1,
            1,
            1,
        )

    @staticmethod
    def _is_direct(node: Convolution) -> bool:
        """Whether a row of the filter lies in one piece of whole words."""
        return node.filter_window.dilation_x == 1 and node.weights.shape[2] * node.weights.shape[3] % packing.GROUP == 0

    def _needs_patch(self, node: Convolution) -> bool:
        return not self._is_direct(node) or self._is_padded(node)

    def _reads_bytes(self, node: Dense) -> bool:
        """Whether a dense layer takes rows as they are; else it spreads them into lanes once, for all its outputs."""
        few = node.output.channels <= _FEW_OUTPUTS or self.optimize != "speed"
        return few and self._row(node) % packing.GROUP == 0

    def _row(self, node: Node) -> int:
        """Inputs that a dense layer takes at a time: a row of the map before it, or all."""
        for segment in self.segments:
            if segment.sink is node and segment.chain:
                return segment.chain[-1].output.row_bytes
        return node.inputs[0].elements

    @staticmethod
    def _pixels(node: Convolution) -> int:
        if node.pooled:
            return 4
        return min((4, 3, 2, 1), key=lambda pixels: (-(-node.output.width // pixels) * pixels, -pixels))

    @staticmethod
    def _is_padded(node: Node) -> bool:
        window = node.window
        height, width = node.output.height, node.output.width
        if isinstance(node, Convolution) and node.pooled:
            height, width = 2 * height, 2 * width
        bottom = (height - 1) * window.stride_y - window.pad_top + window.span_y
        right = (width - 1) * window.stride_x - window.pad_left + window.span_x
        source = node.inputs[0]
        return bool(window.pad_top or window.pad_left or bottom > source.height or right > source.width)

    def _array(self, node: Node, suffix: str, c_type: str, values: np.ndarray, path: str = "both") -> str:
        name = f"{self.p}_{node.name}_{suffix}"
        self.arrays.setdefault(node.name, []).append(Array(name, c_type, np.ascontiguousarray(values).reshape(-1), path))
        return name

    def _unroll(self, count: int) -> str:
        """The pragma before a hot loop."""
        return "" if self.optimize == "size" else f"{self.P}_UNROLL({count})"

    def _kernel(self, step: int, segment: Segment, position: int) -> Kernel:
        node = segment.nodes[position]
        streamed = position > 0
        sources = [self._source(segment, position, value) for value in node.inputs]
        kernel = Kernel(
            name=node.name,
            noinline=f"{self.P}_LAYER",
            input=node.inputs[0],
            output=node.output,
            window=node.window,
            windowed=_is_windowed(node),
            row_stride=node.row_stride,
            span=node.rows_per_step,
            padded=self._is_padded(node),
            sources_in=sources,
            reads_input=not streamed and node.inputs[0].index == self.program.input.index,
            counts_rows=position + 1 < len(segment.nodes) and _is_windowed(segment.nodes[position + 1]),
            requantization=None,
            nibbles=getattr(node, "nibbles", False),
            table=False,
            scratch=self.memory.words_at(self.scratch_keys[node.name]) if node.name in self.scratch_keys else "",
            dsp=self._has_dsp(node),
            comment=_comment(node),
            aligned=False,
            unroll=self._unroll,
        )
        if node.name in self.ring_keys:
            rows = 1
            follower = segment.nodes[position + 1]
            if _is_windowed(follower):
                rows = min(node.output.height, follower.rows_per_step)
            kernel.ring = self._place(self.memory.bytes_at(self.ring_keys[node.name]), node.output, rows)
        if kernel.windowed:
            self.uses.add("rows")
        if streamed and sources and any(1 < source.capacity < source.height for source in sources):
            self.uses.add("ring_row")
        table = getattr(node, "table", None)
        if table is not None:
            kernel.table = True
            self._array(node, "table", "uint8_t", table)
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
                self._array(node, "exp", "int32_t", node.exponentials)
                self.uses.add("product")
            case _:
                kernel.kernel = "table"

    def _fill_convolution(self, kernel: Kernel, node: Convolution) -> None:
        rows = node.weights.reshape(len(node.weights), -1)
        if self._is_stem(node):
            self._fill_stem(kernel, node)
            return
        kernel.kernel = "convolution"
        kernel.pooled, kernel.pixels, kernel.depth = node.pooled, self._pixels(node), rows.shape[1]
        kernel.groups = -(-rows.shape[1] // packing.GROUP)
        kernel.block = packing.blocks_of(rows, nibbles=node.nibbles)
        kernel.blocks = -(-kernel.groups // kernel.block)
        kernel.even_filters = node.output.channels + node.output.channels % 2
        kernel.direct, kernel.patch = self._is_direct(node), self._needs_patch(node)
        kernel.small = self.optimize != "speed"
        if node.nibbles:
            self._convolution_nibbles(kernel, node, rows)
        else:
            if kernel.dsp:
                kernel.dot = "dot_4_bytes" if kernel.small else "dot_2x2"
                self.uses |= {"load4", kernel.dot} if kernel.small else {"expand", "load4", kernel.dot}
                words = packing.pack_quads(rows) if kernel.small else packing.pack_pairs(rows)
                kernel.lane_words, kernel.lane_type = (4 if kernel.small else 2), "int32_t"
                self._array(node, "lane_weights", kernel.lane_type, words, "dsp")
            self._array(node, "weights", "int8_t", rows, "plain" if kernel.dsp else "both")
        self._requantize(kernel, node, rows, node.bias)

    def _convolution_nibbles(self, kernel: Kernel, node: Convolution, rows: np.ndarray) -> None:
        """Weights of four bits; loops over wide vectors keep a byte for each."""
        words = packing.pack_nibble_quads(rows) if kernel.small else packing.pack_nibble_pairs(rows)
        kernel.dot = "dot_4_bytes_nibbles" if kernel.small else "dot_2x2_nibbles"
        kernel.lane_words, kernel.lane_type = (2 if kernel.small else 1), "uint32_t"
        self.uses |= {"load4", "nibble", "nibble_lanes", kernel.dot, "dot_nibbles" if kernel.small else "expand"}
        self._array(node, "lane_weights", kernel.lane_type, words, "dsp")
        self._array(node, "nibble_weights", "uint16_t", packing.pack_nibble_rows(rows), "plain" if kernel.small else "narrow")
        if not kernel.small:
            self._array(node, "weights", "int8_t", rows, "wide")

    def _fill_stem(self, kernel: Kernel, node: Convolution) -> None:
        kernel.kernel, kernel.dsp = "stem", True
        rows = node.weights.reshape(len(node.weights), -1)
        kernel.weight_type = "int8_t" if self.optimize == "size" else "int32_t"  # Cortex-M0: a signed byte takes two instructions
        if not node.nibbles:
            self._array(node, "weights", kernel.weight_type, rows, "narrow")
        self._array(node, "tap_weights", "int32_t", rows.T, "wide")
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
        folded = self._requantize(kernel, node, rows, node.bias, path=path)
        if kernel.aligned:
            exponents = shifts.max() - shifts + 1
            rounding = (1 << 30) + np.where(shifts > 0, 1 << (30 + shifts), 0)
            constants = (folded * np.array(requantization.multipliers, np.int64) + rounding) * 2**exponents
            self._array(node, "rounding", "int64_t", constants, "dsp")
            kernel.aligned_multiplier = kernel.requantization.multiplier.replace("channel", "filter")
            kernel.aligned_shift = int(shifts.max())
            kernel.clamp = _clamp(requantization)
        if node.nibbles:
            self.uses |= {"nibble", "column_lanes"}
            columns = packing.pack_nibble_columns_3x3(node.weights[..., 0], exponents)
            self._array(node, "nibble_weights", "uint16_t", columns, "not wide")
        else:
            self._array(node, "lane_weights", "int32_t", packing.pack_columns_3x3(node.weights[..., 0], 2**exponents), "dsp")

    def _fill_dense(self, kernel: Kernel, node: Dense, *, sink: bool) -> None:
        kernel.kernel, kernel.sink = "dense", sink
        kernel.lanes = sink and not self._reads_bytes(node)
        row = self._row(node)
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
            self._array(node, "lane_weights", kernel.lane_type, np.concatenate([pack(part) for part in parts]), "dsp")
        path = "narrow" if kernel.dsp else "not wide"
        kernel.plain_type, kernel.plain_weights = ("uint16_t", "nibble_weights") if node.nibbles else ("uint8_t", "weights")
        kernel.quad_step = row if node.nibbles else 4 * row
        if node.nibbles:
            self.uses |= {"nibble", "nibble_lanes"}
            plain = np.concatenate([packing.interleave_nibble_quads(part) for part in parts])
            self._array(node, "nibble_weights", "uint16_t", plain, path)
        else:
            plain = np.concatenate([packing.interleave_quads(part) for part in parts])
            self._array(node, "weights", "uint8_t", plain, path)
        self._array(node, "row_weights", "int8_t", np.concatenate([part.reshape(-1) for part in parts]), "wide")
        self._requantize(kernel, node, node.weights, node.bias)

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
                self._array(node, "lane_weights", "int32_t", packing.pack_depthwise(node.weights), "dsp")
            self._array(node, "weights", "int8_t", node.weights, "plain" if kernel.dsp else "both")
        self._requantize(kernel, node, rows, node.bias)

    def _depthwise_nibbles(self, kernel: Kernel, node: Depthwise) -> None:
        """Four channels at a time where they come in fours, for every core but one of wide vectors."""
        self.uses.add("nibble")
        if kernel.dsp:
            kernel.shares_sums = self.optimize == "size" and not kernel.reads_input
            self.uses |= {"load4", "depthwise_nibbles"} if kernel.shares_sums else {"load4"}
            self._array(node, "nibble_weights", "uint16_t", packing.pack_nibble_depthwise(node.weights), "not wide")
        else:
            path = "not wide" if node.multiplier == 1 else "both"
            self._array(node, "nibble_weights", "uint8_t", packing.pair_nibble_channels(node.weights), path)
        if node.multiplier == 1:
            self._array(node, "weights", "int8_t", node.weights, "wide")

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
            name = self._array(node, "constant", "uint8_t", node.constant)
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

    def _requantize(self, kernel: Kernel, node: Node, rows: np.ndarray, bias: np.ndarray, path: str = "both") -> np.ndarray:
        """Choose the cheapest exact form of the scaling that these multipliers, shifts and bounds allow.

        Returns:
            The bias with the input's zero point folded in.
        """
        requantization: Requantization = node.requantization  # pyright: ignore[reportAttributeAccessIssue]
        wide = rows.astype(np.int64)
        folded = bias - node.inputs[0].zero_point * wide.sum(axis=1)
        high = np.maximum(wide, 0).sum(axis=1) * 255 + folded
        low = np.minimum(wide, 0).sum(axis=1) * 255 + folded
        bound = int(max(np.abs(high).max(), np.abs(low).max()))
        shifts = np.array(requantization.shifts)
        uniform = bool(np.all(shifts == shifts[0]))
        r = SimpleNamespace(
            offset=requantization.offset,
            low=requantization.low,
            high=requantization.high,
            factor=2,
            wide=False,
            no_shift=False,
        )
        if bound >= 2**30:
            r.wide = True
        elif np.any(shifts > 0):
            r.wide = not (uniform and bound * 2 ** (int(shifts[0]) + 1) < 2**31)
            if not r.wide:
                r.factor, r.no_shift = 2 ** (int(shifts[0]) + 1), True
        elif np.all(shifts == 0):
            r.no_shift = True
        r.pieces, r.packed, r.all_shift = None, False, not r.wide and bool(np.all(shifts < 0))
        r.positive = not r.wide and not r.no_shift and requantization.low >= requantization.offset
        if r.positive and r.all_shift and path == "both" and kernel.dsp and self.optimize == "speed":
            r.packed, path = True, "plain"
            rounding = (1 << 30) + (1 << (30 - shifts.astype(np.int64)))
            words = (folded * np.array(requantization.multipliers, np.int64) + rounding).view(np.int32).reshape(-1, 2)
            columns = [words[:, 0], words[:, 1], np.array(requantization.multipliers), -shifts - 1]
            self._array(node, "scaling", "int32_t", np.stack(columns, axis=1).astype(np.int32), "dsp")
        multipliers = set(requantization.multipliers)
        if len(multipliers) == 1:
            r.multiplier = str(requantization.multipliers[0])
        else:
            r.multiplier = (
                self._array(node, "multiplier", "int32_t", np.array(requantization.multipliers), "plain" if r.packed else "both")
                + "[channel]"
            )
        if uniform:
            r.shift = str(shifts[0] if r.wide else -shifts[0])
        elif r.wide:
            r.shift = self._array(node, "shift", "int8_t", shifts, path) + "[channel]"
        else:
            r.shift = self._array(node, "shift", "uint8_t", -shifts, path) + "[channel]"
        self._array(node, "bias", "int32_t", folded, path)
        self.uses |= {"scale_wide", "round_shift"} if r.wide else {"high_mul"}
        if not (r.wide or r.positive or r.no_shift or r.all_shift):
            self.uses.add("round_shift")
        if r.positive:
            r.pieces = _pieces(int(high.max()), shifts)
        kernel.requantization = r
        return folded

    def _place(self, place: str, value: Value, capacity: int | None = None) -> SimpleNamespace:
        rows = value.height if capacity is None else capacity
        return SimpleNamespace(place=place, height=value.height, capacity=rows, row_bytes=value.row_bytes)

    def _source(self, segment: Segment, position: int, value: Value) -> SimpleNamespace:
        """Where a node finds one of its inputs: a ring of the node before it, or a whole map."""
        if position > 0 and segment.nodes[position - 1].output.index == value.index:
            producer = segment.nodes[position - 1]
            node = segment.nodes[position]
            rows = min(producer.output.height, node.rows_per_step) if _is_windowed(node) else 1
            return self._place(self.memory.bytes_at(self.ring_keys[producer.name]), producer.output, rows)
        return self._place(self._where(value.index), value)

    def _where(self, index: int) -> str:
        if index == self.program.input.index:
            return "input"
        if index in self.value_keys:
            return self.memory.bytes_at(self.value_keys[index])
        return "output"

    # Files

    def emit(self, labels: Sequence[str], sample: Sample, pixel_table: np.ndarray | None) -> Emitted:
        """Render every file."""
        program = self.program
        self.pixel_table = pixel_table
        self.pixel_key = -1
        self._reserve()
        segments, kernels = [], []
        for step, segment in enumerate(self.segments):
            parts = [self._kernel(step, segment, position) for position in range(len(segment.nodes))]
            kernels += parts
            accumulates = segment.sink is not None and self._accumulates(segment)
            output = segment.output.output
            whole = parts[0] if isinstance(segment.nodes[0], Softmax) or (segment.sink and not accumulates) else None
            segments.append(
                SimpleNamespace(
                    title=" -> ".join(node.name for node in segment.nodes),
                    chain=[] if whole else (parts[:-1] if segment.sink else parts),
                    sink=parts[-1] if segment.sink and not whole else None,
                    whole=whole,
                    sums=SimpleNamespace(place=self.memory.words_at(self.sums_keys[step]), count=-(-output.channels // 4) * 4)
                    if accumulates
                    else None,
                    target=self._place(self._where(output.index), output),
                )
            )
        if pixel_table is not None:
            self.arrays["pixels"] = [Array(f"{self.p}_pixels", "uint8_t", pixel_table)]
        context = {
            "banner": f"/* Generated by glyphlite {__version__}. {self.P}: see {self.p}.h for the interface. */",
            "p": self.p,
            "P": self.P,
            "dsp_macro": self.dsp_macro,
            "wide_macro": f"{self.P}_WIDE",
            "uses": self.uses,
            "unroll": self._unroll,
            "kernels": kernels,
            "segments": segments,
            "input": program.input,
            "output": program.output,
            "input_scale": _float(program.input.scale),
            "output_scale": _float(program.output.scale),
            "has_output": self.scores != "none",
            "scores": self.scores,
            "labels": ", ".join(_c_string(label) for label in labels),
            "arena_bytes": self.memory.size,
            "arrays": [array for arrays in self.arrays.values() for array in arrays],
            "uses_arena": bool(self.memory.buffers),
            "uses_flip": any(kernel.reads_input for kernel in kernels),
            "pixel_table": pixel_table is not None,
            "pixel_offset": self.memory.offsets[self.pixel_key] if pixel_table is not None else 0,
            "result_place": f"(const uint8_t *)arena->words + {self.memory.offsets[self.value_keys[program.output.index]]}"
            if self.scores == "none"
            else "",
            "sample": _c_lines(sample.image.reshape(-1)),
            "sample_label": sample.label,
            "sample_words": "A test image"
            + (f" of class {labels[sample.label]}." if sample.label is not None else ", class unknown."),
        }
        names = {
            f"{self.p}.h": "program.h.j2",
            f"{self.p}.c": "program.c.j2",
            f"{self.p}_weights.h": "weights.h.j2",
            "example.c": "example.c.j2",
            "Makefile": "Makefile.j2",
        }
        files = {name: _tidy(_environment().get_template(template).render(context)) for name, template in names.items()}
        placed = tuple(Placed(buffer, offset) for buffer, offset in zip(self.memory.buffers, self.memory.offsets, strict=True))
        constants = {name: tuple(arrays) for name, arrays in self.arrays.items()}
        return Emitted(files, self.memory.size, placed, constants)


def emit(
    program: Program,
    segments: Sequence[Segment],
    name: str,
    *,
    scores: str,
    optimize: str,
    labels: Sequence[str],
    sample: Sample,
    pixel_table: np.ndarray | None,
) -> Emitted:
    """Render a scheduled program.

    Args:
        program: the lowered, optimized model.
        segments: its schedule.
        name: a C identifier, the prefix of everything that is emitted.
        scores: "probabilities", "logits" or "none".
        optimize: "speed", "size" or "ram".
        labels: a name for each class.
        sample: the image of ``example.c``.
        pixel_table: uint8 (256,), a raw pixel as the network holds it; None where they are the same.
    """
    return _Emitter(program, segments, name, scores, optimize).emit(labels, sample, pixel_table)


def _is_windowed(node: Node) -> bool:
    return isinstance(node, (Convolution, Depthwise, Pool, Pad))


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


def _pieces(largest: int, shifts: np.ndarray) -> int | None:
    """Bits of each of the three pieces of a multiplier that keep every product with a sum in 32 bits; None if none do."""
    bits = min(31 - max(largest, 1).bit_length(), 15)
    shift = -int(shifts.min())
    if 3 * bits < 31 or shift > 2 * bits:
        return None
    rounding = (1 << 30) + (1 << (30 + shift))
    top = (rounding >> (2 * bits)) + (max(largest, 1) << (31 - 2 * bits)) + max(largest, 1) + 1
    return bits if top < 2**32 else None


def _clamp(requantization: Requantization) -> str:
    low, high = requantization.low, requantization.high
    return f"value < {low} ? {low} : value > {high} ? {high} : value"


def _float(value: float) -> str:
    text = f"{value:.9g}"
    return text if "." in text or "e" in text else text + ".0"


def _c_string(text: str) -> str:
    """A C string literal; everything but printable ASCII as octal escapes of its UTF-8 bytes."""
    return '"' + "".join(_c_character(byte) for byte in text.encode()) + '"'


def _c_character(byte: int) -> str:
    character = chr(byte)
    if character in '"\\?':
        return "\\" + character
    return character if 32 <= byte < 127 else f"\\{byte:03o}"


def _c_values(array: Array) -> str:
    if array.c_type == "int64_t":
        return _c_lines(array.values, 4, lambda value: f"INT64_C({value})")
    if array.c_type == "uint32_t":
        return _c_lines(array.values, 10, lambda value: f"{value}U")
    if array.c_type == "int32_t":
        return _c_lines(array.values, 10, lambda value: "(-2147483647 - 1)" if value == -(2**31) else str(value))
    return _c_lines(array.values)


def _c_lines(values: np.ndarray, a_line: int = 24, form: object = str) -> str:
    assert callable(form)
    texts = [str(form(value)) for value in values.tolist()]
    return "\n".join("    " + ", ".join(texts[start : start + a_line]) + "," for start in range(0, len(texts), a_line))


def _tidy(text: str) -> str:
    """No runs of blank lines, no blanks at line ends, one newline at the end."""
    lines: list[str] = []
    for line in text.splitlines():
        line = line.rstrip()
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines).strip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("glyphlite.compiler", "kernels"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - C, not HTML
    )
    environment.filters["c_values"] = _c_values
    return environment


__all__ = ["Emitted", "Placed", "Sample", "align", "emit"]
