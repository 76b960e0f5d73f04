"""The choice of the layers that run from a table instead of functions of their own.

Knows nodes by their traits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from glyphlite.compiler.codegen.filter_table import FEWEST, Plan, plan_table
from glyphlite.compiler.codegen.filters import Filter
from glyphlite.compiler.ir import Node

LAYER_BYTES, TABLE_BYTES = 300, 1100
"""Flash that a layer's own function and its part of the run take, and that the table's functions take: on Cortex-M0, about."""

LEAST_SHARE = 4
"""A table takes up to half as many instructions again: it pays where it saves flash of this part of the weights at least."""


@dataclass(frozen=True)
class Tabled:
    """The layers of a table.

    Attributes:
        plan: how they are scaled; None where no layer runs from a table.
        counts: of each segment, the nodes from its first on that do.
        groups: segments of which each reads the whole map that the one before writes, in order: they run as one.
    """

    plan: Plan | None
    counts: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...] = ()

    def apart(self) -> "Tabled":
        """Returns the same with each segment run by itself: less memory, more code."""
        return replace(self, groups=tuple((step,) for group in self.groups for step in group))


def tabled_layers(chains: Sequence[Sequence[Node]], elsewhere: frozenset[int]) -> Tabled:
    """Chooses the layers at the beginning of each chain that a table can drive.

    Args:
        chains: of each segment the nodes that hand rows on, or its one node; empty where no table may drive them.
        elsewhere: the values that do not lie in the arena.
    """
    none = Tabled(None, (0,) * len(chains))
    heads = [_filters(chain) for chain in chains]
    windows = [found.window_bytes(node.inputs[0].channels) for head in heads for node, found in head if node.streams]
    for head in heads:  # a vector is gathered like any window: none may take more memory than the windows of the others
        if head and not head[0][0].streams and head[0][1].products > max(windows, default=0):
            head.clear()
    candidates = [(node.name, node.inputs[0].zero_point, found) for head in heads for node, found in head]
    plan = plan_table(candidates) if len(candidates) >= FEWEST else None
    if plan is None:
        return none
    counts = tuple(_leading([node.name in plan.scalings for node, _ in head]) for head in heads)
    weights = sum(found.bytes for head, count in zip(heads, counts, strict=True) for _, found in head[:count])
    saved = LAYER_BYTES * sum(counts) - TABLE_BYTES
    if sum(counts) < FEWEST or saved * LEAST_SHARE < weights:
        return none
    return Tabled(plan, counts, _groups(chains, counts, elsewhere))


def _groups(chains: Sequence[Sequence[Node]], counts: Sequence[int], elsewhere: frozenset[int]) -> tuple[tuple[int, ...], ...]:
    """Returns the numbers of the segments that begin with layers of the table, those together that run as one."""
    groups: list[list[int]] = []
    for step, (chain, count) in enumerate(zip(chains, counts, strict=True)):
        if not count:
            continue
        before = step - 1 if groups and groups[-1][-1] == step - 1 else None
        if before is not None and counts[before] == len(chains[before]):
            written, read = chains[before][-1].output, chain[0].inputs[0]
            same = (written.index, written.shape, written.zero_point) == (read.index, read.shape, read.zero_point)
            if same and not read.offset and written.index not in elsewhere:
                groups[-1].append(step)
                continue
        groups.append([step])
    return tuple(map(tuple, groups))


def _filters(chain: Sequence[Node]) -> list[tuple[Node, Filter]]:
    """Returns the nodes at the beginning of a chain that are filters of int8, each in the quantization that the maps say.

    A clamp or a copy behind a filter may have given its values to a tensor that says another zero point.
    """
    found: list[tuple[Node, Filter]] = []
    for node in chain:
        made = node.filter()
        is_int8 = {node.inputs[0].element_type, node.output.element_type} == {"int8"}
        if made is None or node.table is not None or not is_int8:
            break
        read_as_written = not found or found[-1][0].output.zero_point == node.inputs[0].zero_point
        if not read_as_written or made.requantization.output_offset != node.output.zero_point:
            break
        found.append((node, made))
    return found


def _leading(flags: Sequence[bool]) -> int:
    """Returns how many flags are set before the first that is not."""
    return next((at for at, flag in enumerate(flags) if not flag), len(flags))
