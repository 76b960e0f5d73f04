"""Translation of segments to C: every node's kernel, every buffer placed, and the files that come out of the templates.

Knows nodes by their traits and kernels by their templates; nothing of the file that the model came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.arena import Arena
from glyphlite.compiler.codegen.c_text import c_float, c_lines, render
from glyphlite.compiler.codegen.constants import Array, Constants
from glyphlite.compiler.codegen.helpers import helpers_called, macro_names
from glyphlite.compiler.codegen.kernel import Kernel, Layer, Place, Rows, Site, whole_map
from glyphlite.compiler.codegen.layout import tidy
from glyphlite.compiler.ir import Edge, Program
from glyphlite.compiler.memory_plan import Buffer
from glyphlite.compiler.schedule import Segment
from glyphlite.compiler.values import Optimize
from glyphlite.escaping import c_comment, c_string
from glyphlite.models.interface.input_convention import InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.tflite.quantization import dequantize

_FACT_COLUMNS = 106
"""Of a fact in the header, beside its title."""

BOX_PART = 20 / 28
"""Fraction of a picture's height and width that a glyph fills: as in MNIST, and in the pictures that glyphlite normalizes."""


@dataclass(frozen=True)
class Sample:
    """An image for ``example.c``: uint8 (height, width, channels), its class, where one is known, and where it comes from."""

    image: np.ndarray
    label: int | None
    source: str = "a test image"


@dataclass(frozen=True)
class About:
    """Holds the origin of the C, as the header states it; empty fields are left out.

    Attributes:
        model: the name that the file gives its model.
        file: the .tflite file's name.
        sha256: of that file.
        accuracy: in words, as it was measured on that very file.
    """

    model: str = ""
    file: str = ""
    sha256: str = ""
    accuracy: str = ""


@dataclass(frozen=True)
class Placed:
    """A buffer of the arena with its offset, for the memory map."""

    buffer: Buffer
    offset: int


@dataclass(frozen=True)
class Functions:
    """The C function that a layer is called after, and those that the model's run calls."""

    function: str
    calls: tuple[str, ...]


@dataclass(frozen=True)
class Emitted:
    """The files by name, and what the report says of them."""

    files: dict[str, str]
    arena_bytes: int
    buffers: tuple[Placed, ...]
    constants: dict[str, tuple[Array, ...]]
    layers: dict[str, Functions]
    state_bytes: int = 0


@dataclass(frozen=True)
class Sums:
    """The place where an accumulator adds up, and the number of its sums."""

    place: Place
    count: int


@dataclass(frozen=True)
class Step:
    """A segment as the run's template takes it.

    Attributes:
        title: its layers.
        chain: kernels that hand rows on.
        accumulator: the kernel that adds up row after row; None where there is none.
        whole: the kernel that runs once, on a whole map, in place of the two.
        sums: of the accumulator.
        target: where the output goes.
    """

    title: str
    chain: tuple[Kernel, ...]
    accumulator: Kernel | None
    whole: Kernel | None
    sums: Sums | None
    target: Rows


