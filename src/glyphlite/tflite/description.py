"""Records of the tensors and ops of a checked graph, as ``inspect`` shows them and the picture of the graph labels them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from glyphlite.records import Record
from glyphlite.tflite import cost
from glyphlite.tflite.graph import Graph, Operator, Tensor

LONGEST_NAME = 1000
"""Characters of a tensor's name that are kept: converters join the names of all fused layers, and every use repeats it."""


class TensorInfo(Record):
    """One tensor: type, shape (-1 where the batch is free), bytes, and how its integers stand for real numbers."""

    index: int
    name: str
    shape: list[int]
    dtype: str
    bytes: int
    scales: list[float] = Field(default_factory=list)
    zero_points: list[int] = Field(default_factory=list)
    axis: int | None = None


class OperatorInfo(Record):
    """One op in execution order. ``parameters`` and ``parameter_bytes`` count its weights and biases as stored."""

    index: int
    name: str
    builtin_code: int
    version: int
    custom_code: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    inputs: list[TensorInfo] = Field(default_factory=list)
    constants: list[TensorInfo] = Field(default_factory=list)
    outputs: list[TensorInfo] = Field(default_factory=list)
    parameters: int
    parameter_bytes: int
    macs: int

    @property
    def output_bytes(self) -> int:
        """Returns the bytes  of what the op writes."""
        return sum(tensor.bytes for tensor in self.outputs)


def describe_tensor(tensor: Tensor) -> TensorInfo:
    """Returns the record of one tensor of a checked graph."""
    quantization = tensor.quantization
    return TensorInfo(
        index=tensor.index,
        name=tensor.name[:LONGEST_NAME],
        shape=list(tensor.shape),
        dtype=tensor.stored_type,
        bytes=tensor.bytes,
        scales=list(quantization.scales) if quantization else [],
        zero_points=list(quantization.zero_points) if quantization else [],
        axis=quantization.axis if quantization and len(quantization.scales) > 1 else None,
    )


def describe_operator(graph: Graph, operator: Operator) -> OperatorInfo:
    """Returns the record of one op of a checked graph."""
    used = {index for index in (*operator.inputs, *operator.outputs) if index != -1}
    return operator_record(graph, operator, {index: describe_tensor(graph.tensors[index]) for index in used})


def operator_record(graph: Graph, operator: Operator, tensors: Sequence[TensorInfo] | Mapping[int, TensorInfo]) -> OperatorInfo:
    """Returns the record of an op, from the records of its tensors: one that many ops read is described once."""
    inputs = [index for index in operator.inputs if index != -1]
    return OperatorInfo(
        index=operator.index,
        name=operator.name,
        builtin_code=operator.builtin_code,
        version=operator.version,
        custom_code=operator.custom_code,
        options=operator.options,
        inputs=[tensors[index] for index in inputs if not graph.tensors[index].is_constant],
        constants=[tensors[index] for index in inputs if graph.tensors[index].is_constant],
        outputs=[tensors[index] for index in operator.outputs],
        parameters=cost.operator_parameters(graph, operator),
        parameter_bytes=cost.operator_bytes(graph, operator),
        macs=cost.operator_macs(graph, operator),
    )
