"""Write a draft as an int8 .tflite file, tensor by tensor, with numbers that no training would give.

Zero points at the ends of their range, scales many powers of ten apart, weights and biases at their limits, weights quantized
per tensor or per channel, fused activations that Keras has no name for. Within what TFLite Micro defines: no accumulator
overflows. Three models in ten have layers whose weights take four bits.
"""

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from glyphlite.tflite.int4 import pack_int4
from random_models import arithmetic, moves
from random_models.drafts import BINARY, Draft, Step
from random_models.moves import MOVES

_CODES = {
    "conv": "CONV_2D", "depthwise": "DEPTHWISE_CONV_2D", "dense": "FULLY_CONNECTED", "max_pool": "MAX_POOL_2D",
    "average_pool": "AVERAGE_POOL_2D", "grouped": "CONV_2D",
}  # fmt: skip
_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 6,
    "FULLY_CONNECTED": 4,
    "ADD": 2,
    "SUB": 2,
    "MUL": 2,
    "MEAN": 2,
    "PAD": 2,
    "QUANTIZE": 2,
    "TRANSPOSE_CONV": 4,
    "REDUCE_MAX": 2,
    "REDUCE_MIN": 2,
    "SUM": 2,
    "MAXIMUM": 2,
    "MINIMUM": 2,
    "LOG_SOFTMAX": 2,
    "L2_NORMALIZATION": 2,
    "DIV": 2,
    "SQUARED_DIFFERENCE": 2,
}
_FIXED = {"logistic": (1 / 256, -128), "softmax": (1 / 256, -128), "tanh": (1 / 128, 0), **arithmetic.FIXED}
_SAME = {"max_pool", "average_pool", "reshape", "squeeze", "pad", "relu6", *MOVES, *arithmetic.SAME_QUANTIZATION}

Parameters = tuple[float, int]


def op_name(kind: str) -> str:
    """Returns the schema's name of a draft's op."""
    return _CODES.get(kind, kind.upper())


def write(draft: Draft, *, narrow: float | None = None) -> bytes:
    """The file of a draft; the same on every machine.

    Args:
        draft: the network.
        narrow: how many of its layers take weights of four bits; drawn for each model when None.
    """
    return _Writer(draft, narrow).finish()


