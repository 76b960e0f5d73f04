"""From segments to C: every node described, every buffer placed, and the files that come out of the templates in ``kernels/``.

Knows nodes and segments; nothing of the file that the model came from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from glyphlite import __version__
from glyphlite.compiler.arena import Arena, accumulates, place_of
from glyphlite.compiler.choices import Choices
from glyphlite.compiler.codegen.c_text import c_comment, c_float, c_lines, c_string, environment, tidy
from glyphlite.compiler.codegen.constants import Constants
from glyphlite.compiler.codegen.packing import Array
from glyphlite.compiler.description import Descriptions, Kernel
from glyphlite.compiler.ir import Program, Softmax
from glyphlite.compiler.memory_plan import Buffer
from glyphlite.compiler.schedule import Segment
from glyphlite.data.convention import InputConvention
from glyphlite.data.outputs import OutputKind
from glyphlite.tflite.quantization import dequantize

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
class Emitted:
    """The files by name, and what the report says of them."""

    files: dict[str, str]
    arena_bytes: int
    buffers: tuple[Placed, ...]
    constants: dict[str, tuple[Array, ...]]


def emit(
    program: Program,
    segments: Sequence[Segment],
    name: str,
    *,
    scores: str,
    outputs: OutputKind,
    optimize: str,
    labels: Sequence[str],
    sample: Sample,
    convention: InputConvention,
    pixel_table: np.ndarray | None,
    about: About,
) -> Emitted:
    """Render a scheduled program.

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
    choices = Choices(segments, optimize)
    arena = Arena(program, segments, choices, keeps_result=scores == "none", takes_pixels=pixel_table is not None)
    constants = Constants(name)
    descriptions = Descriptions(program, choices, arena, constants, name.upper())
    parts = [[descriptions.describe(segment, position) for position in range(len(segment.nodes))] for segment in segments]
    if pixel_table is not None:
        constants.add_pixels(pixel_table)
    context = {
        **_names(name),
        **_interface(program, arena, scores, outputs),
        "uses": descriptions.uses,
        "unroll": descriptions.unroll,
        "kernels": [kernel for kernels in parts for kernel in kernels],
        "segments": [_segment(arena, step, *each) for step, each in enumerate(zip(segments, parts, strict=True))],
        "uses_flip": any(kernel.reads_input for kernels in parts for kernel in kernels),
        "arrays": [array for arrays in constants.by_node.values() for array in arrays],
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
    templates = {
        f"{name}.h": "program.h.j2",
        f"{name}.c": "program.c.j2",
        f"{name}_weights.h": "weights.h.j2",
        "Makefile": "Makefile.j2",
        "example/example.c": "example.c.j2",
        "example/Makefile": "example_Makefile.j2",
    }
    files = {file: tidy(environment().get_template(template).render(context)) for file, template in templates.items()}
    placed = tuple(Placed(buffer, offset) for buffer, offset in zip(arena.buffers, arena.offsets, strict=True))
    return Emitted(files, arena.size, placed, {node: tuple(arrays) for node, arrays in constants.by_node.items()})


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
    return [(title, c_comment(words)) for title, words in facts if words]


def _names(name: str) -> dict[str, str]:
    prefix = name.upper()
    return {
        "banner": f"/* Generated by glyphlite {__version__}. {prefix}: see {name}.h for the interface. */",
        "p": name,
        "P": prefix,
        "dsp_macro": f"{prefix}_DSP",
        "wide_macro": f"{prefix}_WIDE",
    }


def _interface(program: Program, arena: Arena, scores: str, outputs: OutputKind) -> dict[str, Any]:
    """What goes in and comes out, and the memory between."""
    kept = scores == "none"
    return {
        "input": program.input,
        "output": program.output,
        "input_scale": c_float(program.input.scale),
        "output_scale": c_float(program.output.scale),
        "has_output": not kept,
        "score_words": outputs.words,
        "threshold": _threshold(program, outputs) if outputs.is_single else None,
        "arena_bytes": arena.size,
        "uses_arena": any(buffer.name != "pixels" for buffer in arena.buffers),
        "pixel_offset": arena.pixels_offset,
        "result_place": f"(const uint8_t *)arena->words + {arena.result_offset}" if kept else "",
    }


def _threshold(program: Program, outputs: OutputKind) -> int:
    """The largest stored score + 128 of a single output that still means the first class; -1 where none does."""
    codes = np.arange(-128, 128, dtype=np.int8)
    return int(np.count_nonzero(dequantize(codes, program.output.quantization) <= outputs.threshold)) - 1


def _segment(arena: Arena, step: int, segment: Segment, parts: list[Kernel]) -> SimpleNamespace:
    """What the templates are told of a segment: its kernels by the part that they play, its target."""
    adds_up = segment.sink is not None and accumulates(segment)
    output = segment.output.output
    whole = parts[0] if isinstance(segment.nodes[0], Softmax) or (segment.sink and not adds_up) else None
    return SimpleNamespace(
        title=" -> ".join(node.name for node in segment.nodes),
        chain=[] if whole else (parts[:-1] if segment.sink else parts),
        sink=parts[-1] if segment.sink and not whole else None,
        whole=whole,
        sums=SimpleNamespace(place=arena.sums(step), count=-(-output.channels // 4) * 4) if adds_up else None,
        target=place_of(arena.where(output.index), output),
    )


__all__ = ["About", "Emitted", "Placed", "Sample", "emit"]
