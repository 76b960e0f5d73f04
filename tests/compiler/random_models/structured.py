"""Models with several well-formed changes at once, each reproducible from a seed and a number.

Where ``one_change`` changes one thing and enumerates, this draws: sources are random models written by hand, with weights of
eight and of four bits, and the files of a folder; changes are of ops, quantization, shapes, options, wiring, constants and
state. Most keep a model whole, so that what is tried is the arithmetic behind the reader's checks; the damage of ``mutants`` is
mixed in.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from support.mutants import CHANGES as DAMAGES

from glyphlite.tflite.int4 import pack_int4
from glyphlite.tflite.writer import pack_model, unpack_model
from random_models.by_hand import write
from random_models.drafts import draw

A_SOURCE = 20
"""Mutants in a row of one source: drawing and writing a model costs more than changing it."""
FROM_FILES = 0.12
DAMAGED = 0.15
MOST_ELEMENTS, MOST_STEPS = 1500, 4
"""Of any tensor of a random model, and of the model: small ones find as much and cost a tenth."""
COUNTS = (1, 1, 1, 2, 2, 3, 4, 6)
UNARY = ("RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE", "RESHAPE", "DEQUANTIZE")
BINARY = ("ADD", "MUL", "SUB", "MAXIMUM", "CONCATENATION", "FULLY_CONNECTED")
STATEFUL = ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE", "RNN")
FACTORS = (0.5, 2.0, 1.001, 0.999, 4.0, 1 / 3, 1000.0, 1e-3, 1e6, 1e-6, 1e12, 1e-12)
ZERO_POINTS = (-128, -127, -1, 0, 1, 3, 126, 127)
FUSED = (0, 1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Changed:
    """One changed model: its number, where it comes from, what was changed, and its bytes."""

    index: int
    source: str
    changes: tuple[str, ...]
    content: bytes


def changed_models(
    files: Mapping[str, bytes], seed: int, indices: Sequence[int], *, from_files: float = FROM_FILES
) -> list[Changed]:
    """Returns the changed models of those numbers; the same for the same files, seed and number.

    Args:
        files: sound .tflite files by name.
        seed: of the whole campaign.
        indices: numbers.
        from_files: the share of the sources that are of ``files``, the others drawn.
    """
    sources: dict[int, tuple[str, bytes]] = {}
    results = []
    for index in indices:
        place = index // A_SOURCE
        if place not in sources:
            sources[place] = _source(files, seed, place, from_files)
        name, content = sources[place]
        words, changed = _changed(content, np.random.default_rng([seed, index, 2]))
        results.append(Changed(index, name, words, changed))
    return results


def _source(files: Mapping[str, bytes], seed: int, place: int, from_files: float) -> tuple[str, bytes]:
    """Returns a sound model and its name."""
    rng = np.random.default_rng([seed, place, 1])
    if files and rng.random() < from_files:
        name = sorted(files)[int(rng.integers(len(files)))]
        return name, files[name]
    while True:
        number = int(rng.integers(1 << 30)) * 2 + 1
        draft = draw(number, for_keras=False)
        if len(draft.steps) <= MOST_STEPS and max(int(np.prod(shape)) for shape in draft.shapes) <= MOST_ELEMENTS:
            return f"by hand {number}", write(draft)


def _changed(content: bytes, rng: np.random.Generator) -> tuple[tuple[str, ...], bytes]:
    """Returns what was changed, and the file; changes that cannot be made or written are drawn anew."""
    for _attempt in range(20):
        model = unpack_model(content)
        words = []
        try:
            for _change in range(int(_pick(rng, COUNTS))):
                change = _pick(rng, DAMAGES) if rng.random() < DAMAGED else _pick(rng, _CHANGES)
                change(model, rng)
                words.append(change.__name__.strip("_"))
            return tuple(words), pack_model(model)
        except (struct.error, ArithmeticError, TypeError, ValueError, AttributeError, LookupError):
            continue
    return (), content


def _pick(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def _few(count: Any) -> int:
    """Returns a number of values to draw; a shape that was damaged before may ask for billions."""
    if not 0 <= int(count) <= 1 << 20:
        raise ValueError(count)
    return int(count)


def _operator(model: Any, rng: np.random.Generator) -> Any:
    return _pick(rng, model.subgraphs[0].operators)


def _quantized(model: Any, rng: np.random.Generator) -> Any:
    tensors = model.subgraphs[0].tensors
    return _pick(rng, [tensor for tensor in tensors if tensor.quantization is not None and tensor.quantization.scale is not None])


def _scale(model: Any, rng: np.random.Generator) -> None:
    """Scales of one tensor by a factor, or one scale of them."""
    quantization = _quantized(model, rng).quantization
    scales = np.array(quantization.scale, np.float32)
    place = slice(None) if rng.random() < 0.7 else int(rng.integers(len(scales)))
    factor = _pick(rng, FACTORS) if rng.random() < 0.6 else 10 ** rng.normal(0, 1)
    with np.errstate(over="ignore", under="ignore"):
        scales[place] = (scales[place].astype(np.float64) * factor).astype(np.float32)
    quantization.scale = scales


def _extreme_scale(model: Any, rng: np.random.Generator) -> None:
    quantization = _quantized(model, rng).quantization
    exponent = float(rng.uniform(-45, 38)) if rng.random() < 0.5 else float(rng.choice([-45, -38, -30, -9, -8, 9, 10, 30, 38]))
    quantization.scale = np.full(len(quantization.scale), 10.0**exponent, np.float32)


def _power_of_two(model: Any, rng: np.random.Generator) -> None:
    """A scale whose ratio with others is exact: ties and shifts without a remainder."""
    quantization = _quantized(model, rng).quantization
    quantization.scale = np.full(len(quantization.scale), 2.0 ** int(rng.integers(-40, 10)), np.float32)


def _every_scale(model: Any, rng: np.random.Generator) -> None:
    """Every scale by a factor of its own: ratios far from those that a converter writes."""
    spread = float(rng.choice([0.5, 2, 4, 8]))
    for tensor in model.subgraphs[0].tensors:
        if tensor.quantization is not None and tensor.quantization.scale is not None and rng.random() < 0.7:
            with np.errstate(over="ignore", under="ignore"):
                factor = np.float32(10 ** rng.normal(0, spread))
                tensor.quantization.scale = np.array(tensor.quantization.scale, np.float32) * factor


def _zero_point(model: Any, rng: np.random.Generator) -> None:
    quantization = _quantized(model, rng).quantization
    value = _pick(rng, ZERO_POINTS) if rng.random() < 0.6 else int(rng.integers(-128, 128))
    quantization.zeroPoint = np.full(len(quantization.scale), value, np.int64)


def _same_quantization(model: Any, rng: np.random.Generator) -> None:
    """Gives an op's output the quantization of one of its inputs, or the other way round."""
    operator = _operator(model, rng)
    tensors = model.subgraphs[0].tensors
    both = [tensors[_pick(rng, operator.inputs)], tensors[_pick(rng, operator.outputs)]]
    first, second = both if rng.random() < 0.5 else both[::-1]
    second.quantization.scale, second.quantization.zeroPoint = first.quantization.scale, first.quantization.zeroPoint


