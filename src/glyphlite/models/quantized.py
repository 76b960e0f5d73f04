"""Keras layers that are trained for int8: batch normalization that folds into its convolution, and simulated quantization.

A layer has two states. *Float*: a convolution, batch normalization on the batch's statistics (one fused kernel), an activation.
*Quantized*: normalization folded into the kernel and frozen, the kernel rounded to int8 with one symmetric scale a channel, the
activation rounded to int8 within a range that is learned; gradients pass straight through the rounding and move the range where
it clips. TensorFlow's converter reads the ranges from the graph, so that what was trained is what runs and nothing is calibrated.

A layer may have weights of fewer than eight bits: multiples of a step that is learned with them. Once they are trained so, they
stay such multiples in the float state too: the weights behind them, without their steps, are no model.

Source of the arithmetic: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference" (CVPR 2018), with ranges learned by the gradients of TensorFlow's ``fake_quant_with_min_max_vars``; the scales are
those of the TFLite 8-bit quantization specification. Learned steps: S. Esser et al., "Learned Step Size Quantization" (ICLR
2020). Weights frozen one after the other: A. Zhou et al., "Incremental Network Quantization" (ICLR 2017). Importing this
module imports TensorFlow; nothing here knows recipes.
"""

import math
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
        low: the least value that int8 expresses, a scalar weight.
        high: the largest.
        learns_range: whether they are learned, not given.
    """

    def __init__(self, *, quantized: bool = False, signed: bool = True, learned: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.quantized, self._signed, self.learns_range = quantized, signed, learned

    def build(self, input_shape: Any) -> None:
        """Make the two ends of the range."""
        del input_shape
        self.low = self._scalar("low", -1.0 if self._signed else 0.0, trainable=self.learns_range and self._signed)
        self.high = self._scalar("high", 1.0, trainable=self.learns_range)

    @property
    def deployed_parameters(self) -> int:
        """Weights and biases in the converted file: without ranges, normalization folded."""
        return 0

    def rounded(self, values: Any) -> Any:
        """Values as int8 would hold them, in the quantized state; themselves in the other."""
        if not self.quantized:
            return values
        return tf.quantization.fake_quant_with_min_max_vars(values, self.low.value, self.high.value, num_bits=8)

    def set_range(self, low: float, high: float) -> None:
        """Say what the range is: the beginning of learning it."""
        self.low.assign(min(low, 0.0) if self._signed else 0.0)
        self.high.assign(max(high, 1e-6))

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again, its state included."""
        return {**super().get_config(), "quantized": self.quantized}

    def _scalar(self, name: str, value: float, *, trainable: bool) -> Any:
        return self.add_weight(
            shape=(), initializer=keras.initializers.Constant(value), name=name, trainable=trainable, autocast=False
        )


