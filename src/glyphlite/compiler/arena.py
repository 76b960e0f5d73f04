"""The place of every buffer of generated C: values between segments, rings, scratch and sums within them, one arena for all.

Knows nodes by their traits, segments and the memory plan.
"""

from collections.abc import Sequence
from dataclasses import replace

from glyphlite.compiler.codegen.kernel import Place, Placement, Rows, whole_map
from glyphlite.compiler.ir import Node, Program
from glyphlite.compiler.memory_plan import Buffer, Plan, align, are_apart, offset_beside, peaks, plan, plan_at
from glyphlite.compiler.ops.tabled import Tabled
from glyphlite.compiler.schedule import Segment, overlays
from glyphlite.compiler.values import Optimize, Value


class Demand:
    """The buffers of a scheduled program, with their lifetimes, and what of them may lie over others.

    Lifetimes are told in moments: one for each node of a segment, in order. A row that the next node takes as soon as it is
    written lives for two of them, as its maker runs and as that node does; scratch memory lives for one, as a kernel leaves
    nothing there for its next call. What a window moves over, and what lies whole, lives for all of its segment; but the output
    of one may lie over what it reads, row by row (:func:`overlays`).

    The caller's inputs and outputs are among them: they count only for callers who let them lie in the arena.

    Attributes:
        buffers: as cores with the DSP extension need them.
        overlays: which of them may share memory, by their places.
    """

    def __init__(
        self,
        program: Program,
        segments: Sequence[Segment],
        optimize: Optimize,
        *,
        keeps_result: bool,
        tabled: Tabled | None = None,
        known: dict[tuple[str, Placement], int] | None = None,
    ) -> None:
        """Adds everything up.

        Args:
            program: what is compiled.
            segments: its schedule.
            optimize: what for.
            keeps_result: whether the scores stay in the arena, as no caller gets them.
            tabled: the layers that a table drives, which share the memory for a window's bytes; None where none does.
            known: the scratch memory of nodes that other schedules of the same program have asked for, which grows.
        """
        self.program, self.segments = program, segments
        self._optimize: Optimize = optimize
        self.edges = {edge.index: Place("input", array=edge.name) for edge in program.inputs}
        outputs = () if keeps_result else program.outputs
        self.edges |= {edge.index: Place("output", array=edge.name) for edge in outputs}
        for variable in program.variables:
            place = Place("state", array=variable.state.address)
            self.edges |= {variable.before.index: place, variable.after: place}
        self.buffers: list[Buffer] = []
        self.values: dict[int, int] = {}
        self.outer: dict[str, int] = {}
        self.rings: dict[str, int] = {}
        self.scratch: dict[str, int] = {}
        self.sums: dict[int, int] = {}
        self.overlays: dict[tuple[int, int], int] = {}
        self.plain_overlays: dict[tuple[int, int], int] = {}
        self._plain_bytes: dict[int, int] = {}
        self._moments = 1 + max(len(segment.nodes) for segment in segments)
        self.patches: dict[int, int] = {}
        self._known = {} if known is None else known
        self._tabled = tabled or Tabled(None, (0,) * len(segments))
        self.last_use = self._last_uses()
        for edge in program.inputs:
            if not edge.is_shape:
                last = self._last_read(edge.index) if edge.index in self.last_use else -1
                self.outer[edge.name] = self._add(edge.name, edge.value.bytes, -1, last, outer=True)
        for step, segment in enumerate(segments):
            self._reserve(step, segment)
        for group in self._tabled.groups:
            nodes = [node for step in group for node in segments[step].nodes[: self._tabled.counts[step]]]
            windows = [node.window.height * node.window.width * node.inputs[0].channels for node in nodes]
            last = self._start(group[-1]) + self._tabled.counts[group[-1]] - 1
            self.patches[group[0]] = self._add(f"{nodes[0].name} window", align(max(windows)), self._start(group[0]), last)

    @property
    def plain_buffers(self) -> list[Buffer]:
        """Returns the buffers as cores without the DSP extension need them."""
        return [replace(buffer, size=self._plain_bytes.get(key, buffer.size)) for key, buffer in enumerate(self.buffers)]

    @property
    def step_bytes(self) -> list[int]:
        """Returns the most bytes that are alive in each step, the caller's among them."""
        return self._most(peaks(self.buffers, self.overlays))

    @property
    def inner_step_bytes(self) -> list[int]:
        """Returns the most bytes that are alive in each step without the caller's."""
        inner = [replace(buffer, size=0) if buffer.outer else buffer for buffer in self.buffers]
        pairs = {pair: distance for pair, distance in self.overlays.items() if not any(self.buffers[key].outer for key in pair)}
        return self._most(peaks(inner, pairs))

    def _most(self, found: dict[int, int]) -> list[int]:
        most = [0] * (len(self.segments) + 1)
        for moment, size in found.items():
            step = max(moment // self._moments, 0)
            most[step] = max(most[step], size)
        return most

    def steps(self, buffer: Buffer) -> tuple[int, int]:
        """Returns the first and the last step at which a buffer is alive."""
        return buffer.first // self._moments, buffer.last // self._moments

    def end(self, step: int) -> int:
        """Returns the last moment of a step."""
        return (step + 1) * self._moments - 1

    def placement(self, segment: Segment, node: Node) -> Placement:
        """Returns how a node of a segment runs, on a core with the DSP extension."""
        rows = segment.rows_at_once(node, dsp=True)
        return Placement(self._optimize, segment.row_bytes(node), rows_at_once=rows)

    def _start(self, step: int) -> int:
        """Returns the first moment of a step."""
        return step * self._moments

    def _last_read(self, index: int) -> int:
        """Returns the last moment at which a value is read: before its output is written, in a segment that adds up."""
        step = self.last_use[index]
        segment = self.segments[step]
        return self._start(step) + len(segment.nodes) - 1 if segment.adds_up else self.end(step)

    def _add(self, name: str, size: int, first: int, last: int, *, outer: bool = False) -> int:
        self.buffers.append(Buffer(name, size, first, last, outer))
        return len(self.buffers) - 1

    def _last_uses(self) -> dict[int, int]:
        last: dict[int, int] = {}
        for step, segment in enumerate(self.segments):
            for node in segment.nodes:
                for value in node.inputs:
                    last[value.index] = step
        return last

    def _reserve(self, step: int, segment: Segment) -> None:
        """Asks for every buffer of a segment."""
        output = segment.output.output
        start, end = self._start(step), self.end(step)
        first = start + len(segment.nodes) if segment.adds_up else start
        edge = next((edge for edge in self.program.outputs if edge.index == output.index), None)
        if output.index not in self.edges:
            last = self.end(len(self.segments)) if edge else self._last_read(output.index)
            if not self._share(step, segment, last):
                self.values[output.index] = self._add(output.name, output.bytes, first, last)
                self._overlay(segment, self.values[output.index], end)
        elif edge:
            self.outer[edge.name] = self._add(edge.name, output.bytes, first, self.end(len(self.segments)), outer=True)
            self._overlay(segment, self.outer[edge.name], end)
        for place, (node, follower) in enumerate(zip(segment.nodes, segment.nodes[1:], strict=False)):
            size, plain = (_ring_rows(segment, node, follower, dsp=dsp) * node.output.row_bytes for dsp in (True, False))
            lives = (start, end) if follower.windowed else (start + place, start + place + 1)
            key = self.rings[node.name] = self._add(f"{node.name} rows", size, *lives)
            self._plain_bytes[key] = plain
        for place, node in enumerate(segment.nodes):
            if place < self._tabled.counts[step]:
                continue
            placement = self.placement(segment, node)
            scratch, plain = (self._scratch_bytes(node, replace(placement, dsp=dsp)) for dsp in (True, False))
            if scratch or plain:
                key = self.scratch[node.name] = self._add(f"{node.name} scratch", scratch, start + place, start + place)
                self._plain_bytes[key] = plain
        if segment.accumulator is not None and segment.adds_up:
            size = 4 * -(-segment.accumulator.output.channels // 4) * 4
            first = next((group[0] for group in self._tabled.groups if group[-1] == step), step)  # they are 0 before that runs
            self.sums[step] = self._add(f"{segment.accumulator.name} sums", size, self._start(first), end)

    def _scratch_bytes(self, node: Node, placement: Placement) -> int:
        """Returns what a node asks for, which may take it long to say."""
        if (node.name, placement) not in self._known:
            self._known[node.name, placement] = node.scratch_bytes(placement)
        return self._known[node.name, placement]

    def _overlay(self, segment: Segment, written: int, end: int) -> None:
        """Lets the output of a segment lie over what it reads, where nothing needs that any more."""
        names = {edge.index: edge.name for edge in self.program.inputs}
        for dsp, kept in ((True, self.overlays), (False, self.plain_overlays)):
            for index, distance in overlays(segment, dsp=dsp).items():
                read = self.outer.get(names[index]) if index in names else self.values.get(index)
                if read is not None and self.buffers[read].last == end:
                    kept[written, read] = distance

    def _share(self, step: int, segment: Segment, last: int) -> bool:
        """Lets an op write where it reads, if it may and nothing needs its input any more."""
        node = segment.nodes[0]
        if len(segment.nodes) > 1 or not node.in_place:
            return False
        for value in node.inputs:
            key = self.values.get(value.index)
            if key is not None and self.last_use[value.index] == step and value.bytes == node.output.bytes:
                buffer = self.buffers[key]
                reads_parts = any(other.index == value.index and other.bytes != buffer.size for other in node.inputs)
                if buffer.last != self.end(step) or reads_parts:
                    continue
                self.buffers[key] = Buffer(buffer.name, buffer.size, buffer.first, last)
                self.values[node.output.index] = key
                return True
        return False


class Arena:
    """The places of a program's buffers.

    Cores without the DSP extension need less scratch memory, and have a plan of their own.

    Attributes:
        size: bytes without the caller's inputs and outputs, with the DSP extension.
        plain_size: the same, without it.
        memory: bytes with inputs and outputs, with the DSP extension, and without.
        pixels: where raw pixels are kept as the network holds them; None where there is no such place.
        pixels_end: the bytes that an arena needs which holds these, too: with the DSP extension, and without.
    """

    def __init__(self, demand: Demand, *, takes_pixels: bool) -> None:
        """Plans it.

        Args:
            demand: the buffers.
            takes_pixels: whether the network holds raw pixels otherwise than they come.
        """
        self.demand = demand
        self._plain_buffers = demand.plain_buffers
        layout = plan(demand.buffers, demand.overlays)
        plain = self._plan_plain(layout)
        self._offsets, self._plain_offsets = layout.offsets, plain.offsets
        self.size, self.plain_size = layout.inner, plain.inner
        self.memory = layout.size, plain.size
        self.pixels: Rows | None = None
        self.pixels_end = self.size, self.plain_size
        if takes_pixels:
            self._place_pixels()

    def steps(self, buffer: Buffer) -> tuple[int, int]:
        """Returns the first and the last step at which a buffer is alive."""
        return self.demand.steps(buffer)

    def placement(self, segment: Segment, node: Node) -> Placement:
        """Returns how a node of a segment runs, on a core with the DSP extension."""
        return self.demand.placement(segment, node)

    @property
    def placed(self) -> list[tuple[Buffer, int]]:
        """Returns the buffers that are not the caller's, and the offset of each."""
        pairs = zip(self.demand.buffers, self._offsets, strict=True)
        return [(buffer, offset) for buffer, offset in pairs if not buffer.outer]

    @property
    def edges(self) -> dict[str, Place]:
        """Returns where inputs and outputs lie for a caller who lets them lie in the arena, by name; not what nothing reads."""
        return {name: self._place(key) for name, key in self.demand.outer.items()}

    def ring(self, segment: Segment, node: Node, follower: Node) -> Rows:
        """Returns where a node of a segment leaves its rows for the one behind it."""
        capacity, plain = (_ring_rows(segment, node, follower, dsp=dsp) for dsp in (True, False))
        place, output = self._place(self.demand.rings[node.name]), node.output
        return Rows(place, output.height, capacity, output.row_bytes, plain)

    def scratch(self, node: Node) -> Place | None:
        """Returns a node's scratch memory; None where it needs none."""
        return self._place(self.demand.scratch[node.name]) if node.name in self.demand.scratch else None

    def sums(self, step: int) -> Place:
        """Returns where the accumulator of a segment adds up."""
        return self._place(self.demand.sums[step])

    def patch(self, step: int) -> Place:
        """Returns where the tabled nodes of a group gather a window's bytes; ``step`` is its first."""
        return self._place(self.demand.patches[step])

    def source(self, segment: Segment, position: int, value: Value) -> Rows:
        """Returns where a node finds one of its inputs: a ring of the node before it, or a whole map."""
        if position > 0 and segment.nodes[position - 1].output.index == value.index:
            return self.ring(segment, segment.nodes[position - 1], segment.nodes[position])
        return whole_map(self.where(value.index).moved(value.offset), value)

    def where(self, index: int) -> Place:
        """Returns where a whole value lies."""
        if index in self.demand.edges:
            return self.demand.edges[index]
        return self._place(self.demand.values[index])

    def _place(self, key: int) -> Place:
        """Returns where a buffer lies, on either kind of core."""
        return Place("arena", self._offsets[key], plain_offset=self._plain_offsets[key])

    def _plan_plain(self, layout: Plan) -> Plan:
        """Returns the plan of cores without the DSP extension: the same offsets, unless others take less memory."""
        buffers, overlaid = self._plain_buffers, self.demand.plain_overlays
        own, same = plan(buffers, overlaid), plan_at(buffers, layout.offsets)
        fits = are_apart(buffers, layout.offsets, overlaid)
        return same if fits and same.size <= own.size and same.inner <= own.inner else own

    def _place_pixels(self) -> None:
        """Finds room beside all other buffers: for the rows that the first layer looks at, else for the whole input.

        Rows are enough where that layer alone reads the input, row by row.
        """
        field, head = self.demand.program.input, self.demand.segments[0].nodes[0]
        readers = [
            node for segment in self.demand.segments for node in segment.nodes if field.index in {v.index for v in node.inputs}
        ]
        whole = len(readers) > 1 or readers[0] is not head or not head.windowed or not self.demand.segments[0].chain
        capacity = field.height if whole else min(field.height, head.rows_per_step)
        extra = Buffer("pixels", capacity * field.row_bytes, 0, self.demand.end(self.demand.last_use[field.index]))
        inner = [key for key, buffer in enumerate(self.demand.buffers) if not buffer.outer]
        plain, at = (
            offset_beside([buffers[key] for key in inner], [offsets[key] for key in inner], extra)
            for buffers, offsets in ((self._plain_buffers, self._plain_offsets), (self.demand.buffers, self._offsets))
        )
        self.pixels = Rows(Place("arena", at, plain_offset=plain), field.height, capacity, field.row_bytes)
        size = align(extra.size)
        self.pixels_end = max(self.size, at + size), max(self.plain_size, plain + size)


def _ring_rows(segment: Segment, node: Node, follower: Node, *, dsp: bool) -> int:
    """Returns the rows that a node keeps for the one behind it: as many as that looks at, and what is made before its time."""
    if not follower.windowed:
        return 1
    return min(node.output.height, segment.span(follower, dsp=dsp) + segment.rows_at_once(node, dsp=dsp) - 1)
