"""The graph of a model as one self-contained SVG: what each op is, what flows between them, where the work and the bytes are.

No external program draws it and nothing is loaded by it; it follows the reader's light or dark setting. Text from the file is
escaped.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from glyphlite.escaping import printable, xml_text
from glyphlite.report.figures.graph_layout import Placed, place
from glyphlite.report.op_labels import describe_options, describe_shape, title_of
from glyphlite.tflite import cost
from glyphlite.tflite.description import OperatorInfo, describe_operator, describe_tensor
from glyphlite.tflite.graph import Graph, Operator

MOST_OPS = 200
MOST_PORTS = 32
CARD = 264.0
PILL = 34.0
GAP = (76.0, 52.0)
MARGIN = 20.0
HEADER = 66.0
LABEL_ROOM = 90.0
TIMES = "\u00d7"

_KINDS = {
    "weights": ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"),
    "pool": ("MAX_POOL_2D", "AVERAGE_POOL_2D", "L2_POOL_2D", "MEAN", "SUM", "REDUCE_MAX"),
    "join": ("ADD", "MUL", "SUB", "DIV", "CONCATENATION", "MAXIMUM", "MINIMUM"),
    "convert": ("QUANTIZE", "DEQUANTIZE", "CAST"),
    "curve": ("SOFTMAX", "LOGISTIC", "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LEAKY_RELU", "ELU", "GELU"),
}

_LIGHT = (
    "--gg-paper: #ffffff; --gg-card: #f7f8fa; --gg-line: #c9ced6; --gg-ink: #1d2330; --gg-dim: #5d6675; --gg-edge: #8a93a3; "
    "--gg-weights: #2563c9; --gg-pool: #0f8a80; --gg-join: #b45f06; --gg-convert: #ad3f7c; --gg-curve: #7048c6; "
    "--gg-other: #6b7483; --gg-macs: #2563c9; --gg-bytes: #d9822b;"
)
_DARK = (
    "--gg-paper: #14171d; --gg-card: #1e232c; --gg-line: #3b4350; --gg-ink: #e7eaf0; --gg-dim: #a3adbc; --gg-edge: #77818f; "
    "--gg-weights: #6ea8ff; --gg-pool: #43c6b8; --gg-join: #f0a04b; --gg-convert: #ee85bd; --gg-curve: #ad8cff; "
    "--gg-other: #97a1b0; --gg-macs: #6ea8ff; --gg-bytes: #f0a04b;"
)

_STYLE = """
.glyph-graph { LIGHT font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
@media (prefers-color-scheme: dark) { .glyph-graph { DARK } }
.glyph-graph .paper { fill: var(--gg-paper); }
.glyph-graph .card { fill: var(--gg-card); stroke: var(--gg-line); }
.glyph-graph text { fill: var(--gg-ink); font-size: 12px; }
.glyph-graph .halo { fill: var(--gg-dim); stroke: var(--gg-paper); stroke-width: 4px; paint-order: stroke; }
.glyph-graph .title { font-size: 16px; font-weight: 650; }
.glyph-graph .op { font-size: 13.5px; font-weight: 650; letter-spacing: 0.01em; }
.glyph-graph .dim { fill: var(--gg-dim); }
.glyph-graph .end { text-anchor: end; }
.glyph-graph .mid { text-anchor: middle; }
.glyph-graph .edge { fill: none; stroke: var(--gg-edge); stroke-width: 1.5; }
.glyph-graph .head { fill: var(--gg-edge); }
.glyph-graph .track { fill: var(--gg-line); opacity: 0.45; }
.glyph-graph .macs { fill: var(--gg-macs); }
.glyph-graph .bytes { fill: var(--gg-bytes); }
.glyph-graph .kind-weights { fill: var(--gg-weights); }
.glyph-graph .kind-pool { fill: var(--gg-pool); }
.glyph-graph .kind-join { fill: var(--gg-join); }
.glyph-graph .kind-convert { fill: var(--gg-convert); }
.glyph-graph .kind-curve { fill: var(--gg-curve); }
.glyph-graph .kind-other { fill: var(--gg-other); }
"""


@dataclass(frozen=True)
class _Node:
    """A box: an op's card, or a pill for an input or output of the model."""

    label: str
    how: str = ""
    number: str = ""
    kind: str = "other"
    macs: int = 0
    bytes: int = 0
    carries: str = ""

    @property
    def is_card(self) -> bool:
        return bool(self.number)

    @property
    def size(self) -> tuple[float, float]:
        if not self.is_card:
            return CARD * 0.72, PILL
        return CARD, 34.0 + (18.0 if self.how else 0.0) + (28.0 if self.macs or self.bytes else 0.0)


def draw_graph(graph: Graph, title: str = "") -> str:
    """Draws a graph from its inputs at the top to its outputs at the bottom.

    Ops that only turn constants into constants (the DEQUANTIZE of float16 weights) are told on the card of the op that uses them.

    Args:
        graph: a graph that the reader has checked.
        title: what to write above it.

    Returns:
        An ``<svg>`` element as text: a file of its own, or to be put into an HTML page as it is.
    """
    nodes, edges = _nodes_and_edges(graph)
    placed = place([node.size for node in nodes], edges, GAP)
    width = placed.width + 2 * MARGIN + LABEL_ROOM
    height = placed.height + HEADER + 2 * MARGIN
    summary = (
        f"{cost.total_macs(graph):,} MACs, {cost.total_parameters(graph):,} parameters in {_bytes(cost.weight_bytes(graph))}"
    )
    if len(graph.operators) > MOST_OPS:
        summary += f"; the first {MOST_OPS} of {len(graph.operators):,} ops"
    heading = printable(title, 60) if title else "The model's graph"
    style = _STYLE.replace("DARK", _DARK).replace("LIGHT", _LIGHT)
    body = "\n".join([*_edges(nodes, edges, placed), *_boxes(nodes, placed)])
    return f"""<svg class="glyph-graph" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" \
width="{width:.0f}" height="{height:.0f}" role="img" style="max-width: 100%; height: auto">
<title>{xml_text(heading)}</title>
<desc>{xml_text(summary)}</desc>
<style>{style}</style>
<defs><marker id="gg-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path class="head" d="M0 0.5 L8 4 L0 7.5 z"/></marker></defs>
<rect class="paper" width="{width:.0f}" height="{height:.0f}" rx="10"/>
<text class="title" x="{MARGIN:.0f}" y="{MARGIN + 14:.0f}">{xml_text(heading)}</text>
<text class="dim" x="{MARGIN:.0f}" y="{MARGIN + 34:.0f}">{xml_text(summary)}</text>
{_legend()}
<g transform="translate({MARGIN:.0f} {MARGIN + HEADER:.0f})">
{body}
</g>
</svg>
"""


def _nodes_and_edges(graph: Graph) -> tuple[list[_Node], list[tuple[int, int]]]:
    """Returns the boxes in an order in which every edge points forward, and the edges between them."""
    operators = graph.operators[:MOST_OPS]
    folded = _constant_ops(graph, operators)
    nodes, writer, edges = [], {}, []
    for index in graph.inputs[:MOST_PORTS]:
        writer[index] = len(nodes)
        nodes.append(_Node(label=_port("input", graph, index, graph.inputs), carries=_carries(graph, [index])))
    for operator in operators:
        if operator.index in folded:
            continue
        helpers = [folded_op for folded_op in folded.values() if set(folded_op.outputs) & set(operator.inputs)]
        edges += sorted({(writer[index], len(nodes)) for index in operator.inputs if index in writer})
        writer.update(dict.fromkeys(operator.outputs, len(nodes)))
        nodes.append(_card(graph, operator, helpers))
    for index in graph.outputs[:MOST_PORTS]:
        if index in writer:
            edges.append((writer[index], len(nodes)))
            nodes.append(_Node(label=_port("output", graph, index, graph.outputs)))
    return nodes, edges


def _port(kind: str, graph: Graph, index: int, ports: Sequence[int]) -> str:
    """Returns an input or output by its name where there are several to tell apart."""
    return f"{kind} {printable(graph.tensors[index].name, 20)}" if len(ports) > 1 else kind


def _constant_ops(graph: Graph, operators: Sequence[Operator]) -> dict[int, Operator]:
    """Returns ops that read nothing but constants of the file and write nothing but an input of other ops."""
    read = {index for operator in operators for index in operator.inputs}
    return {
        operator.index: operator
        for operator in operators
        if operator.inputs
        and operator.outputs
        and all(index == -1 or graph.tensors[index].is_constant for index in operator.inputs)
        and all(index in read and index not in graph.outputs for index in operator.outputs)
    }


def _card(graph: Graph, operator: Operator, helpers: Sequence[Operator]) -> _Node:
    described = describe_operator(graph, operator)
    how = describe_options(described)
    if helpers:
        names = sorted({helper.name for helper in helpers})
        how = ", ".join(filter(None, (how, f"weights via {' and '.join(names)}")))
    return _Node(
        label=title_of(described),
        how=how,
        number=f"{operator.index}",
        kind=_kind(described),
        macs=described.macs,
        bytes=described.parameter_bytes + sum(cost.operator_bytes(graph, helper) for helper in helpers),
        carries=_carries(graph, operator.outputs),
    )


def _kind(operator: OperatorInfo) -> str:
    return next((kind for kind, names in _KINDS.items() if operator.name in names), "other")


def _carries(graph: Graph, tensors: Sequence[int]) -> str:
    first = describe_tensor(graph.tensors[tensors[0]])
    more = f" and {len(tensors) - 1} more" if len(tensors) > 1 else ""
    return f"{describe_shape(first, TIMES)}, {_bytes(first.bytes)}{more}"


def _bytes(count: int) -> str:
    return f"{count:,} B" if count < 100_000 else f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1e6:,.0f} MB"


