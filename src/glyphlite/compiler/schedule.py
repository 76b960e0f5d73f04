"""Which nodes run together, row by row, so that the maps between them never exist whole.

Knows nodes, no memory offsets and no C. A *segment* is a chain: each node but the first reads rows that the one before has
just written, from a ring of as many rows as it looks at. A dense layer or a mean may end a chain: it adds up what each row
brings.
"""

from dataclasses import dataclass

from glyphlite.compiler.ir import Binary, Concatenation, Dense, Mean, Node, Program, Softmax
from glyphlite.compiler.passes import consumers


@dataclass(frozen=True)
class Segment:
    """A chain of nodes. ``sink`` ends it by accumulation; without one the last node's output is written whole."""

    chain: tuple[Node, ...]
    sink: Dense | Mean | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, in order."""
        return (*self.chain, self.sink) if self.sink else self.chain

    @property
    def output(self) -> Node:
        """The node whose output outlives the segment."""
        return self.nodes[-1]


def schedule(program: Program, *, stream: bool = True) -> tuple[Segment, ...]:
    """Cut a program into segments, each node in the file's order."""
    counts = consumers(program)
    done = {program.input.index}
    taken: set[int] = set()
    segments = []
    for position, node in enumerate(program.nodes):
        if position in taken:
            continue
        chain, sink = [node], None
        taken.add(position)
        while stream and chain[-1].streams and counts[chain[-1].output.index] == 1:
            follower = _follower(program, chain[-1], taken)
            if follower is None:
                break
            candidate = program.nodes[follower]
            others = [value for value in candidate.inputs if value.index != chain[-1].output.index]
            if any(value.index not in done for value in others) or isinstance(candidate, (Softmax, Concatenation)):
                break
            if isinstance(candidate, (Dense, Mean)):
                if _pays(chain[-1], candidate):
                    sink = candidate
                    taken.add(follower)
                break
            broadcast = isinstance(candidate, Binary) and candidate.output.height != chain[-1].output.height
            if broadcast or _rows(candidate, chain[-1]) != _shape(chain[-1]):
                break
            chain.append(candidate)
            taken.add(follower)
        if sink is None and isinstance(chain[-1], (Dense, Mean)) and len(chain) == 1:
            segments.append(Segment((), chain[0]))  # pyright: ignore[reportArgumentType]
        else:
            segments.append(Segment(tuple(chain), sink))
        done.add(segments[-1].output.output.index)
    return tuple(segments)


def _follower(program: Program, node: Node, taken: set[int]) -> int | None:
    for position, other in enumerate(program.nodes):
        if position not in taken and any(value.index == node.output.index for value in other.inputs):
            return position
    return None


def _shape(node: Node) -> tuple[int, int, int]:
    return node.output.height, node.output.width, node.output.channels


def _rows(node: Node, producer: Node) -> tuple[int, int, int]:
    value = next(value for value in node.inputs if value.index == producer.output.index)
    return value.height, value.width, value.channels


def _pays(producer: Node, sink: Dense | Mean) -> bool:
    """Whether sums and one row take less memory than the whole map."""
    if isinstance(sink, Mean) and _rows(sink, producer) != _shape(producer):
        return False
    sums = 4 * sink.output.channels
    return producer.output.height > 1 and sums + producer.output.row_bytes < producer.output.elements
