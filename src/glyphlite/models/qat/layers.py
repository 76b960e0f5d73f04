"""Keras layers that are trained for int8: batch normalization that folds into its convolution, and simulated quantization.

A layer has two states. *Float*: a convolution, batch normalization on the batch's statistics (one fused kernel), an activation.
*Quantized*: normalization folded into the kernel and frozen, the kernel rounded to int8 with one symmetric scale per channel, the
activation rounded to int8 within a range that is learned; gradients pass straight through the rounding and move the range where
it clips. TensorFlow's converter reads the ranges from the graph, so that what was trained is what runs and nothing is calibrated.

A convolution may be used more than once in a model: its weights are the same everywhere, and are stored once; each use has a
normalization and a range of its own, and so a scale of its own.

A layer may have weights of fewer than eight bits: multiples of a step that is learned with them. Once they are trained so, they
stay such multiples in the float state too: the weights behind them, without their steps, are no model.

Source of the arithmetic: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference" (CVPR 2018), with ranges learned by the gradients of TensorFlow's ``fake_quant_with_min_max_vars``; the scales are
those of the TFLite 8-bit quantization specification. Learned steps: S. Esser et al., "Learned Step Size Quantization" (ICLR
2020). Weights frozen progressively: A. Zhou et al., "Incremental Network Quantization" (ICLR 2017). Importing this
module imports TensorFlow; nothing here knows recipes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

PACKAGE = "glyphlite"
_EPSILON = 1e-3


class _Quantized(keras.Layer):
    """A layer whose output is rounded to int8 in the quantized state.

    Attributes:
        quantized: the state; part of what a .keras file keeps.
        uses: how often a model calls the layer, each time with a range of its own.
        ranges: of each use the least and the largest value that int8 expresses, two scalar weights.
        learns_range: whether they are learned, not given.
        observe: where it is set, it is told of every use and what that gives, before rounding; not part of what is kept.
    """

    observe: Callable[[int, Any], None] | None = None

    def __init__(
        self, *, quantized: bool = False, signed: bool = True, learned: bool = True, uses: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.quantized, self._signed, self.learns_range, self.uses = quantized, signed, learned, uses

    def build(self, input_shape: Any) -> None:
        """Makes the two ends of every range."""
        del input_shape
        self.ranges = [
            (
                self._scalar("low" + suffix, -1.0 if self._signed else 0.0, trainable=self.learns_range and self._signed),
                self._scalar("high" + suffix, 1.0, trainable=self.learns_range),
            )
            for suffix in map(_suffix, range(self.uses))
        ]

    @property
    def deployed_parameters(self) -> int:
        """Returns the number of weights and biases in the converted file: without ranges, normalization folded."""
        return 0

    def rounded(self, values: Any, use: int = 0) -> Any:
        """Returns values as int8 would hold them, in the quantized state; themselves in the other."""
        if self.observe is not None:
            self.observe(use, values)
        if not self.quantized:
            return values
        low, high = self.ranges[use]
        return tf.quantization.fake_quant_with_min_max_vars(values, low.value, high.value, num_bits=8)

    def set_range(self, low: float, high: float, use: int = 0) -> None:
        """Says what the range of a use is: the beginning of learning it."""
        least, largest = self.ranges[use]
        least.assign(min(low, 0.0) if self._signed else 0.0)
        largest.assign(max(high, 1e-6))

    def get_config(self) -> dict[str, Any]:
        """Returns what it takes to make this layer again, its state included."""
        return {**super().get_config(), "quantized": self.quantized}

    def _scalar(self, name: str, value: float, *, trainable: bool) -> Any:
        return self.add_weight(
            shape=(), initializer=keras.initializers.Constant(value), name=name, trainable=trainable, autocast=False
        )


class _Weighted(_Quantized):
    """A layer whose weights are rounded as well.

    Attributes:
        weight_bits: what a weight is stored in: 8, or 2 to 7.
        log_step: natural logarithm of the step between two weights, one per channel or one for all; of fewer than 8 bits only. By
            the logarithm Adam's rate is a part of the step, however small that is. Of the weights that are deployed; where
            there is more than one use, of those of the kernel, so that every use has the same codes.
        stepped: whether weights of fewer than 8 bits are multiples of their steps by now.
        narrowed: whether weights of 8 bits were put on the steps of fewer after the training.
        frozen: once they are frozen progressively, a variable like the kernel: the codes of those that are, else NaN.
    """

    def __init__(self, *, weight_bits: int = 8, stepped: bool = False, narrowed: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 2 <= weight_bits <= 8:
            raise ValueError(f"weights of {weight_bits} bits; expected 2 to 8")
        self.weight_bits, self.stepped, self.frozen = weight_bits, stepped, None
        self.narrowed = narrowed

    def begin_steps(self) -> None:
        """Sets the steps to those that express the weights best: the beginning of learning them."""
        raise NotImplementedError

    def begin_freezing(self) -> None:
        """Rounds from here on no weight in training but those that `frozen` names; it names none yet."""
        self.frozen = tf.Variable(tf.fill(self.kernel.shape, math.nan), trainable=False)

    def codes(self) -> np.ndarray:
        """Returns the weights that are deployed, in steps and not rounded, within what the bits hold."""
        largest = _largest(self.weight_bits)
        return np.clip(np.asarray(self._deployed() / self._step()), -largest, largest)

    def stored_kernel(self, use: int = 0) -> Any:
        """Returns the deployed kernel as the file has it in this state."""
        return self._as_stored(use)

    def training_kernel(self, use: int = 0) -> Any:
        """Returns the kernel that a training step's products take, in this state; gradients reach the weights through it."""
        return self._as_stored(use, training=True)

    def express(self, codes: np.ndarray) -> None:
        """Puts weights where they are rounded to codes and lose nothing by it; NaN leaves a weight where it is."""
        exact = codes * np.asarray(self._step() / self._factor())
        self.kernel.assign(np.where(np.isfinite(exact), exact, np.asarray(self.kernel)))

    def get_config(self) -> dict[str, Any]:
        """Returns what it takes to make this layer again, its state included."""
        narrow = {"weight_bits": self.weight_bits, "stepped": self.stepped} if self.weight_bits < 8 else {}
        return {**super().get_config(), **narrow, **({"narrowed": True} if self.narrowed else {})}

    def _add_steps(self, shape: tuple[int, ...]) -> None:
        if self.weight_bits < 8:
            self.log_step = self.add_weight(shape=shape, initializer="zeros", name="log_step", autocast=False)

    def _factor(self, use: int = 0) -> Any:
        """Returns what the kernel is multiplied by where it is deployed; broadcasts against it."""
        del use
        return tf.ones(())

    def _deployed(self, use: int = 0) -> Any:
        """Returns the kernel of the layer that is deployed, not rounded."""
        return self.kernel.value * self._factor(use)

    def _step(self, use: int = 0) -> Any:
        """Returns the step between two weights that are deployed; broadcasts against the kernel."""
        step = tf.exp(self.log_step.value)
        if step.shape.rank:
            step = tf.reshape(step, [1 if axis in self._shared_axes else size for axis, size in enumerate(self.kernel.shape)])
        return step if self.uses == 1 else step * self._factor(use)

    def _as_stored(self, use: int = 0, *, training: bool = False) -> Any:
        """Returns the deployed kernel as the file has it in this state; in training, where it freezes, with the rest not
        rounded.
        """
        kernel = self._deployed(use)
        if self.weight_bits == 8:
            return rounded_weights(kernel, self._shared_axes) if self.quantized else kernel
        if not self.stepped:
            return kernel
        return stepped_weights(kernel, self._step(use), self.weight_bits, self.frozen if training else None)

    @property
    def _shared_axes(self) -> tuple[int, ...]:
        """Returns the axes of the kernel that share a scale, where each weight has all eight bits."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedInput(_Quantized):
    """Images in [0, 1] as int8 holds them: scale 1/255, zero point -128, so that a pixel of 0 to 255 is exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(signed=False, learned=False, **kwargs)

    def call(self, images: Any) -> Any:
        """Rounds images ``(batch, height, width, channels)``."""
        return self.rounded(images)


