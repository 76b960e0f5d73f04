"""Draw the structure of a random network: which ops, in which order, of which shapes. Knows nothing of numbers, Keras or files.

The same draft becomes a Keras model (``with_keras``) or a file written tensor by tensor (``by_hand``), so that both cover the
whole op list and parameter space: odd sizes, extents of one, every stride, dilation, padding and multiplier, branches.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from random_models.arithmetic import FIRST_SEED, draw_arithmetic
from random_models.moves import draw_move

Shape = tuple[int, ...]

UNARY = ("relu", "relu6", "hard_swish", "logistic", "tanh", "softmax")
BINARY = ("add", "sub", "mul")
MOVES_SEED = 1097
"""The models that earlier campaigns found keep their ops with this one."""
FUSED = ("none", "none", "relu", "relu6", "relu_n1_to_1")


@dataclass(frozen=True)
class Step:
    """One op: the values it reads (0 is the input, i the result of step i), its result's shape without the batch, settings."""

    kind: str
    sources: tuple[int, ...]
    shape: Shape
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Draft:
    """A network without numbers. ``edge`` is the element type at input and output."""

    seed: int
    input_shape: Shape
    steps: tuple[Step, ...]
    edge: str

    @property
    def shapes(self) -> list[Shape]:
        """The shape of every value."""
        return [self.input_shape, *(step.shape for step in self.steps)]

    def __str__(self) -> str:
        lines = [f"input {self.input_shape} {self.edge}"]
        for number, step in enumerate(self.steps, 1):
            lines.append(f"{number}: {step.kind}{list(step.sources)} -> {step.shape} {step.settings}")
        return "\n".join(lines)


def draw(seed: int, *, for_keras: bool) -> Draft:
    """The draft of a seed; the same on every machine.

    Args:
        seed: any non-negative integer.
        for_keras: keep to what TensorFlow can calibrate on a CPU: equal strides of a depthwise convolution, no stride with a
            dilation.
    """
    return _Drawing(seed, for_keras).finish()


