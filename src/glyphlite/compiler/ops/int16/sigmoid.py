"""LOGISTIC and TANH on int16: a line between two entries of one table for both."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from glyphlite.compiler import arithmetic, arithmetic_int16
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class Int16Sigmoid(Node):
    """LOGISTIC or TANH; ``input_multiplier`` and ``input_right_shift`` bring the input to the table's steps."""

    in_place: ClassVar[bool] = True

    kind: Literal["logistic", "tanh"]
    input_multiplier: int
    input_right_shift: int

    def kernel(self, site: Site) -> "Int16SigmoidKernel":
        """Returns the kernel, the table laid down."""
        return Int16SigmoidKernel(
            layer=site.layer,
            kind=self.kind,
            input_multiplier=self.input_multiplier,
            input_right_shift=self.input_right_shift,
            sigmoid=site.add("sigmoid", "uint16_t", arithmetic.sigmoid_table_16()),
        )


@dataclass(frozen=True, kw_only=True)
class Int16SigmoidKernel(Kernel):
    """A row, value by value."""

    template: ClassVar[str] = "int16/sigmoid.c.j2"

    kind: Literal["logistic", "tanh"]
    input_multiplier: int
    input_right_shift: int
    sigmoid: Array

    @property
    def elements(self) -> int:
        """Returns the values of a row."""
        return self.layer.output.width * self.layer.output.channels


def lower_sigmoid(context: Context, operator: Operator) -> None:
    """Lowers LOGISTIC and TANH. Source: reference/integer_ops/{logistic,tanh}.h and their ``Prepare`` functions."""
    source, output = context.value(operator, any_batch=True), context.new_value(operator, any_batch=True)
    if not arithmetic_int16.is_power_of_two(output.scale, -15):
        raise context.refuse(operator, f"output scale {output.scale:.8g}, not 1/32768", "as TFLite Micro does")
    is_tanh = operator.name == "TANH"
    multiplier, shift = arithmetic_int16.sigmoid_multiplier(source.scale, shifts=(0, 1) if is_tanh else (0,))
    if not 0 < multiplier <= 32767:
        raise context.refuse(operator, f"an input scale of {source.scale:.3g}", "quantize the model again")
    context.nodes.append(
        Int16Sigmoid(
            **context.facts(operator),
            inputs=(source,),
            output=output,
            kind="tanh" if is_tanh else "logistic",
            input_multiplier=multiplier,
            input_right_shift=shift,
        )
    )