def _per_tensor(model: Any, rng: np.random.Generator) -> None:
    quantization = _quantized(model, rng).quantization
    quantization.scale, quantization.zeroPoint = quantization.scale[:1], quantization.zeroPoint[:1]


def _per_channel(model: Any, rng: np.random.Generator) -> None:
    """Gives a tensor a scale for each extent of one of its axes."""
    tensor = _quantized(model, rng)
    axis = int(rng.integers(len(tensor.shape)))
    count = _few(tensor.shape[axis])
    quantization = tensor.quantization
    quantization.scale = (float(quantization.scale[0]) * 10 ** rng.uniform(-1, 1, count)).astype(np.float32)
    quantization.zeroPoint, quantization.quantizedDimension = np.zeros(count, np.int64), axis


def _fused(model: Any, rng: np.random.Generator) -> None:
    options = _with_field(model, rng, "fusedActivationFunction")
    options.fusedActivationFunction = int(_pick(rng, FUSED))


def _option(model: Any, rng: np.random.Generator) -> None:
    """Another value of any option: small where it is a number, any where it is a choice."""
    operators = [operator for operator in model.subgraphs[0].operators if operator.builtinOptions]
    options = _pick(rng, operators).builtinOptions
    name = _pick(rng, sorted(vars(options)))
    value = getattr(options, name)
    if isinstance(value, bool):
        setattr(options, name, not value)
    elif isinstance(value, float):
        setattr(options, name, float(_pick(rng, (0.0, 0.5, 1.0, 2.0, 1e-6, 1e6, 3.4e38, float(rng.uniform(0, 4))))))
    elif isinstance(value, int):
        setattr(options, name, int(_pick(rng, (0, 1, 2, 3, 4, 5, 7, -1, value + 1, value - 1))))
    else:
        setattr(options, name, [int(_pick(rng, (1, 2, -1, 0))) for _ in range(int(rng.integers(0, 5)))])


