"""Cost of a compiled model: the report, and the memory map that lies beside generated C as JSON.

Knows what was emitted; compiles nothing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from glyphlite.compiler.codegen.constants import PATHS
from glyphlite.compiler.codegen.kernel import Place
from glyphlite.compiler.emit import Emitted
from glyphlite.compiler.ir import Edge, Program
from glyphlite.compiler.schedule import Segment
from glyphlite.errors import DataError
from glyphlite.files.untrusted import parsing, read_input
from glyphlite.models.interface.input_convention import OURS, InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.purpose import Purpose


@dataclass(frozen=True)
class LayerPlan:
    """One layer of generated C: its function, its work, its constants on either path.

    ``functions`` are those that the model's run calls: ``function`` itself, or two for a layer that adds up row by row.
    """

    name: str
    op: str
    function: str
    macs: int
    constant_bytes: int
    functions: tuple[str, ...] = ()
    table_entry: tuple[int, int] | None = None
    """Number of the layer's entry in ``FUNCTION_table`` and of all entries, of a function that many layers share."""


@dataclass(frozen=True)
class BufferPlan:
    """One buffer of the arena: alive from step ``first`` to step ``last``."""

    name: str
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class EdgePlan:
    """One input or output: ``name`` is the parameter of ``NAME_invoke``, ``tensor``, ``shape`` and ``kind`` are the file's.

    ``element_type`` is what generated C takes or gives: int8 or int16. ``memory_offset`` is where it lies in ``NAME_memory_t``
    with the DSP extension, ``plain_memory_offset`` without; None where it does not.
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    kind: str
    scale: float
    zero_point: int
    bytes: int
    element_type: str = "int8"
    memory_offset: int | None = None
    plain_memory_offset: int | None = None


@dataclass(frozen=True)
class StatePlan:
    """One field of what the caller keeps between calls."""

    name: str
    c_type: str
    elements: int
    bytes: int
    words: str


@dataclass(frozen=True)
class CompilationReport:
    """The cost of a compiled model. Constants and arena are those of cores with the DSP extension, and those of the others.

    The arena is what ``NAME_invoke`` needs; ``classify_arena_bytes`` is enough for ``NAME_classify`` on every core.

    ``pixel_table`` holds what ``NAME_classify`` makes of each raw pixel, as the stored int8 + 128, channel after channel where
    these differ; None where it is the pixel.
    ``input_tensors`` and ``output_tensors`` are the parameters of ``NAME_invoke``, in the file's order: generated C takes and
    gives int8 of their scales and zero points, whatever the ``kind`` of the file's own. What is said of "the" input or output
    is said of the first, ``input_bytes`` and ``output_bytes`` of all. ``classifies`` says whether outputs are scores of classes,
    ``purpose`` how that is known, ``outputs`` which :class:`OutputKind`; ``takes_pictures`` whether there is a ``NAME_classify``.
    ``memory_bytes`` and ``plain_memory_bytes`` are those of ``NAME_memory_t``: arena, inputs and outputs in one.
    ``many_bytes`` are those of ``NAME_many_t``, with which hosts compute many images in one call; 0 where there is no such call.
    ``removed_channels`` change no answer and were left out, with their weights; they are not among ``macs``.
    """

    name: str
    folder: Path | None
    files: tuple[str, ...]
    optimize: str
    scores: str
    input_kind: str
    output_kind: str
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    input_bytes: int
    output_bytes: int
    arena_bytes: int
    constant_bytes: int
    plain_constant_bytes: int
    macs: int
    labels: tuple[str, ...]
    pixel_table: tuple[int, ...] | None
    layers: tuple[LayerPlan, ...]
    buffers: tuple[BufferPlan, ...]
    convention: InputConvention = OURS
    outputs: str = "logits"
    classifies: bool = True
    takes_pictures: bool = True
    purpose: str = ""
    input_tensors: tuple[EdgePlan, ...] = ()
    output_tensors: tuple[EdgePlan, ...] = ()
    state_bytes: int = 0
    plain_arena_bytes: int = 0
    classify_arena_bytes: int = 0
    states: tuple[StatePlan, ...] = ()
    removed_channels: int = 0
    memory_bytes: int = 0
    plain_memory_bytes: int = 0
    many_bytes: int = 0


def report_of(
    program: Program,
    segments: Sequence[Segment],
    emitted: Emitted,
    name: str,
    optimize: str,
    scores: str,
    purpose: Purpose,
) -> CompilationReport:
    """Returns the report of an emitted program."""

    def constant_bytes(path: str) -> int:
        arrays = (array for arrays in emitted.constants.values() for array in arrays)
        return sum(array.bytes for array in arrays if array.path in PATHS[path])

    layers = tuple(
        LayerPlan(
            name=node.name,
            op=node.op,
            function=emitted.layers[node.name].function,
            macs=node.macs,
            constant_bytes=sum(array.bytes for array in emitted.constants.get(node.name, ()) if array.path in PATHS["dsp"]),
            functions=emitted.layers[node.name].calls,
            table_entry=emitted.layers[node.name].entry,
        )
        for segment in segments
        for node in segment.nodes
    )
    buffers = tuple(
        BufferPlan(item.buffer.name, item.offset, item.buffer.size, item.first, item.last) for item in emitted.buffers
    )
    return CompilationReport(
        name=name,
        folder=None,
        files=tuple(emitted.files),
        optimize=optimize,
        scores=scores,
        input_kind=program.inputs[0].kind,
        output_kind=program.outputs[0].kind,
        input_scale=program.input.scale,
        input_zero_point=program.input.quantization.zero_point,
        output_scale=program.output.scale,
        output_zero_point=program.output.quantization.zero_point,
        input_bytes=sum(edge.value.bytes for edge in program.inputs),
        output_bytes=sum(edge.value.bytes for edge in program.outputs) if scores != "none" else 0,
        arena_bytes=emitted.arena_bytes,
        plain_arena_bytes=emitted.plain_arena_bytes,
        classify_arena_bytes=emitted.classify_arena_bytes,
        constant_bytes=constant_bytes("dsp"),
        plain_constant_bytes=constant_bytes("plain"),
        macs=sum(node.macs for node in program.nodes),
        labels=purpose.labels,
        pixel_table=None,
        layers=layers,
        buffers=buffers,
        outputs=(purpose.outputs or OutputKind.LOGITS).value,
        classifies=purpose.outputs is not None,
        takes_pictures=purpose.classifies_pictures,
        purpose=purpose.words,
        memory_bytes=emitted.memory_bytes[0],
        plain_memory_bytes=emitted.memory_bytes[1],
        many_bytes=emitted.many_bytes,
        input_tensors=tuple(_edge_plan(edge, emitted.edges.get(edge.name)) for edge in program.inputs),
        output_tensors=tuple(_edge_plan(edge, emitted.edges.get(edge.name)) for edge in program.outputs),
        state_bytes=emitted.state_bytes,
        states=tuple(
            StatePlan(state.name, state.c_type, state.initial.size, state.bytes, state.words) for state in program.states
        ),
    )


def _edge_plan(edge: Edge, place: Place | None) -> EdgePlan:
    value = edge.value
    return EdgePlan(
        name=edge.name,
        tensor=edge.tensor,
        shape=edge.shape,
        kind=edge.kind,
        scale=value.scale,
        zero_point=value.quantization.zero_point,
        bytes=value.bytes,
        element_type=value.element_type,
        memory_offset=place.offset if place else None,
        plain_memory_offset=place.plain_offset if place else None,
    )


def memory_map(report: CompilationReport) -> dict[str, object]:
    """Returns the report as the document of ``NAME.json``."""
    document = asdict(report)
    document.pop("folder")
    document.pop("convention")
    document["input"] = report.convention.report().model_dump(mode="json")
    return document


def memory_maps(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yields the documents that lie beside generated C in a folder, by path; other JSON files are passed over."""
    for path in sorted(folder.glob("*.json")):
        try:
            content = read_input(path, "a JSON document")
            with parsing(f"{path} is no JSON document"):
                document: Any = json.loads(content)
        except DataError:
            continue
        if isinstance(document, dict):
            found = cast("dict[str, Any]", document)
            if {"name", "files", "layers", "arena_bytes", "optimize", "labels"} <= set(found):
                yield path, found
