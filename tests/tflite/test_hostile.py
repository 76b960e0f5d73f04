"""Files that are well-formed but make no sense, one lie each: every one is refused by a line that names the lie."""

import copy
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.altered import buffer, changed, code, graph, operator, option, quantization, tensor
from support.lenient import unused

from glyphlite.errors import ArtifactError
from glyphlite.tflite import flatbuffer
from glyphlite.tflite.graph import Graph
from glyphlite.tflite.reader import parse_graph, read_graph

INT8 = "model_int8.tflite"
CONV, POOL, RESHAPE, DENSE, LOGITS, SOFTMAX = range(6)
CONV_WEIGHTS, CONV_BIAS, CONV_OUT, INPUT, SHAPE = 7, 6, 8, 0, 1


def swap_operators(model: Any) -> None:
    operators = model.subgraphs[0].operators
    operators[0], operators[1] = operators[1], operators[0]


def second_model(**fields: Any) -> Callable[[Any], None]:
    """The model once more behind itself, as another signature's, and there something that is wrong."""

    def change(model: Any) -> None:
        other = copy.deepcopy(model.subgraphs[0])
        for name, value in fields.items():
            setattr(other if hasattr(other, name) else other.operators[0], name, value)
        model.subgraphs.append(other)

    return change


def runs_the_second_model(model: Any) -> None:
    second_model()(model)
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.WHILE


def signature_of_no_subgraph(model: Any) -> None:
    model.signatureDefs[0].subgraphIndex = 1


def custom_reads_ahead(model: Any) -> None:
    """A custom op in the place of the first, which reads what the second writes."""
    model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = 32
    model.operatorCodes[0].customCode = "own"
    model.subgraphs[0].operators[0].inputs = [0, 9]


def narrowed_with_zero_points(model: Any) -> None:
    """The first kernel in four bits, which its zero points exceed."""
    weights = model.subgraphs[0].tensors[CONV_WEIGHTS]
    weights.type = schema.TensorType.INT4
    weights.quantization.zeroPoint = np.full(8, 8)
    model.buffers[weights.buffer].data = model.buffers[weights.buffer].data[::2]


