"""UNIDIRECTIONAL_SEQUENCE_LSTM with int8 activations and weights and an int16 cell state, which it keeps from call to call.

Sources: ``micro/kernels/unidirectional_sequence_lstm.cc``, ``lstm_eval.h``, ``lstm_eval_common.cc``.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glyphlite.compiler import arithmetic
from glyphlite.compiler.codegen import packing
from glyphlite.compiler.codegen.constants import Array
from glyphlite.compiler.codegen.kernel import Kernel, Site
from glyphlite.compiler.codegen.packing import GROUP
from glyphlite.compiler.context import Context
from glyphlite.compiler.ir import Node, State
from glyphlite.compiler.ops.matrix.weighted import check_sums
from glyphlite.compiler.ops.recurrent.kept import check_kept
from glyphlite.compiler.values import Value
from glyphlite.tflite.cost import operator_macs
from glyphlite.tflite.graph import Operator, Tensor

GATES = ("forget", "input", "cell", "output")
"""In the order in which TFLite Micro computes them. In the op's inputs they come as input, forget, cell, output."""
_PLACES = {"input": 0, "forget": 1, "cell": 2, "output": 3}
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES, _HIDDEN, _CELL = 1, 5, 12, 18, 19
_INPUTS = 24
_VARIANTS = (*range(9, 12), 16, 17, *range(20, 24))
_GATE_SCALE, _ACTIVATED_SCALE = 2.0**-12, 2.0**-15
_LOWEST_POWER, _HIGHEST_POWER = -42, 2
"""Powers of two of the cell state's scale between which its tanh is defined: shifts and products stay within 32 bits."""