def _edges(nodes: Sequence[_Node], edges: Sequence[tuple[int, int]], placed: Placed) -> list[str]:
    drawn = [f'<path class="edge" marker-end="url(#gg-arrow)" d="{_curve(route)}"/>' for route in placed.routes]
    for source in sorted({source for source, _ in edges}):
        node = nodes[source]
        x, y = placed.centers[source] + 9, placed.tops[source] + node.size[1] + 17
        drawn.append(_text("halo", x, y, node.carries))
    return drawn


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Returns a path that leaves and enters vertically and bends between, point by point."""
    x, y = points[0]
    path = [f"M{x:.1f} {y:.1f}"]
    for next_x, next_y in points[1:]:
        if abs(next_x - x) < 0.05:
            path.append(f"L{next_x:.1f} {next_y:.1f}")
        else:
            middle = (y + next_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {next_x:.1f} {middle:.1f} {next_x:.1f} {next_y:.1f}")
        x, y = next_x, next_y
    return " ".join(path)


def _boxes(nodes: Sequence[_Node], placed: Placed) -> list[str]:
    most_macs = max((node.macs for node in nodes), default=0) or 1
    most_bytes = max((node.bytes for node in nodes), default=0) or 1
    drawn = []
    for node, center, top in zip(nodes, placed.centers, placed.tops, strict=True):
        width, height = node.size
        left, right = center - width / 2, center + width / 2
        drawn.append(_box("card", left, top, width, height, 7 if node.is_card else height / 2))
        if not node.is_card:
            drawn.append(_text("mid", center, top + 21, node.label))
            continue
        drawn += [
            _box(f"kind-{node.kind}", left, top + 7, 4, height - 14, 2),
            _text("op", left + 15, top + 22, printable(node.label, 28)),
            _text("dim end", right - 12, top + 22, f"op {node.number}"),
        ]
        if node.how:
            drawn.append(_text("dim", left + 15, top + 40, printable(node.how, 40)))
        if node.macs or node.bytes:
            half = (width - 15 - 12 - 14) / 2
            drawn += _measure(left + 15, top + height - 24, half, "macs", f"{node.macs:,} MACs", node.macs / most_macs)
            drawn += _measure(right - 12 - half, top + height - 24, half, "bytes", _bytes(node.bytes), node.bytes / most_bytes)
    return drawn


def _box(kind: str, x: float, y: float, width: float, height: float, radius: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:.1f}"/>'


def _text(kind: str, x: float, y: float, text: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{xml_text(text)}</text>'


def _measure(x: float, y: float, width: float, kind: str, text: str, share: float) -> list[str]:
    """Returns a number over a bar that shows it against the largest in the graph."""
    filled = max(width * share, 2.0) if share else 0.0
    return [_text("", x, y + 6, text), _box("track", x, y + 11, width, 4, 2), _box(kind, x, y + 11, filled, 4, 2)]


def _legend() -> str:
    y = MARGIN + 50
    return "".join(
        [
            _box("macs", MARGIN, y - 5, 18, 4, 2),
            _text("dim", MARGIN + 24, y, "multiply-accumulates"),
            _box("bytes", MARGIN + 164, y - 5, 18, 4, 2),
            _text("dim", MARGIN + 188, y, "weights and biases"),
        ]
    )