class _Writer:
    """A model in the making: its tensors, the quantization of each value, and its ops."""

    def __init__(self, draft: Draft, narrow: float | None = 0.0) -> None:
        self.draft = draft
        self.rng = np.random.default_rng([draft.seed, 8])
        self.narrow_rng = np.random.default_rng([draft.seed, 64])  # its own: models without narrow layers stay what they were
        drawn = 0.75 if self.narrow_rng.random() < 0.3 else 0.0
        self.narrow_share = drawn if narrow is None else narrow
        self.graph: Any = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.buffers: list[Any] = [_buffer(None)]
        self.codes: list[str] = []
        self.values: list[int] = []
        self.parameters: list[Parameters] = []
        self.parts: dict[tuple[str, int, str], list[int]] = {}

    def finish(self) -> bytes:
        """Write every step and pack the model."""
        draft = self.draft
        self.parameters.append(self.any_parameters(10 ** self.rng.uniform(-3, 0)))
        inner = self.activation(draft.input_shape, self.parameters[0])
        outer = inner
        if draft.edge != "int8":
            outer = self.edge(draft.input_shape, self.parameters[0])
            self.op("QUANTIZE", [outer], [inner], "QuantizeOptions")
        self.values.append(inner)
        for step in draft.steps:
            self.step(step)
        last = self.values[-1]
        if draft.edge == "int8" and draft.steps[-1].kind == "softmax" and self.activation_type == schema.TensorType.INT8:
            last = self.widened(last)
        if draft.edge != "int8":
            last = self.edge(draft.steps[-1].shape, self.parameters[-1])
            self.op("DEQUANTIZE" if draft.edge == "float32" else "QUANTIZE", [self.values[-1]], [last])
        return self.packed(outer, last)

    def packed(self, source: int, result: int) -> bytes:
        """The file, from one tensor to another."""
        self.graph.inputs, self.graph.outputs = np.array([source], np.int32), np.array([result], np.int32)
        model: Any = schema.ModelT()
        model.version, model.description = 3, b"random"
        model.subgraphs, model.buffers = [self.graph], self.buffers
        model.operatorCodes = [_code(name) for name in self.codes]
        import flatbuffers

        builder = flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def step(self, step: Step) -> None:
        """Write one op and its result."""
        sources = [self.parameters[source] for source in step.sources]
        inputs = [self.values[source] for source in step.sources]
        if step.kind in ("conv", "depthwise", "dense", *arithmetic.WEIGHTED):
            parameters, constants = self.weights(step, sources[0])
            inputs += constants
            if step.kind == "transpose_conv":
                bias = inputs[2:] if step.settings["bias"] else []
                inputs = [self.constant(np.array([1, *step.shape], np.int32)), inputs[1], inputs[0], *bias]
        elif step.kind in BINARY:
            if "constant" in step.settings:
                sources.append(self.any_parameters(sources[0][0] * 10 ** self.rng.uniform(-1, 1)))
                values = self.operand(step.settings["constant"])
                inputs.append(self.constant(values, [sources[1][0]], [sources[1][1]]))
            if step.settings.get("constant_first"):
                inputs.reverse()
            parameters = self.any_parameters(self.product_scale(step.kind, sources))
        elif step.kind == "concatenation":
            parameters = sources[int(self.rng.integers(len(sources)))]
            inputs = [
                tensor if have == parameters else self.requantized(tensor, source, parameters)
                for tensor, have, source in zip(inputs, sources, step.sources, strict=True)
            ]
        elif step.kind in _SAME:
            parameters = sources[0]
        elif fixed := self.fixed(step.kind):
            parameters = fixed
        else:
            second = 0.0
            if step.kind in arithmetic.PAIRS:
                values, second, zero_point = self.second_operand(step, sources[0][0])
                inputs.append(self.constant(values, [second], [zero_point]))
            if step.kind == "rsqrt":  # of what cannot be negative
                sources[0] = (sources[0][0], -128)
                inputs = [self.requantized(inputs[0], step.sources[0], sources[0])]
            shape = self.draft.shapes[step.sources[0]]
            scale = arithmetic.result_scale(step.kind, sources[0][0], shape, step.settings, second)
            parameters = self.any_parameters(scale * 10 ** self.rng.uniform(-0.6, 0.6))
        if step.kind in MOVES:
            result = self.moved(step, inputs, parameters)
        else:
            result = self.activation(step.shape, parameters)
            inputs += self.index_constants(step)
            self.op(op_name(step.kind), inputs, [result], *self.options(step))
        self.values.append(result)
        self.parameters.append(parameters)

    def moved(self, step: Step, inputs: list[int], parameters: Parameters) -> int:
        """Write an op that moves values, once for all of its parts, and return the part that the step is."""
        shapes = step.settings.get("shapes", [step.shape])
        key = (step.kind, step.sources[0], str({**step.settings, "part": 0}))
        if "part" not in step.settings or key not in self.parts:
            others: list[int] = []
            for values in moves.constants(step.kind, step.shape, step.settings):
                scales, zero_points = ([each] for each in parameters)
                scaled = values.dtype == np.int8
                others.append(self.constant(values, scales if scaled else None, zero_points if scaled else None))
            inputs = [*others, *inputs] if step.kind in moves.FIRST_INPUT else [*inputs, *others]
            results = [self.activation(shape, parameters) for shape in shapes]
            self.op(op_name(step.kind), inputs, results, *moves.options(step.kind, step.settings, len(inputs)))
            self.parts[key] = results
        return self.parts[key][step.settings.get("part", 0)]

    def weights(self, step: Step, source: Parameters) -> tuple[Parameters, list[int]]:
        """Weights and bias of a layer, and parameters under which its result is neither constant nor clipped throughout."""
        settings, channels = step.settings, step.shape[-1]
        shape, axis, taps = self.weight_shape(step)
        values = self.weight_values(shape)
        scale = 10 ** self.rng.uniform(-4, 0)
        per_channel = self.rng.random() < 0.65
        narrow = self.narrow_rng.random() < self.narrow_share and step.kind != "transpose_conv"
        if narrow:
            values = self.narrow_values(shape)
            per_channel = per_channel and step.kind != "dense"  # TFLite Micro's narrow FULLY_CONNECTED takes one scale
        scales = scale * 10 ** self.rng.uniform(-0.5, 0.5, channels) if per_channel else np.array([scale])
        if per_channel and self.rng.random() < 0.1:
            scales[int(self.rng.integers(channels))] *= 10.0 ** int(self.rng.integers(-7, 0))
        spread = 50 * np.sqrt(taps) * max(float(np.std(values)), 1.0)
        bias = np.rint(self.rng.normal(0, 1, channels) * spread * float(self.rng.choice([0, 1, 1, 3, 100])))
        limit = 255 * 128 * taps
        bias = np.clip(bias, -(2**31 - 1) + limit, 2**31 - 1 - limit).astype(np.int32)
        out = source[0] * float(np.median(scales)) * spread / 45
        if self.rng.random() < 0.2:
            out *= 10 ** self.rng.uniform(-2, 4)
        # An accumulator that is shifted left must stay within 32 bits, or the reference kernel's arithmetic is undefined.
        largest = float(np.abs(bias.astype(np.int64)).max(initial=0)) + limit
        least = source[0] * float(scales.max()) * largest * 2 / 2**31
        parameters = self.any_parameters(max(out, least))
        constants = [self.constant(values, scales, [0] * len(scales), axis, narrow=narrow)]
        if settings["bias"]:
            constants.append(self.constant(bias, scales * source[0], [0] * len(scales)))
        elif step.kind != "depthwise":  # without its bias TFLite Micro's depthwise convolution takes two inputs only
            constants.append(-1)
        return parameters, constants

    def weight_shape(self, step: Step) -> tuple[tuple[int, ...], int, int]:
        """The shape of a layer's weights, the axis of its channels, and the inputs to one sum."""
        channels, depth = step.shape[-1], self.draft.shapes[step.sources[0]][-1]
        kernel = step.settings.get("kernel", (1, 1))
        if step.kind == "dense":
            return (channels, depth), 0, depth
        if step.kind in ("conv", *arithmetic.WEIGHTED):
            depth //= step.settings.get("groups", 1)
            return (channels, *kernel, depth), 0, kernel[0] * kernel[1] * depth
        return (1, *kernel, channels), 3, kernel[0] * kernel[1]

    def second_operand(self, step: Step, scale: float) -> tuple[np.ndarray, float, int]:
        """The stored values of a constant second operand, its scale and its zero point."""
        return arithmetic.second_operand(step.kind, step.settings["constant"], scale, self.rng)

    def operand(self, shape: tuple[int, ...]) -> np.ndarray:
        """The stored values of a constant operand."""
        return self.rng.integers(-128, 128, shape).astype(np.int8)

    def fixed(self, kind: str) -> Parameters | None:
        """The parameters that a result must have."""
        return _FIXED.get(kind)

    def weight_values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Stored weights: spread evenly, like trained ones, mostly zeros, or only the ends."""
        kind = self.rng.random()
        if kind < 0.45:
            values = self.rng.integers(-127, 128, shape)
        elif kind < 0.8:
            values = np.clip(np.rint(self.rng.normal(0, 40, shape)), -127, 127)
        elif kind < 0.88:
            values = self.rng.integers(-127, 128, shape) * (self.rng.random(shape) < 0.2)
        elif kind < 0.96:
            values = self.rng.choice([-127, 127], shape)
        else:
            values = self.rng.choice([-128, 127], shape)  # beyond the specification's range, within the format's
        return values.astype(np.int8)

    def narrow_values(self, shape: tuple[int, ...]) -> np.ndarray:
        """Weights of four bits: spread evenly, mostly zeros, or only the ends."""
        kind = self.narrow_rng.random()
        if kind < 0.6:
            values = self.narrow_rng.integers(-7, 8, shape)
        elif kind < 0.75:
            values = self.narrow_rng.integers(-7, 8, shape) * (self.narrow_rng.random(shape) < 0.2)
        elif kind < 0.9:
            values = self.narrow_rng.choice([-7, 7], shape, p=[share := float(self.narrow_rng.random()), 1 - share])
        else:
            values = self.narrow_rng.integers(-8, 8, shape)  # beyond the specification's range, within the format's
        return values.astype(np.int8)

    def widened(self, scores: int) -> int:
        """Lets a softmax at the end, now and then, give all 16 bits, and those as int32: returns the model's output."""
        rng = np.random.default_rng([self.draft.seed, 1026])  # its own
        if self.draft.seed < arithmetic.FIRST_SEED or rng.random() < 0.5:
            return scores
        tensor = self.graph.tensors[scores]
        tensor.type, tensor.quantization.scale = schema.TensorType.INT16, np.array([1 / 65536], np.float32)
        tensor.quantization.zeroPoint = np.array([-32768], np.int64)
        if rng.random() < 0.5:
            return scores
        last = self.tensor(tensor.shape, schema.TensorType.INT32, 0, [2.0 ** rng.uniform(-18, -12)], [0])
        self.op("QUANTIZE", [scores], [last], "QuantizeOptions")
        return last

    def product_scale(self, kind: str, sources: list[Parameters]) -> float:
        """A scale under which sums or products use the range; now and then one far from it."""
        first, second = sources[0][0], sources[-1][0]
        scale = first * second * 60 if kind == "mul" else max(first, second) * 1.2
        return scale * 10 ** (self.rng.uniform(-1.5, 2) if self.rng.random() < 0.2 else self.rng.uniform(-0.3, 0.3))

    def any_parameters(self, scale: float) -> Parameters:
        """A scale as the format stores it (float32), and a zero point that often sits at an end."""
        kind = self.rng.random()
        zero_point = int(self.rng.integers(-128, 128)) if kind < 0.4 else int(self.rng.choice([-128, 127, -128, 0, -1]))
        return float(np.float32(max(scale, 1e-6))), zero_point  # below, TFLite Micro refuses a RELU6 and aborts in a softmax

    def requantized(self, tensor: int, source: int, parameters: Parameters) -> int:
        """A QUANTIZE op in front of a concatenation, whose inputs share their result's parameters."""
        result = self.activation(self.draft.shapes[source], parameters)
        self.op("QUANTIZE", [tensor], [result], "QuantizeOptions")
        return result

    def index_constants(self, step: Step) -> list[int]:
        """The int32 operands of ops that take their settings as tensors."""
        if step.kind == "reshape":
            return [self.constant(np.array([1, *step.shape], np.int32))]
        if step.kind == "pad":
            return [self.constant(np.array([(0, 0), *step.settings["amounts"]], np.int32))]
        if step.kind in ("mean", *arithmetic.REDUCTIONS):
            return [self.constant(np.array(arithmetic.axes_of(step.settings), np.int32))]
        return []

    def options(self, step: Step) -> tuple[str | None, dict[str, Any]]:
        """The options table of an op, and its fields."""
        settings = step.settings
        fused = {"fusedActivationFunction": getattr(schema.ActivationFunctionType, settings.get("fused", "none").upper())}
        if "kernel" in settings:
            window = {"padding": getattr(schema.Padding, settings["padding"]), **fused}
            window["strideH"], window["strideW"] = settings["strides"]
            if step.kind in ("max_pool", "average_pool"):
                window["filterHeight"], window["filterWidth"] = settings["kernel"]
                return "Pool2DOptions", window
            if step.kind == "transpose_conv":
                return "TransposeConvOptions", window
            window["dilationHFactor"], window["dilationWFactor"] = settings["dilation"]
            if step.kind == "depthwise":
                return "DepthwiseConv2DOptions", {**window, "depthMultiplier": settings["multiplier"]}
            return "Conv2DOptions", window
        if step.kind == "dense":
            return "FullyConnectedOptions", {**fused, "keepNumDims": len(step.shape) > 1}
        simple: dict[str, tuple[str, dict[str, Any]]] = {
            **{kind: (f"{kind.title()}Options", fused) for kind in BINARY},
            "concatenation": ("ConcatenationOptions", {"axis": settings.get("axis", 0) + 1}),
            **dict.fromkeys(("mean", *arithmetic.REDUCTIONS), ("ReducerOptions", {"keepDims": settings.get("keep", False)})),
            "reshape": ("ReshapeOptions", {"newShape": [1, *step.shape]}),
            "squeeze": ("SqueezeOptions", {"squeezeDims": [settings.get("axis", 0) + 1]}),
            "softmax": ("SoftmaxOptions", {"beta": float(self.rng.choice([1.0, 1.0, 1.0, 0.5, 3.0]))}),
            "pad": ("PadOptions", {}),
            "batch_matmul": ("BatchMatMulOptions", {"adjY": True}),
            "quantize": ("QuantizeOptions", {}),
            "hard_swish": ("HardSwishOptions", {}),
            **{kind: (options, {}) for kind, options in arithmetic.OPTIONS.items()},
            "leaky_relu": ("LeakyReluOptions", {"alpha": settings.get("alpha", 0.0)}),
        }
        return simple.get(step.kind, (None, {}))

    def op(
        self, name: str, inputs: list[int], outputs: list[int], options: str | None = None, fields: dict[str, Any] | None = None
    ):
        """Append an op."""
        if name not in self.codes:
            self.codes.append(name)
        operator: Any = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(name)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array(outputs, np.int32)
        if options:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, f"{options}T")()
            for field, value in (fields or {}).items():
                assert hasattr(operator.builtinOptions, field), field
                setattr(operator.builtinOptions, field, value)
        self.graph.operators.append(operator)

    def activation(self, shape: tuple[int, ...], parameters: Parameters) -> int:
        """A tensor that is computed."""
        return self.tensor((1, *shape), self.activation_type, 0, [parameters[0]], [parameters[1]])

    @property
    def activation_type(self) -> int:
        """The element type of what is computed."""
        return schema.TensorType.INT8

    def edge(self, shape: tuple[int, ...], parameters: Parameters) -> int:
        """An input or output of another type than int8."""
        if self.draft.edge == "float32":
            return self.tensor((1, *shape), schema.TensorType.FLOAT32, 0)
        return self.tensor((1, *shape), schema.TensorType.UINT8, 0, [parameters[0]], [parameters[1] + 128])

    def constant(
        self, values: np.ndarray, scales: Any = None, zero_points: Any = None, axis: int = 0, *, narrow: bool = False
    ) -> int:
        """A tensor that the file holds, two elements a byte where it is narrow."""
        self.buffers.append(_buffer(pack_int4(values) if narrow else values))
        kind = getattr(schema.TensorType, values.dtype.name.upper())
        kind = schema.TensorType.INT4 if narrow else kind
        return self.tensor(values.shape, kind, len(self.buffers) - 1, scales, zero_points, axis)

    def tensor(self, shape: Any, kind: int, buffer: int, scales: Any = None, zero_points: Any = None, axis: int = 0) -> int:
        """Append a tensor."""
        tensor: Any = schema.TensorT()
        tensor.name = f"t{len(self.graph.tensors)}".encode()
        tensor.shape, tensor.type, tensor.buffer = np.array(shape, np.int32), kind, buffer
        if scales is not None:
            quantization: Any = schema.QuantizationParametersT()
            quantization.scale, quantization.zeroPoint = np.array(scales, np.float32), np.array(zero_points, np.int64)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1


def _buffer(values: np.ndarray | None) -> Any:
    buffer: Any = schema.BufferT()
    if values is not None:
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    return buffer


def _code(name: str) -> Any:
    code: Any = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = _VERSIONS.get(name, 1)
    return code
