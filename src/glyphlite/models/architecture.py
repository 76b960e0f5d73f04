"""An architecture is data: layer records from which Keras models, parameter counts and multiply-accumulates are all derived.

So `glyphlite models` counts without importing TensorFlow, and what it prints is the model that is built. Knows no model by name
and nothing of training.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from glyphlite.errors import ModelError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Conv:
    """2-D convolution without padding, with bias."""

    name: str
    filters: int
    kernel: int
    stride: int = 1
    activation: str | None = None


@dataclass(frozen=True)
class Pool:
    """Max pooling over squares that do not overlap; what is left over at the right and the bottom is dropped."""

    name: str
    size: int = 2


@dataclass(frozen=True)
class Flatten:
    """Height, width and channels into one axis."""

    name: str = "flatten"


@dataclass(frozen=True)
class Dense:
    """Fully connected, with bias."""

    name: str
    units: int
    activation: str | None = None


@dataclass(frozen=True)
class BatchNorm:
    """Batch normalization over the channels, Keras's momentum and epsilon."""

    name: str


@dataclass(frozen=True)
class Relu:
    """Rectifier, where it cannot be fused into the layer before."""

    name: str


@dataclass(frozen=True)
class Dropout:
    """Sets a fraction of its inputs to zero in training."""

    name: str
    rate: float


@dataclass(frozen=True)
class FoldedConv:
    """2-D convolution whose batch normalization folds into it, then ReLU; trained for int8.

    ``bias``: a number per channel, which takes four bytes; without it normalization scales and does not centre. ``weights_of``:
    an earlier one like it, but for its padding, whose weights it uses, with a normalization and a range of its own.
    """

    name: str
    filters: int
    kernel: int
    stride: int = 1
    padding: str = "valid"
    bias: bool = True
    weights_of: str | None = None


@dataclass(frozen=True)
class FoldedDepthwise:
    """Depthwise convolution, one filter a channel, without bias or activation; trained for int8.

    ``weights_of``: an earlier one like it, but for its padding, whose weights it uses.
    """

    name: str
    kernel: int
    stride: int = 1
    padding: str = "valid"
    weights_of: str | None = None


@dataclass(frozen=True)
class GlobalMean:
    """The mean over height and width; trained for int8."""

    name: str


@dataclass(frozen=True)
class Scores:
    """The softmax over the classes that closes every architecture; ``bias``: a number per class."""

    name: str
    classes: int
    bias: bool


Layer = Conv | Pool | Flatten | Dense | BatchNorm | Relu | Dropout | FoldedConv | FoldedDepthwise | GlobalMean


@dataclass(frozen=True)
class LayerCost:
    """One layer on a given input: its output shape, parameters (all, trained or not) and multiply-accumulates."""

    name: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Architecture:
    """A classifier's layers from the image to the last hidden one; a softmax over the classes, ``pred``, closes every one.

    ``weight_bits``: what the int8 file stores a weight in, 8 or 4; fewer than 8 need layers that are trained for int8.
    ``biased_scores``: whether the last layer has a bias per class.
    """

    name: str
    layers: tuple[Layer, ...]
    weight_bits: int = 8
    biased_scores: bool = True

    @property
    def is_quantization_aware(self) -> bool:
        """Returns whether its layers can be trained for int8 (`glyphlite.models.qat.layers`)."""
        return any(isinstance(layer, FoldedConv | FoldedDepthwise | GlobalMean) for layer in self.layers)

    def layers_for(self, classes: int) -> tuple[Layer | Scores, ...]:
        """Returns all layers, the closing softmax over ``classes`` included."""
        return (*self.layers, Scores("pred", classes, self.biased_scores))

    def costs(self, input_shape: tuple[int, ...], classes: int) -> Iterator[LayerCost]:
        """Yields every layer's output shape and cost for one image of ``input_shape`` (height, width, channels).

        Raises:
            ModelError: the image is too small for the layers.
        """
        shape = tuple(input_shape)
        for layer in self.layers_for(classes):
            cost = _cost(layer, shape)
            if min(cost.output_shape) < 1:
                size = "x".join(map(str, input_shape))
                raise ModelError(
                    f"{self.name} needs larger images than {size}: nothing is left after its layer {layer.name}; choose mlp"
                )
            yield cost
            shape = cost.output_shape

    def build(self, input_shape: tuple[int, ...], classes: int) -> "keras.Model":
        """Returns the untrained Keras model: input ``(batch, *input_shape)`` in [0, 1], output ``(batch, classes)``
        probabilities.

        Follows Keras's global dtype policy except in the last layer, whose softmax is always float32.
        """
        import keras

        list(self.costs(input_shape, classes))
        image = keras.Input(shape=tuple(input_shape), name="input_layer")
        x = _rounded(image) if self.is_quantization_aware else image
        made: dict[str, tuple[Any, Iterator[int]]] = {}
        for layer in self.layers:
            source = _weights_of(layer) or layer.name
            if source not in made:
                made[source] = _keras_layer(layer, self.weight_bits, self._paddings(source)), count()
            keras_layer, uses = made[source]
            use = next(uses)
            x = keras_layer(x, use=use) if use else keras_layer(x)
        if self.is_quantization_aware:
            scores = _quantized_scores(x, classes, self.weight_bits, biased=self.biased_scores)
        else:
            scores = _scores(x, classes, biased=self.biased_scores)
        return keras.Model(image, scores, name=self.name.replace("-", "_"))

    def document(self) -> dict[str, Any]:
        """Returns the architecture as plain data, for a fingerprint of it."""
        layers = [
            {"kind": type(layer).__name__, **{key: value for key, value in asdict(layer).items() if key != "weights_of" or value}}
            for layer in self.layers
        ]
        narrow = {"weight_bits": self.weight_bits} if self.weight_bits < 8 else {}
        unbiased = {} if self.biased_scores else {"biased_scores": False}
        return {"name": self.name, "layers": layers, **narrow, **unbiased}

    def _paddings(self, source: str) -> str | list[str]:
        """Returns the paddings of all the layers that use the weights of one, in order; the one's own where there are no
        others.
        """
        paddings = [
            layer.padding
            for layer in self.layers
            if isinstance(layer, FoldedConv | FoldedDepthwise) and source in (layer.name, layer.weights_of)
        ]
        return paddings if len(paddings) > 1 else "".join(paddings)


