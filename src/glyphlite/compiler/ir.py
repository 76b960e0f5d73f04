"""The lowered model: nodes in execution order, every shape and constant decided, with the traits that passes ask for.

Knows no op: each is a subclass of :class:`Node` in ``ops/``, with its traits, its scratch memory and its kernel.
"""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, Self

import numpy as np

from glyphlite.compiler.codegen.filters import Filter
from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.values import Requantization, Value, Window


@dataclass(frozen=True)
class State:
    """A field of the struct that the caller keeps between two calls.

    Attributes:
        name: of the field.
        c_type: of its elements: ``uint8_t`` (int8 as stored + 128), ``int16_t``.
        initial: its elements before the first call, as held.
        words: what it is, for the header.
    """

    name: str
    c_type: Literal["uint8_t", "int16_t"]
    initial: np.ndarray
    words: str

    @property
    def bytes(self) -> int:
        """Returns its bytes in RAM."""
        return self.initial.nbytes

    @property
    def address(self) -> str:
        """Returns where its first byte lies, in C."""
        return ("" if self.c_type == "uint8_t" else "(uint8_t *)") + f"state->{self.name}"


@dataclass(frozen=True)
class VariableState:
    """A variable that ops read and assign, as a map.

    Attributes:
        state: where it lies.
        before: the value that it has when a call begins.
        after: the index of the value that it has when the call ends, which lies in the same place; that of ``before`` where it
            stays as it is.
    """

    state: State
    before: Value
    after: int


@dataclass(frozen=True, kw_only=True)
class Node(ABC):
    """One function of generated C. ``sources`` are the ops of the file that it computes, in words; ``states`` it alone keeps.

    The class variables are its traits: what the scheduler and the passes may do with it.
    """

    streams: ClassVar[bool] = True
    """Its output can be computed row by row from rows of its inputs."""
    continues_chain: ClassVar[bool] = True
    """It can take its rows from the node before it as they come."""
    accumulates: ClassVar[bool] = False
    """It ends a chain: every row of its input adds to every output."""
    accumulates_alone: ClassVar[bool] = False
    """It adds up row by row even where no chain stands before it."""
    windowed: ClassVar[bool] = False
    """It reads rows of its input as a window moves over them."""
    takes_table: ClassVar[bool] = False
    """Its results can be looked up in a table before they are stored, so that a following element-wise op costs nothing."""
    in_place: ClassVar[bool] = False
    """It may write where it reads."""
    reads_model_input: ClassVar[bool] = True
    """It can read the caller's inputs, int8 or raw pixels; else it gets a copy."""

    name: str
    op: str
    inputs: tuple[Value, ...]
    output: Value
    sources: tuple[str, ...]
    macs: int = 0
    table: np.ndarray | None = None
    states: tuple[State, ...] = ()

    @property
    def window(self) -> Window:
        """Returns the rows of the first input that one row of output needs; one, for everything element by element."""
        return Window()

    @property
    def rows_per_step(self) -> int:
        """Returns the input rows that one output row spans, first to last."""
        return self.window.span_y

    @property
    def row_stride(self) -> int:
        """Returns the input rows that one output row moves on by."""
        return self.window.stride_y

    @property
    def pairs_rows(self) -> bool:
        """Returns whether its function makes two rows of output a call on cores with the DSP extension, if asked to."""
        return False

    @property
    def window_rows(self) -> tuple[int, int]:
        """Returns the rows and columns of windows: the output's own, unless the output is pooled."""
        return self.output.height, self.output.width

    @property
    def is_padded(self) -> bool:
        """Returns whether its window ever lies beyond the map."""
        window, (height, width) = self.window, self.window_rows
        bottom = (height - 1) * window.stride_y - window.pad_top + window.span_y
        right = (width - 1) * window.stride_x - window.pad_left + window.span_x
        source = self.inputs[0]
        return bool(window.pad_top or window.pad_left or bottom > source.height or right > source.width)

    def clamped(self, low: int, high: int) -> Self | None:
        """Returns the node with its output clamped to ``low`` to ``high``; None where it has no clamp of its own."""
        return None

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes that each call of its function needs, on the kind of core that the placement names.

        Nothing is left there from one call to the next: the functions of other layers use the same memory.
        """
        return 0

    def filter(self) -> Filter | None:
        """Returns the node as a filter of a table; None where it is none."""
        return None

    @abstractmethod
    def kernel(self, site: Site) -> Kernel:
        """Returns the parameters of its C, its constants laid down."""


@dataclass(frozen=True, kw_only=True)
class Requantized(Node):
    """A node whose sums are scaled to its output and clamped."""

    takes_table: ClassVar[bool] = True

    requantization: Requantization

    def clamped(self, low: int, high: int) -> Self:
        """Returns the node with its output clamped to ``low`` to ``high``."""
        return replace(self, requantization=self.requantization.clamped(low, high))


@dataclass(frozen=True)
class Edge:
    """An input or an output of the model.

    Attributes:
        value: as generated C takes or gives it.
        name: of the parameter of generated C: ``input``, or ``input_a`` among several.
        tensor: the file's name for it.
        shape: in the file, free extents as 1.
        kind: element type in the file, such as int8, uint8 or float32.
        is_shape: whether it is an input that no op looks at, the shape of an output that is fixed.
    """

    value: Value
    name: str
    tensor: str
    shape: tuple[int, ...]
    kind: str
    is_shape: bool = False

    @property
    def index(self) -> int:
        """Returns the index of its value."""
        return self.value.index


@dataclass(frozen=True)
class Program:
    """A lowered model: nodes in execution order, and what stands at its edges, in the file's order."""

    inputs: tuple[Edge, ...]
    outputs: tuple[Edge, ...]
    nodes: tuple[Node, ...]
    variables: tuple[VariableState, ...] = ()

    @property
    def input(self) -> Value:
        """Returns the value of the first input."""
        return self.inputs[0].value

    @property
    def output(self) -> Value:
        """Returns the value of the first output."""
        return self.outputs[0].value

    @property
    def read(self) -> frozenset[int]:
        """Returns the indices of the inputs' values."""
        return frozenset(edge.index for edge in self.inputs)

    @property
    def has_int8_edges(self) -> bool:
        """Returns whether everything that it takes and gives is int8."""
        return all(edge.value.element_type == "int8" for edge in (*self.inputs, *self.outputs))

    @property
    def given(self) -> frozenset[int]:
        """Returns the indices of the outputs' values."""
        return frozenset(edge.index for edge in self.outputs)

    @property
    def remembered(self) -> frozenset[int]:
        """Returns the indices of the values that variables have when a call begins."""
        return frozenset(variable.before.index for variable in self.variables)

    @property
    def kept(self) -> frozenset[int]:
        """Returns the indices of the values that variables have when a call ends."""
        return frozenset(variable.after for variable in self.variables)

    @property
    def states(self) -> tuple[State, ...]:
        """Returns everything that stays between two calls."""
        return (
            *(variable.state for variable in self.variables),
            *(state for node in self.nodes for state in node.states),
        )


def consumers(program: Program) -> Counter[int]:
    """Counts how often each value is read; as an output of the model, or as what a variable keeps, it counts as read once
    more.
    """
    counts = Counter(value.index for node in program.nodes for value in node.inputs)
    counts.update(edge.index for edge in program.outputs)
    counts.update(program.kept)
    return counts
