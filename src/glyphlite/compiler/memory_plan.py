"""Memory plan of the arena: lifetimes in, offsets out, the smallest peak that a search finds.

Knows sizes and moments, nothing of what the buffers hold.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 4
_SEARCH_LIMIT = 20_000
_TRIAL_LIMIT = 6_000
"""Placements of all trials."""
_FEW = 8
"""Buffers whose orders are gone through; the plans of more are made better by trial."""

Overlays = Mapping[tuple[int, int], int]
"""By the places of a buffer that is written and of one that is read meanwhile: how many bytes before the latter the former has to
begin for both to share memory."""


@dataclass(frozen=True)
class Buffer:
    """Bytes that must be kept from moment ``first`` to moment ``last``, both included.

    ``outer`` says that it is only part of the arena where the caller's inputs and outputs are.
    """

    name: str
    size: int
    first: int
    last: int
    outer: bool = False

    def overlaps(self, other: "Buffer") -> bool:
        """Returns whether both are alive at some moment."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """An offset for each buffer, in the order given, the bytes of all of them, and of those that are not outer."""

    offsets: tuple[int, ...]
    size: int
    inner: int


def align(size: int) -> int:
    """Rounds up to whole words."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def lower_bound(buffers: Sequence[Buffer], overlays: Overlays | None = None) -> int:
    """Returns the most bytes alive at one moment, those that may be shared counted once: no plan can be smaller."""
    return max(peaks(buffers, overlays).values(), default=0)


def peaks(buffers: Sequence[Buffer], overlays: Overlays | None = None) -> dict[int, int]:
    """Returns the bytes alive at each moment at which a buffer begins to be."""

    def alive(key: int, moment: int) -> bool:
        return buffers[key].first <= moment <= buffers[key].last

    found = {
        moment: sum(align(buffer.size) for buffer in buffers if buffer.first <= moment <= buffer.last)
        for moment in {buffer.first for buffer in buffers}
    }
    for (written, read), distance in (overlays or {}).items():
        shared = min(align(buffers[read].size), align(buffers[written].size) - align(distance))
        for moment in found:
            if alive(written, moment) and alive(read, moment):
                found[moment] -= max(shared, 0)
    return found


def plan(buffers: Sequence[Buffer], overlays: Overlays | None = None) -> Plan:
    """Places every buffer so that no two that live together overlap, but for what may be shared.

    The inner buffers take no more than they do in a plan of their own: with the outer ones, the smallest such plan is looked for.
    """
    inner = [key for key, buffer in enumerate(buffers) if not buffer.outer]
    if len(inner) == len(buffers):
        return _Search(buffers, overlays or {}, 0).best()
    places = {key: place for place, key in enumerate(inner)}
    among = {(places[a], places[b]): d for (a, b), d in (overlays or {}).items() if a in places and b in places}
    alone = _Search([buffers[key] for key in inner], among, 0).best()
    by_offset = sorted(inner, key=lambda key: alone.offsets[places[key]])
    outer = [key for key, buffer in enumerate(buffers) if buffer.outer]
    return _Search(buffers, overlays or {}, alone.size).best([*by_offset, *outer])


def plan_at(buffers: Sequence[Buffer], offsets: Sequence[int]) -> Plan:
    """Returns the plan of buffers that lie at these offsets."""
    ends = [(offset + align(buffer.size), buffer.outer) for offset, buffer in zip(offsets, buffers, strict=True)]
    size, inner = max((end for end, _ in ends), default=0), max((end for end, outer in ends if not outer), default=0)
    return Plan(tuple(offsets), size, inner)


def are_apart(buffers: Sequence[Buffer], offsets: Sequence[int], overlays: Overlays | None = None) -> bool:
    """Returns whether no two buffers that live together overlap at these offsets, but for what may be shared."""
    search = _Search(buffers, overlays or {}, 0)
    return all(
        offsets[key] <= offsets[other] - below or offsets[key] >= offsets[other] + above
        for key, others in enumerate(search.conflicts)
        for other, (below, above) in others.items()
    )


def offset_beside(buffers: Sequence[Buffer], offsets: Sequence[int], extra: Buffer) -> int:
    """Returns the lowest offset at which one more buffer fits, the others where they are."""
    search = _Search([*buffers, extra], {}, 0)
    return search.place(dict(enumerate(offsets)), len(buffers))


