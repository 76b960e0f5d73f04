"""BATCH_MATMUL: products of the matrices of two maps, row by row of a batch; either may be constant, and transposed."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.kernel import Kernel, Place, Rows, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Requantized
from glyphlite.compiler.values import Requantization, Value
from glyphlite.tflite.graph import Operator

_MOST_PRODUCTS = (2**31 - 1) // 255**2
"""Of which int32 holds a sum."""


@dataclass(frozen=True)
class Factor:
    """One side of the product: its zero point as stored + 128, and elements from a row and a column of it to the next."""

    zero_point: int
    row_stride: int
    column_stride: int


@dataclass(frozen=True, kw_only=True)
class BatchMatmul(Requantized):
    """A product of two matrices for each row of the output's map, which is as wide as the first and as deep as the second.

    Attributes:
        factors: both sides, the first by rows of its matrix and the second by columns.
        depth: products in a sum.
        constants: a side that is constant, uint8 of its own shape; None where it is computed.
    """

    continues_chain: ClassVar[bool] = False
    reads_model_input: ClassVar[bool] = False

    factors: tuple[Factor, Factor]
    depth: int
    constants: tuple[np.ndarray | None, np.ndarray | None]

    def kernel(self, site: Site) -> "BatchMatmulKernel":
        """Returns the kernel, a constant side laid down."""
        return BatchMatmulKernel(
            layer=replace(site.layer, inputs=rows_of(site, self.constants, "uint8_t")),
            factors=self.factors,
            depth=self.depth,
            requantization=self.requantization,
        )


@dataclass(frozen=True, kw_only=True)
class BatchMatmulKernel(Kernel):
    """One product of two matrices."""

    template: ClassVar[str] = "batch_matmul.c.j2"

    factors: tuple[Factor, Factor]
    depth: int
    requantization: Requantization


def rows_of(site: Site, constants: tuple[np.ndarray | None, ...], c_type: str) -> tuple[Rows, ...]:
    """Returns the rows of both sides: a constant one is laid down, of its own shape and as elements of ``c_type``."""
    computed = iter(site.layer.inputs)
    rows: list[Rows] = []
    for constant in constants:
        if constant is None:
            rows.append(next(computed))
        else:
            height, width, channels = constant.shape
            array = site.add("constant", c_type, constant)
            rows.append(Rows(Place("constant", array=array.name), height, height, constant.itemsize * width * channels))
    return tuple(rows)


def lower_batch_matmul(context: Context, operator: Operator) -> None:
    """Lowers BATCH_MATMUL. Source: micro/kernels/batch_matmul.cc, kernels/internal/reference/batch_matmul.h."""
    product = product_of(context, operator)
    if product.depth > _MOST_PRODUCTS:
        raise context.refuse(operator, f"{product.depth} inputs to one sum; int32 holds {_MOST_PRODUCTS}")
    constants = [None if array is None else (array.astype(np.int16) + 128).astype(np.uint8) for array in product.constants]
    multiplier, shift = arithmetic.quantize_multiplier(product.real)
    context.nodes.append(
        BatchMatmul(
            **context.facts(operator, operands=2),
            inputs=product.inputs,
            output=product.output,
            macs=product.output.elements * product.depth,
            factors=product.factors,
            depth=product.depth,
            constants=(constants[0], constants[1]),
            requantization=Requantization((multiplier,), (shift,), product.output.zero_point, 0, 255),
        )
    )


@dataclass(frozen=True)
class Product:
    """The product of two matrices as the file has it, whatever its type.

    Attributes:
        inputs: the sides that are computed.
        output: what it makes.
        factors: how both sides are read.
        depth: products in a sum.
        constants: the stored values of the sides that are constant, of the shape of their maps.
        real: what a sum is scaled by.
    """

    inputs: tuple[Value, ...]
    output: Value
    factors: tuple[Factor, Factor]
    depth: int
    constants: tuple[np.ndarray | None, np.ndarray | None]
    real: float


def product_of(context: Context, operator: Operator) -> Product:
    """Returns the product of a BATCH_MATMUL, or refuses batches that broadcast halfway."""
    sides = [context.tensor(index) for index in operator.inputs]
    values = [context.values.get(side.index) or context.activation(side, operator, any_batch=True) for side in sides]
    output = context.new_value(operator, any_batch=True)
    batches = [side.shape[:-2] for side in sides]
    if any(value.height not in (1, output.height) for value in values) or len(set(filter(_is_batch, batches))) > 1:
        raise context.refuse(
            operator, f"it broadcasts batches of {list(batches[0])} and {list(batches[1])}", "repeat them before"
        )
    real = values[0].scale * values[1].scale / output.scale
    context.check_ratio(operator, real)
    constants = [None if side.data is None else side.data.reshape(value.shape) for side, value in zip(sides, values, strict=True)]
    return Product(
        inputs=tuple(value for value, side in zip(values, sides, strict=True) if side.data is None),
        output=output,
        factors=(
            _factor(values[0], by_columns=operator.options["adjoint_x"]),
            _factor(values[1], by_columns=operator.options["adjoint_y"]),
        ),
        depth=values[0].width if operator.options["adjoint_x"] else values[0].channels,
        constants=(constants[0], constants[1]),
        real=real,
    )


def _is_batch(extents: tuple[int, ...]) -> bool:
    """Returns whether the axes before a matrix hold more than one."""
    return any(extent != 1 for extent in extents)


def _factor(value: Value, *, by_columns: bool) -> Factor:
    """Returns one side, whose rows are the columns of what is stored where it is transposed."""
    strides = (1, value.channels) if by_columns else (value.channels, 1)
    return Factor(value.zero_point, *strides)
