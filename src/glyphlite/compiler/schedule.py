"""Schedule of the nodes that run together, row by row, so that the maps between them never exist whole.

Knows nodes, no memory offsets and no C. A *segment* is a chain: each node but the first reads rows that the one before has
just written, from a ring of as many rows as it looks at. A dense layer or a mean may end a chain: it adds up what each row
brings.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from glyphlite.compiler.ir import Node, Program, consumers
from glyphlite.compiler.values import Value


@dataclass(frozen=True)
class Segment:
    """A chain of nodes. ``accumulator`` ends it by adding up; without one the last node's output is written whole."""

    chain: tuple[Node, ...]
    accumulator: Node | None = None

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


def schedule(program: Program, *, stream: bool = True) -> tuple[Segment, ...]:
    """Cuts a program into segments, each node in the file's order."""
    counts = consumers(program)
    done = set(program.read | program.remembered)
    taken: set[int] = set()
    segments: list[Segment] = []
    for position, node in enumerate(program.nodes):
        if position in taken:
            continue
        chain, accumulator = [node], None
        taken.add(position)
        while stream and chain[-1].streams and counts[chain[-1].output.index] == 1:
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
            segments.append(Segment(tuple(chain), accumulator))
        done.add(segments[-1].output.output.index)
    return tuple(segments)


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
