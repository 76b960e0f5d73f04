"""Channels that hold one value whatever comes in are removed, and no byte of TFLite Micro's or LiteRT's answers changes."""

import numpy as np
import pytest
from support.assembled import Assembly, Part

from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.channel_bounds import channel_bounds, constant_channels
from glyphlite.tflite.rewrite.optimization import optimize_file

SAME, VALID, RELU, RELU6 = 0, 1, 1, 3
DEAD, FULL = -(1 << 20), 1 << 20
"""Biases that no sum of a small layer comes up against."""


def network(seed: int) -> tuple[bytes, int]:
    """A random network in which some channels of the first layer never fire or always saturate; the file, and how many."""
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
    answer, last = _reader(part, rng, current, size, scale)
    gone = stuck == 1 if last == SAME and not separate else stuck > 0  # beside an image there is the zero point
    part.edges([image], [answer])
    return assembly.pack(), min(int(np.count_nonzero(gone)), 7)


def _reader(part: Part, rng: np.random.Generator, current: int, size: int, scale: float) -> tuple[int, int]:
    """The layer that sums the channels up: a convolution, or a dense one behind a RESHAPE; with the padding of the former."""
    if rng.random() < 0.5:
        padding = int(rng.choice([SAME, VALID]))
        shape = (1, size, size, 4) if padding == SAME else (1, size - 2, size - 2, 4)
        answer = part.tensor(shape, (0.2, 3))
        _convolution(part, rng, current, answer, (4, 3, 3, 8), rng.integers(-500, 500, 4), scale, padding, 0)
        return answer, padding
    row = part.tensor((1, size * size * 8), (scale, int(part.graph.tensors[current].quantization.zeroPoint[0])))
    part.op("RESHAPE", [current, part.constant(np.array([1, size * size * 8], np.int32))], [row])
    answer = part.tensor((1, 5), (0.3, -4))
    weights = part.constant(rng.integers(-127, 128, (5, size * size * 8)).astype(np.int8), [(0.005, 0)])
    bias = part.constant(rng.integers(-500, 500, 5).astype(np.int32), [(0.005 * scale, 0)])
    part.op("FULLY_CONNECTED", [row, weights, bias], [answer], "FullyConnectedOptions")
    return answer, VALID


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
) -> None:
    scales = [float(each) for each in rng.uniform(0.004, 0.01, shape[0])]
    weights = part.constant(rng.integers(-127, 128, shape).astype(np.int8), [(each, 0) for each in scales])
    bias = part.constant(biases.astype(np.int32), [(each * scale, 0) for each in scales])
    options = {"padding": padding, "strideH": 1, "strideW": 1, "fusedActivationFunction": fused}
    part.op("CONV_2D", [source, weights, bias], [target], "Conv2DOptions", **options)


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
        assert len(constant_channels(bounds[parse_graph(content).operators[0].outputs[0]])) <= 8
