"""Small models that keep state between calls."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from support.assembled import Assembly, Part

SCALE = 0.5


def running_sum(
    initial: Sequence[int] | None = (1, 2, 3, 4), *, zero_point: int = 5, change: Callable[[Any], None] = lambda _: None
) -> bytes:
    """A model that adds its input to a variable, which it gives out: ops 0 to 4 of the model, 0 and 1 of the initializer."""
    assembly = Assembly()
    main = assembly.subgraph()
    source, total, old = (main.tensor((1, 4), (SCALE, zero_point)) for _ in range(3))
    if initial is not None:
        main.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    handle = main.variable("sum")
    main.op("READ_VARIABLE", [handle], [old], "ReadVariableOptions")
    main.op("ADD", [source, old], [total], "AddOptions")
    main.op("ASSIGN_VARIABLE", [handle, total], [], "AssignVariableOptions")
    main.edges([source], [total])
    if initial is not None:
        init = assembly.subgraph()
        values = init.constant(np.array([initial], np.int8), [(SCALE, zero_point)])
        init.op("ASSIGN_VARIABLE", [init.variable("sum"), values], [], "AssignVariableOptions")
    change(assembly.model)
    return assembly.pack()


def diffusion(seed: int = 0) -> bytes:
    """A model whose state is a map that a convolution blurs and the input heats, before it is assigned anew."""
    rng = np.random.default_rng([seed, 11])
    parameters, shape = (0.1, -3), (1, 6, 5, 2)
    assembly = Assembly()
    main = assembly.subgraph()
    source, old, blurred, heated = (main.tensor(shape, parameters) for _ in range(4))
    output = main.tensor(shape, (1 / 256, -128))
    handle = main.variable("heat")
    main.op("READ_VARIABLE", [handle], [old], "ReadVariableOptions")
    weights = main.constant(rng.integers(-40, 127, (2, 3, 3, 2)).astype(np.int8), [(0.0012, 0), (0.001, 0)])
    bias = main.constant(rng.integers(-900, 900, 2).astype(np.int32), [(0.00012, 0), (0.0001, 0)])
    main.op("CONV_2D", [old, weights, bias], [blurred], "Conv2DOptions", padding=0, strideH=1, strideW=1)
    main.op("ADD", [blurred, source], [heated], "AddOptions")
    main.op("ASSIGN_VARIABLE", [handle, heated], [], "AssignVariableOptions")
    main.op("LOGISTIC", [heated], [output])
    main.edges([source], [output])
    return assembly.pack()


def streaming_network(seed: int, *, along_width: bool = False) -> bytes:
    """A small wake word network: rings of rows that every layer's convolution looks back on, as ESPHome's models have them.

    Args:
        seed: of its weights.
        along_width: whether time runs along the second spatial axis, 1xTxC, in place of the first.
    """
    rng = np.random.default_rng([seed, 12])
    assembly = Assembly()
    main, init = assembly.subgraph(), assembly.subgraph()
    axis = 2 if along_width else 1

    def shape(time: int, channels: int) -> tuple[int, ...]:
        return (1, 1, time, channels) if along_width else (1, time, 1, channels)

    main.op("CALL_ONCE", [], [], "CallOnceOptions", initSubgraphIndex=1)
    channels, time, parameters = 4, 3, (0.05, int(rng.integers(-128, 128)))
    source = value = main.tensor(shape(time, channels), parameters)
    for number, (kept, kernel, stride, depthwise) in enumerate([(2, 5, 3, False), (4, 5, 1, True), (3, 4, 1, False)]):
        handle = main.variable(f"stream_{number}/states")
        first = init.constant(rng.integers(-128, 128, shape(kept, channels)).astype(np.int8), [parameters])
        init.op("ASSIGN_VARIABLE", [init.variable(f"stream_{number}/states"), first], [], "AssignVariableOptions")
        old, joined = main.tensor(shape(kept, channels), parameters), main.tensor(shape(kept + time, channels), parameters)
        main.op("READ_VARIABLE", [handle], [old], "ReadVariableOptions")
        main.op("CONCATENATION", [old, value], [joined], "ConcatenationOptions", axis=axis)
        rest = main.tensor(shape(kept, channels), parameters)
        bounds = [main.constant(np.array(each, np.int32)) for each in _last(axis, time, kept + time)]
        main.op("STRIDED_SLICE", [joined, *bounds], [rest], "StridedSliceOptions", beginMask=15 - (1 << axis), endMask=15)
        main.op("ASSIGN_VARIABLE", [handle, rest], [], "AssignVariableOptions")
        value, channels, time, parameters = _convolved(
            main, rng, joined, (channels, kept + time, kernel, stride), parameters, depthwise=depthwise, along_width=along_width
        )
    weights = main.constant(rng.integers(-127, 128, (1, channels)).astype(np.int8), [(0.02, 0)])
    bias = main.constant(np.array([int(rng.integers(-99, 99))], np.int32), [(parameters[0] * 0.02, 0)])
    logit, output = main.tensor((1, 1), (0.1, -5)), main.tensor((1, 1), (1 / 256, -128))
    main.op("FULLY_CONNECTED", [value, weights, bias], [logit], "FullyConnectedOptions")
    main.op("LOGISTIC", [logit], [output])
    main.edges([source], [output, logit])
    return assembly.pack()


def _last(axis: int, begin: int, end: int) -> list[list[int]]:
    """Begin, end and strides of a slice that leaves out the first along an axis."""
    ends = [end if place == axis else 0 for place in range(4)]
    return [[begin if place == axis else 0 for place in range(4)], ends, [1, 1, 1, 1]]


def _convolved(
    main: Part,
    rng: np.random.Generator,
    value: int,
    sizes: tuple[int, int, int, int],
    parameters: tuple[float, int],
    *,
    depthwise: bool,
    along_width: bool,
) -> tuple[int, int, int, tuple[float, int]]:
    """Appends a convolution over time; returns its output, channels, steps and parameters."""
    channels, steps, kernel, stride = sizes
    made = channels if depthwise else int(rng.integers(3, 7))
    window = (1, kernel) if along_width else (kernel, 1)
    shape = (1, *window, channels) if depthwise else (made, *window, channels)
    scales = 10 ** rng.uniform(-2.5, -2, made)
    weights = main.constant(
        rng.integers(-127, 128, shape).astype(np.int8), [(scale, 0) for scale in scales], 3 if depthwise else 0
    )
    bias = main.constant(rng.integers(-2000, 2000, made).astype(np.int32), [(scale * parameters[0], 0) for scale in scales])
    time = (steps - kernel) // stride + 1
    after = (float(np.float32(parameters[0] * 2)), -128)
    output = main.tensor((1, 1, time, made) if along_width else (1, time, 1, made), after)
    name, options = ("DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions") if depthwise else ("CONV_2D", "Conv2DOptions")
    strides = {"strideW": stride, "strideH": 1} if along_width else {"strideH": stride, "strideW": 1}
    if depthwise:
        strides = {"strideW": stride, "strideH": stride, "depthMultiplier": 1}
    main.op(name, [value, weights, bias], [output], options, padding=1, fusedActivationFunction=1, **strides)
    return output, made, time, after
