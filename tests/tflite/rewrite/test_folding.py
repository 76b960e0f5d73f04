"""What is computed ahead of time is what LiteRT computes, op by op, and TFLite Micro's bytes stay."""

from typing import Any

import numpy as np
import pytest
from support.assembled import Assembly

from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite import constant_ops, folding
from glyphlite.tflite.rewrite.folding import fold_constants, folded_values

OPTIONS = {
    "STRIDED_SLICE": "StridedSliceOptions",
    "PACK": "PackOptions",
    "UNPACK": "UnpackOptions",
    "GATHER": "GatherOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CAST": "CastOptions",
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    **dict.fromkeys(("REDUCE_PROD", "REDUCE_MAX", "REDUCE_MIN", "SUM"), "ReducerOptions"),
}

Case = tuple[str, list[np.ndarray], list[tuple[str, tuple[int, ...]]], dict[str, Any]]
"""An op, its constant inputs, type and shape of each output, options by the schema's names."""


def ints(*values: Any, dtype: str = "int32") -> np.ndarray:
    """A vector of integers; of one list that list, whatever its nesting."""
    return np.array(values[0] if len(values) == 1 and isinstance(values[0], list) else values, dtype)


def scalar(value: int, dtype: str = "int32") -> np.ndarray:
    return np.array(value, dtype)


