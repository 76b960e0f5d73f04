"""The meaning of a Keras model's outputs, and the softmax or sigmoid that is appended to a model that returns logits.

The last activation is looked for through the layers that only pass values on; where it is not one of Keras's (an own layer, a
Lambda), what the model gives for random images decides. Imports Keras only when it is called.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.console import say
from glyphlite.errors import ModelError
from glyphlite.models.interface.output_kind import OutputKind, output_kind
from glyphlite.models.interface.outputs import single_output_words

if TYPE_CHECKING:
    import keras

_PASSING = ("Reshape", "Flatten", "Dropout", "Identity", "Squeeze", "ActivityRegularization")
"""Layers and operations that only pass their input on."""

_WITHOUT_ACTIVATION = (
    "Dense",
    "EinsumDense",
    "Conv2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "BatchNormalization",
    "Add",
)
"""Layers that give any number where they have no activation: logits."""

_said: set[str] = set()


def outputs_of_model(model: "keras.Model", origin: str) -> OutputKind:
    """Returns what a classifier's outputs mean.

    Raises:
        ModelError: no class can be read from its single output.
    """
    values = int(model.outputs[0].shape[-1] or 0)
    activation = _last_activation(model)
    kind = output_kind(activation, values)
    if kind is None:
        raise ModelError(f"{origin} {single_output_words(activation)}")
    return kind if activation is not None else kind.seen(_probed(model, values))


def with_probabilities(model: "keras.Model", origin: str) -> "keras.Model":
    """Returns a model that gives probabilities: the model itself, or with a softmax (for one output a sigmoid) behind its logits.

    Raises:
        ModelError: no class can be read from its single output.
    """
    import keras

    kind = outputs_of_model(model, origin)
    if kind not in (OutputKind.LOGITS, OutputKind.LOGIT):
        return model
    layer, words = (
        (
            keras.layers.Activation("sigmoid", name="probability"),
            "its one output is treated as a logit, and a sigmoid is added",
        )
        if kind.is_single
        else (keras.layers.Softmax(name="probability"), "its outputs are treated as logits, and a softmax is added")
    )
    if origin not in _said:
        _said.add(origin)
        say(f"{origin} ends without an activation: {words}")
    if isinstance(model, keras.Sequential):
        return keras.Sequential(
            [keras.Input(batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype), *model.layers, layer], name=model.name
        )
    return keras.Model(model.inputs[0], layer(model.outputs[0]), name=model.name)


def _last_activation(model: Any) -> str | None:
    """Returns the name of the activation that gives the output, "linear" for none; None where it cannot be told."""
    tensor = model.outputs[0]
    while True:
        operation, node, _ = tensor._keras_history
        kind = type(operation).__name__
        if getattr(operation, "outputs", None) and getattr(operation, "layers", None):  # a nested model
            return _last_activation(operation)
        if kind in ("Softmax", "Sigmoid", "LogSoftmax", "Tanh", "Relu", "HardSigmoid"):  # layers, and keras.ops
            return {"LogSoftmax": "log_softmax", "HardSigmoid": "hard_sigmoid"}.get(kind, kind.lower())
        activation = getattr(operation, "activation", None)
        name = getattr(activation, "__name__", None)
        if name not in (None, "linear"):
            return str(name)
        if kind in _PASSING or kind == "Activation":
            tensor = operation._inbound_nodes[node].input_tensors[0]
            continue
        return "linear" if kind in _WITHOUT_ACTIVATION else None


def _probed(model: Any, values: int) -> np.ndarray:
    """Returns the outputs for random images, ``(n, values)``."""
    shape = [extent or 28 for extent in model.inputs[0].shape[1:]]
    images = np.random.default_rng(0).random((32, *shape)).astype(model.inputs[0].dtype)
    size = model.inputs[0].shape[0] or len(images)
    batches = [
        np.asarray(model(images[start : start + size], training=False)) for start in range(0, len(images) // size * size, size)
    ]
    return np.concatenate(batches).reshape(-1, values) if batches else np.zeros((0, values))