def emit(
    program: Program,
    segments: Sequence[Segment],
    name: str,
    *,
    scores: str,
    outputs: OutputKind,
    optimize: Optimize,
    labels: Sequence[str],
    sample: Sample,
    convention: InputConvention,
    pixel_table: np.ndarray | None,
    about: About,
) -> Emitted:
    """Renders a scheduled program.

    Args:
        program: the lowered, optimized model.
        segments: its schedule.
        name: a C identifier, the prefix of everything that is emitted.
        scores: "probabilities", "logits" or "none".
        outputs: what the scores mean.
        optimize: "speed", "size" or "ram".
        labels: a name for each class.
        sample: the image of ``example.c``.
        convention: how the model takes a pixel, for comments.
        pixel_table: uint8 (channels, 256), a raw pixel as the network holds it; None where they are the same.
        about: where the model comes from.
    """
    arena = Arena(program, segments, optimize, keeps_result=scores == "none", takes_pixels=pixel_table is not None)
    constants = Constants()
    steps = [_step(arena, constants, program, name, number, segment) for number, segment in enumerate(segments)]
    kernels = [kernel for step in steps for kernel in _kernels(step)]
    if pixel_table is not None:
        constants.add("pixels", f"{name}_pixels", "uint8_t", pixel_table)
    initial = {
        state.name: constants.add(f"state {state.name}", f"{name}_{state.name}_initial", state.c_type, state.initial)
        for state in program.states
        if (state.initial != state.initial.flat[0]).any()
    }
    text = "".join(_render(kernel, name) for kernel in kernels)
    context = {
        **_names(name),
        **_interface(program, arena, scores, outputs),
        **_memory(program, name),
        "initial": initial,
        "layers": text,
        "steps": steps,
        "uses_flip": any(kernel.layer.reads_model_input for kernel in kernels),
        "arrays": [array for arrays in constants.by_layer.values() for array in arrays],
        "pixel_table": pixel_table is not None,
        "pixel_channels": 1 if pixel_table is None else len(pixel_table),
        "pixel_formula": convention.formula,
        "labels": ", ".join(c_string(label) for label in labels),
        "sample": c_lines(sample.image.reshape(-1)),
        "sample_label": sample.label,
        "sample_words": c_comment(
            sample.source + (f", class {labels[sample.label]}" if sample.label is not None else ", class unknown")
        ),
        "facts": _facts(program, about, convention),
        "returned": "" if scores == "none" else "scores, ",
    }
    context["run"] = render("run.c.j2", context)
    context["helpers"] = helpers_called(text + context["run"], name, unrolls=optimize != "size")
    templates = {
        f"{name}.h": "program.h.j2",
        f"{name}.c": "program.c.j2",
        f"{name}_weights.h": "weights.h.j2",
        "Makefile": "Makefile.j2",
        "example/example.c": "example.c.j2",
        "example/Makefile": "example_Makefile.j2",
    }
    files = {file: tidy(render(template, context)) for file, template in templates.items()}
    placed = tuple(Placed(buffer, offset) for buffer, offset in zip(arena.buffers, arena.offsets, strict=True))
    arrays = {layer: tuple(each) for layer, each in constants.by_layer.items()}
    layers = {kernel.layer.name: Functions(kernel.layer.function, kernel.functions) for kernel in kernels}
    return Emitted(files, arena.size, placed, arrays, layers, state_bytes(program))


def _render(kernel: Kernel, name: str) -> str:
    """Returns the functions of one layer."""
    return render(kernel.template, {"k": kernel, **_names(name)})


def _kernels(step: Step) -> list[Kernel]:
    """Returns the kernels of a segment, in the order in which their rows come."""
    return [kernel for kernel in (*step.chain, step.accumulator, step.whole) if kernel is not None]


def _facts(program: Program, about: About, convention: InputConvention) -> list[tuple[str, str]]:
    """Lists the facts about the model and the pictures that it accepts, each with its title, for the header."""
    field = program.input
    box = [round(BOX_PART * extent) for extent in (field.height, field.width)]
    colours = "" if field.channels == 1 else f", {field.channels} values per pixel"
    picture = f"{field.height} x {field.width}, rows first, one byte per pixel{colours}: 0 dark ground to 255 light glyph"
    centred = f"The glyph fills the middle {box[0]} x {box[1]}, its centre of mass in the middle, as in MNIST."
    facts = [
        ("Model", " ".join(filter(None, (about.model, f"from {about.file}" if about.file else "")))),
        ("SHA-256", about.sha256),
        ("Accuracy", about.accuracy or ("not known: no results.json or card.json beside the file says it" if about.file else "")),
        ("Picture", picture + ("" if field.height > 1 and field.width > 1 else " or value")),
        ("", centred if field.height > 1 and field.width > 1 else ""),
        ("", f"The model takes each byte as {convention.formula}, which classify sees to ({convention.source})."),
        ("", "Dark ink on paper has to be inverted first: 255 - pixel."),
        ("Licence", "this code: Apache-2.0, as glyphlite. The weights: as the model."),
        ("Build", "any C99 compiler, no library: add the .c file to a C or C++ project. make -C example runs a test image."),
    ]
    lines = [(title, wrap(c_comment(words), _FACT_COLUMNS)) for title, words in facts if words]
    return [(title if line == 0 else "", words) for title, each in lines for line, words in enumerate(each)]


def _names(name: str) -> dict[str, str]:
    """Returns the prefix, the names of macros, and the first line of every file."""
    banner = f"/* Generated by glyphlite {__version__}. {name.upper()}: see {name}.h for the interface. */"
    return {"banner": banner, "p": name, **macro_names(name)}


