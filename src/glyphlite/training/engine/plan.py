"""A Keras model of quantization-aware layers as the compiled engine runs it: a chain of layers and one vector of parameters.

What is not such a chain has no plan, and is trained by TensorFlow. Knows the layers of `glyphlite.models.qat`; nothing of C but
the fields of its record.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

CONVOLUTION, DEPTHWISE, MEAN, MAX_POOL = range(4)
"""Kinds of layers, as net.h numbers them."""

PLAIN, BIASED, CENTERED, UNCENTERED = range(4)
"""What is behind a layer's sums: nothing, a bias, batch normalization with or without a mean."""


class Description(ctypes.Structure):
    """One layer: net.h's ``description``, field by field."""

    _fields_ = tuple(
        (name, ctypes.c_int32)
        for name in (
            *("kind", "normalization", "relu", "quantized"),
            *("channels", "height", "width", "filters", "out_height", "out_width"),
            *("window_height", "window_width", "stride", "top", "left"),
            *("kernel_at", "scale_at", "shift_at", "low_at", "high_at", "statistics_at"),
        )
    )


@dataclass(frozen=True)
class Stage:
    """One use of a Keras layer.

    Attributes:
        layer: of `glyphlite.models.qat.layers`, or a max pooling.
        use: which of its uses, from 0.
        in_shape: height, width, channels.
        out_shape: height, width, filters.
    """

    layer: Any
    use: int
    in_shape: tuple[int, int, int]
    out_shape: tuple[int, int, int]


@dataclass(frozen=True)
class Plan:
    """A model in the state of quantization that it has now.

    Attributes:
        descriptions: of all layers, in order.
        stages: the same, as Keras has them.
        sizes: of the parts of the vector of parameters, in the order of `parameters`.
        statistics: numbers that the batch's normalizations give.
        rounds_input: whether pixels are rounded as int8 holds them.
        trains: whether batches are normalized by their own statistics and gradients are asked for.
    """

    descriptions: tuple[Description, ...]
    stages: tuple[Stage, ...]
    sizes: tuple[int, ...]
    statistics: int
    rounds_input: bool
    trains: bool

    @property
    def parameters(self) -> int:
        """Returns the length of the vector of parameters."""
        return sum(self.sizes)


def plan_of(model: "keras.Model", *, trains: bool = True) -> Plan | None:
    """Returns the plan of a model as it is now; None where it is anything but a chain of layers that the engine has.

    Args:
        model: whose layers stay as they are as long as the plan is used.
        trains: whether it is trained, or only asked.
    """
    stages = _stages(model)
    if stages is None:
        return None
    descriptions, sizes, statistics = [], [], 0
    for stage in stages:
        record = _described(stage, trains=trains)
        if record is None:
            return None
        for name, size in _parts(stage, record):
            setattr(record, name, sum(sizes))
            sizes.append(size)
        if record.normalization in (CENTERED, UNCENTERED):
            record.statistics_at = statistics
            statistics += 2 * record.filters
        descriptions.append(record)
    quantized = {bool(record.quantized) for record in descriptions if record.kind != MAX_POOL}
    if len(quantized) != 1:
        return None
    return Plan(tuple(descriptions), tuple(stages), tuple(sizes), statistics, quantized == {True}, trains)


def parameters_of(plan: Plan) -> Any:
    """Returns the vector of parameters, a TensorFlow tensor through which gradients reach the model's weights."""
    import tensorflow as tf

    return tf.concat([tf.reshape(part, [-1]) for part in _tensors(plan)], axis=0)


def observe_statistics(plan: Plan, statistics: Any) -> None:
    """Moves the moving statistics of every normalization towards those of a batch."""
    for record, stage in zip(plan.descriptions, plan.stages, strict=True):
        if record.normalization in (CENTERED, UNCENTERED):
            first, filters = record.statistics_at, record.filters
            mean, variance = statistics[first : first + filters], statistics[first + filters : first + 2 * filters]
            stage.layer.normalizations[stage.use].move(mean, variance)


def _stages(model: "keras.Model") -> list[Stage] | None:
    """Returns the uses of layers in order, without input, flattening and softmax; None where it is no chain."""
    import keras

    from glyphlite.models.qat.layers import QuantizedConv2D, QuantizedDense, QuantizedInput, QuantizedMean

    chain = _chain(model)
    if chain is None or len(chain) < 4:
        return None
    (first, *_), (entry, *_), *hidden, (softmax, *_) = chain
    if type(first) is not keras.layers.InputLayer or type(entry) is not QuantizedInput:
        return None
    if type(softmax) is not keras.layers.Softmax:
        return None
    if len(model.outputs) != 1 or len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        return None
    stages, shape = [], tuple(model.inputs[0].shape[1:])
    for layer, use, after in hidden:
        if type(layer) is keras.layers.Flatten:
            continue  # a dense layer behind it has the whole map for its window
        if type(layer) not in (QuantizedConv2D, QuantizedMean, QuantizedDense, keras.layers.MaxPooling2D):
            return None
        out = tuple(after[1:]) if len(after) == 4 else (1, 1, after[-1])
        stages.append(Stage(layer, use, shape, out))
        shape = out
    if not stages or type(stages[-1].layer) is not QuantizedDense:
        return None
    return stages


