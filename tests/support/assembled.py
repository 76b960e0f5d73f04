"""Small .tflite files put together tensor by tensor, with as many subgraphs as are asked for: what converters write only for
large models, and what they never would.
"""

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from glyphlite.tflite.options import ACTIVATIONS

VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 4, "CONCATENATION": 2, "STRIDED_SLICE": 2, "ADD": 2}
TYPES = {
    "int8": schema.TensorType.INT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
    "uint8": schema.TensorType.UINT8,
    "float32": schema.TensorType.FLOAT32,
    "resource": schema.TensorType.RESOURCE,
}
FUSED = {name: number for number, name in enumerate(ACTIVATIONS)}
Parameters = tuple[float, int]


class Assembly:
    """A file in the making: its buffers, operator codes and subgraphs."""

    def __init__(self) -> None:
        self.model: Any = schema.ModelT()
        self.model.version, self.model.description = 3, b"assembled"
        self.model.buffers = [schema.BufferT()]
        self.model.subgraphs, self.model.operatorCodes = [], []
        self.names: list[str] = []

    @classmethod
    def of(cls, model: Any) -> "Assembly":
        """Goes on with a finished model of the object API."""
        assembly = cls.__new__(cls)
        assembly.model, assembly.names = model, []
        for field in ("buffers", "subgraphs", "operatorCodes"):
            setattr(model, field, list(getattr(model, field)))
        numbers = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
        assembly.names = [numbers[max(code.builtinCode, code.deprecatedBuiltinCode)] for code in model.operatorCodes]
        return assembly

    def subgraph(self) -> "Part":
        """Appends an empty subgraph."""
        return Part(self)

    def pack(self) -> bytes:
        """Returns the file."""
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def code(self, name: str) -> int:
        """Returns the index of an op's code."""
        if name not in self.names:
            code: Any = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name)
            code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), VERSIONS.get(name, 1)
            self.names.append(name)
            self.model.operatorCodes.append(code)
        return self.names.index(name)


class Part:
    """One subgraph in the making."""

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.graph: Any = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs = self.graph.outputs = np.array([], np.int32)
        assembly.model.subgraphs.append(self.graph)

    @classmethod
    def of(cls, assembly: Assembly, index: int) -> "Part":
        """Goes on with a subgraph that is there."""
        part = cls.__new__(cls)
        part.assembly, part.graph = assembly, assembly.model.subgraphs[index]
        part.graph.tensors, part.graph.operators = list(part.graph.tensors), list(part.graph.operators)
        return part

    def tensor(
        self, shape: Sequence[int], parameters: Parameters | None = None, dtype: str = "int8", *, variable: bool = False
    ) -> int:
        """Appends a tensor that is computed or kept."""
        return self._append(shape, dtype, 0, None if parameters is None else [parameters], 0, variable=variable)

    def constant(self, values: Any, parameters: Sequence[Parameters] | None = None, axis: int = 0) -> int:
        """Appends a tensor that the file holds."""
        values = np.asarray(values, order="C")
        buffer: Any = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.assembly.model.buffers.append(buffer)
        return self._append(values.shape, values.dtype.name, len(self.assembly.model.buffers) - 1, parameters, axis)

    def op(self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: str = "", **fields: Any) -> None:
        """Appends an op."""
        operator: Any = schema.OperatorT()
        operator.opcodeIndex = self.assembly.code(name)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, f"{options}T")()
            for field, value in fields.items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        self.graph.operators.append(operator)

    def variable(self, name: str) -> int:
        """Appends the handle of a variable."""
        handle = self.tensor((), None, "resource")
        self.op("VAR_HANDLE", [], [handle], "VarHandleOptions", sharedName=name.encode(), container=b"")
        return handle

    def edges(self, inputs: Sequence[int], outputs: Sequence[int]) -> None:
        """Says which tensors go in and come out."""
        self.graph.inputs, self.graph.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)

    def _append(
        self,
        shape: Sequence[int],
        dtype: str,
        buffer: int,
        parameters: Sequence[Parameters] | None,
        axis: int,
        *,
        variable: bool = False,
    ) -> int:
        tensor: Any = schema.TensorT()
        tensor.name = f"t{len(self.graph.tensors)}".encode()
        tensor.shape, tensor.type, tensor.buffer = np.array(shape, np.int32), TYPES[dtype], buffer
        tensor.isVariable = variable
        if parameters is not None:
            quantization: Any = schema.QuantizationParametersT()
            quantization.scale = np.array([scale for scale, _ in parameters], np.float32)
            quantization.zeroPoint = np.array([zero for _, zero in parameters], np.int64)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1
