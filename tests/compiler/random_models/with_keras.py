"""A draft as a Keras model with random weights, converted to int8 by the TensorFlow Lite converter."""

from typing import Any

import numpy as np

from random_models.drafts import Draft, Step
from random_models.moves import MOVES, in_keras
from random_models.oracle import RefusedError


def convert(draft: Draft, *, wide: bool = False) -> bytes:
    """The int8 .tflite file of a draft, or its int16x8 file where ``wide``; the same for the same TensorFlow.

    Raises:
        RefusedError: the converter does not take the model.
    """
    import keras
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    rng = np.random.default_rng([draft.seed, 32])
    keras.backend.clear_session(free_memory=False)
    source = keras.Input(batch_shape=(1, *draft.input_shape))
    values = [source]
    for step in draft.steps:
        values.append(_apply(step, [values[index] for index in step.sources], rng))
    model = keras.Model(source, values[-1])
    low, high = sorted(rng.normal(0, 10 ** rng.uniform(-2, 1), 2))
    if rng.random() < 0.4:  # one-sided, as images are: the zero point falls on an end
        low, high = (0.0, abs(high) + 1e-3) if rng.random() < 0.7 else (-abs(low) - 1e-3, 0.0)
    samples = rng.uniform(low, high, (6, 1, *draft.input_shape)).astype(np.float32)
    types = {"int8": tf.int8, "uint8": tf.uint8, "float32": tf.float32}
    # from_keras_model saves the model and loads it again, at twice the time; the converter gets the same graph this way.
    function = tf.function(lambda image: model(image, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *draft.input_shape), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([convert_variables_to_constants_v2(concrete)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if wide:
        kernels = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        types |= {"int8": tf.int16, "uint8": tf.int16}
    else:
        kernels = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
    converter.target_spec.supported_ops = [kernels]
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.inference_input_type = converter.inference_output_type = types[draft.edge]
    converter._experimental_disable_per_channel = bool(rng.random() < 0.25)  # per-tensor weights have no public switch
    try:
        return converter.convert()
    except Exception as error:  # the converter raises many kinds, none documented
        raise RefusedError(f"converter: {str(error).splitlines()[0][:200]}") from None


def _apply(step: Step, sources: list[Any], rng: np.random.Generator) -> Any:
    """One step's layers."""
    import keras

    settings, shape = step.settings, step.shape
    x = sources[0]
    match step.kind:
        case "conv":
            layer = keras.layers.Conv2D(settings["filters"], **_window(settings), use_bias=settings["bias"])
            return _activate(_weighted(layer, x, rng), settings["fused"])
        case "grouped":
            layer = keras.layers.Conv2D(
                settings["filters"], **_window(settings), groups=settings["groups"], use_bias=settings["bias"]
            )
            return _activate(_weighted(layer, x, rng), settings["fused"])
        case "transpose_conv":
            window = {**_window({**settings, "dilation": (1, 1)}), "use_bias": settings["bias"]}
            return _activate(_weighted(keras.layers.Conv2DTranspose(settings["filters"], **window), x, rng), settings["fused"])
        case "depthwise":
            layer = keras.layers.DepthwiseConv2D(
                depth_multiplier=settings["multiplier"], **_window(settings), use_bias=settings["bias"]
            )
            return _activate(_weighted(layer, x, rng), settings["fused"])
        case "dense":
            layer = keras.layers.Dense(settings["units"], use_bias=settings["bias"])
            return _activate(_weighted(layer, x, rng), settings["fused"])
        case "max_pool" | "average_pool":
            kind = keras.layers.MaxPooling2D if step.kind == "max_pool" else keras.layers.AveragePooling2D
            return kind(settings["kernel"], strides=settings["strides"], padding=settings["padding"].lower())(x)
        case "mean" if "axes" not in settings:
            return keras.layers.GlobalAveragePooling2D(keepdims=settings["keep"])(x)
        case "mean" | "sum" | "reduce_max" | "reduce_min":
            reduce = getattr(keras.ops, step.kind.removeprefix("reduce_"))
            return reduce(x, axis=[axis + 1 for axis in settings["axes"]], keepdims=settings["keep"])
        case "add" | "sub" | "mul":
            other = sources[1] if len(sources) > 1 else rng.normal(0, 1, (1, *settings["constant"])).astype(np.float32)
            x, other = (other, x) if settings.get("constant_first") else (x, other)
            return {"add": keras.ops.add, "sub": keras.ops.subtract, "mul": keras.ops.multiply}[step.kind](x, other)
        case "maximum" | "minimum":
            return getattr(keras.ops, step.kind)(x, rng.normal(0, 1, (1, *settings["constant"])).astype(np.float32))
        case "prelu":
            shared = [axis + 1 for axis, extent in enumerate(settings["constant"]) if extent == 1 and shape[axis] > 1]
            layer = keras.layers.PReLU(shared_axes=shared or None)
            layer.build(x.shape)
            layer.set_weights([rng.normal(0, 0.5, layer.weights[0].shape).astype(np.float32)])
            return layer(x)
        case "concatenation":
            return keras.layers.Concatenate(axis=settings["axis"] + 1)(sources)
        case "pad":
            return keras.ops.pad(x, ((0, 0), *settings["amounts"]))
        case "reshape":
            return keras.layers.Flatten()(x) if len(shape) == 1 else keras.layers.Reshape(shape)(x)
        case "squeeze":
            return keras.ops.squeeze(x, settings["axis"] + 1)
        case "leaky_relu":
            return keras.ops.leaky_relu(x, settings["alpha"])
        case "softmax":
            return keras.ops.softmax(x)
        case "logistic":
            return keras.ops.sigmoid(x)
        case "tanh":
            return keras.ops.tanh(x)
        case kind if kind in MOVES:
            return in_keras(kind, sources, settings)
        case _:
            return _activate(x, step.kind)


def _window(settings: dict[str, Any]) -> dict[str, Any]:
    return {
        "kernel_size": settings["kernel"],
        "strides": settings["strides"],
        "padding": settings["padding"].lower(),
        "dilation_rate": settings["dilation"],
    }


def _activate(x: Any, name: str) -> Any:
    import keras

    if name == "relu_n1_to_1":
        return keras.ops.clip(x, -1.0, 1.0)
    return x if name == "none" else getattr(keras.ops, name)(x)


def _weighted(layer: Any, x: Any, rng: np.random.Generator) -> Any:
    """Apply a layer whose weights are drawn here: as trained ones, some channels much weaker than others."""
    layer.build(x.shape)
    arrays = []
    for weight in layer.weights:
        fan_in = max(1, int(np.prod(weight.shape[:-1])))
        values = rng.normal(0, 1 / np.sqrt(fan_in) if len(weight.shape) > 1 else 0.3, weight.shape)
        if len(weight.shape) > 1 and rng.random() < 0.3:
            values *= 10 ** rng.uniform(-2, 0, weight.shape[-1])
        arrays.append(values.astype(np.float32))
    layer.set_weights(arrays)
    return layer(x)
