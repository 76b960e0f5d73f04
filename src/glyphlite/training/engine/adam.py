"""Adam and running averages inside TensorFlow's graph: of single weights, and of all weights of a model as one vector.

A small net has some fifty weights of a few numbers each. TensorFlow takes longer to come to an op than to do it, so one op for
all of them is much faster than one for each.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-7
"""Adam's, with the values that Keras takes by default."""


def move_weights(weights: Any, first: Any, second: Any, gradient: Any, rate: Any) -> None:
    """Takes one step of Adam: TensorFlow's fused kernel on variables of one shape; the bias correction is in the rate."""
    import tensorflow as tf

    tf.raw_ops.ResourceApplyAdam(
        var=weights.handle,
        m=first.handle,
        v=second.handle,
        beta1_power=0.0,
        beta2_power=0.0,
        lr=rate,
        beta1=BETA1,
        beta2=BETA2,
        epsilon=EPSILON,
        grad=gradient,
    )


def move_average(average: Any, weights: Any, decay: Any) -> None:
    """Moves a running average, a variable, one step towards the weights."""
    average.assign_sub((average - weights) * (1 - decay))


class JoinedWeights:
    """The weights of a model in training, their moments and running averages, each as one vector while steps are taken."""

    def __init__(
        self, weights: Sequence["keras.Variable"], moments: tuple[Sequence[Any], Sequence[Any]], averages: Sequence[Any]
    ) -> None:
        """Notes whose vectors they are.

        Args:
            weights: the model's, float32.
            moments: Adam's first and second of each, TensorFlow's variables.
            averages: of each; empty where nothing is averaged.
        """
        import tensorflow as tf

        self._weights, self._sizes = weights, [int(np.prod(weight.shape)) for weight in weights]
        parts = ([weight.value for weight in weights], *moments, averages)
        self._joined = [(tf.Variable(tf.zeros(sum(self._sizes))), each) for each in parts if each]

    def join(self) -> None:
        """Lays what the single variables hold into the vectors."""
        import tensorflow as tf

        for vector, parts in self._joined:
            vector.assign(tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0))

    def part(self) -> None:
        """Gives the single variables what the vectors hold."""
        for vector, parts in self._joined:
            for part, value in zip(parts, self._split(vector), strict=True):
                part.assign(value)

    def read(self) -> Any:
        """Returns all weights as one tensor ``(numbers,)``, to which gradients are asked for."""
        return self._joined[0][0].read_value()

    def standing_for(self, joined: Any) -> "keras.StatelessScope":
        """Returns a scope in which the model's weights are parts of a tensor that `read` gave."""
        import keras

        return keras.StatelessScope(list(zip(self._weights, self._split(joined), strict=True)))

    def move(self, gradient: Any, rate: Any, decay: Any) -> None:
        """Takes one step of Adam with the gradient of the joined weights, and one of the averages."""
        (weights, _), (first, _), (second, _), *averages = self._joined
        move_weights(weights, first, second, gradient, rate)
        for average, _ in averages:
            move_average(average, weights, decay)

    def _split(self, joined: Any) -> list[Any]:
        import tensorflow as tf

        parts = tf.split(joined, self._sizes)
        return [tf.reshape(part, weight.shape) for part, weight in zip(parts, self._weights, strict=True)]