CASES: dict[str, Case] = {
    "one extent of a shape": (
        "STRIDED_SLICE",
        [ints(1, 7, 9, 4), ints(0), ints(1), ints(1)],
        [("int32", ())],
        {"shrinkAxisMask": 1},
    ),
    "the last two extents": ("STRIDED_SLICE", [ints(1, 7, 9, 4), ints(-2), ints(9), ints(1)], [("int32", (2,))], {}),
    "extents backwards": (
        "STRIDED_SLICE",
        [ints(1, 7, 9, 4), ints(0), ints(0), ints(-1)],
        [("int32", (4,))],
        {"beginMask": 1, "endMask": 1},
    ),
    "a block of a matrix": (
        "STRIDED_SLICE",
        [ints([[1, 2, 3], [4, 5, 6]]), ints(0, 1), ints(2, 3), ints(1, 1)],
        [("int32", (2, 2))],
        {},
    ),
    "a slice": ("SLICE", [ints(1, 7, 9, 4), ints(1), ints(-1)], [("int32", (3,))], {}),
    "a packed shape": ("PACK", [scalar(1), scalar(144)], [("int32", (2,))], {"valuesCount": 2, "axis": 0}),
    "packed rows": ("PACK", [ints(1, 2), ints(3, 4)], [("int32", (2, 2))], {"valuesCount": 2, "axis": 1}),
    "unpacked extents": ("UNPACK", [ints(1, 7, 9)], [("int32", ())] * 3, {"num": 3, "axis": 0}),
    "gathered extents": ("GATHER", [ints(1, 7, 9, 4), ints(3, 1)], [("int32", (2,))], {"axis": 0}),
    "one gathered extent": ("GATHER", [ints(1, 7, 9, 4), scalar(2)], [("int32", ())], {"axis": 0}),
    "joined shapes": ("CONCATENATION", [ints(1, 7), ints(9)], [("int32", (3,))], {"axis": 0}),
    "a reshaped extent": ("RESHAPE", [scalar(7), ints(1)], [("int32", (1,))], {}),
    "an expanded extent": ("EXPAND_DIMS", [scalar(7), scalar(0)], [("int32", (1,))], {}),
    "a wide extent": ("CAST", [ints(7, -3)], [("int64", (2,))], {"inDataType": 2, "outDataType": 4}),
    "a narrow extent": ("CAST", [ints(7, -3, dtype="int64")], [("int32", (2,))], {"inDataType": 4, "outDataType": 2}),
    "a truth as a number": ("CAST", [ints(1, 0, dtype="bool")], [("int32", (2,))], {"inDataType": 6, "outDataType": 2}),
    "a filled buffer": ("FILL", [ints(2, 3), scalar(5)], [("int32", (2, 3))], {}),
    "a filled buffer of numbers": ("FILL", [ints(2, 3), np.array(0.5, np.float32)], [("float32", (2, 3))], {}),
    "a range": ("RANGE", [scalar(2), scalar(11), scalar(3)], [("int32", (3,))], {}),
    "a range downwards": ("RANGE", [scalar(5), scalar(0), scalar(-2)], [("int32", (3,))], {}),
    "a sum of extents": ("ADD", [ints(1, 7), ints(9)], [("int32", (2,))], {}),
    "a difference": ("SUB", [ints(1, 7), ints(9, 2)], [("int32", (2,))], {}),
    "a product": ("MUL", [ints(3, 7), ints(9, -2)], [("int32", (2,))], {}),
    "a quotient": ("FLOOR_DIV", [ints(9, -7), ints(2, 2)], [("int32", (2,))], {}),
    "the larger": ("MAXIMUM", [ints(9, -7), ints(2, 2)], [("int32", (2,))], {}),
    "the smaller": ("MINIMUM", [ints(9, -7), ints(2, 2)], [("int32", (2,))], {}),
    "elements of a shape": ("REDUCE_PROD", [ints(7, 9, 4), ints(0)], [("int32", ())], {}),
    "elements of rows": ("REDUCE_PROD", [ints([[7, 9], [4, 2]]), ints(-1)], [("int32", (2, 1))], {"keepDims": True}),
    "the largest extent": ("REDUCE_MAX", [ints(7, 9, 4), ints(0)], [("int32", ())], {}),
    "the smallest extent": ("REDUCE_MIN", [ints(7, 9, 4), ints(0)], [("int32", ())], {}),
    "all extents": ("SUM", [ints(7, 9, 4), ints(0)], [("int32", ())], {}),
    "equal": ("EQUAL", [ints(7, 9), ints(7, 8)], [("bool", (2,))], {}),
    "not equal": ("NOT_EQUAL", [ints(7, 9), ints(7, 8)], [("bool", (2,))], {}),
    "less": ("LESS", [ints(7, 9), ints(8, 8)], [("bool", (2,))], {}),
    "less or equal": ("LESS_EQUAL", [ints(7, 8), ints(6, 8)], [("bool", (2,))], {}),
    "greater": ("GREATER", [ints(7, 9), ints(8, 8)], [("bool", (2,))], {}),
    "greater or equal": ("GREATER_EQUAL", [ints(7, 8), ints(8, 8)], [("bool", (2,))], {}),
    "chosen extents": ("SELECT_V2", [ints(1, 0, dtype="bool"), ints(7, 9), ints(1, 2)], [("int32", (2,))], {}),
    "chosen extents of one shape": ("SELECT", [ints(1, 0, dtype="bool"), ints(7, 9), ints(1, 2)], [("int32", (2,))], {}),
    "squeezed": ("SQUEEZE", [ints([[7]])], [("int32", ())], {}),
}


def of_one_op(case: Case) -> bytes:
    """A model in which an op reads constants, and what it writes is added to an input each, so that it is no output itself."""
    name, inputs, outputs, options = case
    assembly = Assembly()
    model = assembly.subgraph()
    written = [model.tensor(shape, None, dtype) for dtype, shape in outputs]
    model.op(name, [model.constant(value) for value in inputs], written, OPTIONS.get(name, ""), **options)
    ports: list[tuple[int, int]] = []
    for (dtype, shape), value in zip(outputs, written, strict=True):
        source, result = model.tensor(shape, None, dtype), model.tensor(shape, None, dtype)
        adds = dtype != "bool"
        model.op("ADD" if adds else "LOGICAL_AND", [source, value], [result], "AddOptions" if adds else "")
        ports.append((source, result))
    model.edges([source for source, _ in ports], [result for _, result in ports])
    return assembly.pack()