def _weights_of(layer: Layer) -> str | None:
    return layer.weights_of if isinstance(layer, FoldedConv | FoldedDepthwise) else None


def _scores(features: Any, classes: int, *, biased: bool) -> Any:
    import keras

    return keras.layers.Dense(classes, activation="softmax", use_bias=biased, name="pred", dtype="float32")(features)


def _rounded(image: Any) -> Any:
    from glyphlite.models.qat.layers import QuantizedInput

    return QuantizedInput(name="rounded_input")(image)


def _quantized_scores(features: Any, classes: int, bits: int, *, biased: bool) -> Any:
    import keras

    from glyphlite.models.qat.layers import QuantizedDense

    sums = QuantizedDense(classes, biased=biased, name="pred", weight_bits=bits)(features)
    return keras.layers.Softmax(name="softmax", dtype="float32")(sums)


def _cost(layer: Layer | Scores, shape: tuple[int, ...]) -> LayerCost:
    match layer:
        case Conv(name, filters, kernel, stride):
            return _convolution_cost(name, shape, filters, shape[-1], kernel, stride, "valid")
        case FoldedConv(name, filters, kernel, stride, padding, bias, weights_of):
            cost = _convolution_cost(name, shape, filters, shape[-1], kernel, stride, padding, bias=bias)
            return replace(cost, parameters=filters * bias) if weights_of else cost
        case FoldedDepthwise(name, kernel, stride, padding, weights_of):
            cost = _convolution_cost(name, shape, shape[-1], 1, kernel, stride, padding, bias=False)
            return replace(cost, parameters=0) if weights_of else cost
        case Pool(name, size):
            height, width, channels = shape
            return LayerCost(name, (height // size, width // size, channels), 0, 0)
        case GlobalMean(name):
            return LayerCost(name, (shape[-1],), 0, 0)
        case Flatten(name):
            return LayerCost(name, (math.prod(shape),), 0, 0)
        case Dense(name, units):
            return _dense_cost(name, shape, units)
        case Scores(name, classes, bias):
            return _dense_cost(name, shape, classes, bias=bias)
        case BatchNorm(name):
            return LayerCost(name, shape, 4 * shape[-1], 0)
        case Relu(name) | Dropout(name):
            return LayerCost(name, shape, 0, 0)


def _convolution_cost(
    name: str, shape: tuple[int, ...], filters: int, depth: int, kernel: int, stride: int, padding: str, *, bias: bool = True
) -> LayerCost:
    """Returns the cost of ``filters`` kernels that look at ``depth`` channels each; the parameters are those after folding:
    kernel and bias.
    """
    lengths = [-(-side // stride) if padding == "same" else (side - kernel) // stride + 1 for side in shape[:2]]
    weights = kernel * kernel * depth * filters
    macs = weights * max(0, lengths[0]) * max(0, lengths[1])
    return LayerCost(name, (*lengths, filters), weights + (filters if bias else 0), macs)


def _dense_cost(name: str, shape: tuple[int, ...], units: int, *, bias: bool = True) -> LayerCost:
    weights = shape[-1] * units
    return LayerCost(name, (units,), weights + (units if bias else 0), weights)


def _keras_layer(layer: Layer, bits: int, paddings: str | list[str]) -> "keras.Layer":
    """Builds the Keras layer. ``paddings``: of each use of a layer that a model uses more than once."""
    from keras import layers

    match layer:
        case Conv(name, filters, kernel, stride, activation):
            return layers.Conv2D(filters, kernel, stride, activation=activation, name=name)
        case FoldedConv(name, filters, kernel, stride, _, bias):
            from glyphlite.models.qat.layers import QuantizedConv2D

            return QuantizedConv2D(filters, kernel, strides=stride, padding=paddings, centered=bias, name=name, weight_bits=bits)
        case FoldedDepthwise(name, kernel, stride):
            from glyphlite.models.qat.layers import QuantizedConv2D

            return QuantizedConv2D(
                0,
                kernel,
                strides=stride,
                padding=paddings,
                activation=None,
                depthwise=True,
                normalized=False,
                name=name,
                weight_bits=bits,
            )
        case Pool(name, size):
            return layers.MaxPooling2D(size, name=name)
        case GlobalMean(name):
            from glyphlite.models.qat.layers import QuantizedMean

            return QuantizedMean(name=name)
        case Flatten(name):
            return layers.Flatten(name=name)
        case Dense(name, units, activation):
            return layers.Dense(units, activation=activation, name=name)
        case BatchNorm(name):
            return layers.BatchNormalization(name=name)
        case Relu(name):
            return layers.ReLU(name=name)
        case Dropout(name, rate):
            return layers.Dropout(rate, name=name)
