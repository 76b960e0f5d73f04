"""Write a draft as an int16x8 .tflite file, tensor by tensor: int16 activations, int8 weights, biases of 64 or 32 bits.

As ``by_hand``, with numbers that no training would give. What TFLite Micro has no int16 kernel for is computed in int8 between
two QUANTIZEs, and so are some other ops, so that files mix both types.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from glyphlite.compiler.ops.int16.table import INT16_OPS
from random_models.by_hand import Parameters, _Writer, op_name
from random_models.drafts import Draft, Step

_FIXED = {"logistic": 2.0**-15, "tanh": 2.0**-15, "softmax": 2.0**-15}
_MIXED = ("relu", "leaky_relu", "max_pool", "average_pool", "reshape", "pad", "mean")


def write(draft: Draft) -> bytes:
    """The int16x8 file of a draft; the same on every machine. A draft of uint8 edges has int8 ones, as TFLite Micro asks."""
    return Int16Writer(draft).finish()


class Int16Writer(_Writer):
    """A model in the making whose values are int16, where ``mixed`` does not hold them in int8 for one op."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self.type_rng = np.random.default_rng([draft.seed, 1024])
        self.in_int8, self.is_short = False, False

    def edge(self, shape: tuple[int, ...], parameters: Parameters) -> int:
        """An input or output: float32, or int8 where the draft asks for uint8."""
        if self.draft.edge == "float32":
            return self.tensor((1, *shape), schema.TensorType.FLOAT32, 0)
        return self.tensor(
            (1, *shape), schema.TensorType.INT8, 0, [parameters[0] * 250], [int(self.type_rng.integers(-128, 128))]
        )

    def step(self, step: Step) -> None:
        """Write one op and its result, in int8 where there is no int16 kernel, and now and then anyway."""
        mixes = step.kind in _MIXED and self.type_rng.random() < 0.15
        if op_name(step.kind) in INT16_OPS and not mixes and step.kind != "rsqrt":  # whose int16 may be below 0
            self.prepare(step)
            super().step(step)
            return
        kept = {source: (self.values[source], self.parameters[source]) for source in step.sources}
        self.in_int8 = True
        for source, (value, parameters) in kept.items():
            self.parameters[source] = self.any_parameters(parameters[0] * 250)
            self.values[source] = self.requantized(value, source, self.parameters[source])
        super().step(step)
        self.in_int8 = False
        for source, (value, parameters) in kept.items():
            self.values[source], self.parameters[source] = value, parameters
        self.parameters[-1] = self.any_parameters(self.parameters[-1][0] / 250)
        self.values[-1] = self.requantized(self.values[-1], len(self.values) - 1, self.parameters[-1])

    def prepare(self, step: Step) -> None:
        """A QUANTIZE where an op takes fewer scales than others."""
        source = step.sources[0]
        if step.kind in ("logistic", "tanh", "softmax") and self.parameters[source][0] > 0.1:
            self.parameters.append(self.any_parameters(0.1 * self.type_rng.uniform(0.001, 1)))
            self.values.append(self.requantized(self.values[source], source, self.parameters[-1]))
            self.values[source], self.parameters[source] = self.values.pop(), self.parameters.pop()

    def fixed(self, kind: str) -> Parameters | None:
        """The parameters that a result must have."""
        if self.in_int8:
            return super().fixed(kind)
        return (_FIXED[kind], 0) if kind in _FIXED else None

    def any_parameters(self, scale: float) -> Parameters:
        """A scale as the format stores it, and the zero point of an int16."""
        if self.in_int8:
            return super().any_parameters(scale)
        return float(np.float32(max(scale, 1e-8))), 0

    def second_operand(self, step: Step, scale: float) -> tuple[np.ndarray, float, int]:
        """The stored values of a constant second operand, its scale and its zero point."""
        values, second, zero_point = super().second_operand(step, scale)
        return (values, second, zero_point) if self.in_int8 else (values.astype(np.int16) * 257, second, 0)

    def operand(self, shape: tuple[int, ...]) -> np.ndarray:
        """A constant operand."""
        return super().operand(shape) if self.in_int8 else self.rng.integers(-32768, 32768, shape).astype(np.int16)

    def weights(self, step: Step, source: Parameters) -> tuple[Parameters, list[int]]:
        """Weights and bias of a layer, and parameters under which its result is neither constant nor clipped throughout."""
        if self.in_int8:
            return super().weights(step, source)
        settings, channels = step.settings, step.shape[-1]
        shape, axis, taps = self.weight_shape(step)
        values = self.weight_values(shape)
        scale = 10 ** self.rng.uniform(-5, -1)
        per_channel = self.rng.random() < 0.65
        scales = scale * 10 ** self.rng.uniform(-0.5, 0.5, channels) if per_channel else np.array([scale])
        if per_channel and self.rng.random() < 0.1:
            scales[int(self.rng.integers(channels))] *= 10.0 ** int(self.rng.integers(-7, 0))
        spread = 12000 * np.sqrt(taps) * max(float(np.std(values)), 1.0)
        bias = np.rint(self.rng.normal(0, 1, channels) * spread * float(self.rng.choice([0, 1, 1, 3, 1000])))
        largest = 32768 * 128 * taps
        self.is_short = step.kind not in ("depthwise", "transpose_conv") and largest < 2**30 and self.type_rng.random() < 0.2
        limit = 2**31 - 1 - largest if self.is_short else 2**46
        bias = np.clip(bias, -limit, limit).astype(np.int32 if self.is_short else np.int64)
        out = source[0] * float(np.median(scales)) * spread / 12000
        if self.rng.random() < 0.2:
            out *= 10 ** self.rng.uniform(-2, 4)
        least = source[0] * float(scales.max()) / 127  # finer ones are undefined: a shift to the left by more than seven
        if self.is_short:  # what is shifted left must stay within 32 bits
            total = float(np.abs(bias.astype(np.int64)).max(initial=0)) + largest
            least = max(least, source[0] * float(scales.max()) * total / 2**30)
        constants = [self.constant(values, scales, [0] * len(scales), axis)]
        if settings["bias"]:
            constants.append(self.constant(bias, scales * source[0], [0] * len(scales)))
        elif step.kind != "depthwise":
            constants.append(-1)
        return self.any_parameters(max(out, least)), constants

    def options(self, step: Step) -> tuple[str | None, dict[str, Any]]:
        """The options table of an op; a layer without a bias asks for sums of 32 bits in them."""
        name, fields = super().options(step)
        if step.kind in ("conv", "dense") and not step.settings["bias"] and not self.in_int8 and self.is_short:
            fields = {**fields, "quantizedBiasType": schema.TensorType.INT32}
        return name, fields

    @property
    def activation_type(self) -> int:
        """The element type of what is computed."""
        return schema.TensorType.INT8 if self.in_int8 else schema.TensorType.INT16
