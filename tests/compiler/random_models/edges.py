"""Further inputs and outputs for a model that has one of each: tensors inside it that the caller gets, or has to give.

Works on finished files, whatever wrote them. Outputs are tensors that later ops read, views, inputs, and uint8 or float32 forms
of a tensor; inputs take the place of a tensor for some of its readers, or are read by nothing.
"""

import copy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from glyphlite.tflite.writer import pack_model, unpack_model

SHARE = 1 / 6
"""Part of the models that get further edges."""


def vary_edges(content: bytes, seed: int) -> bytes:
    """The file of a seed with the inputs and outputs that are drawn for it; most stay as they are."""
    rng = np.random.default_rng([seed, 2053])  # its own: the models of all other seeds stay what they were
    return with_edges(content, rng) if rng.random() < SHARE else content


def with_edges(content: bytes, rng: np.random.Generator) -> bytes:
    """The file with one to three further inputs or outputs, in any order."""
    model = unpack_model(content)
    graph = model.subgraphs[0]
    inputs, outputs = [int(each) for each in graph.inputs], [int(each) for each in graph.outputs]
    for _ in range(int(rng.integers(1, 4))):
        inner = [index for index in _computed(graph) + inputs if _is_plain(graph.tensors[index])]
        if not inner:
            break
        tensor = int(rng.choice(inner))
        kind = rng.random()
        if kind < 0.35 and tensor not in outputs:
            outputs.append(tensor)
        elif kind < 0.5:
            outputs.append(_converted(model, tensor, rng))
        elif kind < 0.85 and tensor not in inputs:
            inputs += _cut(graph, tensor, rng)
        elif kind >= 0.85:
            inputs.append(_new_tensor(graph, graph.tensors[tensor], f"spare_{len(inputs)}"))
    graph.inputs = np.array(rng.permutation(inputs), np.int32)
    graph.outputs = np.array(rng.permutation(outputs), np.int32)
    return pack_model(model)


def _computed(graph: Any) -> list[int]:
    return [int(index) for operator in graph.operators for index in operator.outputs]


def _is_plain(tensor: Any) -> bool:
    """Whether it is an int8 or int16 activation of one scale."""
    scales = getattr(tensor.quantization, "scale", None)
    return tensor.type in (schema.TensorType.INT8, schema.TensorType.INT16) and scales is not None and len(scales) == 1


def _new_tensor(graph: Any, like: Any, name: str) -> int:
    tensor = copy.deepcopy(like)
    tensor.name, tensor.buffer = name.encode(), 0
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _cut(graph: Any, tensor: int, rng: np.random.Generator) -> list[int]:
    """Lets one of its readers read a new input in its place; no input where nothing reads it."""
    readers = [operator for operator in graph.operators if tensor in list(operator.inputs)]
    if not readers:
        return []
    reader = readers[int(rng.integers(len(readers)))]
    new = _new_tensor(graph, graph.tensors[tensor], f"model/given_{tensor}/input")
    reader.inputs = np.array([new if index == tensor else index for index in reader.inputs], np.int32)
    return [new]


def _converted(model: Any, tensor: int, rng: np.random.Generator) -> int:
    """A new output: the tensor as uint8, or as int8 where it is int16, or as float32."""
    graph = model.subgraphs[0]
    name = "DEQUANTIZE" if rng.random() < 0.5 else "QUANTIZE"
    output = _new_tensor(graph, graph.tensors[tensor], f"StatefulPartitionedCall:{len(graph.tensors)}")
    made = graph.tensors[output]
    if name == "QUANTIZE" and made.type == schema.TensorType.INT16:
        made.type = schema.TensorType.INT8
        made.quantization.scale = made.quantization.scale * np.float32(rng.choice([200, 300]))
    elif name == "QUANTIZE":
        made.type = schema.TensorType.UINT8
        made.quantization.zeroPoint = np.array([int(made.quantization.zeroPoint[0]) + 128], np.int64)
        made.quantization.scale = made.quantization.scale * np.float32(rng.choice([1, 1, 1.5]))
    else:
        made.type, made.quantization = schema.TensorType.FLOAT32, None
    code: Any = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode, code.version = code.builtinCode, 2
    model.operatorCodes.append(code)
    operator: Any = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs, operator.outputs = np.array([tensor], np.int32), np.array([output], np.int32)
    graph.operators.append(operator)
    return output