@dataclass(frozen=True)
class Scaled:
    """A sum of products on its way to a gate: ``value * multiplier * 2**(shift - 31)``."""

    multiplier: int
    shift: int


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One of the four gates.

    Attributes:
        weights: int8 ``(units, inputs)``; ``recurrent_weights`` ``(units, units)``.
        bias: int64 ``(units,)``, the input's zero point folded in; ``recurrent_bias``, the hidden state's.
        scaled: of the sums over the inputs; ``recurrent_scaled`` of those over the hidden state.
    """

    name: str
    weights: np.ndarray
    recurrent_weights: np.ndarray
    bias: np.ndarray
    recurrent_bias: np.ndarray
    scaled: Scaled
    recurrent_scaled: Scaled


@dataclass(frozen=True, kw_only=True)
class Lstm(Node):
    """All steps of a sequence; ``states`` are the cell state (int16) and the hidden state.

    Attributes:
        gates: in the order of ``GATES``.
        forgets: how a gate scales the cell state, ``remembers`` its product with another gate to that scale, ``gives``
            the product that is the hidden state.
        tanh_multiplier: of the cell state before its tanh, shifted right by ``tanh_shift``.
        cell_clip: the largest magnitude of the cell state; None where it has no limit.
        output_offset: the zero point of the hidden state, stored + 128, which is copied to the output.
    """

    streams: ClassVar[bool] = False
    continues_chain: ClassVar[bool] = False

    steps: int
    inputs_per_step: int
    units: int
    gates: tuple[Gate, ...]
    forgets: Scaled
    remembers: Scaled
    gives: Scaled
    tanh_multiplier: int
    tanh_shift: int
    cell_clip: int | None
    output_offset: int

    @property
    def _parts(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the weights over the inputs and over the hidden state, int8 ``(units, gates, inputs)``."""
        both = ([gate.weights for gate in self.gates], [gate.recurrent_weights for gate in self.gates])
        return np.stack(both[0], axis=1), np.stack(both[1], axis=1)

    @property
    def _has_lanes(self) -> bool:
        """Returns whether cores with the DSP extension take four gates in a word, the sums of all groups within their bits."""
        return any(part.shape[2] >= GROUP for part in self._parts) and all(
            packing.is_packable(part) and part.shape[2] // GROUP <= packing.blocks_of(part.reshape(-1, part.shape[2]))
            for part in self._parts
        )

    def kernel(self, site: Site) -> "LstmKernel":
        """Returns the kernel; the weights of a unit's four gates lie beside each other."""
        parts, lanes, tails = self._parts, None, None
        if self._has_lanes:
            whole = [part[:, :, : part.shape[2] // GROUP * GROUP] for part in parts]
            packed = [packing.pack_quads(part.reshape(-1, part.shape[2])).reshape(self.units, -1) for part in whole if part.size]
            lanes = site.add("lane_weights", "int32_t", np.concatenate(packed, axis=1), "dsp")
            rest = np.concatenate([_by_input(part[:, :, part.shape[2] // GROUP * GROUP :]) for part in parts], axis=1)
            tails = site.add("last_weights", "int8_t", rest, "dsp") if rest.size else None
        weights = np.concatenate([_by_input(part) for part in parts], axis=1)
        biases = np.stack([np.stack([gate.bias, gate.recurrent_bias], axis=1) for gate in self.gates], axis=1)
        scales = [
            number
            for gate in self.gates
            for scaled in (gate.scaled, gate.recurrent_scaled)
            for number in (scaled.multiplier, scaled.shift)
        ]
        return LstmKernel(
            layer=site.layer,
            node=self,
            weights=site.add("weights", "int8_t", weights, "plain" if lanes else "both"),
            lanes=lanes,
            tails=tails,
            biases=site.add("biases", "int32_t", biases.astype(np.int32)),
            scales=site.add("scales", "int32_t", np.array(scales, np.int32)),
            sigmoid=site.add("sigmoid", "uint16_t", arithmetic.sigmoid_table_16()),
        )


def _by_input(part: np.ndarray) -> np.ndarray:
    """Returns weights ``(units, gates, inputs)`` with the gates of an input beside each other, ``(units, inputs * gates)``."""
    return np.ascontiguousarray(part.transpose(0, 2, 1)).reshape(len(part), -1)


@dataclass(frozen=True, kw_only=True)
class LstmKernel(Kernel):
    """A step of the sequence, unit by unit, four gates at a time.

    Attributes:
        node: its numbers.
        weights: ``(units, inputs + units, gates)``, for plain code.
        lanes: those of every four inputs for the DSP extension, ``tails`` of the last ones; None where there are none.
        biases: ``(units, gates, 2)``, over the inputs and over the hidden state.
        scales: ``(gates, 2, 2)``: multiplier and shift of either sum.
    """

    template: ClassVar[str] = "lstm.c.j2"

    node: Lstm
    weights: Array
    lanes: Array | None
    tails: Array | None
    biases: Array
    scales: Array
    sigmoid: Array


def lower_lstm(context: Context, operator: Operator) -> None:
    """Lowers UNIDIRECTIONAL_SEQUENCE_LSTM. Source: ``PrepareGateParametersInteger``, micro/kernels/lstm_eval_common.cc."""
    _check_plain(context, operator)
    source, output = context.value(operator), context.new_value(operator)
    shape = context.tensor(operator.inputs[0]).shape
    batch, steps = (shape[1], shape[0]) if operator.options["time_major"] else (shape[0], shape[1])
    if batch != 1:
        raise context.refuse(operator, f"it follows {batch} sequences at once", "convert the model with a batch of 1")
    if operator.options["activation"] != "tanh":
        raise context.refuse(operator, f"its activation is {operator.options['activation']}", "use tanh, the default")
    hidden, cell = (context.tensor(operator.inputs[place]) for place in (_HIDDEN, _CELL))
    check_kept(context, operator, hidden, "int8")
    check_kept(context, operator, cell, "int16")
    assert hidden.quantization is not None
    assert cell.quantization is not None
    units = output.channels
    gates = tuple(_gate(context, operator, name, source, hidden) for name in GATES)
    scale = cell.quantization.scale
    power = _power(scale)
    if not _LOWEST_POWER <= power <= _HIGHEST_POWER:
        raise context.refuse(operator, f"its cell state has the scale {scale:.3g}", "quantize the model again")
    for ratio in (_ACTIVATED_SCALE**2 / scale, _ACTIVATED_SCALE**2 / hidden.quantization.scale):
        context.check_ratio(operator, ratio)
    facts = context.facts(operator)
    context.nodes.append(
        Lstm(
            **facts,
            inputs=(source,),
            output=output,
            macs=operator_macs(context.graph, operator),
            states=_states(context, facts["name"], units, hidden),
            steps=steps,
            inputs_per_step=shape[2],
            units=units,
            gates=gates,
            forgets=Scaled(*arithmetic.quantize_multiplier(_ACTIVATED_SCALE * scale / scale)),
            remembers=Scaled(*arithmetic.quantize_multiplier(_ACTIVATED_SCALE**2 / scale)),
            gives=Scaled(*arithmetic.quantize_multiplier(_ACTIVATED_SCALE**2 / hidden.quantization.scale)),
            tanh_multiplier=3 << max(power + 12, 0),
            tanh_shift=max(-(power + 12), 0),
            cell_clip=_clip(operator.options["cell_clip"], scale),
            output_offset=hidden.quantization.zero_point + 128,
        )
    )


def _check_plain(context: Context, operator: Operator) -> None:
    """Refuses the variants that TFLite Micro refuses, too. Source: ``LstmTensors::ValidateTensorStatus``, lstm_eval_common.cc."""
    if len(operator.inputs) != _INPUTS or any(operator.inputs[place] != -1 for place in _VARIANTS):
        reason = "it has peepholes, a projection or layer normalization"
        raise context.refuse(operator, reason, "use the LSTM of Keras, which has none")
    if any(operator.inputs[base + _PLACES["input"]] == -1 for base in (_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES)):
        raise context.refuse(operator, "it has no input gate", "use the LSTM of Keras, which has one")


def _gate(context: Context, operator: Operator, name: str, source: Value, hidden: Tensor) -> Gate:
    place = _PLACES[name]
    assert hidden.quantization is not None
    weights, scaled = _weights(context, operator, _INPUT_WEIGHTS + place, source.scale)
    recurrent, recurrent_scaled = _weights(context, operator, _RECURRENT_WEIGHTS + place, hidden.quantization.scale)
    tensor = context.tensor(operator.inputs[_BIASES + place])
    if tensor.data is None or tensor.dtype != np.int32:
        raise context.refuse(operator, f"the bias of its {name} gate is {tensor.dtype}, not constant int32")
    bias = tensor.data.reshape(-1).astype(np.int64)
    check_sums(context, operator, weights, bias)
    check_sums(context, operator, recurrent, np.zeros_like(bias))
    return Gate(
        name=name,
        weights=weights,
        recurrent_weights=recurrent,
        bias=bias - source.zero_point * weights.astype(np.int64).sum(axis=1),
        recurrent_bias=-(hidden.quantization.zero_point + 128) * recurrent.astype(np.int64).sum(axis=1),
        scaled=scaled,
        recurrent_scaled=recurrent_scaled,
    )


def _weights(context: Context, operator: Operator, place: int, input_scale: float) -> tuple[np.ndarray, Scaled]:
    """Returns int8 weights, and the scaling of sums of their products to a gate, whose scale is 2**-12.

    ``GetQuantizedConvolutionMultipler`` multiplies the scales as the released build has it (tests/compiler/test_scales.py).
    """
    tensor = context.tensor(operator.inputs[place])
    quantization = tensor.quantization
    if tensor.data is None or tensor.dtype != np.int8 or tensor.packed_bits or quantization is None:
        raise context.refuse(operator, f"its weights, input {place}, are not constant int8", "convert with --to int8")
    if len(quantization.scales) != 1 or any(quantization.zero_points):
        reason = f"its weights, input {place}, have {len(quantization.scales)} scales or a zero point"
        raise context.refuse(operator, reason, "convert with one scale and no zero point for each")
    ratio = input_scale * quantization.scale / _GATE_SCALE
    context.check_ratio(operator, ratio)
    return tensor.data, Scaled(*arithmetic.quantize_multiplier(ratio))


def _power(scale: float) -> int:
    """Returns the nearest power of two of a scale. Source: ``CheckedLog2``, kernels/internal/quantization_util.cc."""
    one = np.float32(1.0)
    return arithmetic.round_half_away(float(np.log(np.float32(scale)) * (one / np.log(np.float32(2.0)))))


def _clip(cell_clip: float, scale: float) -> int | None:
    """Returns the stored limit of the cell state; None without one. Source: ``CreateLstmCellStateInfo``, lstm_eval_common.cc."""
    return int(min(cell_clip / scale, 32767.0)) if cell_clip > 0 else None


def _states(context: Context, name: str, units: int, hidden: Tensor) -> tuple[State, ...]:
    """Returns what the op keeps: at first the cell state is 0, the hidden state its zero point.

    Source: ``MicroInterpreterGraph::ResetTensorData``, micro_interpreter_graph.cc.
    """
    assert hidden.quantization is not None
    cell, kept = (context.field(f"{name}_{part}") for part in ("cell", "hidden"))
    first = np.full(units, hidden.quantization.zero_point + 128, np.uint8)
    return (
        State(cell, "int16_t", np.zeros(units, np.int16), f"the cell state of {name}"),
        State(kept, "uint8_t", first, f"the hidden state of {name}, stored + 128"),
    )