def _window(model: Any, rng: np.random.Generator) -> None:
    """Another stride, dilation or padding, with the output's extents to fit it."""
    operators = [each for each in model.subgraphs[0].operators if hasattr(each.builtinOptions, "strideH")]
    operator = _pick(rng, operators)
    options, tensors = operator.builtinOptions, model.subgraphs[0].tensors
    for name in ("strideH", "strideW", "dilationHFactor", "dilationWFactor", "filterHeight", "filterWidth"):
        if hasattr(options, name) and rng.random() < 0.4:
            setattr(options, name, int(rng.integers(1, 4)))
    options.padding = int(rng.integers(2))
    source, output = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    kernel = tensors[operator.inputs[1]].shape[1:3] if len(operator.inputs) > 1 else (options.filterHeight, options.filterWidth)
    shape = np.array(output.shape, np.int32)
    for axis, letter in ((1, "H"), (2, "W")):
        stride, dilation = getattr(options, f"stride{letter}"), getattr(options, f"dilation{letter}Factor", 1)
        reach = (int(kernel[axis - 1]) - 1) * dilation + 1
        extent = int(source.shape[axis])
        shape[axis] = -(-extent // stride) if options.padding == schema.Padding.SAME else (extent - reach) // stride + 1
    output.shape = shape


def _with_field(model: Any, rng: np.random.Generator, name: str) -> Any:
    return _pick(rng, [each.builtinOptions for each in model.subgraphs[0].operators if hasattr(each.builtinOptions, name)])


def _shape(model: Any, rng: np.random.Generator) -> None:
    """The extents of one tensor in another order, split, joined, or one of them changed."""
    tensor = _pick(rng, model.subgraphs[0].tensors)
    shape = [int(extent) for extent in tensor.shape]
    place = int(rng.integers(len(shape)))
    action = _pick(rng, ("shuffle", "one", "drop", "extent", "swap"))
    if action == "shuffle":
        shape = [shape[axis] for axis in rng.permutation(len(shape))]
    elif action == "one":
        shape.insert(place, 1)
    elif action == "drop" and 1 in shape:
        shape.remove(1)
    elif action == "extent":
        shape[place] = max(1, shape[place] + int(_pick(rng, (-1, 1, 2))))
    else:
        shape = [1, int(np.prod(shape))]
    tensor.shape, tensor.shapeSignature = np.array(shape, np.int32), None


def _free_batch(model: Any, rng: np.random.Generator) -> None:
    """Leaves the first extent of one or of all tensors free."""
    tensors = [each for each in model.subgraphs[0].tensors if each.buffer == 0 and len(each.shape)]
    for tensor in tensors if rng.random() < 0.6 else [_pick(rng, tensors)]:
        tensor.shapeSignature = np.array([-1, *tensor.shape[1:]], np.int32)


def _wiring(model: Any, rng: np.random.Generator) -> None:
    """Lets an op read another tensor: an earlier one of the same shape where there is one, or any, or none."""
    graph = model.subgraphs[0]
    operator = _operator(model, rng)
    place = int(rng.integers(len(operator.inputs)))
    inputs = np.array(operator.inputs, np.int32)
    now = graph.tensors[inputs[place]]
    alike = [index for index, tensor in enumerate(graph.tensors) if np.array_equal(tensor.shape, now.shape)]
    inputs[place] = _pick(rng, (_pick(rng, alike), int(rng.integers(-1, len(graph.tensors)))))
    operator.inputs = inputs


def _output(model: Any, rng: np.random.Generator) -> None:
    """Another tensor as the model's output, or one more, or one more input."""
    graph = model.subgraphs[0]
    other = int(rng.integers(len(graph.tensors)))
    if rng.random() < 0.6:
        graph.outputs = np.array([other], np.int32)
    elif rng.random() < 0.5:
        graph.outputs = np.array([*graph.outputs, other], np.int32)
    else:
        graph.inputs = np.array([*graph.inputs, other], np.int32)


def _another_op(model: Any, rng: np.random.Generator) -> None:
    """Another op of the same number of operands, with its default options."""
    operator = _operator(model, rng)
    name = _pick(rng, UNARY if len(operator.inputs) == 1 else BINARY) if rng.random() < 0.85 else _pick(rng, STATEFUL)
    _be(model, operator, name)


def _be(model: Any, operator: Any, name: str) -> None:
    """Makes an op one of that name."""
    code: Any = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    model.operatorCodes = [*model.operatorCodes, code]
    operator.opcodeIndex = len(model.operatorCodes) - 1
    kind = {"ADD": "Add", "MUL": "Mul", "SUB": "Sub", "CONCATENATION": "Concatenation", "FULLY_CONNECTED": "FullyConnected"}
    kind |= {"SOFTMAX": "Softmax", "RESHAPE": "Reshape"}
    operator.builtinOptionsType, operator.builtinOptions = 0, None
    if name in kind:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, f"{kind[name]}Options")
        operator.builtinOptions = getattr(schema, f"{kind[name]}OptionsT")()
        if name == "SOFTMAX":
            operator.builtinOptions.beta = 1.0


