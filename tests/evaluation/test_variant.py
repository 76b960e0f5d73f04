"""A file's variant is read from its tensors: neither its name nor its ports nor an op's state decide."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.assembled import Assembly

from glyphlite.evaluation.variant import ports_of, type_name_of, variant_of
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_graph

VARIANTS = ["float32", "float16", "dynamic", "int8", "int16x8"]


@pytest.fixture(scope="module")
def int8(samples: Path) -> Graph:
    return read_graph(samples / "model_int8.tflite")


def with_types(graph: Graph, types: dict[int, type]) -> Graph:
    return replace(
        graph, tensors=tuple(replace(t, dtype=np.dtype(types[t.index])) if t.index in types else t for t in graph.tensors)
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_are_told_from_tensors_not_names(variant: str, samples: Path, tmp_path: Path):
    anonymous = tmp_path / "thing.tflite"
    anonymous.write_bytes((samples / f"model_{variant}.tflite").read_bytes())
    assert variant_of(read_graph(anonymous)) == variant


def test_a_file_that_computes_with_uint8_is_called_uint8(int8: Graph):
    everything = {tensor.index: np.uint8 for tensor in int8.tensors if tensor.dtype == np.int8}
    graph = with_types(int8, everything)
    assert variant_of(graph) == "uint8"
    assert ports_of(graph) == ("uint8", "uint8")


def test_an_int8_network_between_uint8_ports_is_called_uint8_and_computes_with_int8(int8: Graph):
    graph = with_types(int8, {int8.inputs[0]: np.uint8, int8.outputs[0]: np.uint8})
    assert ports_of(graph) == ("uint8", "uint8")
    assert (type_name_of(graph), variant_of(graph)) == ("uint8", "int8")


@pytest.mark.parametrize("port", ["inputs", "outputs"])
def test_a_uint8_port_alone_does_not_change_the_name(port: str, int8: Graph):
    assert type_name_of(with_types(int8, {getattr(int8, port)[0]: np.uint8})) == "int8"


@pytest.mark.parametrize("variant", VARIANTS)
def test_our_variants_keep_their_names(variant: str, samples: Path):
    assert type_name_of(read_graph(samples / f"model_{variant}.tflite")) == variant


def test_ports_of_another_type_do_not_make_another_variant(int8: Graph):
    graph = with_types(int8, {int8.inputs[0]: np.uint8})
    assert variant_of(graph) == "int8"
    assert ports_of(graph) == ("uint8", "int8")


def test_the_int16_state_of_an_int8_lstm_does_not_make_it_int16x8(int8: Graph):
    """Operands as TensorFlow's converter gives them: the input, weights, and a cell of int16 that the op keeps."""
    cell = replace(int8.input, index=len(int8.tensors), name="cell", dtype=np.dtype(np.int16), is_variable=True)
    first = int8.operators[0]
    lstm = replace(first, name="UNIDIRECTIONAL_SEQUENCE_LSTM", builtin_code=44, inputs=(cell.index, *first.inputs))
    graph = replace(int8, tensors=(*int8.tensors, cell), operators=(lstm, *int8.operators[1:]))
    assert variant_of(graph) == "int8"


def test_one_op_in_int16_does_not_make_the_rest_int16(int8: Graph):
    graph = with_types(int8, {int8.operators[-2].outputs[0]: np.int16, int8.operators[-1].outputs[0]: np.int16})
    assert variant_of(graph) == "int8"


def test_a_custom_op_is_known_by_what_it_writes():
    """As a compiler for an accelerator leaves it: commands as uint8, then the model's own input."""
    assembly = Assembly()
    part = assembly.subgraph()
    commands, source, output = part.tensor((64,), None, "uint8"), part.tensor((1, 8), (0.5, 3)), part.tensor((1, 2), (0.5, 3))
    part.op("CUSTOM", [commands, source], [output])
    part.edges([source], [output])
    assembly.model.operatorCodes[0].customCode = b"ethos-u"
    assert variant_of(parse_graph(assembly.pack())) == "int8"
