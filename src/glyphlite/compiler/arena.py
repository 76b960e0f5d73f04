"""Where every buffer of generated C lies: values between segments, rings, scratch and sums within them, one arena for all.

Knows nodes, segments and the memory plan; what it says of a place is the C that names it.
"""

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np

from glyphlite.compiler.choices import Choices, is_windowed
from glyphlite.compiler.codegen import packing
from glyphlite.compiler.ir import Binary, Convolution, Dense, Depthwise, Mean, Node, Program, Softmax, Table, Value
from glyphlite.compiler.memory_plan import Buffer, plan
from glyphlite.compiler.schedule import Segment


class Arena:
    """The buffers of a scheduled program, with their lifetimes and their places.

    Attributes:
        buffers: all of them.
        offsets: in bytes, of each.
        size: bytes in all.
    """

    def __init__(
        self, program: Program, segments: Sequence[Segment], choices: Choices, *, keeps_result: bool, takes_pixels: bool
    ) -> None:
        """Plan it.

        ``keeps_result``: the scores stay in the arena, no caller gets them; ``takes_pixels``: a copy of the input is needed, as
        the network holds pixels otherwise than they come.
        """
        self._program, self._segments, self._choices = program, segments, choices
        self.buffers: list[Buffer] = []
        self._values: dict[int, int] = {}
        self._rings: dict[str, int] = {}
        self._scratch: dict[str, int] = {}
        self._sums: dict[int, int] = {}
        self._last_use = self._last_uses()
        self._pixels = -1
        if takes_pixels:
            self._pixels = self._add("pixels", program.input.elements, 0, self._last_use[program.input.index])
        for step, segment in enumerate(segments):
            self._reserve(step, segment, keeps_result=keeps_result)
        layout = plan(self.buffers)
        self.offsets, self.size = layout.offsets, layout.size

    def ring(self, node: Node, follower: Node) -> SimpleNamespace:
        """Where a node leaves its rows for the one behind it."""
        rows = min(node.output.height, follower.rows_per_step) if is_windowed(follower) else 1
        return place_of(self._bytes(self._rings[node.name]), node.output, rows)

    def scratch(self, node: Node) -> str:
        """A node's scratch memory in C; empty where it needs none."""
        return self._words(self._scratch[node.name]) if node.name in self._scratch else ""

    def sums(self, step: int) -> str:
        """Where the sink of a segment adds up, in C."""
        return self._words(self._sums[step])

    def source(self, segment: Segment, position: int, value: Value) -> SimpleNamespace:
        """Where a node finds one of its inputs: a ring of the node before it, or a whole map."""
        if position > 0 and segment.nodes[position - 1].output.index == value.index:
            return self.ring(segment.nodes[position - 1], segment.nodes[position])
        return place_of(self.where(value.index), value)

    def where(self, index: int) -> str:
        """Where a whole value lies, in C."""
        if index == self._program.input.index:
            return "input"
        return self._bytes(self._values[index]) if index in self._values else "output"

    @property
    def pixels_offset(self) -> int:
        """Of the input's copy, in bytes; 0 where there is none."""
        return self.offsets[self._pixels] if self._pixels >= 0 else 0

    @property
    def result_offset(self) -> int:
        """Of the scores that stay in the arena, in bytes."""
        return self.offsets[self._values[self._program.output.index]]

    def _add(self, name: str, size: int, first: int, last: int) -> int:
        self.buffers.append(Buffer(name, size, first, last))
        return len(self.buffers) - 1

    def _bytes(self, key: int) -> str:
        offset = self.offsets[key]
        return f"bytes + {offset}" if offset else "bytes"

    def _words(self, key: int) -> str:
        offset = self.offsets[key] // 4
        return f"(int32_t *)arena->words + {offset}" if offset else "(int32_t *)arena->words"

    def _last_uses(self) -> dict[int, int]:
        last: dict[int, int] = {}
        for step, segment in enumerate(self._segments):
            for node in segment.nodes:
                for value in node.inputs:
                    last[value.index] = step
        return last

    def _reserve(self, step: int, segment: Segment, *, keeps_result: bool) -> None:
        """Ask for every buffer of a segment."""
        result, output = self._program.output.index, segment.output.output
        if output.index != result or keeps_result:
            last = len(self._segments) if output.index == result else self._last_use[output.index]
            if not self._share(step, segment, last):
                self._values[output.index] = self._add(output.name, output.elements, step, last)
        for node, follower in zip(segment.nodes, segment.nodes[1:], strict=False):
            rows = min(node.output.height, follower.rows_per_step if is_windowed(follower) else 1)
            self._rings[node.name] = self._add(f"{node.name} rows", rows * node.output.row_bytes, step, step)
        for node in segment.nodes:
            scratch = self._scratch_bytes(node, sink=node is segment.sink and bool(segment.chain))
            if scratch:
                self._scratch[node.name] = self._add(f"{node.name} scratch", scratch, step, step)
        if segment.sink is not None and accumulates(segment):
            channels = segment.sink.output.channels
            self._sums[step] = self._add(f"{segment.sink.name} sums", 4 * -(-channels // 4) * 4, step, step)

    def _share(self, step: int, segment: Segment, last: int) -> bool:
        """An element-wise op writes where it reads, if nothing needs its input any more."""
        node = segment.nodes[0]
        if len(segment.nodes) > 1 or not isinstance(node, (Table, Softmax, Binary)):
            return False
        for value in node.inputs:
            key = self._values.get(value.index)
            if key is not None and self._last_use[value.index] == step and value.elements == node.output.elements:
                buffer = self.buffers[key]
                if buffer.last != step:
                    continue
                self.buffers[key] = Buffer(buffer.name, buffer.size, buffer.first, last)
                self._values[node.output.index] = key
                return True
        return False

    def _scratch_bytes(self, node: Node, *, sink: bool) -> int:
        choices = self._choices
        if isinstance(node, Convolution) and choices.is_stem(node):
            return max(8 * (2 * node.output.width + 2), 4 * node.output.channels)
        if isinstance(node, Convolution):
            depth = int(np.prod(node.weights.shape[1:]))
            groups = -(-depth // packing.GROUP)
            best = 4 * (node.output.channels + node.output.channels % 2) if node.pooled else 0
            if choices.optimize != "speed":
                return 4 * groups + best
            lanes = groups * (20 if choices.needs_patch(node) else 16) + best
            return max(lanes if choices.has_dsp(node) else 0, depth * choices.pixels(node))
        if isinstance(node, Depthwise) and choices.is_padded(node):
            return int(node.weights.shape[0] * node.weights.shape[1] * node.inputs[0].channels)
        if isinstance(node, Dense) and sink and not choices.reads_bytes(node):
            return 8 * -(-choices.row(node) // packing.GROUP) if choices.has_dsp(node) else 0
        return 0


def accumulates(segment: Segment) -> bool:
    """Whether the sink of a segment adds up over the rows that come by."""
    return bool(segment.chain) or isinstance(segment.sink, Mean)


def place_of(place: str, value: Value, capacity: int | None = None) -> SimpleNamespace:
    """A place as templates take it: all rows of a value, or a ring of ``capacity``."""
    rows = value.height if capacity is None else capacity
    return SimpleNamespace(place=place, height=value.height, capacity=rows, row_bytes=value.row_bytes)
