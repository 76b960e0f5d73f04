"""Keras layers that are trained for int8: batch normalization that folds into its convolution, and simulated quantization.

A layer has two states. *Float*: a convolution, batch normalization on the batch's statistics (one fused kernel), an activation.
*Quantized*: normalization folded into the kernel and frozen, the kernel rounded to int8 with one symmetric scale a channel, the
activation rounded to int8 within a range that is learned; gradients pass straight through the rounding and move the range where
it clips. TensorFlow's converter reads the ranges from the graph, so that what was trained is what runs and nothing is calibrated.

Source of the arithmetic: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference" (CVPR 2018), with ranges learned by the gradients of TensorFlow's ``fake_quant_with_min_max_vars``; the scales are
those of the TFLite 8-bit quantization specification. Importing this module imports TensorFlow; nothing here knows recipes.
"""

import math
from typing import Any

import keras
import tensorflow as tf

PACKAGE = "glyphlite"
_EPSILON = 1e-3
_LARGEST_WEIGHT = 127.0


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


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedInput(_Quantized):
    """Images in [0, 1] as int8 holds them: scale 1/255, zero point -128, so that a pixel of 0 to 255 is exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(signed=False, learned=False, **kwargs)

    def call(self, images: Any) -> Any:
        """Round images ``(batch, height, width, channels)``."""
        return self.rounded(images)


@keras.saving.register_keras_serializable(package=PACKAGE)
class QuantizedConv2D(_Quantized):
    """Convolution or depthwise convolution, folding batch normalization, ReLU.

    Attributes:
        kernel: ``(height, width, in, out)``; ``(height, width, channels, 1)`` where it is depthwise.
        beta: the shift of the normalization, ``(out,)``; a layer without normalization has no bias.
        gamma: the scale of the normalization, ``(out,)``; with ``mean`` and ``variance``, its moving statistics.
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
        momentum: float = 0.97,
        **kwargs: Any,
    ) -> None:
        """A layer of ``filters`` outputs (as many as it has inputs, where it is depthwise) with square kernels."""
        super().__init__(signed=activation is None, **kwargs)
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.activation, self.depthwise, self.normalized, self.momentum = activation, depthwise, normalized, momentum

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
        if self.normalized:
            self.beta = self.add_weight(shape=(outputs,), initializer="zeros", name="beta", autocast=False)
            self.gamma = self.add_weight(shape=(outputs,), initializer="ones", name="gamma", autocast=False)
            self.mean = self.add_weight(shape=(outputs,), initializer="zeros", name="mean", trainable=False, autocast=False)
            self.variance = self.add_weight(
                shape=(outputs,), initializer="ones", name="variance", trainable=False, autocast=False
            )

    def call(self, images: Any, training: bool = False) -> Any:
        """Images ``(batch, height, width, channels)`` to feature maps."""
        if self.normalized and training and not self.quantized:
            sums = self._normalize(self._convolve(images, self.kernel.value))
        else:
            kernel, bias = self.folded()
            sums = self._convolve(images, self._rounded_kernel(kernel) if self.quantized else kernel)
            sums = sums if bias is None else tf.nn.bias_add(sums, tf.cast(bias, sums.dtype))
        return self.rounded(tf.nn.relu(sums) if self.activation == "relu" else sums)

    @property
    def deployed_parameters(self) -> int:
        """Kernel and, of a normalized layer, a bias a channel."""
        return math.prod(self.kernel.shape) + (self.beta.shape[0] if self.normalized else 0)

    def folded(self) -> tuple[Any, Any]:
        """The kernel and the bias (None without normalization) of the convolution that computes the same in one step."""
        kernel = self.kernel.value
        if not self.normalized:
            return kernel, None
        factor = self.gamma.value * tf.math.rsqrt(self.variance.value + _EPSILON)
        across = tf.reshape(factor, (1, 1, -1, 1)) if self.depthwise else factor
        return kernel * across, self.beta.value - self.mean.value * factor

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """``(batch, height, width, channels)`` after the windows."""
        batch, *sides, channels = input_shape
        same = self.padding == "same"
        lengths = [-(-side // self.strides) if same else (side - self.kernel_size) // self.strides + 1 for side in sides]
        return (batch, *lengths, channels if self.depthwise else self.filters)

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again."""
        names = ("filters", "kernel_size", "strides", "padding", "activation", "depthwise", "normalized", "momentum")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _convolve(self, images: Any, kernel: Any) -> Any:
        kernel, strides = tf.cast(kernel, images.dtype), [1, self.strides, self.strides, 1]
        padding = "SAME" if self.padding == "same" else "VALID"
        if self.depthwise:
            return tf.nn.depthwise_conv2d(images, kernel, strides, padding)
        return tf.nn.conv2d(images, kernel, strides, padding)

    def _normalize(self, sums: Any) -> Any:
        """Batch normalization as TensorFlow's one kernel for it: Keras's own, made of many ops, takes twice the time on a CPU."""
        result, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=sums,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=_EPSILON,
            is_training=True,
        )
        for moving, now in ((self.mean, mean), (self.variance, variance)):
            moving.assign(moving.value * self.momentum + now * (1 - self.momentum))
        return result

    def _rounded_kernel(self, kernel: Any) -> Any:
        if not self.depthwise:
            return rounded_weights(kernel, axes=(0, 1, 2))
        return rounded_weights(kernel, axes=(0, 1))


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
class QuantizedDense(_Quantized):
    """Fully connected, its weights rounded with one scale a unit.

    Attributes:
        kernel: ``(in, units)``.
        bias: ``(units,)``.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        super().build(input_shape)
        self.kernel = self.add_weight(
            shape=(int(input_shape[-1]), self.units), initializer="glorot_uniform", name="kernel", autocast=False
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias", autocast=False)

    @property
    def deployed_parameters(self) -> int:
        """Kernel and bias."""
        return math.prod(self.kernel.shape) + self.units

    def call(self, features: Any) -> Any:
        """Features ``(batch, in)`` to sums ``(batch, units)``."""
        kernel = self.kernel.value
        if self.quantized:
            kernel = rounded_weights(kernel, axes=(0,))
        sums = tf.matmul(features, tf.cast(kernel, features.dtype))
        return self.rounded(tf.nn.bias_add(sums, tf.cast(self.bias.value, sums.dtype)))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """``(batch, units)``."""
        return (input_shape[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """What it takes to make this layer again."""
        return {**super().get_config(), "units": self.units}


def rounded_weights(weights: Any, axes: tuple[int, ...]) -> Any:
    """Weights as multiples of a scale, from -127 to 127 of it, the largest of each channel at the end; gradients pass.

    Args:
        weights: float32.
        axes: those that share a scale.
    """
    scale = tf.stop_gradient(tf.reduce_max(tf.abs(weights), axis=axes, keepdims=True)) / _LARGEST_WEIGHT
    scale = tf.maximum(scale, 1e-12)
    return weights + tf.stop_gradient(tf.round(weights / scale) * scale - weights)
