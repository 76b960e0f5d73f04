"""Tensors called as their Keras layers are."""

from pathlib import Path

import numpy as np
import pytest

from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.names import layer_of_tensor, with_readable_names

LAYERS = ["input_layer", "conv", "pool", "flatten", "fc", "pred"]


def test_a_converters_file_gets_the_layers_names(samples: Path) -> None:
    content = (samples / "model_int8.tflite").read_bytes()
    before, after = parse_graph(content), parse_graph(with_readable_names(content, LAYERS))
    written = [after.tensors[operator.outputs[0]].name for operator in after.operators]
    assert written == ["conv", "pool", "flatten", "fc", "pred", "probability"]
    operands = [after.tensors[index].name for operator in after.operators for index in operator.inputs[1:]]
    assert operands == ["conv/kernel", "conv/bias", "flatten/shape", "fc/kernel", "fc/bias", "pred/kernel", "pred/bias"]
    for old, new in zip(before.tensors, after.tensors, strict=True):
        assert (old.shape, old.dtype, old.quantization) == (new.shape, new.dtype, new.quantization)
        if old.data is not None:
            assert new.data is not None
            np.testing.assert_array_equal(old.data, new.data)


def test_float16_weights_are_told_from_their_widened_selves(samples: Path) -> None:
    graph = parse_graph(with_readable_names((samples / "model_float16.tflite").read_bytes(), LAYERS))
    stored = {tensor.name: tensor.dtype for tensor in graph.tensors}
    assert stored["conv/kernel/float16"] == np.float16
    assert stored["conv/kernel"] == np.float32


def test_unknown_layers_are_called_after_their_ops(samples: Path) -> None:
    graph = parse_graph(with_readable_names((samples / "model_int8.tflite").read_bytes(), []))
    written = [graph.tensors[operator.outputs[0]].name for operator in graph.operators]
    assert written == ["conv_2d", "max_pool_2d", "reshape", "fully_connected", "fully_connected_2", "probability"]


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("net_1/conv_1/Relu;net_1/conv_1/BiasAdd;net_1/conv_1/convolution1", "conv"),
        ("net_1/act_1/Relu;net_1/norm_1/batchnorm/add_1;net_1/conv_1/convolution", "conv"),
        ("net_1/conv_2_1/convolution", "conv_2"),
        ("outer_1/inner_1/conv_1/convolution", "conv"),
        ("StatefulPartitionedCall_1:0", None),
        ("", None),
    ],
)
def test_layers_in_fused_names(name: str, layer: str | None) -> None:
    assert layer_of_tensor(name, ["conv", "conv_2", "act", "norm", "inner"]) == layer