class _Search:
    """Places for buffers, one after the other in some order, each at the lowest offset where it fits: first fit."""

    def __init__(self, buffers: Sequence[Buffer], overlays: Overlays, inner: int) -> None:
        """Prepares it.

        Args:
            buffers: what is placed.
            overlays: what of them may be shared.
            inner: the bytes that those which are not outer may take for nothing.
        """
        self._buffers, self._inner = buffers, inner
        self._sizes = [align(buffer.size) for buffer in buffers]
        self._bound = max(lower_bound(buffers, overlays), inner)
        self._left = _SEARCH_LIMIT
        distances = {(a, b): align(distance) for (a, b), distance in overlays.items()}
        self.conflicts: list[dict[int, tuple[int, int]]] = []
        """For each buffer, by the other one: how far before that it has to begin, or how far behind its begin."""
        for key, buffer in enumerate(buffers):
            size = self._sizes[key]
            self.conflicts.append(
                {
                    other: (min(distances.get((key, other), size), size), min(distances.get((other, key), taken), taken))
                    for other, taken in enumerate(self._sizes)
                    if other != key and size and taken and buffers[other].overlaps(buffer)
                }
            )

    def place(self, placed: Mapping[int, int], key: int) -> int:
        """Returns the lowest offset at which a buffer fits between those that live with it."""
        taken = sorted(
            [
                (placed[other] - below, placed[other] + above)
                for other, (below, above) in self.conflicts[key].items()
                if other in placed
            ]
        )
        offset = 0
        for start, end in taken:
            if offset <= start:
                break
            offset = max(offset, end)
        return offset

    def best(self, known: Sequence[int] | None = None) -> Plan:
        """Returns the smallest plan that is found: the outer buffers count only once the inner ones take no more than they may.

        Some orders are tried first, largest buffers first usually meets the lower bound and is then optimal. Else, a depth-first
        search over the orders of few buffers, which reaches the optimum, or random changes of the order of more.

        Args:
            known: an order that is good for the inner ones.
        """
        keys = range(len(self._buffers))
        buffers, sizes = self._buffers, self._sizes
        orders = [
            sorted(keys, key=lambda key: (-sizes[key], buffers[key].first)),
            sorted(keys, key=lambda key: (buffers[key].outer, -sizes[key], buffers[key].first)),
            sorted(keys, key=lambda key: (buffers[key].outer, buffers[key].first, sizes[key])),
            sorted(keys, key=lambda key: (buffers[key].outer, -buffers[key].last, sizes[key])),
            sorted(keys, key=lambda key: (-buffers[key].first, -sizes[key])),
            *([known] if known else []),
        ]
        best, order = self._in_order(orders[0]), orders[0]
        for other in orders[1:]:
            if self._cost(best) <= (self._inner, self._bound):
                return best
            best, order = min((best, order), (self._in_order(other), other), key=lambda each: self._cost(each[0]))
        if self._cost(best) > (self._inner, self._bound):
            best = self._visited(best, order) if len(buffers) <= _FEW else self._improved(best, order)
        return best

    def _cost(self, found: Plan) -> tuple[int, int]:
        return self._cost_of(found.inner, found.size)

    def _cost_of(self, inner: int, size: int) -> tuple[int, int]:
        return max(inner, self._inner) if self._inner else 0, size

    def _in_order(self, order: Sequence[int]) -> Plan:
        placed: dict[int, int] = {}
        for key in order:
            placed[key] = self.place(placed, key)
        return self._plan(placed)

    def _plan(self, placed: Mapping[int, int]) -> Plan:
        return plan_at(self._buffers, [placed[key] for key in range(len(placed))])

    def _visited(self, best: Plan, order: Sequence[int]) -> Plan:
        """Returns the best plan over the orders of placing, depth first, no further than a plan could still be better."""
        placed: dict[int, int] = {}
        cost, goal = self._cost(best), (self._inner, self._bound)

        def visit(size: int, inner: int) -> None:
            nonlocal best, cost
            self._left -= 1
            if self._left < 0 or cost <= goal:
                return
            if len(placed) == len(order):
                if self._cost_of(inner, size) < cost:
                    best, cost = self._plan(placed), self._cost_of(inner, size)
                return
            for key in order:
                if key not in placed:
                    offset = self.place(placed, key)
                    outer, end = self._buffers[key].outer, offset + self._sizes[key]
                    if end < best.size or (not outer and end < best.inner):
                        placed[key] = offset
                        visit(max(size, end), inner if outer else max(inner, end))
                        del placed[key]

        visit(0, 0)
        return best

    def _improved(self, best: Plan, order: Sequence[int]) -> Plan:
        """Returns a plan that is no worse: again and again, what ends highest or lies below that is placed earlier or later."""
        drawn = random.Random(0)  # noqa: S311 - the same plan each time
        kept = list(order)
        for _ in range(_TRIAL_LIMIT // len(kept)):
            if self._cost(best) <= (self._inner, self._bound):
                break
            key = drawn.choice(self._highest(best))
            changed = [other for other in kept if other != key]
            changed.insert(drawn.randrange(len(kept)), key)
            found = self._in_order(changed)
            if self._cost(found) <= self._cost(best):
                best, kept = found, changed
        return best

    def _highest(self, found: Plan) -> list[int]:
        """Returns a buffer that ends highest, those that keep it from lying lower, and so on down to the lowest."""
        offsets, sizes = found.offsets, self._sizes
        inner = [key for key, buffer in enumerate(self._buffers) if not buffer.outer]
        keys = inner if self._inner and found.inner > self._inner else range(len(sizes))
        chain = [max(keys, key=lambda key: offsets[key] + sizes[key])]
        for key in chain:
            chain += [
                other
                for other, (_, above) in self.conflicts[key].items()
                if offsets[other] + above == offsets[key] and other not in chain
            ]
        return chain
