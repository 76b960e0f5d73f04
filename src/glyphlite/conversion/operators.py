"""The kinds of ops in a freshly converted file: TensorFlow's own, and those left in float.

For files of our own making; knows only the format.
"""

from glyphlite.tflite.ops import name_of
from glyphlite.tflite.writer import unpack_model


def select_operators(content: bytes) -> tuple[str, ...]:
    """Names of the ops that need TensorFlow at run time (``FlexErf``), each once."""
    codes = unpack_model(content).operatorCodes
    names = [code.customCode.decode(errors="replace") for code in codes if code.customCode]
    return tuple(dict.fromkeys(name for name in names if name.startswith("Flex")))


def float_operators(content: bytes) -> tuple[str, ...]:
    """Names of the ops that compute in float32, each once; QUANTIZE and DEQUANTIZE around them are not counted."""
    from ai_edge_litert import schema_py_generated as schema

    model = unpack_model(content)
    graph = model.subgraphs[0]
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        name = name_of(max(code.builtinCode, code.deprecatedBuiltinCode)) or "OP"
        tensors = [graph.tensors[index] for index in (*operator.inputs, *operator.outputs) if index >= 0]
        if name not in ("QUANTIZE", "DEQUANTIZE") and any(tensor.type == schema.TensorType.FLOAT32 for tensor in tensors):
            found.append(name)
    return tuple(dict.fromkeys(found))
