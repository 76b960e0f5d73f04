"""The place of every buffer of generated C: values between segments, rings, scratch and sums within them, one arena for all.

Knows nodes by their traits, segments and the memory plan.
"""

from collections.abc import Sequence
from dataclasses import replace

from glyphlite.compiler.codegen.kernel import Place, Placement, Rows, whole_map
from glyphlite.compiler.ir import Node, Program
from glyphlite.compiler.memory_plan import Buffer, plan
from glyphlite.compiler.schedule import Segment
from glyphlite.compiler.values import Optimize, Value


class Arena:
    """The buffers of a scheduled program, with their lifetimes and their places.

    Attributes:
        buffers: all of them.
        offsets: in bytes, of each.
        size: bytes in all.
    """

    def __init__(
        self, program: Program, segments: Sequence[Segment], optimize: Optimize, *, keeps_result: bool, takes_pixels: bool
    ) -> None:
        """Plans it.

        Args:
            program: what is compiled.
            segments: its schedule.
            optimize: what for.
            keeps_result: whether the scores stay in the arena, as no caller gets them.
            takes_pixels: whether a copy of the input is needed, as the network holds pixels otherwise than they come.
        """
        self._program, self._segments = program, segments
        self._optimize: Optimize = optimize
        self._edges = {edge.index: Place("input", array=edge.name) for edge in program.inputs}
        if not keeps_result:
            self._edges |= {edge.index: Place("output", array=edge.name) for edge in program.outputs}
        for variable in program.variables:
            place = Place("state", array=variable.state.address)
            self._edges |= {variable.before.index: place, variable.after: place}
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
            self._reserve(step, segment)
        layout = plan(self.buffers)
        self.offsets, self.size = layout.offsets, layout.size

    def placement(self, segment: Segment, node: Node) -> Placement:
        """Returns how a node of a segment runs."""
        return Placement(self._optimize, segment.row_bytes(node))

    def ring(self, node: Node, follower: Node) -> Rows:
        """Returns where a node leaves its rows for the one behind it."""
        place = Place("arena", self.offsets[self._rings[node.name]])
        return Rows(place, node.output.height, _ring_rows(node, follower), node.output.row_bytes)

    def scratch(self, node: Node) -> Place | None:
        """Returns a node's scratch memory; None where it needs none."""
        return Place("arena", self.offsets[self._scratch[node.name]]) if node.name in self._scratch else None

    def sums(self, step: int) -> Place:
        """Returns where the accumulator of a segment adds up."""
        return Place("arena", self.offsets[self._sums[step]])

    def source(self, segment: Segment, position: int, value: Value) -> Rows:
        """Returns where a node finds one of its inputs: a ring of the node before it, or a whole map."""
        if position > 0 and segment.nodes[position - 1].output.index == value.index:
            return self.ring(segment.nodes[position - 1], segment.nodes[position])
        place = self.where(value.index)
        return whole_map(replace(place, offset=place.offset + value.offset), value)

    def where(self, index: int) -> Place:
        """Returns where a whole value lies."""
        if index in self._edges:
            return self._edges[index]
        return Place("arena", self.offsets[self._values[index]])

    @property
    def pixels(self) -> Place:
        """Returns where the input's copy lies; the start of the arena where there is none."""
        return Place("arena", self.offsets[self._pixels] if self._pixels >= 0 else 0)

    def _add(self, name: str, size: int, first: int, last: int) -> int:
        self.buffers.append(Buffer(name, size, first, last))
        return len(self.buffers) - 1

    def _last_uses(self) -> dict[int, int]:
        last: dict[int, int] = {}
        for step, segment in enumerate(self._segments):
            for node in segment.nodes:
                for value in node.inputs:
                    last[value.index] = step
        return last

    def _reserve(self, step: int, segment: Segment) -> None:
        """Asks for every buffer of a segment."""
        output = segment.output.output
        if output.index not in self._edges:
            last = len(self._segments) if output.index in self._program.given else self._last_use[output.index]
            if not self._share(step, segment, last):
                self._values[output.index] = self._add(output.name, output.bytes, step, last)
        for node, follower in zip(segment.nodes, segment.nodes[1:], strict=False):
            size = _ring_rows(node, follower) * node.output.row_bytes
            self._rings[node.name] = self._add(f"{node.name} rows", size, step, step)
        for node in segment.nodes:
            scratch = node.scratch_bytes(self.placement(segment, node))
            if scratch:
                self._scratch[node.name] = self._add(f"{node.name} scratch", scratch, step, step)
        if segment.accumulator is not None and segment.adds_up:
            size = 4 * -(-segment.accumulator.output.channels // 4) * 4
            self._sums[step] = self._add(f"{segment.accumulator.name} sums", size, step, step)

    def _share(self, step: int, segment: Segment, last: int) -> bool:
        """Lets an op write where it reads, if it may and nothing needs its input any more."""
        node = segment.nodes[0]
        if len(segment.nodes) > 1 or not node.in_place:
            return False
        for value in node.inputs:
            key = self._values.get(value.index)
            if key is not None and self._last_use[value.index] == step and value.bytes == node.output.bytes:
                buffer = self.buffers[key]
                reads_parts = any(other.index == value.index and other.bytes != buffer.size for other in node.inputs)
                if buffer.last != step or reads_parts:
                    continue
                self.buffers[key] = Buffer(buffer.name, buffer.size, buffer.first, last)
                self._values[node.output.index] = key
                return True
        return False


def _ring_rows(node: Node, follower: Node) -> int:
    """Returns the rows that a node keeps for the one behind it: as many as that looks at."""
    return min(node.output.height, follower.rows_per_step) if follower.windowed else 1
