"""Equal constants are stored once, and nothing else changes."""

import numpy as np

from glyphlite.tflite.cost import weight_bytes
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.shared_buffers import with_shared_constants
from glyphlite.tflite.writer import pack_model, unpack_model


def test_a_file_without_equal_constants_stays_as_it_is(samples):
    content = (samples / "model_int8.tflite").read_bytes()
    packed = pack_model(unpack_model(content))
    assert with_shared_constants(packed) == packed


def test_equal_constants_share_a_buffer(samples):
    model = unpack_model((samples / "model_int8.tflite").read_bytes())
    graph = model.subgraphs[0]
    biases = [
        tensor for tensor in graph.tensors if tensor.type == 2 and tensor.quantization and tensor.quantization.scale is not None
    ]
    sizes = {len(model.buffers[tensor.buffer].data) for tensor in biases}
    for tensor in biases:
        model.buffers[tensor.buffer].data = np.zeros(len(model.buffers[tensor.buffer].data), np.uint8)
    before = pack_model(model)
    after = with_shared_constants(before)
    zeros = [
        tensor
        for tensor in parse_graph(after).tensors
        if tensor.data is not None and not tensor.data.any() and tensor.quantization
    ]
    assert len({tensor.buffer for tensor in zeros}) == len(sizes)
    assert weight_bytes(parse_graph(before)) - weight_bytes(parse_graph(after)) == sum(
        len(model.buffers[tensor.buffer].data) for tensor in biases
    ) - sum(sizes)
    assert len(after) <= len(before)
    for old, new in zip(parse_graph(before).tensors, parse_graph(after).tensors, strict=True):
        assert (old.name, old.shape, old.dtype) == (new.name, new.shape, new.dtype)
        if old.data is not None and new.data is not None:
            np.testing.assert_array_equal(old.data, new.data)
