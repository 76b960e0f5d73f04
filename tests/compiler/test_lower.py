from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glyphlite.compiler.context import layer_name
from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops import OPS
from glyphlite.compiler.ops.elementwise.binary import Binary
from glyphlite.compiler.ops.elementwise.lookup import Lookup
from glyphlite.compiler.ops.elementwise.softmax import Softmax
from glyphlite.compiler.ops.matrix.convolution import Convolution
from glyphlite.compiler.ops.matrix.fully_connected import FullyConnected
from glyphlite.compiler.passes import optimize
from glyphlite.compiler.schedule import schedule
from glyphlite.errors import ArtifactError
from glyphlite.tflite.graph import Graph, Operator, Tensor
from glyphlite.tflite.quantization import Quantization
from glyphlite.tflite.reader import read_graph


def graph_of(name: str, shape: tuple[int, ...] = (1, 4, 4, 2), dtype: type = np.int8, **options: object) -> Graph:
    """A model of one op on one activation."""
    quantization = Quantization((0.5,), (3,))
    tensors = (
        Tensor(0, "input", shape, np.dtype(dtype), quantization),
        Tensor(1, "model/some_layer/Thing", shape, np.dtype(dtype), quantization),
    )
    return Graph(tensors, (Operator(0, 0, name, (0,), (1,), dict(options)),), (0,), (1,))


def test_micro_cnn_is_four_nodes_in_one_stream(samples: Path):
    program = optimize(lower(read_graph(samples / "model_int8.tflite")))
    first, second, third, last = program.nodes
    assert isinstance(first, Convolution)
    assert first.pooled
    assert isinstance(second, FullyConnected)
    assert isinstance(third, FullyConnected)
    assert isinstance(last, Softmax)
    assert [node.name for node in program.nodes][:3] == ["conv", "fc", "pred"]
    stream = schedule(program)[0]
    assert stream.chain == (first,)
    assert stream.accumulator is second


@pytest.mark.parametrize("variant", ["float32", "float16", "dynamic"])
def test_other_variants_are_refused_with_the_one_to_use(samples: Path, variant: str):
    with pytest.raises(ArtifactError, match="int8"):
        lower(read_graph(samples / f"model_{variant}.tflite"))


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("GELU", "use HARD_SWISH"),
        ("SHAPE", "fixed batch of 1"),
        ("TOPK_V2", "the supported ops are CONV_2D"),
    ],
)
def test_an_op_outside_the_list_is_refused_by_name_with_its_layer_and_what_would_express_it(name: str, advice: str):
    with pytest.raises(ArtifactError, match=f"{name} .*layer some_layer.*not supported") as failure:
        lower(graph_of(name))
    assert advice in str(failure.value)
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (graph_of("MAX_POOL_2D", shape=(2, 4, 4, 2)), "batch of 1"),
        (graph_of("RELU", dtype=np.int16), "int16"),
        (graph_of("MEAN", keep_dims=False), "computed, not constant"),
        (graph_of("LOGISTIC"), "zero point"),
        (graph_of("LEAKY_RELU", alpha=-0.5), "an alpha of -0.5; use zero or more"),
        (graph_of("SOFTMAX", beta=1.0), "1/256"),
        (graph_of("PAD", paddings=((1, 0), (0, 0), (0, 0), (0, 0))), "paddings"),
        (graph_of("CONCATENATION", axis=0, activation="relu"), "differ in scale"),
        (graph_of("DEQUANTIZE", dtype=np.int8), "float arithmetic"),
    ],
)
def test_what_an_op_cannot_do_is_said(graph: Graph, words: str):
    with pytest.raises(ArtifactError, match=words):
        lower(graph)


def floats(*names: str, last: type = np.float32) -> Graph:
    """A model of a RELU of int8, a DEQUANTIZE, and ops one after the other in float32."""
    quantization = Quantization((0.5,), (3,))
    types = [np.int8, np.int8, *[np.float32] * (len(names)), last]
    tensors = tuple(
        Tensor(index, f"net/t{index}", (1, 4), np.dtype(kind), quantization if kind is np.int8 else None)
        for index, kind in enumerate(types)
    )
    operators = tuple(
        Operator(index, 0, name, (index,), (index + 1,)) for index, name in enumerate(("RELU", "DEQUANTIZE", *names))
    )
    return Graph(tensors, operators, (0,), (len(tensors) - 1,))


