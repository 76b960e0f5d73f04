"""Rounding of trained weights to few bits, each one's error made up for by the weights that are not rounded yet.

Source: E. Frantar et al., "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers" (ICLR 2023). Needs
the layer's inputs on some images and no training. Pure arithmetic in NumPy; `narrow_layers` alone knows Keras.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.errors import ModelError

if TYPE_CHECKING:
    import keras

BITS = 4
LARGEST = 2 ** (BITS - 1) - 1
"""The largest code either side of 0, as for weights that are trained for four bits."""

NARROWING_IMAGES = 4000
"""Training images, the first ones, by which a layer's inputs are known."""

_TRIED_STEPS = np.linspace(0.5, 1.0, 11)
"""Parts of the step that holds a channel's largest weight: smaller ones clip it."""

_DAMPING = 0.01
"""Added to the diagonal of the inputs' second moments, as a part of its mean: inputs that are always 0 have none."""


def compensated_codes(weights: np.ndarray, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds a layer's weights to codes of four bits such that its sums change least.

    Args:
        weights: ``(outputs, inputs)``.
        moments: ``(inputs, inputs)``, the mean of the products of each two inputs.

    Returns:
        Codes ``(outputs, inputs)`` from -7 to 7, float64, and each output's step ``(outputs,)``: of those tried, the one with
        the least squared error of the sums.
    """
    ends = np.maximum(np.abs(weights).max(axis=1), 1e-12) / LARGEST
    damped = moments + np.eye(len(moments)) * max(_DAMPING * float(np.mean(np.diag(moments))), 1e-12)
    best = np.full(len(weights), np.inf)
    codes, steps = np.zeros(weights.shape), ends.copy()
    for part in _TRIED_STEPS:
        tried = _codes_for(weights, damped, part * ends)
        errors = weights - tried * (part * ends)[:, None]
        squared = np.einsum("oi,ij,oj->o", errors, moments, errors)
        better = squared < best
        best, codes[better], steps[better] = np.where(better, squared, best), tried[better], part * ends[better]
    return codes, steps


def _codes_for(weights: np.ndarray, moments: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Rounds the inputs' weights one after the other, the most active first; those that follow take over the error of each."""
    order = np.argsort(-np.diag(moments), kind="stable")
    left, codes = weights[:, order].copy(), np.zeros(weights.shape)
    inverse = np.linalg.cholesky(np.linalg.inv(moments[np.ix_(order, order)])).T
    for index in range(len(order)):
        rounded = np.clip(np.round(left[:, index] / steps), -LARGEST, LARGEST)
        error = (left[:, index] - rounded * steps) / inverse[index, index]
        left[:, index + 1 :] -= np.outer(error, inverse[index, index + 1 :])
        codes[:, order[index]] = rounded
    return codes


def narrow_layers(model: "keras.Model", names: Sequence[str], images: np.ndarray) -> None:
    """Puts the weights of a model's layers on 15 steps a channel, which the converter then stores in four bits.

    Args:
        model: with int8 simulated.
        names: convolutions, not depthwise, whose weights are used at one place.
        images: float32 ``(n, height, width, channels)``, as the model takes them, by which inputs are known.

    Raises:
        ModelError: there is no such layer.
    """
    import keras
    import tensorflow as tf

    for name in names:
        layer = next((each for each in model.layers if each.name == name), None)
        if layer is None or getattr(layer, "depthwise", True) or layer.uses > 1:
            raise ModelError(f"{model.name} has no convolution {name} whose weights could be rounded")
        before: Any = keras.Model(model.inputs, layer.input)
        maps = before.predict(images, verbose=0)
        window, strides = [1, layer.kernel_size, layer.kernel_size, 1], [1, layer.strides, layer.strides, 1]
        seen = tf.image.extract_patches(maps, window, strides, [1, 1, 1, 1], layer.padding[0].upper()).numpy()
        inputs = seen.reshape(-1, seen.shape[-1]).astype(np.float64)
        deployed = np.asarray(layer.folded()[0], np.float64)
        codes, steps = compensated_codes(deployed.reshape(-1, deployed.shape[-1]).T, inputs.T @ inputs / len(inputs))
        layer.deploy_narrow((codes * steps[:, None]).T.reshape(deployed.shape))
