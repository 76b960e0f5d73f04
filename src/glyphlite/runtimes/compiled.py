"""Common parts of the runtimes of generated C: an artifact compiled into a folder, and its edges as the artifact's own types.

Knows the compiler and arrays; how the C is built and run is the runtimes' affair.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glyphlite.compiler.report import CompilationReport, EdgePlan
from glyphlite.runtimes import ports
from glyphlite.runtimes.base import Samples
from glyphlite.runtimes.ports import Port, Ports
from glyphlite.tflite.quantization import Quantization, dequantize, quantize

if TYPE_CHECKING:
    from glyphlite.emulation.machine import Machine

NAME = "network"
"""The name that a model is compiled under when only we read it."""

_WORD = 4
"""Bytes to which inputs and outputs of several types are aligned: the largest of their elements is an int32."""

FIRMWARE_FLAGS = ("-fno-unroll-loops",)
"""How generated C is built, beside the core's own level: its hot loops carry pragmas that unroll them, the others stay small."""


@dataclass(frozen=True)
class Compiled:
    """Generated C in a folder of its own, which goes with it, and the ports of the artifact that it came from."""

    folder: Path
    close: Callable[[], object]
    report: CompilationReport
    ports: Ports

    @property
    def source(self) -> Path:
        """Returns the C file of the model."""
        return self.folder / "c" / f"{self.report.name}.c"

    def path(self, name: str) -> Path:
        """Returns a place in the folder for what is built from the C."""
        return self.folder / name

    def stored(self, samples: Samples) -> np.ndarray:
        """Returns the artifact's inputs as the bytes that the C takes, one after the other, int8 ``(n, bytes)``."""
        return as_taken(ports.check_batches(samples, self.ports.inputs), self.report.input_tensors)

    def restored(self, results: np.ndarray, samples: Samples) -> tuple[np.ndarray, ...]:
        """Returns the bytes that the C gives for samples, int8 ``(calls, bytes)``, as what the artifact's outputs hold."""
        given = as_given(results, self.ports.outputs, self.report.output_tensors)
        return tuple(values[: len(samples[0])] for values in given)

    @property
    def call_parts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Returns the bytes of every input and output, in the order of the C's parameters."""
        return tuple(each.bytes for each in self.report.input_tensors), tuple(each.bytes for each in self.report.output_tensors)


def as_taken(samples: Samples, edges: Sequence[EdgePlan]) -> np.ndarray:
    """Returns what a file's inputs hold as the bytes that its C takes, int8 ``(calls, room_of(sizes))``, as :func:`offsets` says.

    A call takes as many samples as the file's batch is fixed to; the last is filled up with zeros.
    """
    taken = [_stored(_whole(batch, edge), edge) for batch, edge in zip(samples, edges, strict=True)]
    parts = [batch.reshape(len(batch), -1).view(np.int8) for batch in taken]
    return np.concatenate([np.pad(part, ((0, 0), (0, room_of([part.shape[1]]) - part.shape[1]))) for part in parts], axis=1)


def as_given(results: np.ndarray, outputs: Sequence[Port], edges: Sequence[EdgePlan]) -> tuple[np.ndarray, ...]:
    """Returns the bytes that C gives, int8 ``(calls, room_of(sizes))``, as what the file's outputs hold, sample by sample."""
    found: list[np.ndarray] = []
    for port, edge, start in zip(outputs, edges, offsets([edge.bytes for edge in edges]), strict=True):
        values = np.ascontiguousarray(results[:, start : start + edge.bytes]).view(_held(edge))
        found.append(_restored(values.reshape(-1, *port.shape), edge))
    return tuple(found)


def _whole(batch: np.ndarray, edge: EdgePlan) -> np.ndarray:
    """Returns samples as whole tensors, ``(calls, elements)``."""
    elements = math.prod(abs(extent) for extent in edge.shape)
    rows = batch.reshape(len(batch), -1)
    missing = -len(rows) % (elements // rows.shape[1])
    return np.concatenate([rows, np.zeros((missing, rows.shape[1]), rows.dtype)]).reshape(-1, elements)


def offsets(sizes: Sequence[int]) -> list[int]:
    """Returns where each of several parts of these sizes begins: each at a word, as cores without unaligned loads need it."""
    return [room_of(sizes[:place]) for place in range(len(sizes))]


def room_of(sizes: Sequence[int]) -> int:
    """Returns the bytes that parts of these sizes take side by side, each in whole words."""
    return sum(-(-size // _WORD) * _WORD for size in sizes)


@dataclass(frozen=True)
class CallPlaces:
    """Memory of an emulated core for one call of generated C.

    Attributes:
        inputs: address of the first input; the others follow as :func:`offsets` says.
        outputs: of the first output, likewise.
        output_bytes: of all of them.
        state: of what is kept between calls; None where there is none.
        arguments: of the call, in the order of its parameters.
    """

    inputs: int
    outputs: int
    output_bytes: int
    state: int | None
    arguments: tuple[int, ...]


def place_call(
    machine: "Machine", inputs: Sequence[int], outputs: Sequence[int], *, state_bytes: int, arena_bytes: int
) -> CallPlaces:
    """Allocates what a call takes, from the bytes of every input and output."""
    output_bytes = room_of(outputs)
    inputs_at, outputs_at = machine.allocate(room_of(inputs)), machine.allocate(output_bytes)
    state = machine.allocate(state_bytes) if state_bytes else None
    arguments = (
        *(inputs_at + at for at in offsets(inputs)),
        *(outputs_at + at for at in offsets(outputs)),
        *(() if state is None else (state,)),
        machine.allocate(max(arena_bytes, 4)),
    )
    return CallPlaces(inputs_at, outputs_at, output_bytes, state, arguments)


def place_in_memory(
    machine: "Machine", edges: Sequence[int], *, output_bytes: int, state_bytes: int, memory_bytes: int
) -> CallPlaces:
    """Allocates arena, input and output in one, for a model of one of each.

    Args:
        machine: the core.
        edges: where in it input and output lie.
        output_bytes: of the output.
        state_bytes: of what is kept between calls.
        memory_bytes: of all of it.
    """
    memory = machine.allocate(max(memory_bytes, 4))
    state = machine.allocate(state_bytes) if state_bytes else None
    given, result = (memory + at for at in edges)
    return CallPlaces(
        given, result, room_of([output_bytes]), state, (given, result, *(() if state is None else (state,)), memory)
    )


def _held(edge: EdgePlan) -> np.dtype:
    """Returns the type of what the C takes or gives."""
    return np.dtype(edge.element_type)


def _stored(batch: np.ndarray, edge: EdgePlan) -> np.ndarray:
    if edge.kind == "uint8":
        return (batch.astype(np.int16) - 128).astype(np.int8)
    if edge.kind == "float32":
        return quantize(batch, Quantization((edge.scale,), (edge.zero_point,)), _held(edge))
    return np.ascontiguousarray(batch)


def _restored(values: np.ndarray, edge: EdgePlan) -> np.ndarray:
    if edge.kind == "uint8":
        return (values.astype(np.int16) + 128).astype(np.uint8)
    return dequantize(values, Quantization((edge.scale,), (edge.zero_point,))) if edge.kind == "float32" else values
