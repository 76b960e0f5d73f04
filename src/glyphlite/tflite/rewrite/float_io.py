"""An integer .tflite file with float32 at its edges, for runtimes that take no integers there: one op before, one behind.

QUANTIZE turns the float32 image into the file's own integer input, DEQUANTIZE its integer output into float32; every op, weight,
scale and zero point between them stays as it was. Knows the schema's object model, nothing of who runs the result.
"""

from typing import Any

from glyphlite.errors import ArtifactError
from glyphlite.tflite.ops import code_of
from glyphlite.tflite.reader import parse_graph
from glyphlite.tflite.rewrite.declarations import code_index, declare_runtime, drop_unused_codes
from glyphlite.tflite.writer import pack_model, text_of, unpack_model

DEQUANTIZE_VERSIONS = {"uint8": 1, "int8": 2, "int16": 3}
"""Since which version of the op it reads that type (tensorflow/compiler/mlir/lite/tools/versioning/op_version.cc)."""
QUANTIZE_VERSIONS = {"uint8": 1, "int8": 1, "int16": 2}
"""Since which version of the op it writes that type."""


def with_float_edges(content: bytes, name: str = "model") -> bytes:
    """Returns the same model with float32 inputs and outputs; a file that has them already is returned as it is.

    Args:
        content: a .tflite file, checked here, so that it may come from anywhere.
        name: what messages call it.

    Returns:
        The rewritten file, without labels and other data behind the model.

    Raises:
        ArtifactError: the file is malformed, or a port is neither float32 nor quantized with one scale.
    """
    graph = parse_graph(content, name)
    inputs = [index for index in graph.inputs if graph.tensors[index].dtype != "float32"]
    outputs = [index for index in graph.outputs if graph.tensors[index].dtype != "float32"]
    if not inputs and not outputs:
        return content
    for index in (*inputs, *outputs):
        tensor = graph.tensors[index]
        if str(tensor.dtype) not in QUANTIZE_VERSIONS or tensor.quantization is None or len(tensor.quantization.scales) != 1:
            raise ArtifactError(
                f"{name}: its port {tensor.name} is {tensor.dtype}; expected float32, or an integer type with one scale"
            )
    edges = _Edges(unpack_model(content))
    for index in inputs:
        edges.before(index, str(graph.tensors[index].dtype))
    for index in outputs:
        edges.behind(index, str(graph.tensors[index].dtype))
    return edges.packed()


class _Edges:
    """Puts ops around the one subgraph of an object model."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._graph = model.subgraphs[0]

    def before(self, index: int, dtype: str) -> None:
        """Lets a new float32 tensor be the input that is now ``index``."""
        port = self._float_twin(index)
        self._graph.operators.insert(0, self._operator("QUANTIZE", QUANTIZE_VERSIONS[dtype], port, index))
        self._graph.inputs = [port if one == index else one for one in map(int, self._graph.inputs)]
        for signature in filter(_runs_the_model, self._model.signatureDefs or []):
            _rename(signature.inputs, index, port)

    def behind(self, index: int, dtype: str) -> None:
        """Lets a new float32 tensor be the output that is now ``index``."""
        port = self._float_twin(index)
        self._graph.operators.append(self._operator("DEQUANTIZE", DEQUANTIZE_VERSIONS[dtype], index, port))
        self._graph.outputs = [port if one == index else one for one in map(int, self._graph.outputs)]
        for signature in filter(_runs_the_model, self._model.signatureDefs or []):
            _rename(signature.outputs, index, port)

    def packed(self) -> bytes:
        """Returns the file."""
        drop_unused_codes(self._model)
        declare_runtime(self._model)
        return pack_model(self._model)

    def _float_twin(self, index: int) -> int:
        """Returns a float32 tensor of the same shape, held by no buffer."""
        from ai_edge_litert import schema_py_generated as schema

        original = self._graph.tensors[index]
        twin = schema.TensorT()
        twin.name = text_of(original.name) + "/float32"
        twin.shape, twin.shapeSignature, twin.type = original.shape, original.shapeSignature, schema.TensorType.FLOAT32
        self._graph.tensors.append(twin)
        return len(self._graph.tensors) - 1

    def _operator(self, kind: str, version: int, source: int, target: int) -> Any:
        from ai_edge_litert import schema_py_generated as schema

        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = code_of(kind)
        operator = schema.OperatorT()
        operator.opcodeIndex = code_index(self._model, kind, version, like=code)
        operator.inputs, operator.outputs = [source], [target]
        return operator


def _runs_the_model(signature: Any) -> bool:
    """Says whether a signature's tensors are the first subgraph's: another's have nothing to do with it."""
    return signature.subgraphIndex == 0


def _rename(ports: list[Any], old: int, new: int) -> None:
    for port in ports:
        if port.tensorIndex == old:
            port.tensorIndex = new
