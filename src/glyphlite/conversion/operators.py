"""What kinds of ops a freshly converted file came out with: TensorFlow's own, and those left in float.

For files of our own making; knows only the format.
"""

import functools
from typing import Any


def select_operators(content: bytes) -> tuple[str, ...]:
    """Names of the ops that need TensorFlow at run time (``FlexErf``), each once."""
    codes = _model(content).operatorCodes
    names = [code.customCode.decode(errors="replace") for code in codes if code.customCode]
    return tuple(dict.fromkeys(name for name in names if name.startswith("Flex")))


def float_operators(content: bytes) -> tuple[str, ...]:
    """Names of the ops that compute in float32, each once; QUANTIZE and DEQUANTIZE around them are not counted."""
    from ai_edge_litert import schema_py_generated as schema

    model, names = _model(content), _builtin_names()
    graph = model.subgraphs[0]
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        tensors = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
        if name not in ("QUANTIZE", "DEQUANTIZE") and any(tensor.type == schema.TensorType.FLOAT32 for tensor in tensors):
            found.append(name)
    return tuple(dict.fromkeys(found))


def _model(content: bytes) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0)


@functools.cache
def _builtin_names() -> dict[int, str]:
    from glyphlite.tflite.ops import BUILTIN_OPS

    return dict(BUILTIN_OPS)
