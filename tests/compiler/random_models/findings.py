"""Further outputs for a finished model that say something of a tensor inside it: places of extremes, truth, choices by it.

Nothing of an ordinary network reads bool or int32, so these ops stand behind it: ARG_MAX and ARG_MIN, comparisons and what
combines them, SELECT_V2; and ADD_N, which no converter writes.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from glyphlite.tflite.writer import pack_model, unpack_model

SHARE = 1 / 8
"""Part of the models that get such outputs."""
COMPARISONS = ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL")
FOUND = (*COMPARISONS, "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", "SELECT_V2", "ARG_MAX", "ARG_MIN", "ADD_N")
"""The ops that are drawn here alone."""


def vary_findings(content: bytes, seed: int) -> bytes:
    """The file of a seed with the findings that are drawn for it; most stay as they are."""
    rng = np.random.default_rng([seed, 4099])  # its own: the models of all other seeds stay what they were
    return with_findings(content, rng) if rng.random() < SHARE else content


def with_findings(content: bytes, rng: np.random.Generator) -> bytes:
    """The file with one to three further outputs, each of a tensor of one image; as it is where it has none."""
    model = unpack_model(content)
    graph = model.subgraphs[0]
    computed = [int(each) for operator in graph.operators for each in operator.outputs] + [int(each) for each in graph.inputs]
    sources = [index for index in computed if _is_plain(graph.tensors[index])]
    if not sources:
        return content
    outputs = [int(each) for each in graph.outputs]
    for _ in range(int(rng.integers(1, 4))):
        source = int(rng.choice(sources))
        if graph.tensors[source].type == schema.TensorType.INT16:
            kinds = [_choice]
        else:
            kinds = [_extreme, _truth, _choice, _sum] if _scale(graph.tensors[source]) < 1 else [_extreme, _sum]
        outputs.append(kinds[int(rng.integers(len(kinds)))](model, source, rng))
    graph.outputs = np.array(outputs, np.int32)
    return pack_model(model)


def _is_plain(tensor: Any) -> bool:
    scales = getattr(tensor.quantization, "scale", None)
    is_one_image = tensor.shape is not None and 2 <= len(tensor.shape) <= 4 and tensor.shape[0] == 1
    is_activation = tensor.type in (schema.TensorType.INT8, schema.TensorType.INT16)
    if not is_activation or not is_one_image or scales is None or len(scales) != 1:
        return False
    return tensor.type == schema.TensorType.INT8 or tensor.quantization.zeroPoint[0] == 0


def _scale(tensor: Any) -> float:
    return float(tensor.quantization.scale[0])


def _extreme(model: Any, source: int, rng: np.random.Generator) -> int:
    graph = model.subgraphs[0]
    shape = [int(extent) for extent in graph.tensors[source].shape]
    axis = int(rng.integers(1, len(shape)))
    name = "ARG_MAX" if rng.random() < 0.5 else "ARG_MIN"
    output = _tensor(model, [extent for place, extent in enumerate(shape) if place != axis], schema.TensorType.INT32)
    options: Any = schema.ArgMaxOptionsT() if name == "ARG_MAX" else schema.ArgMinOptionsT()
    options.outputType = schema.TensorType.INT32
    kind = schema.BuiltinOptions.ArgMaxOptions if name == "ARG_MAX" else schema.BuiltinOptions.ArgMinOptions
    _op(model, name, [source, _constant(model, np.array(axis, np.int32))], output, kind, options)
    return output


def _truth(model: Any, source: int, rng: np.random.Generator) -> int:
    """Of a comparison with a constant on either side, or of two."""
    first = _compared(model, source, rng)
    kind = rng.random()
    if kind < 0.4:
        return first
    shape = model.subgraphs[0].tensors[source].shape
    output = _tensor(model, shape, schema.TensorType.BOOL)
    if kind < 0.6:
        _op(model, "LOGICAL_NOT", [first], output)
    else:
        name = str(rng.choice(["LOGICAL_AND", "LOGICAL_OR", "EQUAL", "NOT_EQUAL"]))
        _op(model, name, [first, _compared(model, source, rng)], output)
    return output


def _compared(model: Any, source: int, rng: np.random.Generator) -> int:
    tensor = model.subgraphs[0].tensors[source]
    output = _tensor(model, tensor.shape, schema.TensorType.BOOL)
    pair = [source, _beside(model, source, rng)]
    _op(model, str(rng.choice(COMPARISONS)), pair if rng.random() < 0.7 else pair[::-1], output)
    return output


def _choice(model: Any, source: int, rng: np.random.Generator) -> int:
    tensor = model.subgraphs[0].tensors[source]
    is_wide = tensor.type == schema.TensorType.INT16  # which TFLite Micro does not compare
    condition = _constant(model, rng.random(tensor.shape) < 0.5) if is_wide else _compared(model, source, rng)
    output = _like(model, source)
    pair = [source, _beside(model, source, rng)]
    _op(model, "SELECT_V2", [condition, *(pair if rng.random() < 0.5 else pair[::-1])], output)
    return output


def _sum(model: Any, source: int, rng: np.random.Generator) -> int:
    count = int(rng.integers(2, 6))
    output = _like(model, source)
    made = model.subgraphs[0].tensors[output]
    made.quantization.scale = made.quantization.scale * np.float32(count * rng.uniform(0.3, 1.5))
    made.quantization.zeroPoint = np.array([int(rng.integers(-128, 128))], np.int64)
    whole = tuple(int(extent) for extent in model.subgraphs[0].tensors[source].shape)
    others = [source if rng.random() < 0.5 else _beside(model, source, rng, whole) for _ in range(count - 1)]
    _op(model, "ADD_N", [source, *others], output)
    return output


def _beside(model: Any, source: int, rng: np.random.Generator, shape: tuple[int, ...] | None = None) -> int:
    """A constant of the source's scale, of its shape or one that broadcasts to it."""
    tensor = model.subgraphs[0].tensors[source]
    if shape is None:
        shape = tuple(int(extent) if rng.random() < 0.7 else 1 for extent in tensor.shape)
    is_wide = tensor.type == schema.TensorType.INT16
    values = rng.integers(-128, 128, shape).astype(np.int16) * (257 if is_wide else 1)
    return _constant(model, values if is_wide else values.astype(np.int8), tensor.quantization)


def _like(model: Any, source: int) -> int:
    tensor = model.subgraphs[0].tensors[source]
    quantization: Any = schema.QuantizationParametersT()
    quantization.scale, quantization.zeroPoint = tensor.quantization.scale, tensor.quantization.zeroPoint
    return _tensor(model, tensor.shape, tensor.type, quantization)


def _constant(model: Any, values: np.ndarray, quantization: Any = None) -> int:
    buffer: Any = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    model.buffers.append(buffer)
    kind = getattr(schema.TensorType, values.dtype.name.upper())
    return _tensor(model, values.shape, kind, quantization, len(model.buffers) - 1)


def _tensor(model: Any, shape: Any, kind: int, quantization: Any = None, buffer: int = 0) -> int:
    graph = model.subgraphs[0]
    tensor: Any = schema.TensorT()
    tensor.name, tensor.shape = f"model/found_{len(graph.tensors)}/found".encode(), np.array(shape, np.int32)
    tensor.type, tensor.buffer, tensor.quantization = kind, buffer, quantization
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _op(model: Any, name: str, inputs: list[int], output: int, kind: int = 0, options: Any = None) -> None:
    code: Any = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    model.operatorCodes.append(code)
    operator: Any = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    model.subgraphs[0].operators.append(operator)
