"""Random models that keep state: LSTMs over sequences, with weights, scales and options that training would rarely give."""

import numpy as np
from support.assembled import Assembly, Parameters, Part

_OUT, _CELL_POWERS = 1 / 128, (-11, -12, -12, -13, -14, -15, -8, -5, -16)


def draw_lstm(
    seed: int, *, layers: int | None = None, dense: bool | None = None, features: int | None = None, steps: int | None = None
) -> bytes:
    """A model of one to two LSTMs and what follows them: a dense layer on the flattened sequence, or nothing.

    Args:
        seed: of everything that is drawn.
        layers: the number of LSTMs; drawn when None.
        dense: whether a dense layer follows; drawn when None.
        features: of a step of the input; drawn, and few, when None.
        steps: of the input; drawn, and few, when None.
    """
    rng = np.random.default_rng([seed, 71])
    assembly = Assembly()
    part = assembly.subgraph()
    short, few = int(rng.integers(1, 7)), int(rng.integers(1, 10))
    features, steps = features or few, steps or short
    time_major = bool(rng.random() < 0.4)
    shape = (steps, 1, features) if time_major else (1, steps, features)
    parameters = _any(rng, 10 ** rng.uniform(-3, -0.5))
    source = value = part.tensor(shape, parameters)
    for _ in range(layers or int(rng.integers(1, 3))):
        value, shape, parameters = add_lstm(part, rng, value, shape, parameters, time_major=time_major)
    if (rng.random() < 0.6) if dense is None else dense:
        value = _dense(part, rng, value, shape, parameters)
    part.edges([source], [value])
    return assembly.pack()


def add_lstm(
    part: Part, rng: np.random.Generator, value: int, shape: tuple[int, ...], parameters: Parameters, *, time_major: bool
) -> tuple[int, tuple[int, ...], Parameters]:
    """Appends one LSTM; returns its output, with shape and parameters."""
    features, units = shape[-1], int(rng.integers(1, 12))
    hidden_parameters = _any(rng, _OUT * 10 ** rng.uniform(-0.6, 0.6))
    cell_scale = 2.0 ** int(rng.choice(_CELL_POWERS))
    if rng.random() < 0.1:
        cell_scale *= float(rng.uniform(0.75, 1.35))  # no power of two, which TFLite Micro takes for the nearest
    inputs = [value]
    for width, scale in ((features, parameters[0]), (units, hidden_parameters[0])):
        for _ in range(4):
            values = np.clip(np.rint(rng.normal(0, rng.choice([5, 40, 90]), (units, width))), -127, 127).astype(np.int8)
            wanted = 10 ** rng.uniform(-1, 1) / (scale * 127 * 40 * np.sqrt(width))
            inputs.append(part.constant(values, [(float(np.float32(wanted)), 0)]))
    inputs += [-1, -1, -1]
    for place in range(4):
        scale = parameters[0] * part.graph.tensors[inputs[1 + place]].quantization.scale[0]
        bias = np.rint(rng.normal(0, 1, units) * float(rng.choice([0, 0.3, 2])) / scale)
        inputs.append(part.constant(np.clip(bias, -(2**28), 2**28).astype(np.int32), [(float(scale), 0)]))
    inputs += [-1, -1]
    inputs.append(part.tensor((1, units), hidden_parameters, variable=True))
    inputs.append(part.tensor((1, units), (cell_scale, 0), "int16", variable=True))
    inputs += [-1] * 4
    made = (*shape[:2], units)
    output = part.tensor(made, hidden_parameters)
    clip = float(rng.choice([0, 0, 0, 10, 1, 0.01, cell_scale * 3.5]))
    part.op(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        inputs,
        [output],
        "UnidirectionalSequenceLSTMOptions",
        fusedActivationFunction=4,
        cellClip=clip,
        timeMajor=time_major,
    )
    return output, made, hidden_parameters


def _dense(part: Part, rng: np.random.Generator, value: int, shape: tuple[int, ...], parameters: Parameters) -> int:
    width, units = int(np.prod(shape)), int(rng.integers(1, 6))
    flat = part.tensor((1, width), parameters)
    part.op("RESHAPE", [value, part.constant(np.array([1, width], np.int32))], [flat])
    weights = part.constant(rng.integers(-127, 128, (units, width)).astype(np.int8), [(0.01, 0)])
    bias = part.constant(rng.integers(-500, 500, units).astype(np.int32), [(parameters[0] * 0.01, 0)])
    output = part.tensor((1, units), _any(rng, parameters[0] * 0.01 * 60 * np.sqrt(width)))
    part.op("FULLY_CONNECTED", [flat, weights, bias], [output], "FullyConnectedOptions")
    return output


def _any(rng: np.random.Generator, scale: float) -> Parameters:
    return float(np.float32(scale)), int(rng.choice([-128, 127, 0, -1, int(rng.integers(-128, 128))]))


def draw_svdf(seed: int) -> bytes:
    """A model of one to two SVDFs, with weights over time and state of 8 or of 16 bits."""
    rng = np.random.default_rng([seed, 73])
    assembly = Assembly()
    part = assembly.subgraph()
    width, parameters = int(rng.integers(1, 20)), _any(rng, 10 ** rng.uniform(-2, -0.5))
    source = value = part.tensor((1, width), parameters)
    for _ in range(int(rng.integers(1, 3))):
        value, width, parameters = add_svdf(part, rng, value, width, parameters)
    part.edges([source], [value])
    return assembly.pack()


def add_svdf(part: Part, rng: np.random.Generator, value: int, width: int, parameters: Parameters) -> tuple[int, int, Parameters]:
    """Appends one SVDF; returns its output, with width and parameters."""
    rank, units, memory = int(rng.integers(1, 4)), int(rng.integers(1, 9)), int(rng.integers(1, 9))
    filters, wide = rank * units, bool(rng.random() < 0.6)
    dtype, most = ("int16", 32767) if wide else ("int8", 127)
    features = rng.integers(-127, 128, (filters, width)).astype(np.int8)
    feature_scale = float(np.float32(10 ** rng.uniform(-3, -1)))
    reach = 70 * 70 * np.sqrt(width) * parameters[0] * feature_scale
    state = (float(np.float32(reach / most * 10 ** rng.uniform(0, 0.7))), 0 if wide else int(rng.integers(-60, 60)))
    times = np.clip(np.rint(rng.normal(0, most / 3, (filters, memory))), -most, most).astype(dtype)
    time_scale = float(np.float32(10 ** rng.uniform(-1, 0) / most))
    bias_scale = float(np.float32(state[0]) * np.float32(time_scale))
    bias = rng.integers(-1000, 1000, units).astype(np.int32)
    after = _any(rng, state[0] * time_scale * most * most / 3 * np.sqrt(memory * rank) / 100)
    inputs = [
        *(value, part.constant(features, [(feature_scale, 0)]), part.constant(times, [(time_scale, 0)])),
        *(part.constant(bias, [(bias_scale, 0)]), part.tensor((1, filters * memory), state, dtype, variable=True)),
    ]
    output = part.tensor((1, units), after)
    part.op("SVDF", inputs, [output], "SVDFOptions", rank=rank, fusedActivationFunction=int(rng.choice([0, 1])))
    return output, units, after
