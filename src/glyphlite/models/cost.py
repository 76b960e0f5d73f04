"""Cost of any built Keras model: parameters, and multiply-accumulates for one image.

Counts by walking the layers' own shapes, so it holds for a user's model too. A layer's multiply-accumulates are those of its
sums of products; additions, comparisons and activations are not counted, as is usual in the field.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def keras_parameters(model: "keras.Model") -> int:
    """Returns all parameters of a model, trained or not, as ``model.summary()`` shows them; of layers that fold, those after
    folding.
    """
    folded = [
        (layer.count_params(), layer.deployed_parameters) for layer in model.layers if hasattr(layer, "deployed_parameters")
    ]
    return model.count_params() - sum(before - after for before, after in folded)


def keras_macs(model: "keras.Model") -> int:
    """Returns the multiply-accumulates of one image through a functional or sequential model.

    Nested models and every use of a shared layer are counted. Layers that are neither convolutions nor dense count nothing.
    """
    graph: Any = getattr(model, "_functional", None) or model
    nodes: list[Any] = [node for level in graph._nodes_by_depth.values() for node in level if node.input_tensors]
    return sum(_macs(node.operation, node.input_tensors[0].shape, node.outputs[0].shape) for node in nodes)


def _macs(layer: Any, inputs: Sequence[int | None], outputs: Sequence[int | None]) -> int:
    """Returns the multiply-accumulates of one call of a layer; shapes with the batch first."""
    from keras import Model, layers

    if isinstance(layer, Model):
        return keras_macs(layer)
    if isinstance(layer, layers.SeparableConv2D):
        return _places(layer, outputs) * (_weights(layer, "depthwise_kernel") + _weights(layer, "pointwise_kernel"))
    if isinstance(layer, layers.Conv2DTranspose):
        return _places(layer, inputs) * _weights(layer, "kernel")
    from glyphlite.models.qat.layers import QuantizedConv2D, QuantizedDense

    if isinstance(
        layer, QuantizedConv2D | QuantizedDense | layers.Conv1D | layers.Conv2D | layers.DepthwiseConv2D | layers.Dense
    ):
        return _places(layer, outputs) * _weights(layer, "kernel")
    return 0


def _weights(layer: Any, kernel: str) -> int:
    return math.prod(getattr(layer, kernel).shape)


def _places(layer: Any, shape: Sequence[int | None]) -> int:
    """Returns at how many places of one image a kernel is applied: the lengths of every axis but the batch's and the
    channels'.
    """
    first, last = (2, None) if getattr(layer, "data_format", None) == "channels_first" else (1, -1)
    return math.prod(size or 1 for size in shape[first:last])
