"""The place of every buffer of generated C: values between segments, rings, scratch and sums within them, one arena for all.

Knows nodes by their traits, segments and the memory plan.
"""

from collections.abc import Sequence
from dataclasses import replace

from glyphlite.compiler.codegen.kernel import Place, Placement, Rows, whole_map
from glyphlite.compiler.ir import Node, Program
from glyphlite.compiler.memory_plan import Buffer, align, are_apart, offset_beside, plan
from glyphlite.compiler.schedule import Segment
from glyphlite.compiler.values import Optimize, Value


class Arena:
    """The buffers of a scheduled program, with their lifetimes and their places.

    Cores without the DSP extension need less scratch memory, and have a plan of their own.

    Lifetimes are told in moments: one for each node of a segment, in order. A row that the next node takes as soon as it is
    written lives for two of them, as its maker runs and as that node does; scratch memory lives for one, as a kernel leaves
    nothing there for its next call. What a window moves over, and what lies whole, lives for all of its segment.

    Attributes:
        buffers: all of them, as cores with the DSP extension need them.
        offsets: in bytes, of each.
        size: bytes in all, with the DSP extension.
        plain_size: bytes in all, without.
        pixels: where raw pixels are kept as the network holds them; None where there is no such place.
        pixels_end: the bytes that an arena needs which holds these, too: with the DSP extension, and without.
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
            takes_pixels: whether the network holds raw pixels otherwise than they come.
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
        self._plain_scratch: dict[int, int] = {}
        self._sums: dict[int, int] = {}
        self._moments = 1 + max(len(segment.nodes) for segment in segments)
        self._last_use = self._last_uses()
        for step, segment in enumerate(segments):
            self._reserve(step, segment)
        layout = plan(self.buffers)
        self.offsets, self.size = layout.offsets, layout.size
        self._plain_buffers = [
            replace(buffer, size=self._plain_scratch.get(key, buffer.size)) for key, buffer in enumerate(self.buffers)
        ]
        self._plain_offsets, self.plain_size = self._plan_plain()
        self.pixels: Rows | None = None
        self.pixels_end = self.size, self.plain_size
        if takes_pixels:
            self._place_pixels()

    def placement(self, segment: Segment, node: Node) -> Placement:
        """Returns how a node of a segment runs, on a core with the DSP extension."""
        return Placement(self._optimize, segment.row_bytes(node))

    def ring(self, node: Node, follower: Node) -> Rows:
        """Returns where a node leaves its rows for the one behind it."""
        return Rows(self._place(self._rings[node.name]), node.output.height, _ring_rows(node, follower), node.output.row_bytes)

    def scratch(self, node: Node) -> Place | None:
        """Returns a node's scratch memory; None where it needs none."""
        return self._place(self._scratch[node.name]) if node.name in self._scratch else None

    def sums(self, step: int) -> Place:
        """Returns where the accumulator of a segment adds up."""
        return self._place(self._sums[step])

    def source(self, segment: Segment, position: int, value: Value) -> Rows:
        """Returns where a node finds one of its inputs: a ring of the node before it, or a whole map."""
        if position > 0 and segment.nodes[position - 1].output.index == value.index:
            return self.ring(segment.nodes[position - 1], segment.nodes[position])
        return whole_map(self.where(value.index).moved(value.offset), value)

    def where(self, index: int) -> Place:
        """Returns where a whole value lies."""
        if index in self._edges:
            return self._edges[index]
        return self._place(self._values[index])

    def _place(self, key: int) -> Place:
        """Returns where a buffer lies, on either kind of core."""
        return Place("arena", self.offsets[key], plain_offset=self._plain_offsets[key])

    def _plan_plain(self) -> tuple[tuple[int, ...], int]:
        """Returns offsets and size on cores without the DSP extension: the same offsets, unless others take less memory."""
        buffers = self._plain_buffers
        own = plan(buffers)
        end = max((at + align(buffer.size) for at, buffer in zip(self.offsets, buffers, strict=True)), default=0)
        return (self.offsets, end) if end <= own.size and are_apart(buffers, self.offsets) else (own.offsets, own.size)

    def _place_pixels(self) -> None:
        """Finds room beside all other buffers: for the rows that the first layer looks at, else for the whole input.

        Rows are enough where that layer alone reads the input, row by row.
        """
        field, head = self._program.input, self._segments[0].nodes[0]
        readers = [node for segment in self._segments for node in segment.nodes if field.index in {v.index for v in node.inputs}]
        whole = len(readers) > 1 or readers[0] is not head or not head.windowed or not self._segments[0].chain
        capacity = field.height if whole else min(field.height, head.rows_per_step)
        extra = Buffer("pixels", capacity * field.row_bytes, 0, self._end(self._last_use[field.index]))
        plain, at = (
            offset_beside(buffers, offsets, extra)
            for buffers, offsets in ((self._plain_buffers, self._plain_offsets), (self.buffers, self.offsets))
        )
        self.pixels = Rows(Place("arena", at, plain_offset=plain), field.height, capacity, field.row_bytes)
        size = align(extra.size)
        self.pixels_end = max(self.size, at + size), max(self.plain_size, plain + size)

    def steps(self, buffer: Buffer) -> tuple[int, int]:
        """Returns the first and the last step at which a buffer is alive."""
        return buffer.first // self._moments, buffer.last // self._moments

    def _start(self, step: int) -> int:
        """Returns the first moment of a step."""
        return step * self._moments

    def _end(self, step: int) -> int:
        """Returns the last moment of a step."""
        return (step + 1) * self._moments - 1

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
        start, end = self._start(step), self._end(step)
        if output.index not in self._edges:
            last = self._end(len(self._segments) if output.index in self._program.given else self._last_use[output.index])
            if not self._share(step, segment, last):
                first = start + len(segment.nodes) if segment.adds_up else start
                self._values[output.index] = self._add(output.name, output.bytes, first, last)
        for place, (node, follower) in enumerate(zip(segment.nodes, segment.nodes[1:], strict=False)):
            size = _ring_rows(node, follower) * node.output.row_bytes
            lives = (start, end) if follower.windowed else (start + place, start + place + 1)
            self._rings[node.name] = self._add(f"{node.name} rows", size, *lives)
        for place, node in enumerate(segment.nodes):
            placement = self.placement(segment, node)
            scratch, plain = node.scratch_bytes(placement), node.scratch_bytes(replace(placement, dsp=False))
            if scratch or plain:
                key = self._scratch[node.name] = self._add(f"{node.name} scratch", scratch, start + place, start + place)
                self._plain_scratch[key] = plain
        if segment.accumulator is not None and segment.adds_up:
            size = 4 * -(-segment.accumulator.output.channels // 4) * 4
            self._sums[step] = self._add(f"{segment.accumulator.name} sums", size, start, end)

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
                if buffer.last != self._end(step) or reads_parts:
                    continue
                self.buffers[key] = Buffer(buffer.name, buffer.size, buffer.first, last)
                self._values[node.output.index] = key
                return True
        return False


def _ring_rows(node: Node, follower: Node) -> int:
    """Returns the rows that a node keeps for the one behind it: as many as that looks at."""
    return min(node.output.height, follower.rows_per_step) if follower.windowed else 1
