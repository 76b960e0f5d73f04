"""Operands of ops of several maps: their shapes, where constant ones lie, and the names of these ops in generated C."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from glyphlite.compiler.codegen.kernel import Layer, Place, Rows, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.values import Value
from glyphlite.tflite.graph import Operator, Tensor

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


def shape_under(context: Context, operator: Operator, tensor: Tensor, output: Value) -> tuple[int, int, int]:
    """Returns the height, width and channels of an operand, each that of the output or 1; images lie below one another.

    Raises:
        ArtifactError: it is repeated for each of several images.
    """
    shape = context.extents(tensor, operator, any_batch=True)
    if any(extent not in (1, whole) for extent, whole in zip(shape, output.shape, strict=True)):
        reason = f"it repeats an operand of shape {list(tensor.shape)} for each of several images"
        raise context.refuse(operator, reason, "convert the model with a batch of 1")
    return shape


def held(context: Context, operator: Operator, tensor: Tensor, output: Value) -> np.ndarray | None:
    """Returns a constant operand as generated C holds it, of its own shape; None where it is computed."""
    if tensor.index in context.values or tensor.data is None:
        return None
    data = tensor.data
    stored = (data.astype(np.int16) + 128).astype(np.uint8) if data.dtype == np.int8 else data
    return stored.astype(np.uint8 if stored.dtype == np.bool_ else stored.dtype).reshape(
        shape_under(context, operator, tensor, output)
    )


def placed(site: Site, constants: Sequence[np.ndarray | None]) -> Layer:
    """Returns the site's layer with an input for each operand, in their order, the constant ones laid down."""
    computed = iter(site.layer.inputs)
    inputs: list[Rows] = []
    for number, constant in enumerate(constants, 1):
        if constant is None:
            inputs.append(next(computed))
            continue
        height, width, channels = constant.shape
        c_type = "int16_t" if constant.dtype == np.int16 else "uint8_t"
        array = site.add(f"constant_{number}", c_type, constant)
        inputs.append(Rows(Place("constant", array=array.name), height, height, width * channels * constant.itemsize))
    return replace(site.layer, inputs=tuple(inputs))
