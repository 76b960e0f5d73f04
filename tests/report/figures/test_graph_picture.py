"""The picture of a graph: well-formed, self-contained, complete, and safe with hostile names."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphlite.report.figures.graph_layout import place
from glyphlite.report.figures.graph_picture import MOST_OPS, draw_graph
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.reader import read_graph

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_every_op_with_its_shape_bytes_and_work(samples: Path) -> None:
    shown = texts(draw_graph(read_graph(samples / "model_int8.tflite"), "micro-cnn"))
    for words in (
        "micro-cnn",
        "CONV_2D",
        "MAX_POOL_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
        "SOFTMAX",
        "input",
        "output",
        "48,672 MACs",
        "104 B",
    ):
        assert words in shown
    assert any(text == "1\u00d726\u00d726\u00d78 int8, 5,408 B" for text in shown)
    assert "70,464 MACs, 21,898 parameters in 22,000 B" in shown


def test_it_loads_nothing_and_runs_nothing(samples: Path) -> None:
    svg = draw_graph(read_graph(samples / "model_int8.tflite"))
    assert not re.search(r"href|<script|<image|url\((?!#)|@import|foreignObject", svg)
    assert svg.count("http") == 1  # the namespace
    assert "prefers-color-scheme: dark" in svg


def test_float16_weights_are_told_where_they_are_used(samples: Path) -> None:
    shown = texts(draw_graph(read_graph(samples / "model_float16.tflite")))
    assert "DEQUANTIZE" not in shown
    assert sum("weights via DEQUANTIZE" in text for text in shown) == 3
    assert "43,296 B" in shown


def test_branches_meet_again(samples: Path) -> None:
    svg = draw_graph(read_graph(samples.parent / "branches" / "model_int8.tflite"))
    shown = texts(svg)
    for op in ("ADD", "CONCATENATION", "MUL", "PAD", "MEAN", "LOGISTIC", "HARD_SWISH", "AVERAGE_POOL_2D", "DEPTHWISE_CONV_2D"):
        assert op in shown
    assert svg.count('class="edge"') == 17 + 1 + 1 + 2 + 1  # 17 ops, of which two join two and one joins three; and the output


def test_names_from_the_file_stay_text(samples: Path) -> None:
    graph = read_graph(samples / "model_float32.tflite")
    evil = "</style><script>alert(1)</script>&\033[31m\ufffe\n"
    tensors = tuple(replace(tensor, name=evil) for tensor in graph.tensors)
    operators = (replace(graph.operators[0], builtin_code=32, name="CUSTOM", custom_code=evil), *graph.operators[1:])
    svg = draw_graph(replace(graph, tensors=tensors, operators=operators, inputs=(0, 8)), evil)
    ET.fromstring(svg)
    assert "<script" not in svg
    assert "\033" not in svg


def chain(count: int) -> Graph:
    tensors = tuple(Tensor(index, f"t{index}", (1, 4), np.dtype(np.int8), None) for index in range(count + 1))
    operators = tuple(Operator(index, 19, "RELU", (index,), (index + 1,)) for index in range(count))
    return Graph(tensors, operators, (0,), (count,))


def test_a_graph_too_long_to_read_says_so() -> None:
    svg = draw_graph(chain(MOST_OPS + 50))
    assert any(f"the first {MOST_OPS} of {MOST_OPS + 50} ops" in text for text in texts(svg))
    assert texts(svg).count("RELU") == MOST_OPS


def test_a_chain_is_one_straight_line() -> None:
    placed = place([(100.0, 30.0)] * 6, [(index, index + 1) for index in range(5)], (20.0, 20.0))
    assert len(set(placed.centers)) == 1
    assert list(placed.tops) == [50.0 * index for index in range(6)]
    assert placed.height == 50.0 * 5 + 30


def test_a_long_edge_goes_around_the_boxes_between() -> None:
    """A residual block: 0 -> 1 -> 2 -> 3 and 0 -> 3."""
    edges = [(0, 1), (1, 2), (2, 3), (0, 3)]
    placed = place([(100.0, 30.0)] * 4, edges, (20.0, 20.0))
    for x, y in placed.routes[3][1:-1]:
        for node in (1, 2):
            inside = placed.tops[node] <= y <= placed.tops[node] + 30
            assert not inside or abs(x - placed.centers[node]) > 50


@given(data=st.data(), count=st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_no_two_boxes_touch_and_every_edge_points_down(data: st.DataObject, count: int) -> None:
    pairs = [(source, target) for target in range(count) for source in range(target)]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    sizes = [
        (float(width), float(height))
        for width, height in data.draw(
            st.lists(st.tuples(st.integers(20, 90), st.integers(10, 50)), min_size=count, max_size=count)
        )
    ]
    placed = place(sizes, edges, (12.0, 15.0))
    for one in range(count):
        assert sizes[one][0] / 2 <= placed.centers[one] + 1e-6
        assert placed.centers[one] + sizes[one][0] / 2 <= placed.width + 1e-6
        for other in range(one):
            across = abs(placed.centers[one] - placed.centers[other]) - (sizes[one][0] + sizes[other][0]) / 2
            down = max(
                placed.tops[one] - placed.tops[other] - sizes[other][1], placed.tops[other] - placed.tops[one] - sizes[one][1]
            )
            assert across > 11.9 or down > 14.9
    for (source, target), route in zip(edges, placed.routes, strict=True):
        assert route[0] == (placed.centers[source], placed.tops[source] + sizes[source][1])
        assert route[-1] == (placed.centers[target], placed.tops[target])
        assert [y for _, y in route] == sorted(y for _, y in route)


def test_many_edges_do_not_take_for_ever() -> None:
    count = 180
    edges = [(source, target) for target in range(count) for source in range(max(0, target - 40), target)]
    placed = place([(50.0, 20.0)] * count, edges, (10.0, 10.0))
    assert len(placed.routes) == len(edges)


def test_an_empty_picture_is_still_one() -> None:
    with pytest.raises(IndexError):
        place([], [(0, 1)], (1.0, 1.0))
    assert place([], [], (1.0, 1.0)).width == 0
