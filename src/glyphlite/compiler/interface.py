"""The interface of generated C as its header, its example and its functions state it: parameters, facts about the model, words.

Knows what a program takes and gives and what the model is for; nothing of how it is computed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import wrap

import numpy as np

from glyphlite.compiler.codegen.c_text import c_float
from glyphlite.compiler.codegen.kernel import Place
from glyphlite.compiler.ir import Edge, Program
from glyphlite.compiler.values import AS_IT_IS, Value
from glyphlite.datasets.dataset import image_shape_of
from glyphlite.escaping import c_comment
from glyphlite.models.interface.input_convention import CHANNELS_FIRST, InputConvention
from glyphlite.models.interface.output_kind import OutputKind
from glyphlite.models.interface.purpose import Purpose
from glyphlite.tflite.quantization import dequantize

_FACT_COLUMNS = 106
"""Of a fact in the header, beside its title."""

BOX_PART = 20 / 28
"""Fraction of a picture's height and width that a glyph fills: as in MNIST, and in the pictures that glyphlite normalizes."""

LARGEST_GLYPH = 64
"""Rows and columns of the largest grey picture that the header takes for one of a glyph."""

_LIMITS = {"int8": (-128, 127), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1), "bool": (0, 1)}

_WHOLE = {"int32": "whole numbers", "bool": "0 or 1"}
"""Names of values without a scale, by their type."""


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
        example: whether ``example/`` goes with the C.
    """

    model: str = ""
    file: str = ""
    sha256: str = ""
    accuracy: str = ""
    example: bool = True


@dataclass(frozen=True)
class Parameter:
    """An input or output as a parameter of ``NAME_invoke``.

    Attributes:
        name: in C.
        macro: in the names of its macros.
        c_type: of an element.
        value: what it holds.
        scale: as a literal.
        words: its tensor and shape in the file.
        real: the range of its real values, in words.
        kind: element type in the file.
        place: where it lies for a caller who lets it lie in the arena; None where it does not.
        is_unread: whether no op looks at it: the shape of an output that is fixed.
    """

    name: str
    macro: str
    c_type: str
    value: Value
    scale: str
    words: str
    real: str
    kind: str
    place: Place | None = None
    is_unread: bool = False

    @property
    def lowest(self) -> int:
        """Returns the least stored value."""
        return _LIMITS[self.value.element_type][0]

    @property
    def highest(self) -> int:
        """Returns the largest stored value."""
        return _LIMITS[self.value.element_type][1]


def parameter_of(edge: Edge, place: Place | None = None) -> Parameter:
    """Returns the parameter of an input or output, which may have a place in the arena."""
    value = edge.value
    low, high = (value.scale * (each - value.quantization.zero_point) for each in _LIMITS[value.element_type])
    return Parameter(
        name=edge.name,
        macro=edge.name.upper(),
        c_type="uint8_t" if value.element_type == "bool" else f"{value.element_type}_t",
        value=value,
        scale=c_float(value.scale),
        words=c_comment(f"{edge.tensor}, {'x'.join(map(str, edge.shape)) or 'one value'}"),
        real=_WHOLE.get(value.element_type if is_whole(edge) else "", f"{low:.5g} to {high:.5g}"),
        kind=edge.kind,
        place=place,
        is_unread=edge.is_shape,
    )


def is_whole(edge: Edge) -> bool:
    """Returns whether an edge holds whole numbers or truth, which have no scale."""
    return edge.value.element_type in _WHOLE and edge.value.quantization == AS_IT_IS


def facts(program: Program, about: About, purpose: Purpose, convention: InputConvention) -> list[tuple[str, str]]:
    """Lists the facts about the model, what it takes and what it gives, each with its title, for the header."""
    accuracy = about.accuracy
    if not accuracy and about.file and purpose.outputs is not None:
        accuracy = "not known: no results.json or card.json beside the file says it"
    pictures = purpose.classifies_pictures
    example = f" make -C example runs {'a test image' if pictures else 'an example'}." if about.example else ""
    found = [
        ("Model", " ".join(filter(None, (about.model, f"from {about.file}" if about.file else "")))),
        ("SHA-256", about.sha256),
        ("Accuracy", accuracy),
        *(_picture(program, convention) if pictures else _edges(program, purpose)),
        ("Licence", "this code: Apache-2.0, as glyphlite. The weights: as the model."),
        ("Build", f"any C99 compiler, no library: add the .c file to a C or C++ project.{example}"),
    ]
    lines = [(title, wrap(c_comment(words), _FACT_COLUMNS)) for title, words in found if words]
    return [(title if line == 0 else "", words) for title, each in lines for line, words in enumerate(each)]


def input_sides(program: Program, convention: InputConvention) -> tuple[int, int, int]:
    """Returns height, width and channels of the first input, for the header's macros."""
    edge = program.inputs[0]
    if convention.layout == CHANNELS_FIRST and len(edge.shape) == 4:
        height, width, channels, _ = _picture_shape(edge, convention)
        return height, width, channels
    return edge.value.height, edge.value.width, edge.value.channels