class _Weighted(_Quantized):
    """A layer whose weights are rounded as well.

    Attributes:
        weight_bits: what a weight is stored in: 8, or 2 to 7.
        log_step: natural logarithm of the step between two weights, one a channel or one for all; of fewer than 8 bits only. By
            the logarithm Adam's rate is a part of the step, however small that is.
        stepped: whether weights of fewer than 8 bits are multiples of their steps by now.
        frozen: once they are frozen one after the other, a variable like the kernel: the codes of those that are, else NaN.
    """

    def __init__(self, *, weight_bits: int = 8, stepped: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 2 <= weight_bits <= 8:
            raise ValueError(f"weights of {weight_bits} bits; expected 2 to 8")
        self.weight_bits, self.stepped, self.frozen = weight_bits, stepped, None

    def begin_steps(self) -> None:
        """Set the steps to those that express the weights best: the beginning of learning them."""
        raise NotImplementedError

    def begin_freezing(self) -> None:
        """From here on round no weight in training but those that `frozen` names; it names none yet."""
        self.frozen = tf.Variable(tf.fill(self.kernel.shape, math.nan), trainable=False)

    def codes(self) -> np.ndarray:
        """The weights that are deployed, in steps and not rounded, within what the bits hold."""
        largest = _largest(self.weight_bits)
        return np.clip(np.asarray(self._deployed() / self._step()), -largest, largest)

    def express(self, codes: np.ndarray) -> None:
        """Put weights where they are rounded to codes and lose nothing by it; NaN leaves a weight where it is."""
        exact = codes * np.asarray(self._step() / self._factor())
        self.kernel.assign(np.where(np.isfinite(exact), exact, np.asarray(self.kernel)))

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again, its state included."""
        narrow = {"weight_bits": self.weight_bits, "stepped": self.stepped} if self.weight_bits < 8 else {}
        return {**super().get_config(), **narrow}

    def _add_steps(self, shape: tuple[int, ...]) -> None:
        if self.weight_bits < 8:
            self.log_step = self.add_weight(shape=shape, initializer="zeros", name="log_step", autocast=False)

    def _factor(self) -> Any:
        """What the kernel is multiplied by where it is deployed; broadcasts against it."""
        return tf.ones(())

    def _deployed(self) -> Any:
        """The kernel of the layer that is deployed, not rounded."""
        return self.kernel.value * self._factor()

    def _step(self) -> Any:
        """The step between two weights; broadcasts against the kernel."""
        step = tf.exp(self.log_step.value)
        if not step.shape.rank:
            return step
        return tf.reshape(step, [1 if axis in self._shared_axes else size for axis, size in enumerate(self.kernel.shape)])

    def _as_stored(self, *, training: bool = False) -> Any:
        """The deployed kernel as the file has it in this state; in training, where it freezes, with the rest not rounded."""
        kernel = self._deployed()
        if self.weight_bits == 8:
            return rounded_weights(kernel, self._shared_axes) if self.quantized else kernel
        if not self.stepped:
            return kernel
        return stepped_weights(kernel, self._step(), self.weight_bits, self.frozen if training else None)

    @property
    def _shared_axes(self) -> tuple[int, ...]:
        """The axes of the kernel that share a scale, where each weight has all eight bits."""
        raise NotImplementedError


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedInput(_Quantized):
    """Images in [0, 1] as int8 holds them: scale 1/255, zero point -128, so that a pixel of 0 to 255 is exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(signed=False, learned=False, **kwargs)

    def call(self, images: Any) -> Any:
        """Round images ``(batch, height, width, channels)``."""
        return self.rounded(images)


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedConv2D(_Weighted):
    """Convolution or depthwise convolution, folding batch normalization, ReLU.

    Attributes:
        kernel: ``(height, width, in, out)``; ``(height, width, channels, 1)`` where it is depthwise.
        beta: the shift of the normalization, ``(out,)``; a layer without normalization, or with one that is not centred, has
            no bias.
        gamma: the scale of the normalization, ``(out,)``; with ``mean`` and ``variance``, its moving statistics. Of one that is
            not centred ``variance`` is the mean square, by whose root it divides: batch normalization as B. Zhang and R.
            Sennrich simplified layer normalization ("Root Mean Square Layer Normalization", 2019).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int = 1,
        padding: str = "valid",
        activation: str | None = "relu",
        depthwise: bool = False,
        normalized: bool = True,
        centered: bool = True,
        momentum: float = 0.97,
        **kwargs: Any,
    ) -> None:
        """A layer of ``filters`` outputs (as many as it has inputs, where it is depthwise) with square kernels."""
        super().__init__(signed=activation is None, **kwargs)
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.activation, self.depthwise, self.momentum = activation, depthwise, momentum
        self.normalized, self.centered = normalized, normalized and centered

    def build(self, input_shape: Any) -> None:
        """Make kernel, shift and, where it normalizes, scale and moving statistics."""
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
        if self.centered:
            self.beta = self._per_channel("beta", outputs, 0.0)
        if self.normalized:
            self.gamma = self._per_channel("gamma", outputs, 1.0)
        if self.centered:
            self.mean = self._per_channel("mean", outputs, 0.0, trainable=False)
        if self.normalized:
            self.variance = self._per_channel("variance", outputs, 1.0, trainable=False)

    def call(self, images: Any, training: bool = False) -> Any:
        """Images ``(batch, height, width, channels)`` to feature maps."""
        if self.normalized and training and not self.quantized:
            sums = self._normalize(self._convolve(images, self.kernel.value))
        else:
            bias = self._bias()
            sums = self._convolve(images, self._as_stored(training=training))
            sums = sums if bias is None else tf.nn.bias_add(sums, tf.cast(bias, sums.dtype))
        return self.rounded(tf.nn.relu(sums) if self.activation == "relu" else sums)

    @property
    def deployed_parameters(self) -> int:
        """Kernel and, of a layer whose normalization is centred, a bias a channel."""
        return math.prod(self.kernel.shape) + (self.beta.shape[0] if self.centered else 0)

    def folded(self) -> tuple[Any, Any]:
        """The kernel and the bias (None where there is none) of the convolution that computes the same in one step."""
        return self._deployed(), self._bias()

    def begin_steps(self) -> None:
        """Set the steps, one a channel, to those that express the folded kernel best."""
        self.log_step.assign(np.log(best_steps(np.asarray(self._deployed()), self._shared_axes, self.weight_bits)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """``(batch, height, width, channels)`` after the windows."""
        batch, *sides, channels = input_shape
        same = self.padding == "same"
        lengths = [-(-side // self.strides) if same else (side - self.kernel_size) // self.strides + 1 for side in sides]
        return (batch, *lengths, channels if self.depthwise else self.filters)

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again."""
        names = ("filters", "kernel_size", "strides", "padding", "activation", "depthwise", "normalized", "centered", "momentum")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _convolve(self, images: Any, kernel: Any) -> Any:
        kernel, strides = tf.cast(kernel, images.dtype), [1, self.strides, self.strides, 1]
        padding = "SAME" if self.padding == "same" else "VALID"
        if self.depthwise:
            return tf.nn.depthwise_conv2d(images, kernel, strides, padding)
        return tf.nn.conv2d(images, kernel, strides, padding)

    def _per_channel(self, name: str, channels: int, value: float, *, trainable: bool = True) -> Any:
        initializer = keras.initializers.Constant(value)
        return self.add_weight(shape=(channels,), initializer=initializer, name=name, trainable=trainable, autocast=False)

    def _bias(self) -> Any:
        """What is left of the normalization beside the kernel; None of one that is not centred."""
        return self.beta.value - self.mean.value * self._normalization() if self.centered else None

    def _normalize(self, sums: Any) -> Any:
        """Normalization by the batch's statistics, which move those that are kept.

        Centred it is TensorFlow's one kernel for it: Keras's own, made of many ops, takes twice the time on a CPU.
        """
        if not self.centered:
            square = tf.reduce_mean(tf.square(tf.cast(sums, tf.float32)), axis=(0, 1, 2))
            self._move(self.variance, square)
            return sums * tf.cast(self._normalization(square), sums.dtype)
        result, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=sums,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=_EPSILON,
            is_training=True,
        )
        self._move(self.mean, mean)
        self._move(self.variance, variance)
        return result

    def _move(self, moving: Any, now: Any) -> None:
        """A step of a moving statistic to what a batch has."""
        moving.assign(moving.value * self.momentum + now * (1 - self.momentum))

    def _normalization(self, variance: Any = None) -> Any:
        """What normalization multiplies each channel by: by its moving statistics, or by a batch's own."""
        return self.gamma.value * tf.math.rsqrt((self.variance.value if variance is None else variance) + _EPSILON)

    def _factor(self) -> Any:
        if not self.normalized:
            return super()._factor()
        return tf.reshape(self._normalization(), (1, 1, -1, 1)) if self.depthwise else self._normalization()

    @property
    def _shared_axes(self) -> tuple[int, ...]:
        return (0, 1) if self.depthwise else (0, 1, 2)


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedMean(_Quantized):
    """The mean over height and width."""

    def call(self, images: Any) -> Any:
        """Feature maps ``(batch, height, width, channels)`` to ``(batch, channels)``."""
        return self.rounded(tf.reduce_mean(images, axis=(1, 2)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """``(batch, channels)``."""
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
        """Make the kernel and, where it is biased, the bias."""
        super().build(input_shape)
        self.kernel = self.add_weight(
            shape=(int(input_shape[-1]), self.units), initializer="glorot_uniform", name="kernel", autocast=False
        )
        self._add_steps(())
        if self.biased:
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias", autocast=False)

    @property
    def deployed_parameters(self) -> int:
        """Kernel and, where it is biased, bias."""
        return math.prod(self.kernel.shape) + self.units * self.biased

    def call(self, features: Any, training: bool = False) -> Any:
        """Features ``(batch, in)`` to sums ``(batch, units)``."""
        sums = tf.matmul(features, tf.cast(self._as_stored(training=training), features.dtype))
        return self.rounded(tf.nn.bias_add(sums, tf.cast(self.bias.value, sums.dtype)) if self.biased else sums)

    def begin_steps(self) -> None:
        """Set the one step to that which expresses the kernel best."""
        self.log_step.assign(np.log(best_steps(np.asarray(self.kernel), (0, 1), self.weight_bits))[0])

    @property
    def _shared_axes(self) -> tuple[int, ...]:
        return (0,)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """``(batch, units)``."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again."""
        return {**super().get_config(), "units": self.units, "biased": self.biased}


def rounded_weights(weights: Any, axes: tuple[int, ...]) -> Any:
    """Weights as multiples of a scale, from -127 to 127 of it, the largest of each channel at the end; gradients pass.

    Args:
        weights: float32.
        axes: those that share a scale.
    """
    scale = tf.stop_gradient(tf.reduce_max(tf.abs(weights), axis=axes, keepdims=True)) / _largest(8)
    scale = tf.maximum(scale, 1e-12)
    return weights + tf.stop_gradient(tf.round(weights / scale) * scale - weights)


def stepped_weights(weights: Any, step: Any, bits: int, frozen: Any = None) -> Any:
    """Weights as multiples of a step, as many either side of 0 as ``bits`` hold; gradients pass, to the step as well.

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
    """The steps that round weights with the least squared error: one for each index of the axes that are not ``axes``, flat."""
    largest = _largest(bits)
    ends = np.maximum(np.abs(weights).max(axis=axes, keepdims=True), 1e-6) / largest
    tried = np.linspace(0.4, 1.0, 61)[:, None] * ends.reshape(1, -1)
    errors = [
        np.sum((np.clip(np.round(weights / step), -largest, largest) * step - weights) ** 2, axis=axes).reshape(-1)
        for step in tried.reshape(-1, *ends.shape)
    ]
    return np.take_along_axis(tried, np.argmin(errors, axis=0)[None], axis=0)[0].astype(np.float32)


def _largest(bits: int) -> int:
    return 2 ** (bits - 1) - 1
