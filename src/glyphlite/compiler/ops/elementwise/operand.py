"""Operands of ops of two maps, and the names of these ops in generated C."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["add", "sub", "mul", "div", "squared_difference", "maximum", "minimum", "prelu"]

KINDS: dict[str, Kind] = {
    "ADD": "add",
    "SUB": "sub",
    "MUL": "mul",
    "DIV": "div",
    "SQUARED_DIFFERENCE": "squared_difference",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "PRELU": "prelu",
}


@dataclass(frozen=True)
class Operand:
    """One side: its shape, its offset, and for sums and differences what scales it to twice the larger scale of the two.

    A PRELU's second operand holds what scales products with it, where the first is below zero.

    Attributes:
        shape: height, width and channels; an extent of 1 is broadcast.
        zero_point: as stored + 128.
    """

    shape: tuple[int, int, int]
    zero_point: int
    multiplier: int
    shift: int
