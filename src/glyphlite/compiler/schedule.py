"""Schedule of the nodes that run together, row by row, so that the maps between them never exist whole.

Knows nodes, no memory offsets and no C. A *segment* is a chain: each node but the first reads rows that the one before has
just written, from a ring of as many rows as it looks at. A dense layer or a mean may end a chain: it adds up what each row
brings.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from glyphlite.compiler.ir import Node, Program, consumers
from glyphlite.compiler.values import Value


@dataclass(frozen=True)
class Segment:
    """A chain of nodes. ``accumulator`` ends it by adding up; without one the last node's output is written whole.

    Attributes:
        paired: the names of the nodes that make two rows a call on cores with the DSP extension: 0 and 1, 2 and 3, and so on,
            of an odd number the last two, one of them once more.
    """

    chain: tuple[Node, ...]
    accumulator: Node | None = None
    paired: frozenset[str] = frozenset()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Returns every node, in order."""
        return (*self.chain, self.accumulator) if self.accumulator else self.chain

    @property
    def output(self) -> Node:
        """Returns the node whose output outlives the segment."""
        return self.nodes[-1]

    @property
    def adds_up(self) -> bool:
        """Returns whether its accumulator gets row after row; else it runs once, on a whole map."""
        return self.accumulator is not None and (bool(self.chain) or self.accumulator.accumulates_alone)

    def row_bytes(self, node: Node) -> int | None:
        """Returns the bytes of the rows that the chain hands over to its accumulator; None for other nodes."""
        return self.chain[-1].output.row_bytes if node is self.accumulator and self.chain else None

    def rows_at_once(self, node: Node, *, dsp: bool) -> int:
        """Returns the rows that each call of a node's function makes, on a core with the DSP extension or without."""
        return 2 if dsp and node.name in self.paired else 1

    def span(self, node: Node, *, dsp: bool) -> int:
        """Returns the input rows that such a call looks at, first to last."""
        return node.rows_per_step + (self.rows_at_once(node, dsp=dsp) - 1) * node.row_stride


def overlays(segment: Segment, *, dsp: bool) -> dict[int, int]:
    """Says how far the output of a segment may lie over what the segment reads: rows that nothing needs any more.

    Returns:
        By the index of each value that lies whole: how many bytes before it the output has to begin, at least, so that no row
        is written over a byte that is still to be read. Values that need memory apart are not there. Neither is anything of a
        segment that adds up: it writes its output once all is read.
    """
    last = segment.output
    if segment.adds_up:
        return {}
    if not last.streams:
        values = (value for value in last.inputs if last.in_place)
        whole = {value.index for value in last.inputs if value.bytes != last.output.bytes or value.offset}
        return {value.index: 0 for value in values if value.index not in whole}
    size, row_bytes = last.output.bytes, last.output.row_bytes
    distances: dict[int, int] = {}

    def read(node: Node, value: Value, written: int, at: int) -> None:
        by_elements = node.in_place and value.row_bytes == row_bytes and value.bytes == size and not value.offset
        if node is last and not by_elements:  # its own call writes meanwhile
            written = min(written + segment.rows_at_once(node, dsp=dsp), last.output.height)
        distances[value.index] = max(distances.get(value.index, -size), written * row_bytes - at)

    _follow_reads(segment, read, dsp=dsp)
    return {index: distance for index, distance in distances.items() if distance < size}


def _follow_reads(segment: Segment, read: Callable[[Node, Value, int, int], None], *, dsp: bool) -> None:
    """Calls ``read(node, value, written, at)`` for what each call of a node's function reads of whole values, in their order.

    ``written`` are the rows that the chain's last node has left so far, ``at`` is the first byte that is read, or a byte before
    it. The order is that of the templates (``run.c.j2``). Of an odd number of rows, the last call of a pair begins with one that
    is written already.
    """
    chain = segment.chain
    ready = [0] * len(chain)

    def produce_rows(place: int, first: int, written: int) -> int:
        rows = segment.rows_at_once(chain[place], dsp=dsp)
        produce(place, min(first, chain[place].output.height - rows), written)
        return first + rows

    def produce(place: int, row: int, written: int) -> None:
        node = chain[place]
        before = chain[place - 1] if place else None
        if before is not None and node.windowed:
            needed = row * node.row_stride + segment.span(node, dsp=dsp) - node.window.pad_top
            while ready[place - 1] < min(before.output.height, needed):
                ready[place - 1] = produce_rows(place - 1, ready[place - 1], written)
        elif before is not None:
            produce(place - 1, row, written)
        for value in node.inputs:
            if before is None or value.index != before.output.index:
                read(node, value, written, value.offset + _first_row(node, value, row) * value.row_bytes)

    row = 0
    while row < chain[-1].output.height:
        row = produce_rows(len(chain) - 1, row, row)


