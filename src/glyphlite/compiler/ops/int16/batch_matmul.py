"""BATCH_MATMUL on int16: products of two maps' matrices, whose sums take 64 bits; either may be constant, and transposed."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic, arithmetic_int16
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.compiler.ops.matrix.batch_matmul import Factor, product_of, rows_of
from glyphlite.tflite.graph import Operator

_MOST_PRODUCTS = 1 << 16
"""Products whose sum stays within the 48 bits that TFLite Micro scales."""


@dataclass(frozen=True, kw_only=True)
class Int16BatchMatmul(Node):
    """A product of two matrices for each row of the output's map, which is as wide as the first and as deep as the second.

    Attributes:
        factors: both sides, the first by rows of its matrix and the second by columns.
        depth: products in a sum.
        constants: a side that is constant, int16 of its own shape; None where it is computed.
        multiplier: of 15 bits, which a sum is scaled by.
        right_shift: of the scaled sum, rounded.
    """

    continues_chain: ClassVar[bool] = False

    factors: tuple[Factor, Factor]
    depth: int
    constants: tuple[np.ndarray | None, np.ndarray | None]
    multiplier: int
    right_shift: int

    def kernel(self, site: Site) -> "Int16BatchMatmulKernel":
        """Returns the kernel, a constant side laid down."""
        return Int16BatchMatmulKernel(
            layer=replace(site.layer, inputs=rows_of(site, self.constants, "int16_t")),
            factors=self.factors,
            depth=self.depth,
            multiplier=self.multiplier,
            right_shift=self.right_shift,
        )


@dataclass(frozen=True, kw_only=True)
class Int16BatchMatmulKernel(Kernel):
    """One product of two matrices."""

    template: ClassVar[str] = "int16/batch_matmul.c.j2"

    factors: tuple[Factor, Factor]
    depth: int
    multiplier: int
    right_shift: int


def lower_batch_matmul(context: Context, operator: Operator) -> None:
    """Lowers BATCH_MATMUL. Source: micro/kernels/batch_matmul.cc, kernels/internal/reference/batch_matmul.h."""
    product = product_of(context, operator)
    multiplier, shift = arithmetic.quantize_multiplier(product.real)
    if product.depth > _MOST_PRODUCTS:
        raise context.refuse(operator, f"{product.depth} inputs to one sum; 48 bits hold {_MOST_PRODUCTS}")
    if not -31 <= shift < 8:
        raise context.refuse(operator, f"its sums are scaled by {product.real:.3g}", "quantize the model again")
    context.nodes.append(
        Int16BatchMatmul(
            **context.facts(operator, operands=2),
            inputs=product.inputs,
            output=product.output,
            macs=product.output.elements * product.depth,
            factors=product.factors,
            depth=product.depth,
            constants=product.constants,
            multiplier=arithmetic_int16.reduced_multiplier(multiplier),
            right_shift=15 - shift,
        )
    )
