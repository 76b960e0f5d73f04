"""A skeleton: copy it to ``ops/FAMILY/NAME.py``, replace every Template, follow and delete the comments, register it in ``OPS``.

It is the identity, element by element, and works as it stands (tests/compiler/ops/test_template.py). An op whose result one
stored byte decides needs none of this but the lowering: see ``elementwise/activation.py`` and :func:`add_lookup`.
"""  # noqa: N999 - in capitals, as it is no op

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.kernel import Kernel, Placement, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class TemplateNode(Node):
    """TEMPLATE of one map. Say what it computes, and the types and shapes of its own fields.

    Everything that the C needs is decided here: zero points and activation limits as stored + 128, multipliers and shifts from
    ``arithmetic.quantize_multiplier``. Derive from ``ir.Requantized`` where sums are scaled to the output.
    """

    # Traits: what the scheduler and the passes may do with it. Only those that differ from Node's are set; ir.py says what each
    # one means. Also: streams, continues_chain, accumulates, accumulates_alone, windowed, reads_model_input.
    takes_table: ClassVar[bool] = True
    in_place: ClassVar[bool] = True

    # Parameters of the op, such as: alpha_multiplier: int

    # A windowed op has `def window(self) -> Window`: the rows and columns of input that one output sees.

    def scratch_bytes(self, placement: Placement) -> int:
        """Returns the bytes that it needs while it runs; leave the method out where that is 0, as here."""
        return 0

    def kernel(self, site: Site) -> "TemplateKernel":
        """Returns the kernel. Constants are laid down here: ``array = site.add("weights", "int8_t", values)``."""
        return TemplateKernel(layer=site.layer)


@dataclass(frozen=True, kw_only=True)
class TemplateKernel(Kernel):
    """The parameters that the C of a row gets beside its layer: numbers, arrays and places, no C."""

    template: ClassVar[str] = "TEMPLATE.c.j2"


def lower_template(context: Context, operator: Operator) -> None:
    """Lowers TEMPLATE. Source: the file of TFLite Micro that prepares it, ``kernels/NAME_common.cc``."""
    source = context.value(operator)  # an activation of int8 with one scale, or a refusal
    output = context.new_value(operator)
    # What TFLite Micro checks or leaves undefined is refused by name, with what to do instead; so is what C cannot express.
    if source.quantization != output.quantization:
        raise context.refuse(operator, "its input and output differ in scale", "quantize the model again")
    context.nodes.append(TemplateNode(**context.facts(operator), inputs=(source,), output=output))