class _Drawing:
    """A draft in the making: the values so far, and the one that the next op reads."""

    def __init__(self, seed: int, for_keras: bool) -> None:
        self.seed, self.for_keras = seed, for_keras
        self.rng = np.random.default_rng([seed, 4])
        self.sub_rng = np.random.default_rng([seed, 256])  # its own: models without a SUB stay what they were
        self.leaky_rng = np.random.default_rng([seed, 513])
        self.arithmetic_rng = np.random.default_rng([seed, 1025])
        self.moves_rng = np.random.default_rng([seed, MOVES_SEED])
        self.steps: list[Step] = []
        self.shapes: list[Shape] = [self._input_shape()]
        self.current = 0

    def finish(self) -> Draft:
        """Draw the body, then perhaps a classifier's head."""
        for _ in range(self.pick(1, 2, 2, 3, 3, 4, 5, 6)):
            if self.moves_rng.random() < 0.15:
                draw_move(self, self.moves_rng)
            self._draw_body_op()
        while self.seed >= FIRST_SEED and self.arithmetic_rng.random() < 0.6:
            draw_arithmetic(self, self.arithmetic_rng)
        if self.chance(0.75):
            self._draw_head()
        edge = self.pick(*["int8"] * 10, "uint8", "float32")
        return Draft(self.seed, self.shapes[0], tuple(self.steps), edge)

    def pick(self, *choices: Any) -> Any:
        """One of them."""
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, probability: float) -> bool:
        """True that often."""
        return bool(self.rng.random() < probability)

    @property
    def shape(self) -> Shape:
        """The current value's shape."""
        return self.shapes[self.current]

    def add(self, kind: str, shape: Shape, sources: tuple[int, ...] | None = None, **settings: Any) -> int:
        """Append an op and make its result the current value."""
        self.steps.append(Step(kind, sources if sources is not None else (self.current,), shape, settings))
        self.shapes.append(shape)
        self.current = len(self.steps)
        return self.current

    def _input_shape(self) -> Shape:
        if self.chance(0.06):
            return (int(self.rng.integers(1, 40)),)
        if self.chance(0.1):
            return (self.pick(28, 14), self.pick(28, 14), 1)
        extents = (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13)
        return (self.pick(*extents), self.pick(*extents), self.pick(1, 1, 2, 3, 4, 5, 8))

    def _draw_body_op(self) -> None:
        if len(self.shape) != 3:
            kinds = ["dense", "dense", "add", "mul", "concatenation", "reshape", *UNARY, "quantize"]
        else:
            kinds = (
                ["conv"] * 6 + ["depthwise"] * 5 + ["max_pool", "average_pool"] * 3 + ["add", "mul", "concatenation", "pad"] * 2
            )
            kinds += ["gate", "mean", "dense", "reshape", "quantize", *UNARY]
        kind = self.pick(*kinds)
        if kind in UNARY or (kind == "quantize" and not self.for_keras):
            self._add_unary(kind)
        elif kind != "quantize":
            getattr(self, f"_draw_{kind}")()

    def _add_unary(self, kind: str) -> None:
        """A RELU is a LEAKY_RELU now and then."""
        if kind == "relu" and self.leaky_rng.random() < 0.5:
            self.add("leaky_relu", self.shape, alpha=float(self.leaky_rng.choice([0.0, 0.01, 0.1, 0.3, 1.0, 1.5])))
        else:
            self.add(kind, self.shape)

    def _draw_head(self) -> None:
        if len(self.shape) == 3:
            if self.chance(0.3):
                self._draw_mean()
            if len(self.shape) == 3:
                self._flatten()
        if self.chance(0.4):
            self._draw_dense()
        self._draw_dense()
        if self.chance(0.6):
            self.add(self.pick("softmax", "softmax", "logistic", "tanh"), self.shape)

    def _flatten(self) -> None:
        self.add("reshape", (int(np.prod(self.shape)),))

    def _draw_conv(self) -> None:
        window = self._window(*self.shape[:2])
        filters = self.pick(1, 2, 3, 4, 5, 7, 8, 9, 16)
        shape = (*_extents(self.shape, window), filters)
        self.add("conv", shape, filters=filters, bias=self.chance(0.85), fused=self.pick(*FUSED), **window)

    def _draw_depthwise(self) -> None:
        channels = self.shape[2]
        window = self._window(*self.shape[:2])
        if self.for_keras:
            stride = min(window["strides"])
            window["strides"] = (stride, stride)
        multiplier = self.pick(1, 1, 1, 2, 3)
        shape = (*_extents(self.shape, window), channels * multiplier)
        self.add("depthwise", shape, multiplier=multiplier, bias=self.chance(0.85), fused=self.pick(*FUSED), **window)

    def _window(self, height: int, width: int) -> dict[str, Any]:
        """Kernel, strides, dilation and padding that leave at least one element."""
        padding = self.pick("SAME", "VALID")
        kernel = (self.pick(1, 1, 2, 3, 3, 4, 5), self.pick(1, 1, 2, 3, 3, 4, 5))
        if self.chance(0.5):
            kernel = (kernel[0], kernel[0])
        strides = (self.pick(1, 1, 2, 3), self.pick(1, 1, 2, 3))
        dilation = (self.pick(1, 2, 3), self.pick(1, 2, 3)) if self.chance(0.2) else (1, 1)
        if self.for_keras and dilation != (1, 1):
            strides = (1, 1)
            dilation = (dilation[0], dilation[0])
        if padding == "VALID":
            kernel = (min(kernel[0], 1 + (height - 1) // dilation[0]), min(kernel[1], 1 + (width - 1) // dilation[1]))
        return {"kernel": kernel, "strides": strides, "dilation": dilation, "padding": padding}

    def _draw_pool(self, kind: str) -> None:
        height, width, channels = self.shape
        padding = self.pick("SAME", "VALID")
        kernel = (self.pick(1, 2, 2, 3, 4), self.pick(1, 2, 2, 3, 4))
        if self.chance(0.6):
            kernel = (kernel[0], kernel[0])
        if self.chance(0.1):
            kernel = (height, width)
        kernel = (min(kernel[0], height), min(kernel[1], width))
        strides = kernel if self.chance(0.6) else (self.pick(1, 2, 3), self.pick(1, 2, 3))
        window = {"kernel": kernel, "strides": strides, "dilation": (1, 1), "padding": padding}
        fused = "none" if self.for_keras or self.chance(0.7) else self.pick(*FUSED)
        self.add(kind, (*_extents(self.shape, window), channels), fused=fused, **window)

    def _draw_max_pool(self) -> None:
        self._draw_pool("max_pool")

    def _draw_average_pool(self) -> None:
        self._draw_pool("average_pool")

    def _draw_mean(self) -> None:
        keep = self.chance(0.4)
        self.add("mean", (1, 1, self.shape[2]) if keep else (self.shape[2],), keep=keep)

    def _draw_dense(self) -> None:
        if len(self.shape) > 1 and self.chance(0.3):
            self._flatten()
        units = self.pick(1, 2, 3, 4, 7, 10, 10, 16)
        self.add("dense", (*self.shape[:-1], units), units=units, bias=self.chance(0.85), fused=self.pick(*FUSED))

    def _draw_reshape(self) -> None:
        elements = int(np.prod(self.shape))
        if 1 in self.shape[:-1] and len(self.shape) == 3 and self.chance(0.5):
            axis = self.shape.index(1)
            self.add("squeeze", self.shape[:axis] + self.shape[axis + 1 :], axis=axis)
            self._flatten()  # what follows knows vectors and images only
        elif self.chance(0.4):
            self._flatten()
        else:
            divisors = [extent for extent in range(1, elements + 1) if elements % extent == 0]
            first = self.pick(*divisors)
            second = self.pick(*[extent for extent in divisors if (elements // first) % extent == 0])
            self.add("reshape", (first, second, elements // first // second))

    def _draw_pad(self) -> None:
        amounts = tuple((self.pick(0, 0, 1, 2), self.pick(0, 0, 1, 3)) for _ in range(2))
        amounts = (*amounts, (self.pick(0, 1), self.pick(0, 2)) if self.chance(0.2) else (0, 0))
        self.add("pad", tuple(extent + sum(both) for extent, both in zip(self.shape, amounts, strict=True)), amounts=amounts)

    def _draw_add(self) -> None:
        self._draw_binary("sub" if self.sub_rng.random() < 0.3 else "add")

    def _draw_mul(self) -> None:
        self._draw_binary("mul")

    def _draw_binary(self, kind: str) -> None:
        """With a constant, an earlier value of the same shape, the value itself, or a second path from it."""
        settings: dict[str, Any] = {"fused": "none" if self.for_keras else self.pick(*FUSED)}
        alike = [value for value, shape in enumerate(self.shapes) if shape == self.shape and value != self.current]
        here, shape = self.current, self.shape
        if self.chance(0.35):
            constant = self.pick(shape, (*(1,) * (len(shape) - 1), shape[-1]), (1,) * len(shape))
            if kind == "sub":
                settings["constant_first"] = bool(self.sub_rng.random() < 0.5)
            self.add(kind, shape, constant=constant, **settings)
        elif not self.for_keras and self.chance(0.1):
            self.add(kind, shape, (here, here), **settings)
        else:
            other = self.pick(*alike) if alike and self.chance(0.6) else self._second_path(shape)
            self.add(kind, shape, (here, other) if self.chance(0.5) else (other, here), **settings)

    def _second_path(self, shape: Shape) -> int:
        """Another value of the same shape, computed from the current one."""
        if len(shape) == 3:
            window = {"kernel": self.pick((1, 1), (3, 3), (2, 1)), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME"}
            settings = {"bias": True, "fused": self.pick(*FUSED), **window}
            if self.chance(0.5):
                return self.add("conv", shape, filters=shape[2], **settings)
            return self.add("depthwise", shape, multiplier=1, **settings)
        return self.add("dense", shape, units=shape[-1], bias=True, fused=self.pick(*FUSED))

    def _draw_gate(self) -> None:
        """Squeeze and excite: a mean over the image, a layer, a sigmoid, and a product that broadcasts it."""
        here, shape = self.current, self.shape
        self.add("mean", (1, 1, shape[2]), keep=True)
        window = {"kernel": (1, 1), "strides": (1, 1), "dilation": (1, 1), "padding": "SAME"}
        self.add("conv", (1, 1, shape[2]), filters=shape[2], bias=True, fused="none", **window)
        gate = self.add("logistic", (1, 1, shape[2]))
        self.add("mul", shape, (here, gate), fused="none")

    def _draw_concatenation(self) -> None:
        here, shape = self.current, self.shape
        axis = int(self.rng.integers(len(shape)))
        fits = [
            value
            for value, other in enumerate(self.shapes)
            if value != here and len(other) == len(shape) and other[:axis] + other[axis + 1 :] == shape[:axis] + shape[axis + 1 :]
        ]
        others = (self.pick(*fits),) if fits and self.chance(0.6) else (self._second_path(shape),)
        if fits and self.chance(0.2):
            others = (*others, self.pick(*fits))
        sources = (here, *others) if self.chance(0.5) else (*others, here)
        total = sum(self.shapes[source][axis] for source in sources)
        self.add("concatenation", (*shape[:axis], total, *shape[axis + 1 :]), sources, axis=axis)


def _extents(shape: Shape, window: dict[str, Any]) -> tuple[int, int]:
    """Height and width that a window leaves (``tensorflow/lite/kernels/padding.h``)."""
    found = []
    for axis in range(2):
        extent, stride = shape[axis], window["strides"][axis]
        reach = (window["kernel"][axis] - 1) * window["dilation"][axis] + 1
        found.append(-(-extent // stride) if window["padding"] == "SAME" else (extent - reach) // stride + 1)
    return found[0], found[1]
