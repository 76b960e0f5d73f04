"""Channels that hold one value whatever comes in are removed, and no byte of TFLite Micro's or LiteRT's answers changes."""

from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from support.stuck_channels import network

from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.channel_bounds import channel_bounds
from glyphlite.tflite.rewrite.constant_channels import without_constant_channels
from glyphlite.tflite.rewrite.optimization import optimize_file
from glyphlite.tflite.writer import pack_model, unpack_model

RESHAPE = schema.BuiltinOperator.RESHAPE


def tflm_answers(content: bytes) -> bytes:
    from tflite_micro import runtime

    interpreter, given = runtime.Interpreter.from_bytes(content, arena_size=1 << 20), b""
    for image in _images():
        interpreter.set_input(image, 0)
        interpreter.invoke()
        given += interpreter.get_output(0).tobytes()
    return given


def _images() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    drawn = [rng.integers(-128, 128, (1, 8, 8, 3)).astype(np.int8) for _ in range(6)]
    return [*drawn, np.full((1, 8, 8, 3), -128, np.int8), np.full((1, 8, 8, 3), 127, np.int8)]


def litert_answers(content: bytes) -> bytes:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    given = b""
    for image in _images():
        interpreter.set_tensor(source, image)
        interpreter.invoke()
        given += interpreter.get_tensor(target).tobytes()
    return given


@pytest.mark.parametrize("seed", range(24))
def test_no_byte_changes_where_channels_go(seed: int) -> None:
    content, expected = network(seed)
    optimized = optimize_file(content, "model")
    graphs = [parse_graph(each) for each in (content, optimized.content)]
    before, after = (graph.tensors[graph.operators[0].outputs[0]].shape[-1] for graph in graphs)
    assert before - after == expected
    assert tflm_answers(optimized.content) == tflm_answers(content)
    assert litert_answers(optimized.content) == litert_answers(content)


@pytest.mark.parametrize("rank", [2, 3])
def test_the_shape_that_a_reshape_asks_for_may_lie_in_a_tensor_of_any_rank(rank: int) -> None:
    seen = 0
    for seed in range(24):
        content, expected = network(seed)
        model = unpack_model(content)
        graph = model.subgraphs[0]
        codes = [code.builtinCode for code in model.operatorCodes]
        shapes = [graph.tensors[each.inputs[1]] for each in graph.operators if codes[each.opcodeIndex] == RESHAPE]
        for shape in shapes if expected else ():
            count = int(np.prod(shape.shape))
            shape.shape = [*([1] * (rank - 1)), count]
            changed = pack_model(model)
            optimized = optimize_file(changed, "model").content
            assert tflm_answers(optimized) == tflm_answers(content)
            seen += 1
    assert seen


@pytest.mark.parametrize("seed", range(8))
def test_a_reshape_without_the_tensor_of_its_shape_changes_no_other_tensor(seed: int) -> None:
    content, expected = network(seed)
    model = unpack_model(content)
    graph = model.subgraphs[0]
    codes = [code.builtinCode for code in model.operatorCodes]
    reshapes = [each for each in graph.operators if codes[each.opcodeIndex] == RESHAPE]
    if not reshapes or not expected:
        return
    for operator in reshapes:
        operator.inputs = np.array([operator.inputs[0], -1], np.int32)  # -1: left out; TFLite Micro takes the output's shape
    changed = pack_model(model)
    optimized = [optimize_file(each, "model").content for each in (content, changed)]
    assert tflm_answers(optimized[1]) == tflm_answers(content)
    whole, without = (parse_graph(each).tensors[-1] for each in optimized)
    assert whole.name == without.name
    assert whole.data is not None
    assert without.data is not None
    assert np.array_equal(whole.data, without.data)


def test_the_networks_have_what_is_looked_for() -> None:
    counts = [network(seed)[1] for seed in range(24)]
    assert sum(count > 0 for count in counts) > 15
    assert min(counts) < 3


def test_bounds_hold_what_tflite_micro_computes() -> None:
    from tflite_micro import runtime

    preserve = runtime.InterpreterConfig.kPreserveAllTensors
    for seed in range(24):
        content, _ = network(seed)
        bounds = channel_bounds(parse_graph(content))
        interpreter = runtime.Interpreter.from_bytes(content, arena_size=1 << 20, intrepreter_config=preserve)
        for image in _images():
            interpreter.set_input(image, 0)
            interpreter.invoke()
            for index, (low, high) in bounds.items():
                values = np.array(interpreter.GetTensor(index, 0)["tensor_data"]).reshape(-1, len(low))
                assert (values >= low).all()
                assert (values <= high).all()
        assert len(bounds) >= 2


@pytest.mark.parametrize("seed", range(24))
def test_a_constant_that_is_read_with_weights_of_zero_alone_needs_no_bias(seed: int) -> None:
    """The layer that reads it has no bias to which anything could be added."""
    graph = parse_graph(network(seed)[0])
    bounds = channel_bounds(graph)
    maker, reader = graph.operators[0], graph.operators[1]
    while reader.name not in ("CONV_2D", "FULLY_CONNECTED"):
        reader = graph.operators[reader.index + 1]
    low, high = bounds[maker.outputs[0]]
    weights = graph.tensors[reader.inputs[1]]
    assert weights.data is not None
    data = weights.data.copy()
    data.reshape(-1, weights.shape[-1])[:, np.resize(low == high, weights.shape[-1])] = 0
    tensors, operators = list(graph.tensors), list(graph.operators)
    tensors[weights.index] = replace(weights, data=data)
    operators[reader.index] = replace(reader, inputs=(*reader.inputs[:2], -1))
    tensors.append(replace(graph.tensors[graph.outputs[0]], index=len(tensors)))  # the one that an index of -1 would find
    narrowed, removed = without_constant_channels(replace(graph, tensors=tuple(tensors), operators=tuple(operators)), int4=True)
    assert removed >= int((low == high).sum()) - 1
    assert narrowed.operators[reader.index].inputs[2] == -1