def _first_row(node: Node, value: Value, row: int) -> int:
    """Returns the first row of a value that a node may read for a row of its output."""
    if node.windowed:
        return min(max(row * node.row_stride - node.window.pad_top, 0), value.height)
    return row if node.in_place and value.height == node.output.height else 0


def schedule(program: Program, *, stream: bool = True, cuts: Collection[str] = (), pairs: bool = False) -> tuple[Segment, ...]:
    """Cuts a program into segments, each node in the file's order.

    Args:
        program: the lowered, optimized model.
        stream: whether nodes run row by row at all.
        cuts: the names of nodes that end a chain although another node could take their rows.
        pairs: whether nodes that can make two rows a call do so.
    """
    counts = consumers(program)
    done = set(program.read | program.remembered)
    taken: set[int] = set()
    segments: list[Segment] = []
    for position, node in enumerate(program.nodes):
        if position in taken:
            continue
        chain, accumulator = [node], None
        taken.add(position)
        while stream and chain[-1].streams and chain[-1].name not in cuts and counts[chain[-1].output.index] == 1:
            follower = _follower(program, chain[-1], taken)
            if follower is None:
                break
            candidate = program.nodes[follower]
            others = [value for value in candidate.inputs if value.index != chain[-1].output.index]
            if any(value.index not in done for value in others) or not candidate.continues_chain:
                break
            if _read(candidate, chain[-1]).bytes != chain[-1].output.bytes:  # a part alone
                break
            waiting = (other for at, other in enumerate(program.nodes) if at not in taken)
            if _writes_over(program, candidate, (*chain, *waiting)):
                break
            if candidate.accumulates:
                if _pays(chain[-1], candidate):
                    accumulator = candidate
                    taken.add(follower)
                break
            if not _takes_rows(candidate, chain[-1]):
                break
            chain.append(candidate)
            taken.add(follower)
        if accumulator is None and len(chain) == 1 and node.accumulates:
            segments.append(Segment((), node))
        else:
            segments.append(Segment(tuple(chain), accumulator, _paired(program, chain, accumulator) if pairs else frozenset()))
        done.add(segments[-1].output.output.index)
    return tuple(segments)


def _paired(program: Program, chain: list[Node], accumulator: Node | None) -> frozenset[str]:
    """Returns the names of the nodes of a chain that make two rows a call: none that hands one row at a time on, none that reads
    the caller's inputs, of which raw pixels are held row by row.
    """
    followers = (*chain[1:], accumulator)
    return frozenset(
        node.name
        for node, follower in zip(chain, followers, strict=True)
        if node.pairs_rows
        and (follower is None or (follower is not accumulator and follower.windowed))
        and not any(value.index in program.read for value in node.inputs)
    )


def _writes_over(program: Program, node: Node, readers: Iterable[Node]) -> bool:
    """Returns whether a node assigns a variable whose value before is read by any of these nodes: beside it, or behind it."""
    before = {variable.after: variable.before.index for variable in program.variables}.get(node.output.index)
    return before is not None and any(value.index == before for reader in readers for value in reader.inputs)


def _follower(program: Program, node: Node, taken: set[int]) -> int | None:
    for position, other in enumerate(program.nodes):
        if position not in taken and any(value.index == node.output.index for value in other.inputs):
            return position
    return None


def _takes_rows(node: Node, producer: Node) -> bool:
    """Returns whether a node reads the rows of its producer as they are: no other shape, none read again and again."""
    broadcast = not node.windowed and node.output.height != producer.output.height
    return not broadcast and _read(node, producer).shape == producer.output.shape


def _read(node: Node, producer: Node) -> Value:
    """Returns what a node sees of its producer's output: its shape may be another one, or a part of it."""
    return next(value for value in node.inputs if value.index == producer.output.index)


def _pays(producer: Node, accumulator: Node) -> bool:
    """Returns whether sums and one row take less memory than the whole map."""
    if accumulator.accumulates_alone and _read(accumulator, producer).shape != producer.output.shape:
        return False
    sums = 4 * accumulator.output.channels
    return producer.output.height > 1 and sums + producer.output.row_bytes < producer.output.bytes