def _inserted(model: Any, rng: np.random.Generator) -> None:
    """One more op of one operand behind another, under a quantization of its own."""
    graph = model.subgraphs[0]
    place = int(rng.integers(len(graph.operators)))
    before = graph.operators[place]
    source = graph.tensors[before.outputs[0]]
    copied = unpack_model(pack_model(model)).subgraphs[0].tensors[before.outputs[0]]
    if rng.random() < 0.7 and copied.quantization is not None:
        copied.quantization.scale = np.array([float(source.quantization.scale[0]) * 10 ** rng.normal(0, 0.5)], np.float32)
        copied.quantization.zeroPoint = np.array([int(rng.integers(-128, 128))], np.int64)
    graph.tensors = [*graph.tensors, copied]
    operator: Any = schema.OperatorT()
    operator.inputs = np.array([len(graph.tensors) - 1], np.int32)
    operator.outputs = np.array(before.outputs, np.int32)
    before.outputs = operator.inputs
    _be(model, operator, _pick(rng, UNARY))
    graph.operators = [*graph.operators[: place + 1], operator, *graph.operators[place + 1 :]]


def _constant(model: Any, rng: np.random.Generator) -> None:
    """Other values of a constant of one byte per element or of four: the ends, one, or random ones."""
    buffers = [each for each in model.buffers if each.data is not None and len(each.data)]
    buffer = _pick(rng, buffers)
    data = np.array(buffer.data, np.uint8)
    action = _pick(rng, ("ends", "random", "one", "words"))
    if action == "ends":
        data = rng.choice(np.array([0x80, 0x7F, 0x81], np.uint8), len(data))
    elif action == "random":
        data = rng.integers(0, 256, len(data)).astype(np.uint8)
    elif action == "one":
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    else:
        words = data[: len(data) // 4 * 4].view(np.int32)
        words[:] = rng.integers(-(2**31), 2**31, len(words)) >> int(rng.integers(0, 31))
    buffer.data = data


def _narrow(model: Any, rng: np.random.Generator) -> None:
    """Weights of eight bits as weights of four, or of four as of eight, with their bytes."""
    graph = model.subgraphs[0]
    weighted = [each for each in graph.operators if len(each.inputs) > 1 and graph.tensors[each.inputs[1]].buffer]
    tensor = graph.tensors[_pick(rng, weighted).inputs[1]]
    count = _few(np.prod(tensor.shape))
    if tensor.type == schema.TensorType.INT8:
        tensor.type, values = schema.TensorType.INT4, rng.integers(-8, 8, count).astype(np.int8)
        data = np.frombuffer(pack_int4(values).tobytes(), np.uint8)
    elif tensor.type == schema.TensorType.INT4:
        tensor.type = schema.TensorType.INT8
        data = rng.integers(0, 256, count).astype(np.uint8)
    else:
        raise ValueError(tensor.type)
    model.buffers[tensor.buffer].data = data


def _type(model: Any, rng: np.random.Generator) -> None:
    """Another element type, of one tensor or of all of that type."""
    kinds = schema.TensorType
    tensors = model.subgraphs[0].tensors
    tensor = _pick(rng, tensors)
    before, after = tensor.type, _pick(rng, (kinds.INT8, kinds.UINT8, kinds.INT16, kinds.FLOAT32, kinds.INT4, kinds.INT32))
    for each in tensors if rng.random() < 0.3 else [tensor]:
        each.type = after if each.type == before else each.type


def _state(model: Any, rng: np.random.Generator) -> None:
    """A tensor that is computed becomes one that keeps its values between calls."""
    tensor = _pick(rng, [each for each in model.subgraphs[0].tensors if each.buffer == 0])
    tensor.isVariable = True


def _shared_buffer(model: Any, rng: np.random.Generator) -> None:
    """Two constants of one buffer."""
    tensors = [each for each in model.subgraphs[0].tensors if each.buffer]
    _pick(rng, tensors).buffer = _pick(rng, tensors).buffer


def _without_bias(model: Any, rng: np.random.Generator) -> None:
    operator = _pick(rng, [each for each in model.subgraphs[0].operators if len(each.inputs) == 3])
    operator.inputs = np.array([*operator.inputs[:2], *([-1] if rng.random() < 0.5 else [])], np.int32)


def _version(model: Any, rng: np.random.Generator) -> None:
    _pick(rng, model.operatorCodes).version = int(rng.integers(1, 12))


_CHANGES: tuple[Callable[[Any, np.random.Generator], None], ...] = (
    *(_scale,) * 5, *(_extreme_scale,) * 2, *(_every_scale,) * 3, *(_power_of_two,) * 2, *(_zero_point,) * 4,
    *(_same_quantization,) * 3, _per_tensor, _per_channel, *(_fused,) * 3, *(_option,) * 4, *(_window,) * 4, *(_shape,) * 3,
    *(_wiring,) * 4, *(_output,) * 2, *(_another_op,) * 4, *(_inserted,) * 3, *(_constant,) * 4, *(_narrow,) * 3, _type, _state,
    _free_batch, _shared_buffer, _without_bias, _version,
)  # fmt: skip
