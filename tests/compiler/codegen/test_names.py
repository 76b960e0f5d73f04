"""Names in generated C: a layer's function is called after layer and op, and nothing else there has its name."""

import re
from dataclasses import replace

import pytest
from random_models import model_of
from support.slow import rest_slow

from glyphlite.compiler import Compilation, compile_graph
from glyphlite.compiler.ops import OPS
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph

SEEDS = range(1, 121, 4)


def compilations(seed: int) -> list[Compilation]:
    graph = parse_graph(model_of(seed)[1])
    return [compile_graph(graph, "net", optimize=optimize) for optimize in ("speed", "size")]


def parts_of(compilation: Compilation) -> set[str]:
    """Returns what generated names hold behind the function of the layer that they belong to."""
    text = compilation.files["net.c"] + compilation.files["net_weights.h"]
    functions = {layer.function for layer in compilation.report.layers}
    names = set(re.findall(r"\bnet_\w+", text)) - functions
    return {name.removeprefix(f"{function}_") for name in names for function in functions if name.startswith(f"{function}_")}


@pytest.mark.slow
def test_no_part_is_called_like_an_op():
    """So that LAYER_OP_PART is never the LAYER_OP of another layer."""
    parts = {part for seed in SEEDS for compilation in compilations(seed) for part in parts_of(compilation)}
    ops = {name.lower() for name in OPS}
    assert {"bias", "fill_patch", "add_row", "finish", "lane_weights"} <= parts
    for part in parts:
        assert not any(part == op or part.endswith(f"_{op}") for op in ops), part
        assert not any(part.startswith(f"{op}_") and part.removeprefix(f"{op}_") in parts for op in ops), part


def renamed(graph: Graph, name: str) -> Graph:
    """Returns the graph with all its layers called alike."""
    outputs = {operator.outputs[0] for operator in graph.operators if operator.outputs}
    tensors = (replace(each, name=f"m/{name}/x") if each.index in outputs else each for each in graph.tensors)
    return replace(graph, tensors=tuple(tensors))


@pytest.mark.parametrize("name", rest_slow(["input", "run", "t", "t_conv_2d", "depthwise", "leaky"]))
def test_functions_of_layers_that_are_called_alike_differ(name: str):
    for seed in SEEDS[:10]:
        graph = renamed(parse_graph(model_of(seed)[1]), name)
        compilation = compile_graph(graph, "net")
        functions = [function for layer in compilation.report.layers for function in layer.functions]
        text = compilation.files["net.c"]
        assert len(functions) == len(set(functions))
        for function in functions:
            assert len(re.findall(rf"^NET_LAYER void {function}\(", text, re.MULTILINE)) == 1


def test_a_layer_and_an_op_together_are_not_another_layer():
    """Two names that would meet: layer ``x_depthwise`` of a CONV_2D, and layer ``x`` of a DEPTHWISE_CONV_2D."""
    for seed in range(1, 400, 2):
        graph = parse_graph(model_of(seed)[1])
        first = {operator.name: operator.outputs[0] for operator in reversed(graph.operators) if operator.outputs}
        if not {"CONV_2D", "DEPTHWISE_CONV_2D"} <= set(first):
            continue
        names = {first["CONV_2D"]: "m/x_depthwise/x", first["DEPTHWISE_CONV_2D"]: "m/x/x"}
        tensors = tuple(replace(each, name=names.get(each.index, each.name)) for each in graph.tensors)
        layers = compile_graph(replace(graph, tensors=tensors), "net").report.layers
        assert len({layer.function for layer in layers}) == len(layers)
        return
    pytest.fail("no model has both ops")
