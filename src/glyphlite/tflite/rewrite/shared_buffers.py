"""Constants of equal content, stored once: TensorFlow's converter writes each op's own, equal or not.

A convolution without a bias gets one of zeros, four bytes per channel, which is much of a model of a thousand weights. To leave
the bias out, as the schema allows, crashes LiteRT's kernels for depthwise convolutions (2.3.0). For files of our own making.
"""

from glyphlite.tflite.writer import pack_model, unpack_model


def with_shared_constants(content: bytes) -> bytes:
    """Returns the same model with one buffer for constants of equal bytes; the very same file where there are none."""
    model = unpack_model(content)
    first: dict[bytes, int] = {}
    changed = False
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is None or not len(data):
                continue
            shared = first.setdefault(bytes(data), tensor.buffer)
            if shared != tensor.buffer:
                model.buffers[tensor.buffer].data = None
                tensor.buffer, changed = shared, True
    return pack_model(model) if changed else content
