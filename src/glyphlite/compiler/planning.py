"""The schedule that takes the least memory: chains are cut where a whole map takes less than the rings of what would follow.

Knows what a schedule takes, step by step, and nothing of what for.
"""

from collections.abc import Callable
from functools import partial

from glyphlite.compiler.arena import Arena, Demand
from glyphlite.compiler.codegen.kernel import Placement
from glyphlite.compiler.ir import Node, Program
from glyphlite.compiler.ops.tabled import Tabled, tabled_layers
from glyphlite.compiler.schedule import Segment, schedule
from glyphlite.compiler.values import Optimize

MOST_GROWTH = 12
"""A table may enlarge the arena by this part of it at most: its function gathers windows that some kernels read in place."""

MOST_PAIRED = 1.5
"""Two rows a call may make the arena so many times as large at most."""


def planned(
    program: Program, optimize: Optimize, *, keeps_result: bool, takes_pixels: bool
) -> tuple[tuple[Segment, ...], Arena, Tabled]:
    """Returns the schedule, the places of its buffers, and the layers that run from a table.

    The longest chains are taken, unless shorter ones need less memory with the caller's inputs and outputs in the arena, and no
    more without.

    Args:
        program: the lowered, optimized model.
        optimize: what for.
        keeps_result: whether the scores stay in the arena, as no caller gets them.
        takes_pixels: whether the network holds raw pixels otherwise than they come.
    """
    known: dict[tuple[str, Placement], int] = {}

    def demand(cuts: frozenset[str], *, pairs: bool = False) -> Demand:
        segments = schedule(program, cuts=cuts, pairs=pairs)
        return Demand(program, segments, optimize, keeps_result=keeps_result, known=known)

    longest = demand(frozenset())
    if optimize == "speed":
        paired = demand(frozenset(), pairs=True)
        if max(paired.step_bytes) <= MOST_PAIRED * max(longest.step_bytes):
            longest, demand = paired, partial(demand, pairs=True)
    arena = Arena(longest, takes_pixels=takes_pixels)
    found, cuts = longest, frozenset[str]()
    while better := _cut(found, cuts, demand, _with_edges):
        found, cuts = better
    while max(found.inner_step_bytes) > max(longest.inner_step_bytes) and (better := _cut(found, cuts, demand, _without)):
        found, cuts = better
    segments = tuple(longest.segments)
    if cuts:
        other = Arena(found, takes_pixels=takes_pixels)
        if sum(other.memory) < sum(arena.memory) and other.size <= arena.size and other.plain_size <= arena.plain_size:
            segments, arena = tuple(found.segments), other
    elsewhere = program.given | program.kept | program.read | program.remembered
    tabled = tabled_layers(_heads(segments, optimize, takes_pixels=takes_pixels), elsewhere)
    for way in (tabled, tabled.apart()) if tabled.plan is not None else ():
        demands = Demand(program, segments, optimize, keeps_result=keeps_result, tabled=way)
        other = Arena(demands, takes_pixels=takes_pixels)
        if other.plain_size <= arena.plain_size + arena.plain_size // MOST_GROWTH:
            return segments, other, way
    return segments, arena, Tabled(None, (0,) * len(segments))


def _heads(segments: tuple[Segment, ...], optimize: Optimize, *, takes_pixels: bool) -> list[tuple[Node, ...]]:
    """Returns the nodes of each segment that a table may drive, where the C is optimized for size.

    Rows of raw pixels are converted on the way to the first layer, which then has a function of its own.
    """
    if optimize != "size":
        return [() for _ in segments]
    heads = [segment.chain if segment.chain or segment.adds_up else segment.nodes for segment in segments]
    return [() if takes_pixels and not step else head for step, head in enumerate(heads)]


def _with_edges(demand: Demand) -> tuple[list[int], list[int]]:
    """Returns the memory of each step with the caller's inputs and outputs in the arena; nothing else matters."""
    return demand.step_bytes, []


def _without(demand: Demand) -> tuple[list[int], list[int]]:
    """Returns the memory of each step without the caller's, and what may not grow meanwhile: the most with them."""
    return demand.inner_step_bytes, [max(demand.step_bytes)]


def _cut(
    found: Demand,
    cuts: frozenset[str],
    demand: Callable[[frozenset[str]], Demand],
    taken: Callable[[Demand], tuple[list[int], list[int]]],
) -> tuple[Demand, frozenset[str]] | None:
    """Cuts the chain that takes the most memory where that helps most; returns None where no cut does."""
    steps, limit = taken(found)
    worst = steps.index(max(steps))
    if worst == len(found.segments):
        return None
    best, least = None, sorted(steps, reverse=True)
    for node in found.segments[worst].chain[:-1]:
        tried = demand(cuts | {node.name})
        steps, most = taken(tried)
        if most <= limit and sorted(steps, reverse=True) < least:
            best, least = (tried, cuts | {node.name}), sorted(steps, reverse=True)
    return best