LIES: dict[str, tuple[Callable[[Any], None], str]] = {
    "input index": (operator(CONV, inputs=[99, 7, 6]), "tensor 99 does not exist"),
    "negative index": (operator(CONV, inputs=[-2, 7, 6]), "tensor -2 does not exist"),
    "absent input": (operator(CONV, inputs=[0, -1, 6]), "lacks an input"),
    "output index": (operator(CONV, outputs=[2**31 - 1]), "does not exist"),
    "no output": (operator(CONV, outputs=[]), "no outputs"),
    "another op, too few inputs": (code(4, builtinCode=56, deprecatedBuiltinCode=56), "ARG_MAX"),
    "two outputs": (operator(SOFTMAX, outputs=[13, 13]), "one writer"),
    "a bias without values": (tensor(CONV_BIAS, shape=[0], buffer=0, quantization=None), "holds no values"),
    "weights without values": (tensor(CONV_WEIGHTS, shape=[0], buffer=0), "every extent"),
    "a shape without values": (tensor(SHAPE, shape=[0], buffer=0), "another number of values|computes the shape"),
    "an input without values": (tensor(INPUT, shape=[0], type=2), "holds no values|every extent"),
    "an unused tensor of another buffer": (unused([4], buffer=500), "names buffer 500"),
    "an unused tensor of an unknown type": (unused([4], type=99), "unknown element type 99"),
    "memory that an op writes later": (custom_reads_ahead, "before any op has written it"),
    "too many inputs": (operator(POOL, inputs=[8, 8]), "2 inputs"),
    "cycle": (operator(CONV, inputs=[9, 7, 6]), "before any op has written it"),
    "order": (swap_operators, "before any op has written it"),
    "writes its input": (operator(SOFTMAX, outputs=[12]), "one writer"),
    "writes a constant": (operator(SOFTMAX, outputs=[3]), "one writer"),
    "graph input": (graph(inputs=[77]), "tensor 77 does not exist"),
    "constant input": (graph(inputs=[CONV_WEIGHTS]), "is a constant"),
    "no input": (graph(inputs=[]), "no inputs"),
    "input twice": (graph(inputs=[0, 0]), "twice"),
    "graph output": (graph(outputs=[-1]), "tensor -1 does not exist"),
    "no ops": (graph(operators=[]), "no op writes the output"),
    "loop": (runs_the_second_model, "2 subgraphs, and number 1 takes or gives tensors"),
    "second model's output": (second_model(outputs=[-1]), "subgraph 1: its outputs: tensor -1 does not exist"),
    "second model without inputs": (second_model(inputs=[]), "subgraph 1 has no inputs"),
    "second model's op": (second_model(opcodeIndex=50), "subgraph 1: op 0 names operator code 50"),
    "signature of no subgraph": (signature_of_no_subgraph, "runs subgraph 1, but the file has 1"),
    "code index": (operator(CONV, opcodeIndex=50), "names operator code 50"),
    "unknown code": (code(0, builtinCode=4000), "unknown builtin code 4000"),
    "placeholder code": (code(0, builtinCode=127, deprecatedBuiltinCode=127), "unknown builtin code 127"),
    "negative code": (code(0, builtinCode=-1, deprecatedBuiltinCode=-3), "unknown builtin code"),
    "nameless custom op": (code(0, builtinCode=32, deprecatedBuiltinCode=32), "custom op without a name"),
    "other options": (operator(CONV, builtinOptionsType=5), "options of another op"),
    "no options": (operator(CONV, builtinOptionsType=0, builtinOptions=None), "strides 0 x 0"),
    "zero stride": (option(CONV, strideW=0), "strides 1 x 0"),
    "huge stride": (option(POOL, strideH=2**31 - 1), "strides"),
    "zero dilation": (option(CONV, dilationHFactor=0), "dilations 0 x 1"),
    "window": (option(POOL, filterWidth=27), "does not fit"),
    "padding": (option(CONV, padding=7), "padding number 7"),
    "activation": (option(DENSE, fusedActivationFunction=6), "activation number 6"),
    "weights format": (option(DENSE, weightsFormat=-1), "weights format number -1"),
    "beta": (option(SOFTMAX, beta=float("nan")), "beta nan"),
    "tiny beta": (option(SOFTMAX, beta=1e-30), "too small"),
    "zero extent": (tensor(CONV_OUT, shape=[1, 0, 26, 8]), "every extent"),
    "negative extent": (tensor(CONV_OUT, shape=[1, -7, 26, 8]), "every extent"),
    "free extent outside the signature": (tensor(CONV_OUT, shape=[1, 26, -1, 8]), "every extent"),
    "overflow": (tensor(CONV_OUT, shape=[2**31 - 1] * 4), "more than"),
    "rank": (tensor(CONV_OUT, shape=[1] * 9), "9 dimensions"),
    "wrong output shape": (tensor(CONV_OUT, shape=[1, 26, 25, 8]), r"computes the shape \[1, 26, 26, 8\]"),
    "wrong channels": (tensor(INPUT, shape=[1, 28, 28, 3]), "does not fit|computes the shape"),
    "flat input": (tensor(INPUT, shape=[784]), "4 dimensions"),
    "type": (tensor(INPUT, type=99), "unknown element type 99"),
    "string": (tensor(INPUT, type=5), "STRING"),
    "packed": (tensor(CONV_WEIGHTS, type=17), "int4 of shape .* takes 36 bytes, its buffer holds 72"),
    "packed activation": (tensor(CONV_OUT, type=17), "an activation of 4 bits"),
    "packed zero point": (narrowed_with_zero_points, "zero points 8 to 8; int4 takes -8 to 7"),
    "two bits": (tensor(CONV_WEIGHTS, type=19), "INT2"),
    "mixed types": (tensor(9, type=0), "mixes the types|16-bit|types"),
    "bias type": (tensor(CONV_BIAS, type=9, shape=[32]), "scales along axis|bias"),
    "buffer index": (tensor(CONV_WEIGHTS, buffer=500), "names buffer 500"),
    "shared buffer": (tensor(CONV_WEIGHTS, buffer=7), "its buffer holds 32"),
    "short buffer": (buffer(8, data=np.zeros(71, np.uint8)), "its buffer holds 71"),
    "no weights": (buffer(8, data=None), "before any op has written it"),
    "outside buffer": (buffer(8, data=None, offset=2**40, size=72), "past the end"),
    "external buffer": (tensor(CONV_WEIGHTS, externalBuffer=3), "another file"),
    "sparse": (tensor(CONV_WEIGHTS, sparsity=schema.SparsityParametersT()), "sparse"),
    "variable constant": (tensor(CONV_WEIGHTS, isVariable=True), "variable and a constant"),
    "zero scale": (quantization(CONV_OUT, scale=[0.0]), "finite number above 0"),
    "negative scale": (quantization(CONV_OUT, scale=[-0.1]), "finite number above 0"),
    "endless scale": (quantization(CONV_OUT, scale=[float("inf")]), "finite number above 0"),
    "no number as scale": (quantization(CONV_WEIGHTS, scale=[0.1] * 7 + [float("nan")]), "finite number above 0"),
    "no scale": (quantization(CONV_OUT, scale=None, zeroPoint=None), "without a scale"),
    "scales without zero points": (quantization(CONV_OUT, zeroPoint=None), "zero points"),
    "zero points without scales": (quantization(CONV_OUT, scale=[]), "no scales"),
    "zero point": (quantization(CONV_OUT, zeroPoint=[128]), "int8 takes -128 to 127"),
    "huge zero point": (quantization(CONV_OUT, zeroPoint=[-(2**63)]), "int8 takes"),
    "bias zero point": (quantization(CONV_BIAS, zeroPoint=[1] + [0] * 7), "zero point other than 0"),
    "too few scales": (quantization(CONV_WEIGHTS, scale=[0.1] * 7, zeroPoint=[0] * 7), "one per channel"),
    "axis": (quantization(CONV_WEIGHTS, quantizedDimension=4), "axis 4"),
    "negative axis": (quantization(CONV_WEIGHTS, quantizedDimension=-1), "axis -1"),
    "wrong axis": (
        quantization(CONV_WEIGHTS, quantizedDimension=1, scale=[0.1] * 3, zeroPoint=[0] * 3),
        "weight scales along axis 1",
    ),
    "scheme": (quantization(CONV_WEIGHTS, detailsType=1, details=schema.CustomQuantizationT()), "scheme"),
    "schema": (lambda model: setattr(model, "version", 2), "schema version 2"),
    "signature tensor": (lambda model: setattr(model.signatureDefs[0].inputs[0], "tensorIndex", 14), "tensor 14 does not exist"),
    "metadata": (lambda model: setattr(model.metadata[0], "buffer", 10_000), "buffer 10000"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_named(samples: Path, lie: str) -> None:
    change, words = LIES[lie]
    content = changed(samples / INT8, change)
    with pytest.raises(ArtifactError, match=words) as caught:
        parse_graph(content, "some.tflite")
    assert str(caught.value).startswith("some.tflite")
    assert len(str(caught.value)) < 400


def test_unchanged_it_is_read(samples: Path) -> None:
    graph = parse_graph(changed(samples / INT8, lambda model: None))
    assert same(graph, read_graph(samples / "model_int8.tflite"))


def same(one: Graph, other: Graph) -> bool:
    return one.operators == other.operators and all(
        (a.name, a.shape, a.dtype, a.quantization) == (b.name, b.shape, b.dtype, b.quantization)
        and (a.data is None) == (b.data is None)
        and (a.data is None or b.data is None or np.array_equal(a.data, b.data))
        for a, b in zip(one.tensors, other.tensors, strict=True)
    )


def test_constants_stored_behind_the_flatbuffer_are_read(samples: Path) -> None:
    original = read_graph(samples / "model_int8.tflite")
    values = original.tensors[CONV_WEIGHTS].data
    assert values is not None
    content = changed(samples / INT8, buffer(8, data=None, offset=2, size=values.nbytes))
    stored = struct.pack("<Q", 2)
    place = content.rfind(stored)
    assert content.count(stored) >= 1
    start = len(content)
    moved = content[:place] + struct.pack("<Q", start) + content[place + 8 :] + values.tobytes()
    again = parse_graph(moved).tensors[CONV_WEIGHTS].data
    assert again is not None
    assert np.array_equal(again, values)


def test_names_from_the_file_cannot_break_the_line(samples: Path) -> None:
    evil = "\033[31mred\r\n" + "x" * 5000

    def change(model: Any) -> None:
        tensor(CONV_OUT, name=evil)(model)
        quantization(CONV_OUT, scale=[0.0])(model)

    content = changed(samples / INT8, change)
    with pytest.raises(ArtifactError) as caught:
        parse_graph(content)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_shared_offsets_cannot_unfold_without_end() -> None:
    """Hundreds of thousands of offsets to one buffer table: a megabyte that would unfold into as many records."""
    entries = 300_000
    head = struct.pack("<I4s", 24, b"TFL3") + struct.pack("<7H", 14, 8, 0, 0, 0, 0, 4) + b"\0\0"
    root = struct.pack("<iI", 16, 4)
    offsets = b"".join(struct.pack("<I", 4 * (entries - place) + 4) for place in range(entries))
    leaf = struct.pack("<HHi", 4, 4, 4)
    with pytest.raises(ArtifactError, match="more than 65,536 tables"):
        parse_graph(head + root + struct.pack("<I", entries) + offsets + leaf)


def test_budget_is_spent_by_tables_not_by_bytes(monkeypatch: pytest.MonkeyPatch, samples: Path) -> None:
    monkeypatch.setattr(flatbuffer, "BUDGET", 10 * flatbuffer.TABLE_COST)
    with pytest.raises(ArtifactError, match="more than 10 tables"):
        read_graph(samples / "model_int8.tflite")


@given(content=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_random_bytes_behind_the_mark_never_escape(content: bytes) -> None:
    with pytest.raises(ArtifactError):
        parse_graph(b"\x10\0\0\0TFL3" + content)


@given(length=st.integers(0, 25_855))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_cut_file_is_refused_or_lost_nothing(samples: Path, length: int) -> None:
    content = (samples / "model_int8.tflite").read_bytes()
    try:
        graph = parse_graph(content[:length])
    except ArtifactError:
        return
    assert same(graph, parse_graph(content))


@given(place=st.integers(0, 25_855), value=st.integers(1, 255))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_is_refused_or_read_as_the_schema_reads_it(samples: Path, place: int, value: int) -> None:
    damaged = bytearray((samples / "model_int8.tflite").read_bytes())
    damaged[place] ^= value
    try:
        graph = parse_graph(bytes(damaged))
    except ArtifactError:
        return
    model: Any = schema.ModelT.InitFromPackedBuf(bytes(damaged))
    assert [list(operator.inputs) for operator in graph.operators] == [
        operator.inputs.tolist() for operator in model.subgraphs[0].operators
    ]
    for read, stored in zip(graph.tensors, model.subgraphs[0].tensors, strict=True):
        if stored.shapeSignature is None:
            assert list(read.shape) == ([] if stored.shape is None else stored.shape.tolist())
        data = model.buffers[stored.buffer].data
        if read.data is not None:
            assert read.data.tobytes() == data.tobytes()
