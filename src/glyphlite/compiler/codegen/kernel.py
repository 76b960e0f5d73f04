"""The record that generated C gets of a layer: where its rows lie, its constants, and the parameters of its kernel.

A node of the model answers with a :class:`Kernel`, a record that a template in ``kernels/`` renders. Records hold numbers,
places and arrays, no C: expressions are the templates' own.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from glyphlite.compiler.codegen.constants import Array, Constants
from glyphlite.compiler.values import Optimize, Value, Window


@dataclass(frozen=True)
class Place:
    """The place of bytes: a caller's input or output, the arena from an offset on, a constant array, or state.

    ``array`` names the caller's parameter, the constant, or the field of the state. ``plain_offset`` is the offset on cores
    without the DSP extension.
    """

    base: Literal["input", "output", "arena", "constant", "state"]
    offset: int = 0
    array: str = ""
    plain_offset: int = 0

    def moved(self, by: int) -> "Place":
        """Returns the place so many bytes behind it."""
        return replace(self, offset=self.offset + by, plain_offset=self.plain_offset + by)


@dataclass(frozen=True)
class Rows:
    """Rows of a map: all ``height`` of them, or a ring of the last ``capacity``, ``plain_capacity`` on cores without the DSP
    extension.
    """

    place: Place
    height: int
    capacity: int
    row_bytes: int
    plain_capacity: int = 0

    def __post_init__(self) -> None:
        """Lets cores without the DSP extension keep as many, unless told otherwise."""
        if not self.plain_capacity:
            object.__setattr__(self, "plain_capacity", self.capacity)


def whole_map(place: Place, value: Value) -> Rows:
    """Returns a value that lies whole at a place."""
    return Rows(place, value.height, value.height, value.row_bytes)


@dataclass(frozen=True)
class Placement:
    """The way a scheduled node runs.

    Attributes:
        optimize: what the C is optimized for.
        row_bytes: bytes of the row that the chain before an accumulating node hands over; None where it reads a whole map.
        dsp: whether on a core with the DSP extension; kernels hold the code of both, scratch memory is asked for by each.
        rows_at_once: the rows that each call makes on a core with the DSP extension.
    """

    optimize: Optimize
    row_bytes: int | None = None
    dsp: bool = True
    rows_at_once: int = 1


@dataclass(frozen=True, kw_only=True)
class Layer:
    """The part that every kernel's template knows of its node.

    Attributes:
        name: the layer's, as reports have it.
        function: the C function's.
        sources: the ops of the file that it computes, in words.
        row_stride: input rows that one output row moves on by.
        span: input rows that one output row touches, first to last.
        dsp_span: those that a call touches on a core with the DSP extension, where it makes ``rows_at_once``.
        windowed: whether it takes pointers to the rows under a window.
        inputs: where it finds its inputs.
        reads_model_input: whether an input is the caller's, whose bytes may be int8: the kernel takes ``flip``.
        scratch: its scratch memory; None where it needs none.
        ring: where it leaves its rows for the layer behind it in a chain; None at the end of one.
        feeds_window: whether the layer behind it looks at several of its rows.
        table: what each result is looked up in; None where nothing is.
        unrolls: whether hot loops are unrolled.
        states: the fields of the state that it keeps, which its function takes last.
    """

    name: str
    function: str
    sources: tuple[str, ...]
    macs: int
    input: Value
    output: Value
    window: Window
    row_stride: int
    span: int
    dsp_span: int
    rows_at_once: int
    windowed: bool
    inputs: tuple[Rows, ...]
    reads_model_input: bool
    scratch: Place | None
    ring: Rows | None
    feeds_window: bool
    table: Array | None
    unrolls: bool
    states: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """One layer of generated C: the parameters that its family's template renders."""

    template: ClassVar[str]
    """The file in ``kernels/`` whose macro ``kernel`` writes its functions."""
    selects_row: ClassVar[bool] = False
    """Whether an accumulating kernel is told which row it gets."""
    tabled: ClassVar[bool] = False
    """True for what stands for the layers at the beginning of a chain that run from a table."""
    takes_many: ClassVar[bool] = False
    """Says whether its template has a function for many images at once, which hosts with wide vectors call."""

    layer: Layer

    @property
    def functions(self) -> tuple[str, ...]:
        """Returns the C functions that the model's run calls."""
        return (self.layer.function,)

    @property
    def many_lanes(self) -> int:
        """Returns the lanes that an image takes where it computes many at once."""
        return 0

    @property
    def takes_parts(self) -> tuple[Rows, ...]:
        """Returns the maps of which each row is passed alone, one map after the other; none for most."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Accumulator(Kernel):
    """A kernel that adds up row by row, and finishes the sums at the end."""

    @property
    def functions(self) -> tuple[str, ...]:
        """Returns the C functions that the model's run calls."""
        return f"{self.layer.function}_add_row", f"{self.layer.function}_finish"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The site where a node becomes a kernel: its layer, its placement, and where its constants go."""

    layer: Layer
    placement: Placement
    constants: Constants

    def add(self, suffix: str, c_type: str, values: np.ndarray, path: str = "both") -> Array:
        """Lays down a constant that the layer's kernels of a path read."""
        return self.constants.add(self.layer.name, f"{self.layer.function}_{suffix}", c_type, values, path)
