"""Constants of equal content, stored once: TensorFlow's converter writes each op's own, equal or not.

A convolution without a bias gets one of zeros, four bytes per channel, which is much of a model of a thousand weights. To leave
the bias out, as the schema allows, crashes LiteRT's kernels for depthwise convolutions (2.3.0). For files of our own making.
"""

from typing import Any

from glyphlite.tflite.writer import pack_model, unpack_model


def with_shared_constants(content: bytes) -> bytes:
    """Returns the same model with one buffer for constants of equal bytes; the very same file where there are none."""
    model = unpack_model(content)
    return pack_model(model) if share_constants(model) else content


def share_constants(model: Any) -> int:
    """Lets constants of equal bytes in an object model name one buffer; returns how many buffers are empty from now on."""
    first: dict[bytes, int] = {}
    shared: dict[int, int] = {}
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        number = tensor.buffer
        data = model.buffers[number].data
        if number not in shared and data is not None and len(data):
            shared[number] = first.setdefault(bytes(data), number)
        tensor.buffer = shared.get(number, number)
    emptied = [number for number, place in shared.items() if number != place]
    for number in emptied:
        model.buffers[number].data = None
    return len(emptied)