def _chain(model: "keras.Model") -> list[tuple[Any, int, Any]] | None:
    """Returns each layer with its use and the shape it gives, from input to output; None where one has several inputs."""
    tensor, chain = model.outputs[0], []
    while True:
        layer, node_index, _ = tensor._keras_history
        node = layer._inbound_nodes[node_index]
        chain.append((layer, int(node.arguments.kwargs.get("use", 0)), tensor.shape))
        if not node.input_tensors:
            return chain[::-1]
        if len(node.input_tensors) != 1:
            return None
        tensor = node.input_tensors[0]


def _described(stage: Stage, *, trains: bool) -> Description | None:
    import keras

    from glyphlite.models.qat.layers import QuantizedConv2D, QuantizedDense

    layer, (height, width, channels), (out_height, out_width, filters) = stage.layer, stage.in_shape, stage.out_shape
    record = Description(
        kind=MEAN,
        normalization=PLAIN,
        quantized=int(getattr(layer, "quantized", False)),
        channels=channels,
        height=height,
        width=width,
        filters=filters,
        out_height=out_height,
        out_width=out_width,
        window_height=1,
        window_width=1,
        stride=1,
        **dict.fromkeys(("kernel_at", "scale_at", "shift_at", "low_at", "high_at", "statistics_at"), -1),
    )
    if isinstance(layer, keras.layers.MaxPooling2D):
        size = layer.pool_size[0]
        if layer.pool_size != (size, size) or tuple(layer.strides) != (size, size) or layer.padding != "valid":
            return None
        record.kind, record.window_height, record.window_width, record.stride = MAX_POOL, size, size, size
    elif isinstance(layer, QuantizedDense):
        record.kind, record.window_height, record.window_width = CONVOLUTION, height, width
        record.normalization = BIASED if layer.biased else PLAIN
    elif isinstance(layer, QuantizedConv2D):
        size, stride = layer.kernel_size, layer.strides
        record.kind = DEPTHWISE if layer.depthwise else CONVOLUTION
        record.window_height, record.window_width, record.stride, record.relu = size, size, stride, layer.activation == "relu"
        if layer.padding[stage.use] == "same":
            record.top, record.left = (_before(length, stride, size) for length in (height, width))
        if layer.activation not in ("relu", None):
            return None
        if layer.normalizes_batches and trains:
            record.normalization = CENTERED if layer.centered else UNCENTERED
        elif layer.normalized:
            record.normalization = BIASED if layer.centered else PLAIN
    return record


def _before(length: int, stride: int, window: int) -> int:
    """Returns the zeros before the first place of an axis: TensorFlow's SAME, which puts the odd one behind."""
    return max(0, (-(-length // stride) - 1) * stride + window - length) // 2


def _parts(stage: Stage, record: Description) -> Iterator[tuple[str, int]]:
    """Yields each part of the vector of parameters that a layer has: the field of its place, and its size."""
    if record.kind in (CONVOLUTION, DEPTHWISE):
        outputs = 1 if record.kind == DEPTHWISE else record.filters
        yield "kernel_at", record.window_height * record.window_width * record.channels * outputs
    if record.normalization in (CENTERED, UNCENTERED):
        yield "scale_at", record.filters
    if record.normalization in (BIASED, CENTERED):
        yield "shift_at", record.filters
    if record.quantized:
        yield "low_at", 1
        yield "high_at", 1


def _tensors(plan: Plan) -> Sequence[Any]:
    """Returns the parts of the vector of parameters, in order: what `_parts` names."""
    from glyphlite.models.qat.layers import QuantizedDense

    tensors: list[Any] = []
    for record, stage in zip(plan.descriptions, plan.stages, strict=True):
        layer, use = stage.layer, stage.use
        if record.kind in (CONVOLUTION, DEPTHWISE):
            tensors.append(layer.training_kernel(use) if plan.trains else layer.stored_kernel(use))
        if record.normalization in (CENTERED, UNCENTERED):
            tensors.append(layer.normalizations[use].scale())
        if record.normalization == CENTERED:
            tensors.append(layer.normalizations[use].beta.value)
        if record.normalization == BIASED:
            tensors.append(layer.bias.value if isinstance(layer, QuantizedDense) else layer.bias_of(use))
        if record.quantized:
            tensors += [end.value for end in layer.ranges[use]]
    return tensors