def threshold(program: Program, outputs: OutputKind) -> int:
    """Returns the largest stored score + 128 of a single output that still means the first class; -1 where none does."""
    codes = np.arange(-128, 128, dtype=np.int8)
    return int(np.count_nonzero(dequantize(codes, program.output.quantization) <= outputs.threshold)) - 1


def _picture(program: Program, convention: InputConvention) -> Iterator[tuple[str, str]]:
    """Yields what pictures the model accepts."""
    height, width, channels, order = _picture_shape(program.inputs[0], convention)
    size = f"{height} x {width}, rows first, one byte per pixel{order}: "
    box = [round(BOX_PART * extent) for extent in (height, width)]
    are_glyphs = channels == 1 and max(height, width) <= LARGEST_GLYPH
    if are_glyphs:
        yield "Picture", f"{size}0 dark ground to 255 light glyph{'' if height > 1 and width > 1 else ' or value'}"
    else:
        yield "Picture", f"{size}0 dark to 255 light"
    if are_glyphs and height > 1 and width > 1:
        yield "", f"The glyph fills the middle {box[0]} x {box[1]}, its centre of mass in the middle, as in MNIST."
    yield "", f"The model takes each byte as {convention.formula}, which classify sees to ({convention.source})."
    if are_glyphs:
        yield "", "Dark ink on paper has to be inverted first: 255 - pixel."


def _picture_shape(edge: Edge, convention: InputConvention) -> tuple[int, int, int, str]:
    """Returns height, width and channels of the pictures that an input takes, and how channels lie, in words.

    The file's own shape says so: what reads a picture row by row, or channel by channel, has other rows and columns inside.
    """
    extents = edge.shape[1:]
    if convention.layout == CHANNELS_FIRST and len(extents) == 3:
        channels, height, width = extents
        return height, width, channels, "" if channels == 1 else f", {channels} channels one behind the other"
    field = edge.value
    height, width, channels = image_shape_of(extents) or (field.height, field.width, field.channels)
    return height, width, channels, "" if channels == 1 else f", {channels} values per pixel"


def _edges(program: Program, purpose: Purpose) -> Iterator[tuple[str, str]]:
    """Yields what each input and output holds."""
    for kind, edges in (("Input", program.inputs), ("Output", program.outputs)):
        for place, edge in enumerate(edges):
            parameter = parameter_of(edge)
            name = f"{edge.name}: " if len(edges) > 1 else ""
            if kind == "Input" and parameter.is_unread:
                about = "never read, by TensorFlow Lite Micro neither: it is the shape of an output, which is fixed."
            else:
                about = f"{'' if is_whole(edge) else 'real values '}{parameter.real}. {_own_type(edge)}".strip()
            yield kind if place == 0 else "", f"{name}{parameter.words}; {about}"
    if purpose.outputs is None:
        yield "", f"Values, not classes: {purpose.words}."
    else:
        count = purpose.outputs.classes(program.output.elements)
        chosen = "above the threshold it is the second" if purpose.outputs.is_single else "the largest is the class"
        yield "", f"{count} classes, as {purpose.words}: {purpose.outputs.words}; {chosen}."


def _own_type(edge: Edge) -> str:
    """Returns how values of the file's own type become what generated C takes, where that is another."""
    stored = edge.value.element_type
    if edge.kind == "uint8":
        return "The file's own values are uint8: this code's are 128 less."
    if edge.kind == "float32":
        return f"The file's own values are float32: this code's are {stored}, and the functions below convert them."
    return ""
