"""Random networks in which some channels hold one value whatever comes in, or are read with weights of 0 alone."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from glyphlite.tflite.rewrite.int4_weights import with_narrow_weights
from glyphlite.tflite.writer import pack_model, unpack_model
from support.assembled import Assembly, Part

SAME, VALID, RELU, RELU6 = 0, 1, 1, 3
DEAD, FULL = -(1 << 20), 1 << 20
"""Biases that no sum of a small layer comes up against."""


def network(seed: int) -> tuple[bytes, int]:
    """A random network in which some channels of the first layer never fire, always saturate or are not read.

    Returns:
        The file, and how many of them a rewrite finds.
    """
    rng = np.random.default_rng(seed)
    part = (assembly := Assembly()).subgraph()
    fused = int(rng.choice([RELU, RELU6]))
    scale, zero_point = (6 / 255, -128) if fused == RELU6 or rng.random() < 0.5 else (0.03, int(rng.integers(-120, -20)))
    stuck = rng.choice([0, 0, 1, 2] if fused == RELU6 else [0, 0, 1], 8)
    biases = np.where(stuck == 1, DEAD, np.where(stuck == 2, FULL, rng.integers(-500, 500, 8)))
    image = part.tensor((1, 8, 8, 3), (0.02, 5))
    padding = int(rng.choice([SAME, VALID]))
    size = 8 if padding == SAME else 6
    current = part.tensor((1, size, size, 8), (scale, zero_point))
    _convolution(part, rng, image, current, (8, 3, 3, 3), biases, 0.02, padding, fused)
    if rng.random() < 0.5:
        size //= 2
        pooled = part.tensor((1, size, size, 8), (scale, zero_point))
        name = str(rng.choice(["MAX_POOL_2D", "AVERAGE_POOL_2D"]))
        pool = {"filterHeight": 2, "filterWidth": 2, "strideH": 2, "strideW": 2, "padding": VALID}
        part.op(name, [current], [pooled], "Pool2DOptions", **pool)
        current = pooled
    separate = rng.random() < 0.4
    if separate:
        current, source = part.tensor((1, size, size, 8), (scale, zero_point)), current
        _depthwise(part, rng, source, current, np.where(stuck > 0, DEAD, 100), scale)
    unread = rng.random(8) < rng.choice([0.0, 0.2])
    answer, padded = _reader(part, rng, current, size, scale, unread)
    gone = stuck == 1 if padded and not separate else stuck > 0  # beside an image there is the zero point
    gone |= unread
    part.edges([image], [answer])
    return assembly.pack(), min(int(np.count_nonzero(gone)), 7)


def _reader(part: Part, rng: np.random.Generator, current: int, size: int, scale: float, unread: np.ndarray) -> tuple[int, bool]:
    """The layer that sums the channels up: a convolution, or a dense one behind a RESHAPE; with whether it is padded."""
    if rng.random() < 0.5:
        padding, taps = int(rng.choice([SAME, VALID])), int(rng.choice([1, 3]))
        extent = size if padding == SAME else size + 1 - taps
        answer = part.tensor((1, extent, extent, 4), (0.2, 3))
        _convolution(part, rng, current, answer, (4, taps, taps, 8), rng.integers(-500, 500, 4), scale, padding, 0, unread)
        return answer, padding == SAME and taps > 1
    row = part.tensor((1, size * size * 8), (scale, int(part.graph.tensors[current].quantization.zeroPoint[0])))
    part.op("RESHAPE", [current, part.constant(np.array([1, size * size * 8], np.int32))], [row])
    answer = part.tensor((1, 5), (0.3, -4))
    drawn = rng.integers(-127, 128, (5, size * size, 8)) * ~unread
    weights = part.constant(drawn.reshape(5, -1).astype(np.int8), [(0.005, 0)])
    bias = part.constant(rng.integers(-500, 500, 5).astype(np.int32), [(0.005 * scale, 0)])
    part.op("FULLY_CONNECTED", [row, weights, bias], [answer], "FullyConnectedOptions")
    return answer, False


def _depthwise(part: Part, rng: np.random.Generator, source: int, target: int, biases: np.ndarray, scale: float) -> None:
    scales = [float(each) for each in rng.uniform(0.004, 0.01, 8)]
    weights = part.constant(rng.integers(-127, 128, (1, 3, 3, 8)).astype(np.int8), [(each, 0) for each in scales], 3)
    bias = part.constant(biases.astype(np.int32), [(each * scale, 0) for each in scales])
    options = {"padding": SAME, "strideH": 1, "strideW": 1, "depthMultiplier": 1, "fusedActivationFunction": RELU}
    part.op("DEPTHWISE_CONV_2D", [source, weights, bias], [target], "DepthwiseConv2DOptions", **options)


def _convolution(
    part: Part,
    rng: np.random.Generator,
    source: int,
    target: int,
    shape: tuple[int, int, int, int],
    biases: np.ndarray,
    scale: float,
    padding: int,
    fused: int,
    unread: np.ndarray | None = None,
) -> None:
    scales = [float(each) for each in rng.uniform(0.004, 0.01, shape[0])]
    drawn = rng.integers(-127, 128, shape) * (True if unread is None else ~unread)
    weights = part.constant(drawn.astype(np.int8), [(each, 0) for each in scales])
    bias = part.constant(biases.astype(np.int32), [(each * scale, 0) for each in scales])
    options = {"padding": padding, "strideH": 1, "strideW": 1, "fusedActivationFunction": fused}
    part.op("CONV_2D", [source, weights, bias], [target], "Conv2DOptions", **options)


def in_int4(content: bytes) -> bytes:
    """Returns such a network with its weights rounded to 15 values, which are stored in four bits."""
    model = unpack_model(content)
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None and tensor.type == schema.TensorType.INT8:
            coarse = np.rint(np.frombuffer(bytes(data), np.int8) / 18) * 18
            model.buffers[tensor.buffer].data = np.frombuffer(coarse.astype(np.int8).tobytes(), np.uint8)
    return with_narrow_weights(pack_model(model))
