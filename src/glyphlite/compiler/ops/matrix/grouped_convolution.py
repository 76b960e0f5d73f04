"""CONV_2D whose filters see a part of the channels each: as many groups as a filter's channels go into the input's."""

from dataclasses import dataclass
from typing import ClassVar

from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.codegen.requantization import Requantizer, requantizer
from glyphlite.compiler.context import Context, window_of
from glyphlite.compiler.ops.matrix.weighted import Filtered, weighted_facts
from glyphlite.tflite.graph import Operator


@dataclass(frozen=True, kw_only=True)
class GroupedConvolution(Filtered):
    """A grouped convolution; weights are int8 ``(out, height, width, in / groups)``."""

    def kernel(self, site: Site) -> "GroupedConvolutionKernel":
        """Returns the kernel."""
        rows = self.weights.reshape(len(self.weights), -1)
        made, _ = requantizer(site, self.requantization, rows, self.bias, folds=False)
        depth = self.weights.shape[3]
        return GroupedConvolutionKernel(
            layer=site.layer,
            requantizer=made,
            padded=self.is_padded,
            depth=depth,
            filters=len(self.weights) * depth // self.inputs[0].channels,
            weights=site.add("weights", "int8_t", rows),
        )


@dataclass(frozen=True, kw_only=True)
class GroupedConvolutionKernel(Kernel):
    """One filter after the other over the channels of its group.

    Attributes:
        padded: whether a filter ever reaches beyond the map.
        depth: channels of a group.
        filters: of a group.
    """

    template: ClassVar[str] = "grouped_convolution.c.j2"

    requantizer: Requantizer
    padded: bool
    depth: int
    filters: int
    weights: Array


def lower_grouped_convolution(context: Context, operator: Operator) -> None:
    """Lowers CONV_2D with groups. Source: ``ConvPerChannel``, kernels/internal/reference/integer_ops/conv.h."""
    facts, weights = weighted_facts(context, operator)
    window = window_of(operator, facts["inputs"][0], facts["output"], weights.shape[1], weights.shape[2])
    context.nodes.append(GroupedConvolution(**facts, filter_window=window, weights=weights))