def _interface(program: Program, arena: Arena, scores: str, outputs: OutputKind) -> dict[str, Any]:
    """Returns what goes in and comes out, and the memory between."""
    kept = scores == "none"
    return {
        "inputs": [_edge(edge, "input") for edge in program.inputs],
        "outputs": [_edge(edge, "output") for edge in program.outputs],
        "input": program.input,
        "output": program.output,
        "input_scale": c_float(program.input.scale),
        "output_scale": c_float(program.output.scale),
        "is_single": len(program.inputs) == len(program.outputs) == 1,
        "has_output": not kept,
        "score_words": outputs.words,
        "threshold": _threshold(program, outputs) if outputs.is_single else None,
        "arena_bytes": arena.size,
        "pixels": arena.pixels,
        "result": arena.where(program.output.index) if kept else None,
    }


def state_bytes(program: Program) -> int:
    """Returns the size of the struct that the caller keeps between calls."""
    taken = sum(state.bytes for state in program.states)
    return taken + taken % max((state.initial.itemsize for state in program.states), default=1)


def _memory(program: Program, prefix: str) -> dict[str, Any]:
    """Returns the memory that every function takes: state, where there is any, and the arena."""
    states = sorted(program.states, key=lambda state: -state.initial.itemsize)  # the widest first: nothing lies between them
    parts = ("state", "arena") if states else ("arena",)
    return {
        "states": states,
        "state_bytes": state_bytes(program),
        "memory": ", ".join(f"{prefix}_{part}_t *{part}" for part in parts),
        "memory_passed": ", ".join(parts),
        "memory_used": ", ".join(f"&{part}" for part in parts),
    }


def _edge(edge: Edge, kind: str) -> dict[str, Any]:
    """Returns what the templates say of an input or output."""
    return {
        "name": edge.name,
        "macro": edge.name.upper(),
        "value": edge.value,
        "scale": c_float(edge.value.scale),
        "words": c_comment(f"{kind} {edge.tensor}: {'x'.join(map(str, edge.shape)) or 'one value'}"),
    }


def _threshold(program: Program, outputs: OutputKind) -> int:
    """Returns the largest stored score + 128 of a single output that still means the first class; -1 where none does."""
    codes = np.arange(-128, 128, dtype=np.int8)
    return int(np.count_nonzero(dequantize(codes, program.output.quantization) <= outputs.threshold)) - 1


def _step(arena: Arena, constants: Constants, program: Program, prefix: str, number: int, segment: Segment) -> Step:
    """Makes the kernels of a segment, and says where its output goes."""
    kernels: list[Kernel] = []
    for position, node in enumerate(segment.nodes):
        layer = _layer(arena, constants, program, prefix, segment, position)
        kernels.append(node.kernel(Site(layer=layer, placement=arena.placement(segment, node), constants=constants)))
    output = segment.output.output
    whole = kernels[0] if _runs_whole(segment) else None
    sums = Sums(arena.sums(number), -(-output.channels // 4) * 4) if segment.adds_up else None
    return Step(
        title=" -> ".join(node.name for node in segment.nodes),
        chain=() if whole else tuple(kernels[: len(segment.chain)]),
        accumulator=kernels[-1] if segment.accumulator and not whole else None,
        whole=whole,
        sums=sums,
        target=whole_map(arena.where(output.index), output),
    )


def _runs_whole(segment: Segment) -> bool:
    """Returns whether its one node reads a whole map at once."""
    return len(segment.nodes) == 1 and not segment.nodes[0].streams and not segment.adds_up


def _layer(arena: Arena, constants: Constants, program: Program, prefix: str, segment: Segment, position: int) -> Layer:
    """Gathers what the template of a node is told whatever its op, and lays its table down."""
    node = segment.nodes[position]
    function = f"{prefix}_{node.name}_{node.op.lower()}"
    follower = segment.nodes[position + 1] if position + 1 < len(segment.nodes) else None
    table = None
    if node.table is not None:
        table = constants.add(node.name, f"{function}_table", "uint8_t", node.table)
    return Layer(
        name=node.name,
        function=function,
        sources=node.sources,
        macs=node.macs,
        input=node.inputs[0],
        output=node.output,
        window=node.window,
        row_stride=node.row_stride,
        span=node.rows_per_step,
        windowed=node.windowed,
        inputs=tuple(arena.source(segment, position, value) for value in node.inputs),
        reads_model_input=position == 0 and node.inputs[0].index in program.read,
        scratch=arena.scratch(node),
        ring=arena.ring(node, follower) if follower else None,
        feeds_window=follower is not None and follower.windowed,
        table=table,
        unrolls=arena.placement(segment, node).optimize != "size",
        states=tuple(state.name for state in node.states),
    )


__all__ = ["About", "Emitted", "Placed", "Sample", "emit"]