class _Normalization:
    """Batch normalization behind one use of a convolution, whose kernel and bias it folds into.

    Attributes:
        beta: the shift, ``(out,)``; None of one that is not centred.
        gamma: the scale, ``(out,)``.
        mean: moving mean, ``(out,)``; None of one that is not centred.
        variance: moving variance, ``(out,)``; of one that is not centred the mean square, by whose root it divides: batch
            normalization as B. Zhang and R. Sennrich simplified layer normalization ("Root Mean Square Layer Normalization",
            2019).
    """

    def __init__(self, add: Callable[[str, float, bool], Any], *, centered: bool, positive: bool, momentum: float) -> None:
        """Makes the weights by ``add``, which takes name, first value and whether it is trained.

        ``positive``: scale by the size of gamma alone, so that all uses of a kernel see it with the same signs.
        """
        self.beta = add("beta", 0.0, True) if centered else None
        self.gamma = add("gamma", 1.0, True)
        self.mean = add("mean", 0.0, False) if centered else None
        self.variance = add("variance", 1.0, False)
        self._positive, self._momentum = positive, momentum

    def factor(self, variance: Any = None) -> Any:
        """Returns what each channel is multiplied by, ``(out,)``: by the moving statistics, or by a batch's own variance."""
        return self.scale() * tf.math.rsqrt((self.variance.value if variance is None else variance) + _EPSILON)

    def bias(self) -> Any:
        """Returns what is left beside the factor, by the moving statistics; None of one that is not centred."""
        if self.beta is None or self.mean is None:
            return None
        return self.beta.value - self.mean.value * self.factor()

    def by_batch(self, sums: Any) -> Any:
        """Normalizes by the batch's statistics, which move those that are kept.

        Centred it is TensorFlow's one kernel for it: Keras's own, made of many ops, takes twice the time on a CPU.
        """
        if self.beta is None:
            square = tf.reduce_mean(tf.square(tf.cast(sums, tf.float32)), axis=(0, 1, 2))
            self.move(None, square)
            return sums * tf.cast(self.factor(square), sums.dtype)
        result, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=sums,
            scale=self.scale(),
            offset=self.beta.value,
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=_EPSILON,
            is_training=True,
        )
        self.move(mean, variance)
        return result

    def scale(self) -> Any:
        """Returns what normalized sums are multiplied by, ``(out,)``."""
        return tf.abs(self.gamma.value) if self._positive else self.gamma.value

    def move(self, mean: Any, variance: Any) -> None:
        """Moves the moving statistics one step towards those of a batch; the mean of one that is not centred is not looked at."""
        if self.mean is not None:
            self._move(self.mean, mean)
        self._move(self.variance, variance)

    def _move(self, moving: Any, now: Any) -> None:
        """Moves a moving statistic one step towards that of a batch."""
        moving.assign(moving.value * self._momentum + now * (1 - self._momentum))


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedConv2D(_Weighted):
    """Convolution or depthwise convolution, folding batch normalization, ReLU.

    Attributes:
        kernel: ``(height, width, in, out)``; ``(height, width, channels, 1)`` where it is depthwise.
        padding: of each use.
        normalizations: of each use; none where it does not normalize. A layer without, or with some that are not centred, has no
            bias.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        padding: str | Sequence[str] = "valid",
        activation: str | None = "relu",
        depthwise: bool = False,
        normalized: bool = True,
        centered: bool = True,
        momentum: float = 0.97,
        **kwargs: Any,
    ) -> None:
        """Prepares a layer of ``filters`` outputs (as many as it has inputs, where it is depthwise) with square kernels.

        ``padding``: several of it for a layer that a model uses as often, ``layer(images, use=1)`` the second time.
        """
        paddings = (padding,) if isinstance(padding, str) else tuple(padding)
        super().__init__(signed=activation is None, uses=len(paddings), **kwargs)
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, paddings
        self.activation, self.depthwise, self.momentum = activation, depthwise, momentum
        self.normalized, self.centered = normalized, normalized and centered

    def build(self, input_shape: Any) -> None:
        """Makes the kernel and, where it normalizes, each use's scale, shift and moving statistics."""
        super().build(input_shape)
        channels = int(input_shape[-1])
        outputs = channels if self.depthwise else self.filters
        window = self.kernel_size**2
        self.kernel = self.add_weight(
            shape=(self.kernel_size, self.kernel_size, channels, 1 if self.depthwise else self.filters),
            initializer=keras.initializers.RandomNormal(stddev=(2 / (window * (1 if self.depthwise else channels))) ** 0.5),
            name="kernel",
            autocast=False,
        )
        self._add_steps((outputs,))
        self.normalizations = [self._normalization(use, outputs) for use in range(self.uses)] if self.normalized else []

    def call(self, images: Any, training: bool = False, use: int = 0) -> Any:
        """Computes feature maps from images ``(batch, height, width, channels)``."""
        if self.normalizes_batches and training:
            sums = self.normalizations[use].by_batch(self._convolve(images, self.kernel.value, use))
        else:
            bias = self.bias_of(use)
            sums = self._convolve(images, self._as_stored(use, training=training), use)
            sums = sums if bias is None else tf.nn.bias_add(sums, tf.cast(bias, sums.dtype))
        return self.rounded(tf.nn.relu(sums) if self.activation == "relu" else sums, use)

    @property
    def normalizes_batches(self) -> bool:
        """Returns whether training normalizes by each batch's own statistics in this state."""
        return self.normalized and not self.quantized

    def training_kernel(self, use: int = 0) -> Any:
        """Returns the kernel that a training step's products take: as it is where a normalization follows."""
        return self.kernel.value if self.normalizes_batches else super().training_kernel(use)

    @property
    def deployed_parameters(self) -> int:
        """Returns the kernel, once, and, where normalization is centred, a bias per channel of every use."""
        shifts = [each.beta for each in self.normalizations if each.beta is not None]
        return math.prod(self.kernel.shape) + sum(shift.shape[0] for shift in shifts)

    def folded(self, use: int = 0) -> tuple[Any, Any]:
        """Returns the kernel and the bias (None where there is none) of the convolution that computes the same in one step."""
        return self._deployed(use), self.bias_of(use)

    def deploy_narrow(self, kernel: np.ndarray) -> None:
        """Sets the kernel such that this one, of few steps, is deployed, behind the folding of the normalization; of one use."""
        self.kernel.assign(kernel / np.asarray(self._factor()))
        self.narrowed = True

    def begin_steps(self) -> None:
        """Sets the steps, one per channel, to those that express the kernel best: folded where there is one use."""
        kernel = self._deployed() if self.uses == 1 else self.kernel.value
        self.log_step.assign(np.log(best_steps(np.asarray(kernel), self._shared_axes, self.weight_bits)))

    def get_config(self) -> dict[str, Any]:
        """Returns what it takes to make this layer again."""
        names = ("filters", "kernel_size", "strides", "activation", "depthwise", "normalized", "centered", "momentum")
        padding = self.padding[0] if self.uses == 1 else list(self.padding)
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "padding": padding}

    def _convolve(self, images: Any, kernel: Any, use: int) -> Any:
        kernel, strides = tf.cast(kernel, images.dtype), [1, self.strides, self.strides, 1]
        padding = "SAME" if self.padding[use] == "same" else "VALID"
        if self.depthwise:
            return tf.nn.depthwise_conv2d(images, kernel, strides, padding)
        return tf.nn.conv2d(images, kernel, strides, padding)

    def _normalization(self, use: int, channels: int) -> _Normalization:
        def add(name: str, value: float, trainable: bool) -> Any:
            initializer = keras.initializers.Constant(value)
            name += _suffix(use)
            return self.add_weight(shape=(channels,), initializer=initializer, name=name, trainable=trainable, autocast=False)

        return _Normalization(add, centered=self.centered, positive=self.uses > 1, momentum=self.momentum)

    def bias_of(self, use: int) -> Any:
        """Returns what is left of the normalization beside the kernel; None of one that is not centred."""
        return self.normalizations[use].bias() if self.normalized else None

    def _factor(self, use: int = 0) -> Any:
        if not self.normalized:
            return super()._factor(use)
        factor = self.normalizations[use].factor()
        return tf.reshape(factor, (1, 1, -1, 1)) if self.depthwise else factor

    @property
    def _shared_axes(self) -> tuple[int, ...]:
        return (0, 1) if self.depthwise else (0, 1, 2)


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedMean(_Quantized):
    """The mean over height and width."""

    def call(self, images: Any) -> Any:
        """Computes ``(batch, channels)`` from feature maps ``(batch, height, width, channels)``."""
        return self.rounded(tf.reduce_mean(images, axis=(1, 2)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns ``(batch, channels)``."""
        return (input_shape[0], input_shape[-1])


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedDense(_Weighted):
    """Fully connected, its weights rounded with one scale a unit; with one in all where they have fewer than eight bits.

    That is all that TensorFlow Lite Micro takes of them (``kernels/fully_connected_common.cc``).

    Attributes:
        kernel: ``(in, units)``.
        bias: ``(units,)``, where it is biased.
    """

    def __init__(self, units: int, *, biased: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.biased = units, biased

    def build(self, input_shape: Any) -> None:
        """Makes the kernel and, where it is biased, the bias."""
        super().build(input_shape)
        self.kernel = self.add_weight(
            shape=(int(input_shape[-1]), self.units), initializer="glorot_uniform", name="kernel", autocast=False
        )
        self._add_steps(())
        if self.biased:
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias", autocast=False)

    @property
    def deployed_parameters(self) -> int:
        """Returns kernel and, where it is biased, bias."""
        return math.prod(self.kernel.shape) + self.units * self.biased

    def call(self, features: Any, training: bool = False) -> Any:
        """Computes sums ``(batch, units)`` from features ``(batch, in)``."""
        sums = tf.matmul(features, tf.cast(self._as_stored(training=training), features.dtype))
        return self.rounded(tf.nn.bias_add(sums, tf.cast(self.bias.value, sums.dtype)) if self.biased else sums)

    def begin_steps(self) -> None:
        """Sets the one step to that which expresses the kernel best."""
        self.log_step.assign(np.log(best_steps(np.asarray(self.kernel), (0, 1), self.weight_bits))[0])

    @property
    def _shared_axes(self) -> tuple[int, ...]:
        return (0,)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Returns ``(batch, units)``."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns what it takes to make this layer again."""
        return {**super().get_config(), "units": self.units, "biased": self.biased}


def rounded_weights(weights: Any, axes: tuple[int, ...]) -> Any:
    """Returns weights as multiples of a scale, from -127 to 127 of it, the largest of each channel at the end; gradients pass.

    Args:
        weights: float32.
        axes: those that share a scale.
    """
    scale = tf.stop_gradient(tf.reduce_max(tf.abs(weights), axis=axes, keepdims=True)) / _largest(8)
    scale = tf.maximum(scale, 1e-12)
    return weights + tf.stop_gradient(tf.round(weights / scale) * scale - weights)


def stepped_weights(weights: Any, step: Any, bits: int, frozen: Any = None) -> Any:
    """Returns weights as multiples of a step, as many either side of 0 as ``bits`` hold; gradients pass, to the step as well.

    Args:
        weights: float32.
        step: a scalar, or a shape that broadcasts against the weights.
        bits: of a weight; 4 gives -7 to 7 steps.
        frozen: the steps that some weights stay at, whatever they are; NaN for the rest, which are not rounded.
    """
    largest = _largest(bits)
    codes = tf.clip_by_value(weights / step, -largest, largest)
    if frozen is not None:
        return tf.where(tf.math.is_nan(frozen), codes, frozen) * step
    return (codes + tf.stop_gradient(tf.round(codes) - codes)) * step


def best_steps(weights: np.ndarray, axes: tuple[int, ...], bits: int) -> np.ndarray:
    """Returns the steps that round weights with the least squared error: one for each index of the axes that are not ``axes``,
    flat.
    """
    largest = _largest(bits)
    ends = np.maximum(np.abs(weights).max(axis=axes, keepdims=True), 1e-6) / largest
    tried = np.linspace(0.4, 1.0, 61)[:, None] * ends.reshape(1, -1)
    errors = [
        np.sum((np.clip(np.round(weights / step), -largest, largest) * step - weights) ** 2, axis=axes).reshape(-1)
        for step in tried.reshape(-1, *ends.shape)
    ]
    return np.take_along_axis(tried, np.argmin(errors, axis=0)[None], axis=0)[0].astype(np.float32)


def _suffix(use: int) -> str:
    """Returns what a use's own weights are called after, from the second on."""
    return f"_{use + 1}" if use else ""


def _largest(bits: int) -> int:
    return 2 ** (bits - 1) - 1
