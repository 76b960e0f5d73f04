"""A file's declared runtime requirements, corrected after rewriting: op versions, the oldest runtime, no unused ops.

A runtime decides by an op's version whether it has the kernel. TensorFlow's converter declares INT8 weights; those that were then
stored in four bits ask for a later one. Source: ``tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc`` and
``runtime_version.cc`` (TensorFlow 2.21).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from glyphlite.tflite.ops import name_of
from glyphlite.tflite.writer import pack_model, text_of, unpack_model

INT4_VERSIONS: Mapping[str, int] = MappingProxyType({"CONV_2D": 7, "DEPTHWISE_CONV_2D": 7, "FULLY_CONNECTED": 10})
"""Since which version an op takes int8 activations with INT4 weights."""

RUNTIMES: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        ("CONV_2D", 7): "2.11.0",
        ("DEPTHWISE_CONV_2D", 7): "2.11.0",
        ("FULLY_CONNECTED", 10): "2.11.0",
        ("QUANTIZE", 1): "1.14.0",
        ("QUANTIZE", 2): "1.15.0",
        ("DEQUANTIZE", 1): "1.13.1",
        ("DEQUANTIZE", 2): "1.14.0",
        ("DEQUANTIZE", 3): "1.15.0",
    }
)
"""The TensorFlow that came with a version of an op, for those that are declared here."""

MINIMUM_RUNTIME = "min_runtime_version"
"""The metadata entry that names the oldest runtime, 16 bytes filled up with zeros."""


def with_true_declarations(content: bytes) -> bytes:
    """Returns the same model with its versions declared as its tensors ask for, and without operator codes that no op uses.

    Args:
        content: a .tflite file of our own making; ops, tensors and constants stay as they are.
    """
    model = unpack_model(content)
    for graph in model.subgraphs:
        for operator in graph.operators:
            if version := _int4_version(model, graph, operator):
                code = model.operatorCodes[operator.opcodeIndex]
                operator.opcodeIndex = code_index(model, _kind(code), version, like=code)
    drop_unused_codes(model)
    declare_runtime(model)
    return pack_model(model)


def code_index(model: Any, kind: str, version: int, like: Any) -> int:
    """Returns the place of the operator code of an op in a version, appended as a copy of ``like`` where there is none."""
    from ai_edge_litert import schema_py_generated as schema

    for index, code in enumerate(model.operatorCodes):
        if (_kind(code), code.version) == (kind, version):
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = like.builtinCode, like.deprecatedBuiltinCode, version
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def drop_unused_codes(model: Any) -> None:
    """Removes the operator codes that no op of an object model refers to; the others keep their order."""
    operators = [operator for graph in model.subgraphs for operator in graph.operators]
    used = sorted({operator.opcodeIndex for operator in operators})
    for operator in operators:
        operator.opcodeIndex = used.index(operator.opcodeIndex)
    model.operatorCodes = [model.operatorCodes[index] for index in used]


def declare_runtime(model: Any) -> None:
    """Raises the oldest runtime that an object model names to what its ops need; a file that names none stays so."""
    needed = [version for code in model.operatorCodes if (version := RUNTIMES.get((_kind(code), code.version)))]
    for entry in model.metadata or []:
        if text_of(entry.name) == MINIMUM_RUNTIME:
            buffer = model.buffers[entry.buffer]
            present = bytes(buffer.data if buffer.data is not None else b"")
            oldest = max([present.rstrip(b"\0").decode("ascii", "replace"), *needed], key=_as_numbers)
            buffer.data = np.frombuffer(oldest.encode().ljust(16, b"\0"), np.uint8)


def _int4_version(model: Any, graph: Any, operator: Any) -> int | None:
    """Returns the version that an op with INT4 weights needs; None for any other, and where it is declared already."""
    from ai_edge_litert import schema_py_generated as schema

    code = model.operatorCodes[operator.opcodeIndex]
    version = INT4_VERSIONS.get(_kind(code))
    if version is None or code.version >= version:
        return None
    types = [graph.tensors[index].type for index in operator.inputs[:2]]
    return version if types == [schema.TensorType.INT8, schema.TensorType.INT4] else None


def _kind(code: Any) -> str:
    return name_of(max(code.builtinCode, code.deprecatedBuiltinCode)) or ""


def _as_numbers(version: str) -> tuple[int, ...]:
    """Returns a version as numbers; one that cannot be read is older than all."""
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