def test_a_tail_in_float_is_refused_with_where_to_end_the_model():
    words = (
        r"DEQUANTIZE \(op 1, .*from here to its output the model computes in float: LEAKY_RELU \(op 2\), SOFTMAX \(op 3\); "
        r"end the model at tensor net/t1 and compute the rest in your program, or convert with --to int8"
    )
    with pytest.raises(ArtifactError, match=words):
        lower(floats("LEAKY_RELU", "SOFTMAX"))


def test_float_in_the_middle_is_refused_by_the_ops_that_compute_so():
    words = r"float arithmetic inside the model: ELU \(op 2\); convert with full integer quantization"
    with pytest.raises(ArtifactError, match=words):
        lower(floats("ELU", "QUANTIZE", last=np.int8))


def test_uint8_is_refused_as_the_quantization_of_old_converters():
    with pytest.raises(ArtifactError, match="its input is uint8; uint8 is the quantization of old converters: convert the model"):
        lower(graph_of("LOGISTIC", dtype=np.uint8))


def test_a_custom_op_is_refused_by_its_own_name():
    graph = graph_of("CUSTOM")
    operator = replace(graph.operators[0], custom_code="ethos-u")
    with pytest.raises(ArtifactError, match="the custom op ethos-u is not supported; use a file of TensorFlow Lite's own ops"):
        lower(replace(graph, operators=(operator,)))


def test_inputs_and_outputs_are_named_after_their_tensors():
    quantization = Quantization((0.5,), (3,))
    names = ("serving_default_left:0", "Left", "model/box/BiasAdd;model/box/MatMul", "StatefulPartitionedCall:1", "input_3")
    tensors = tuple(Tensor(i, name, (1, 4), np.dtype(np.int8), quantization) for i, name in enumerate(names))
    operators = (Operator(0, 0, "RELU", (0,), (2,)), Operator(1, 0, "RELU", (1,), (3,)))
    program = lower(Graph(tensors, operators, (0, 1, 4), (2, 3)))
    assert [edge.name for edge in program.inputs] == ["input_left", "input_left_2", "input_3"]
    assert [edge.name for edge in program.outputs] == ["output_box", "output_1"]
    assert [edge.tensor for edge in program.inputs] == ["serving_default_left:0", "Left", "input_3"]


def test_an_output_that_is_an_input_or_another_output_is_copied():
    quantization = Quantization((0.5,), (3,))
    tensors = tuple(Tensor(i, f"t{i}", (1, 4), np.dtype(np.int8), quantization) for i in range(3))
    operators = (Operator(0, 0, "RELU", (0,), (1,)), Operator(1, 0, "RESHAPE", (1,), (2,)))
    program = optimize(lower(Graph(tensors, operators, (0,), (1, 2, 0))))
    assert [node.name for node in program.nodes] == ["t1", "output_t2_copy", "output_t0_copy"]
    assert len(program.given | program.read) == 4


def test_an_output_that_is_a_float_input_is_refused():
    """TensorFlow Lite Micro gives the value as it came; C has it rounded to a stored integer."""
    stored = Quantization((0.5,), (3,))
    kinds = ((np.float32, None), (np.int8, stored), (np.float32, None))
    tensors = tuple(Tensor(i, f"t{i}", (1, 4), np.dtype(kind), each) for i, (kind, each) in enumerate(kinds))
    operators = (Operator(0, 0, "QUANTIZE", (0,), (1,)), Operator(1, 0, "DEQUANTIZE", (1,), (2,)))
    assert lower(Graph(tensors, operators, (0,), (2,))).outputs
    with pytest.raises(ArtifactError, match="output t0 is its own float32 input, which generated C takes as integers"):
        lower(Graph(tensors, operators, (0,), (2, 0)))


def test_every_op_of_the_issue_has_a_lowering():
    listed = """CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED MAX_POOL_2D AVERAGE_POOL_2D MEAN ADD MUL PAD CONCATENATION RESHAPE
    SQUEEZE RELU RELU6 RELU_N1_TO_1 HARD_SWISH LOGISTIC TANH SOFTMAX QUANTIZE DEQUANTIZE"""
    assert set(listed.split()) <= set(OPS)


