"""Memory plan of the arena: lifetimes in, offsets out, the smallest peak that a search finds.

Knows sizes and moments, nothing of what the buffers hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

ALIGNMENT = 4
_SEARCH_LIMIT = 20_000


@dataclass(frozen=True)
class Buffer:
    """Bytes that must be kept from moment ``first`` to moment ``last``, both included."""

    name: str
    size: int
    first: int
    last: int

    def overlaps(self, other: "Buffer") -> bool:
        """Returns whether both are alive at some moment."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """An offset for each buffer, in the order given, and the bytes of the arena."""

    offsets: tuple[int, ...]
    size: int


def align(size: int) -> int:
    """Rounds up to whole words."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Returns the most bytes alive at one moment: no plan can be smaller."""
    moments = {buffer.first for buffer in buffers}
    return max((sum(align(b.size) for b in buffers if b.first <= moment <= b.last) for moment in moments), default=0)


def plan(buffers: Sequence[Buffer]) -> Plan:
    """Places every buffer so that no two that live together overlap.

    Largest first usually meets the lower bound and is then optimal; else a depth-first search over the orders of first-fit
    placement, which reaches the optimum, cut off by the best found and after a fixed number of placements.
    """
    bound = lower_bound(buffers)
    order = sorted(range(len(buffers)), key=lambda index: (-buffers[index].size, buffers[index].first))
    best = _first_fit(buffers, order)
    if best.size > bound:
        best = _search(buffers, order, bound, best)
    return best


def are_apart(buffers: Sequence[Buffer], offsets: Sequence[int]) -> bool:
    """Returns whether no two buffers that live together overlap at these offsets."""
    placed = [(offset, offset + align(buffer.size), buffer) for offset, buffer in zip(offsets, buffers, strict=True)]
    return all(
        not one.overlaps(other) or end <= first or last <= start
        for place, (start, end, one) in enumerate(placed)
        for first, last, other in placed[:place]
    )


def offset_beside(buffers: Sequence[Buffer], offsets: Sequence[int], extra: Buffer) -> int:
    """Returns the lowest offset at which one more buffer fits, the others where they are."""
    return _place([*buffers, extra], dict(enumerate(offsets)), len(buffers))


def _place(buffers: Sequence[Buffer], placed: dict[int, int], index: int) -> int:
    """Returns the lowest offset at which a buffer fits between those that live with it."""
    size = align(buffers[index].size)
    taken = sorted(
        (placed[other], placed[other] + align(buffers[other].size))
        for other in placed
        if buffers[other].overlaps(buffers[index]) and buffers[other].size
    )
    offset = 0
    for start, end in taken:
        if offset + size <= start:
            break
        offset = max(offset, end)
    return offset


def _first_fit(buffers: Sequence[Buffer], order: Sequence[int]) -> Plan:
    placed: dict[int, int] = {}
    for index in order:
        placed[index] = _place(buffers, placed, index)
    return _as_plan(buffers, placed)


def _as_plan(buffers: Sequence[Buffer], placed: dict[int, int]) -> Plan:
    size = max((placed[index] + align(buffers[index].size) for index in placed), default=0)
    return Plan(tuple(placed[index] for index in range(len(buffers))), size)


def _search(buffers: Sequence[Buffer], order: Sequence[int], bound: int, best: Plan) -> Plan:
    tries = 0

    def visit(placed: dict[int, int], peak: int) -> None:
        nonlocal best, tries
        tries += 1
        if peak >= best.size or tries > _SEARCH_LIMIT or best.size == bound:
            return
        if len(placed) == len(buffers):
            best = _as_plan(buffers, placed)
            return
        for index in order:
            if index not in placed:
                offset = _place(buffers, placed, index)
                visit({**placed, index: offset}, max(peak, offset + align(buffers[index].size)))

    visit({}, 0)
    return best
