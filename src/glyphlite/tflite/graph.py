"""The typed graph of one .tflite file: what the reader hands out, and all that the rest of glyphlite sees of the format."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from glyphlite.tflite.quantization import Quantization

RESOURCE = np.dtype("V4")
"""The element type of a handle to a variable: four bytes that mean something to the runtime alone."""


@dataclass(frozen=True)
class Element:
    """An element type: how it is held in memory and, where several share a byte of the file, its bits there."""

    dtype: np.dtype
    packed_bits: int | None = None

    @property
    def name(self) -> str:
        """Returns the name as the file has it: ``int8``, ``float32``, ``int4``."""
        if self.dtype == RESOURCE:
            return "resource"
        return f"int{self.packed_bits}" if self.packed_bits else self.dtype.name

    @property
    def limits(self) -> tuple[int, int]:
        """Returns the least and the largest integer."""
        if self.packed_bits:
            return -(1 << (self.packed_bits - 1)), (1 << (self.packed_bits - 1)) - 1
        return np.iinfo(self.dtype).min, np.iinfo(self.dtype).max

    def stored_bytes(self, count: int) -> int:
        """Returns the bytes  that so many take in the file."""
        return -(-count * self.packed_bits // 8) if self.packed_bits else count * self.dtype.itemsize


@dataclass(frozen=True)
class Tensor:
    """One tensor. ``data`` is set for constants only, shaped and typed; ``shape`` has -1 where the batch is free.

    ``buffer`` is the index of the file's buffer; constants may share one. A variable tensor is state that an op keeps.
    ``packed_bits``: how wide an element is in the file where several share a byte; ``data`` holds a byte for each all the same.
    ``is_behind``: its values lie behind the FlatBuffer (``Buffer.offset``), where LiteRT finds them and TFLite Micro does not.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    quantization: Quantization | None
    data: np.ndarray | None = None
    buffer: int = 0
    is_variable: bool = False
    packed_bits: int | None = None
    is_behind: bool = False

    @property
    def is_constant(self) -> bool:
        """Returns whether the file holds the tensor's values."""
        return self.data is not None

    @property
    def elements(self) -> int:
        """Returns the number of  elements, a free batch counted as one."""
        return int(np.prod([abs(extent) for extent in self.shape], dtype=np.int64))

    @property
    def bytes(self) -> int:
        """Returns the bytes  of the tensor's values as stored, a free batch counted as one."""
        return Element(self.dtype, self.packed_bits).stored_bytes(self.elements)

    @property
    def stored_type(self) -> str:
        """Returns the element type as the file has it: ``int8``, ``float32``, ``int4``."""
        return Element(self.dtype, self.packed_bits).name


@dataclass(frozen=True)
class Operator:
    """One op in execution order. ``inputs`` hold tensor indices, -1 for an absent optional input."""

    index: int
    builtin_code: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    version: int = 1
    custom_code: str | None = None


@dataclass(frozen=True)
class Variable:
    """State that ops read and assign by name, kept between calls.

    Attributes:
        name: what the file calls it.
        handles: the resource tensors of the model that stand for it.
        shape: of the tensor that is assigned first; others hold as many elements of the same type.
        quantization: of that tensor.
        initial: its values before the first call, ``shape`` and typed.
        is_behind: whether these lie behind the FlatBuffer, as :class:`Tensor` has it.
    """

    name: str
    handles: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    quantization: Quantization | None
    initial: np.ndarray
    is_behind: bool = False

    @property
    def bytes(self) -> int:
        """Returns the bytes of its values."""
        return self.initial.nbytes


@dataclass(frozen=True)
class OtherModel:
    """A subgraph that another signature runs: its key, "" where none names it, and its ops, which TFLite Micro prepares too."""

    signature: str
    operators: tuple[Operator, ...]


@dataclass(frozen=True)
class Graph:
    """A validated model: every index in range, every buffer of the size its shape asks for.

    Ops and tensors are those of the file's first subgraph, which runtimes run. The others can only be initializers, which are
    read as the initial values of ``variables``, or models of their own that other signatures run: ``others``.
    """

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    description: str = ""
    signatures: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    normalization: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    """Mean and standard deviation of a pixel as the metadata say: one number or one per channel each, empty where not said."""
    metadata: tuple[str, ...] = ()
    schema_version: int = 3
    variables: tuple[Variable, ...] = ()
    subgraphs: int = 1
    others: tuple[OtherModel, ...] = ()
    """What follows the model and has nothing to do with it, where a file holds several signatures."""

    @property
    def input(self) -> Tensor:
        """Returns the model's first input."""
        return self.tensors[self.inputs[0]]

    @property
    def output(self) -> Tensor:
        """Returns the model's first output."""
        return self.tensors[self.outputs[0]]

    @property
    def activations(self) -> tuple[int, ...]:
        """Indices of the inputs and of every tensor of numbers that an op writes, in execution order."""
        written = [output for operator in self.operators for output in operator.outputs if output >= 0]
        return tuple(index for index in dict.fromkeys([*self.inputs, *written]) if self.tensors[index].dtype != RESOURCE)

    @property
    def is_stateful(self) -> bool:
        """Returns whether a call leaves something behind for the next one: variables, or tensors that an op keeps."""
        return bool(self.variables) or any(tensor.is_variable for tensor in self.tensors)


def state_tensors(graph: Graph) -> tuple[Tensor, ...]:
    """Returns what a call leaves behind for the next one, as tensors: the variables by their names, then what ops keep."""
    variables = (
        Tensor(variable.handles[0], variable.name, variable.shape, variable.dtype, variable.quantization)
        for variable in graph.variables
    )
    return (*variables, *(tensor for tensor in graph.tensors if tensor.is_variable))


_PASSING = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST", "EXPAND_DIMS")
"""Ops that only pass their first input on."""

_ACTIVATIONS = {"SOFTMAX": "softmax", "LOG_SOFTMAX": "log_softmax", "LOGISTIC": "sigmoid", "TANH": "tanh"}


def last_activation(graph: Graph) -> str | None:
    """Returns "softmax", "sigmoid" or "tanh" where the output is one, the name of a fused activation, else None."""
    producers = {output: operator for operator in graph.operators for output in operator.outputs}
    index = graph.outputs[0]
    for _ in graph.operators:
        operator = producers.get(index)
        if operator is None:
            return None
        if operator.name not in _PASSING:
            fused = str(operator.options.get("activation", "none")).lower()
            return _ACTIVATIONS.get(operator.name) or (fused if fused != "none" else None)
        index = operator.inputs[0]
    return None