@pytest.mark.parametrize(
    ("tensor", "layer"),
    [
        ("net_1/conv_1/Relu;net_1/conv_1/BiasAdd", "conv"),
        ("StatefulPartitionedCall_1:0", "relu"),
        ("a/Conv 2D-x/y", "conv_2d_x"),
        ("3/4/5", "relu"),
    ],
)
def test_layers_are_named_after_their_tensors(tensor: str, layer: str):
    tensors = (*graph_of("RELU").tensors[:1], Tensor(1, tensor, (1, 2), np.dtype(np.int8), None))
    graph = Graph(tensors, graph_of("RELU").operators, (0,), (1,))
    assert layer_name(graph, graph.operators[0]) == layer


def test_a_sum_with_itself_is_a_table():
    graph = graph_of("ADD", activation="none")
    graph = Graph(graph.tensors, (Operator(0, 0, "ADD", (0, 0), (1,), {"activation": "none"}),), (0,), (1,))
    (node,) = lower(graph).nodes
    assert isinstance(node, Lookup)
    real = 0.5 * (np.arange(256) - 131) * 2
    assert np.array_equal(node.answers, np.clip(np.round(real / 0.5) + 131, 0, 255))


def test_binary_results_are_the_rounded_real_ones():
    tensors = tuple(
        Tensor(i, f"t{i}", (1, 1, 1, 300), np.dtype(np.int8), Quantization((s,), (z,)))
        for i, (s, z) in enumerate([(0.02, -5), (0.03, 7), (0.04, 1)])
    )
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 300))
    for name, combine in (("ADD", np.add), ("SUB", np.subtract), ("MUL", np.multiply)):
        graph = Graph(tensors, (Operator(0, 0, name, (0, 1), (2,), {"activation": "none"}),), (0,), (2,))
        with pytest.raises(ArtifactError):
            lower(graph)  # the second operand comes from nowhere
        constant = Tensor(
            1,
            "t1",
            (1, 1, 1, 300),
            np.dtype(np.int8),
            Quantization((0.03,), (7,)),
            (second - 128).astype(np.int8).reshape(1, 1, 1, 300),
        )
        (node,) = lower(Graph((tensors[0], constant, tensors[2]), graph.operators, (0,), (2,))).nodes
        assert isinstance(node, Binary)
        real = combine(0.02 * (first - 123), 0.03 * (second - 135)) / 0.04 + 129
        assert np.abs(node.result(first, second) - np.clip(real, 0, 255)).max() <= 0.51

    quantization = Quantization((0.5,), (3,))
    made = [Tensor(index, f"t{index}", (1, 4), np.dtype(np.int8), quantization) for index in range(5)]
    made[1:3] = [replace(tensor, data=np.ones((1, 4), np.int8)) for tensor in made[1:3]]
    operators = (
        Operator(0, 0, name, (1, 2), (3,), {"activation": "none"}),
        Operator(1, 0, "ADD", (0, 3), (4,), {"activation": "none"}),
    )
    with pytest.raises(ArtifactError, match=rf"{name} \(op 0.*constants alone"):
        lower(Graph(tuple(made), operators, (0,), (4,)))


def test_an_input_that_is_quantized_in_two_ways_is_refused():
    """Generated code takes it in one scale."""
    made = [Tensor(0, "image", (1, 4), np.dtype(np.float32), None)]
    scales = (0.5, 0.25, 1.0)
    made += [
        Tensor(index, f"t{index}", (1, 4), np.dtype(np.int8), Quantization((scale,), (3,)))
        for index, scale in enumerate(scales, 1)
    ]
    operators = (
        Operator(0, 114, "QUANTIZE", (0,), (1,)),
        Operator(1, 114, "QUANTIZE", (0,), (2,)),
        Operator(2, 0, "ADD", (1, 2), (3,), {"activation": "none"}),
    )
    with pytest.raises(ArtifactError, match=r"QUANTIZE \(op 1.*more than once"):
        lower(Graph(tuple(made), operators, (0,), (3,)))
