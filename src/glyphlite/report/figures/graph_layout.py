"""Layout of a directed acyclic graph: layers by longest path, few crossings, straight edges. Knows no op and no SVG.

The layered method of Sugiyama, Tagawa and Toda (1981): assign layers, put a waypoint wherever an edge passes a layer, order each
layer by the barycentre of its neighbours, then place by least squares with a minimum distance (pool adjacent violators).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

WAYPOINT_WIDTH = 24.0
SWEEPS = 12
MOST_WAYPOINTS = 4000
"""Past this an edge is drawn straight across the layers; only a graph that nobody can read has so many."""


@dataclass(frozen=True)
class Placed:
    """A layout: the centre and the top of each node, and for each edge the points it passes from node to node."""

    centers: tuple[float, ...]
    tops: tuple[float, ...]
    routes: tuple[tuple[tuple[float, float], ...], ...]
    width: float
    height: float


def place(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], gap: tuple[float, float]) -> Placed:
    """Places nodes from the top down.

    Args:
        sizes: width and height of each node.
        edges: pairs of node numbers, from a node to one that comes later in ``sizes``.
        gap: the least distance between neighbours, across and down.

    Returns:
        The layout, its left and top edge at 0.
    """
    layer_of = [0] * len(sizes)
    for source, target in sorted(edges):
        layer_of[target] = max(layer_of[target], layer_of[source] + 1)
    widths = [width for width, _ in sizes]
    layers: list[list[int]] = [[] for _ in range(max(layer_of, default=0) + 1)]
    for node, layer in enumerate(layer_of):
        layers[layer].append(node)
    paths = _add_waypoints(edges, layer_of, layers, widths)
    above, below = _neighbours(paths, len(widths))
    _order(layers, above, below)
    centers = _center(layers, above, below, widths, gap[0])
    left = min((center - width / 2 for center, width in zip(centers, widths, strict=True)), default=0.0)
    centers = [center - left for center in centers]

    heights = [max((sizes[node][1] for node in layer if node < len(sizes)), default=0.0) for layer in layers]
    tops, position = [], 0.0
    for height in heights:
        tops.append(position)
        position += height + gap[1]
    node_tops = [tops[layer] + (heights[layer] - sizes[node][1]) / 2 for node, layer in enumerate(layer_of)]
    waypoint_layer = {node: number for number, layer in enumerate(layers) for node in layer}

    def route(path: list[int]) -> tuple[tuple[float, float], ...]:
        points = [(centers[path[0]], node_tops[path[0]] + sizes[path[0]][1])]
        for waypoint in path[1:-1]:
            top = tops[waypoint_layer[waypoint]]
            points += [(centers[waypoint], top), (centers[waypoint], top + heights[waypoint_layer[waypoint]])]
        return (*points, (centers[path[-1]], node_tops[path[-1]]))

    return Placed(
        centers=tuple(centers[: len(sizes)]),
        tops=tuple(node_tops),
        routes=tuple(route(path) for path in paths),
        width=max((center + width / 2 for center, width in zip(centers, widths, strict=True)), default=0.0),
        height=max(position - gap[1], 0.0),
    )


def _add_waypoints(
    edges: Sequence[tuple[int, int]], layer_of: Sequence[int], layers: list[list[int]], widths: list[float]
) -> list[list[int]]:
    """Gives every edge a waypoint in each layer that it passes; returns each edge as the chain of its nodes."""
    paths, left = [], MOST_WAYPOINTS
    for source, target in edges:
        between = range(layer_of[source] + 1, layer_of[target])
        path = [source]
        if len(between) <= left:
            left -= len(between)
            for layer in between:
                layers[layer].append(len(widths))
                path.append(len(widths))
                widths.append(WAYPOINT_WIDTH)
        paths.append([*path, target])
    return paths


def _neighbours(paths: Sequence[Sequence[int]], count: int) -> tuple[list[list[int]], list[list[int]]]:
    above: list[list[int]] = [[] for _ in range(count)]
    below: list[list[int]] = [[] for _ in range(count)]
    for path in paths:
        for upper, lower in pairwise(path):
            above[lower].append(upper)
            below[upper].append(lower)
    return above, below


def _order(layers: list[list[int]], above: list[list[int]], below: list[list[int]]) -> None:
    """Sorts each layer by the mean place of its neighbours, down and up by turns."""
    rank = {node: float(place) for layer in layers for place, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        neighbours = below if sweep % 2 else above
        for layer in reversed(layers) if sweep % 2 else layers:
            key = {node: _mean([rank[other] for other in neighbours[node]], rank[node]) for node in layer}
            layer.sort(key=lambda node, key=key: (key[node], rank[node]))
            for place_in_layer, node in enumerate(layer):
                rank[node] = float(place_in_layer)


def _center(
    layers: list[list[int]], above: list[list[int]], below: list[list[int]], widths: Sequence[float], gap: float
) -> list[float]:
    """Pulls every node towards its neighbours without letting any two touch."""
    centers = [0.0] * len(widths)
    for layer in layers:
        for node, center in zip(layer, _apart([0.0] * len(layer), [widths[node] for node in layer], gap), strict=True):
            centers[node] = center
    for sweep in range(SWEEPS):
        neighbours = below if sweep % 2 else above
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = [_mean([centers[other] for other in neighbours[node]], centers[node]) for node in layer]
            for node, center in zip(layer, _apart(wanted, [widths[node] for node in layer], gap), strict=True):
                centers[node] = center
    return centers


def _apart(wanted: Sequence[float], widths: Sequence[float], gap: float) -> list[float]:
    """Returns the places nearest to the wanted ones, in least squares, that keep order and distance."""
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + gap)
    blocks: list[tuple[float, int]] = []
    for place_wanted, offset in zip(wanted, offsets, strict=False):
        value, count = place_wanted - offset, 1
        while blocks and blocks[-1][0] > value:
            other, others = blocks.pop()
            value, count = (value * count + other * others) / (count + others), count + others
        blocks.append((value, count))
    flat = [value for value, count in blocks for _ in range(count)]
    return [value + offset for value, offset in zip(flat, offsets, strict=False)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