def litert_outputs(content: bytes, graph: Graph) -> list[np.ndarray]:
    """What LiteRT computes where every input is 0 (or true)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    for index in graph.inputs:
        tensor = graph.tensors[index]
        interpreter.set_tensor(index, np.full(tensor.shape, tensor.dtype == np.bool_, tensor.dtype))
    interpreter.invoke()
    return [interpreter.get_tensor(index) for index in graph.outputs]


@pytest.mark.parametrize("name", CASES)
def test_each_op_is_computed_as_litert_does(name: str) -> None:
    content = of_one_op(CASES[name])
    graph = parse_graph(content, name)
    values = folded_values(graph)
    known = [values[index] for index in graph.operators[0].outputs]
    expected = litert_outputs(content, graph)
    assert [value.tolist() for value in known] == [value.tolist() for value in expected]
    assert [(value.dtype, value.shape) for value in known] == [(value.dtype, value.shape) for value in expected]
    assert [operator.name for operator in fold_constants(graph).operators] == [each.name for each in graph.operators[1:]]


def test_every_op_that_is_computed_ahead_has_a_case() -> None:
    assert {case[0] for case in CASES.values()} == set(constant_ops.EVALUATORS)


TOO_MANY = constant_ops.MOST_ELEMENTS + 1

REFUSED: dict[str, Case] = {
    "a sum beyond 32 bits": ("ADD", [ints(2**31 - 1), ints(1)], [("int32", (1,))], {}),
    "a product beyond 32 bits": ("REDUCE_PROD", [ints(65536, 65536), ints(0)], [("int32", ())], {}),
    "a product without end": ("REDUCE_PROD", [ints([65536] * 40), ints(0)], [("int32", ())], {}),
    "a wide number beyond 32 bits": ("CAST", [ints(2**40, dtype="int64")], [("int32", (1,))], {}),
    "a sum that is clamped": ("ADD", [ints(-3), ints(1)], [("int32", (1,))], {"fusedActivationFunction": 1}),
    "a quotient by 0": ("FLOOR_DIV", [ints(9), ints(0)], [("int32", (1,))], {}),
    "real numbers": ("ADD", [np.array([0.5], np.float32)] * 2, [("float32", (1,))], {}),
    "a cast of real numbers": ("CAST", [np.array([0.5], np.float32)], [("int32", (1,))], {}),
    "a fill of another shape": ("FILL", [ints(3, 2), scalar(5)], [("int32", (2, 3))], {}),
    "a range of another length": ("RANGE", [scalar(0), scalar(9), scalar(1)], [("int32", (3,))], {}),
    "a range without end": ("RANGE", [scalar(0), scalar(2**31 - 1), scalar(1)], [("int32", (3,))], {}),
    "a new axis": ("STRIDED_SLICE", [ints(1, 7), ints(0), ints(1), ints(1)], [("int32", (1,))], {"newAxisMask": 1}),
    "a large buffer": (
        "FILL",
        [ints(constant_ops.MOST_ELEMENTS + 1), scalar(5)],
        [("int32", (constant_ops.MOST_ELEMENTS + 1,))],
        {},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_certain_stays_an_op(name: str) -> None:
    graph = parse_graph(of_one_op(REFUSED[name]), name)
    assert folded_values(graph) == {}
    assert fold_constants(graph) is graph


def test_many_ops_cannot_make_much_of_little(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = parse_graph(of_one_op(CASES["unpacked extents"]), "model")
    monkeypatch.setattr(folding, "MOST_VALUES", 2)
    assert folded_values(graph) == {}


def test_what_the_model_gives_out_is_computed() -> None:
    graph = parse_graph(of_one_op(CASES["a packed shape"]), "model")
    first = graph.operators[0]
    assert folded_values(Graph(graph.tensors, (first,), graph.inputs, first.outputs)) == {}
