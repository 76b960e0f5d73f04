"""SVDF with int8 activations: a filter over the inputs, another over what the first gave in the last calls.

Source: ``PrepareSvdf`` and ``EvalIntegerSvdfReference``, ``micro/kernels/svdf_common.cc``. A fused activation has no effect there
on integers beyond the range of the output.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node, State
from glyphlite.compiler.ops.matrix.weighted import check_sums
from glyphlite.compiler.ops.recurrent.kept import check_kept
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator, Tensor

_FEATURES, _TIME, _BIAS, _STATE = 1, 2, 3, 4
_BIAS_TOLERANCE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Svdf(Node):
    """All filters of one call; ``states`` is what each gave in the last ``memory`` calls, int8 as stored + 128 or int16.

    Attributes:
        features: int8 ``(filters, inputs)``; ``feature_bias`` int64 ``(filters,)``, the input's zero point folded in.
        times: int8 or int16 ``(filters, memory)``.
        bias: int32 ``(units,)``, added to the sums of ``rank`` filters each.
        state_offset: what is added to a filter's result as it is kept, and taken from it as it is read.
    """

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False

    features: np.ndarray
    feature_bias: np.ndarray
    times: np.ndarray
    bias: np.ndarray
    rank: int
    state_offset: int
    kept_multiplier: int
    kept_shift: int
    output_multiplier: int
    output_shift: int

    @property
    def limits(self) -> tuple[int, int]:
        """Returns the least and the largest result of a filter."""
        return np.iinfo(self.times.dtype).min, np.iinfo(self.times.dtype).max

    def kernel(self, site: Site) -> "SvdfKernel":
        """Returns the kernel."""
        return SvdfKernel(
            layer=site.layer,
            node=self,
            features=site.add("weights", "int8_t", self.features),
            feature_biases=site.add("input_biases", "int32_t", self.feature_bias.astype(np.int32)),
            times=site.add("time_weights", f"{self.times.dtype.name}_t", self.times),
            biases=site.add("biases", "int32_t", self.bias),
        )


@dataclass(frozen=True, kw_only=True)
class SvdfKernel(Kernel):
    """Filter by filter, unit by unit."""

    template: ClassVar[str] = "svdf.c.j2"

    node: Svdf
    features: Array
    feature_biases: Array
    times: Array
    biases: Array


def lower_svdf(context: Context, operator: Operator) -> None:
    """Lowers SVDF."""
    source, output = context.value(operator), context.new_value(operator)
    features, times = (_constant(context, operator, place) for place in (_FEATURES, _TIME))
    state = context.tensor(operator.inputs[_STATE])
    check_kept(context, operator, state, "int8", "int16")
    assert features.data is not None
    assert times.data is not None
    assert features.quantization is not None
    assert times.quantization is not None
    assert state.quantization is not None
    if source.element_type != "int8" or features.dtype != np.int8 or times.dtype != state.dtype:
        found = f"{source.element_type}, {features.dtype}, {times.dtype} and {state.dtype}"
        raise context.refuse(operator, f"it computes with {found}", "convert with --to int8")
    bias = _bias(context, operator, state.quantization.scale * times.quantization.scale)
    check_sums(context, operator, features.data, np.zeros(len(features.data), np.int64))
    kept = source.scale * features.quantization.scale / state.quantization.scale
    given = state.quantization.scale * times.quantization.scale / output.scale
    for ratio in (kept, given):
        context.check_ratio(operator, ratio)
    kept_multiplier, kept_shift = arithmetic.quantize_multiplier(kept)
    output_multiplier, output_shift = arithmetic.quantize_multiplier(given)
    facts = context.facts(operator)
    offset = state.quantization.zero_point + (128 if state.dtype == np.int8 else 0)
    context.nodes.append(
        Svdf(
            **facts,
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            states=(_state(context, facts["name"], state, offset),),
            features=features.data,
            feature_bias=-source.zero_point * features.data.astype(np.int64).sum(axis=1),
            times=times.data,
            bias=bias,
            rank=operator.options["rank"],
            state_offset=offset,
            kept_multiplier=kept_multiplier,
            kept_shift=kept_shift,
            output_multiplier=output_multiplier,
            output_shift=output_shift,
        )
    )


def _constant(context: Context, operator: Operator, place: int) -> Tensor:
    tensor = context.tensor(operator.inputs[place])
    quantization = tensor.quantization
    if tensor.data is None or tensor.dtype.name not in ("int8", "int16") or tensor.packed_bits or quantization is None:
        raise context.refuse(operator, f"its weights, input {place}, are not constant integers", "convert with --to int8")
    if len(quantization.scales) != 1 or any(quantization.zero_points):
        reason = f"its weights, input {place}, have {len(quantization.scales)} scales or a zero point"
        raise context.refuse(operator, reason, "convert with one scale and no zero point for each")
    return tensor


def _bias(context: Context, operator: Operator, scale: float) -> np.ndarray:
    """Returns the bias, int32 ``(units,)``. TFLite Micro reads it whether it is there or not, and compares its scale."""
    index = operator.inputs[_BIAS]
    tensor = context.tensor(index) if index >= 0 else None
    if tensor is None or tensor.data is None or tensor.dtype != np.int32 or tensor.quantization is None:
        raise context.refuse(operator, "it has no constant int32 bias with a scale", "convert it with a bias")
    if abs(tensor.quantization.scale - scale) >= _BIAS_TOLERANCE:
        raise context.refuse(operator, f"its bias has the scale {tensor.quantization.scale:.3g}, not {scale:.3g}")
    return tensor.data.reshape(-1)


def _state(context: Context, name: str, state: Tensor, offset: int) -> State:
    """Returns what the op keeps: int8 is its zero point at first, int16 is 0, whatever its zero point.

    Source: ``MicroInterpreterGraph::ResetTensorData``, micro_interpreter_graph.cc.
    """
    is_byte = state.dtype == np.int8
    first = np.full(state.elements, offset if is_byte else 0, np.uint8 if is_byte else np.int16)
    words = f"what the filters of {name} gave in the last calls{', stored + 128' if is_byte else ''}"
    return State(context.field(f"{name}_activations"), "uint8_t" if is_byte else "int16_t", first, words)
