"""A model's training step in the compiled engine: scores and gradients of a batch, inside TensorFlow's graph.

TensorFlow keeps the weights, what is derived from them (folding, rounding, freezing), the loss and the optimizer; the engine
computes what lies between the images and the scores, forward and backward, which is where the time goes.
"""

import ctypes
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from glyphlite.errors import ModelError
from glyphlite.training.engine.library import engine_library
from glyphlite.training.engine.plan import Description, Plan, observe_statistics, parameters_of, plan_of
from glyphlite.training.engine.processors import processors

if TYPE_CHECKING:
    import keras

_FLOATS = ctypes.POINTER(ctypes.c_float)


def network_of(model: "keras.Model", images: int, *, trains: bool = True) -> "Network | None":
    """Returns a model in the compiled engine, for batches of up to so many images: trained, or only asked.

    None where the engine does not know one of its layers, or no compiler is here.

    Raises:
        ModelError: there is not enough memory.
    """
    plan = plan_of(model, trains=trains)
    library = engine_library() if plan else None
    return Network(library, plan, images, processors()) if plan and library else None


class Network:
    """A compiled net for batches of up to so many images. Not for several threads at once: the passes of a step share memory."""

    def __init__(self, library: ctypes.CDLL, plan: Plan, images: int, threads: int) -> None:
        """Takes the memory that the passes need.

        Raises:
            ModelError: there is not enough of it.
        """
        self._library, self._plan, self._images = library, plan, images
        library.network_new.restype = ctypes.c_void_p
        records = (Description * len(plan.descriptions))(*plan.descriptions)
        address = library.network_new(records, len(records), images, threads, plan.parameters, int(plan.trains))
        if not address:
            raise ModelError(f"no memory to train in batches of {images}; use smaller ones")
        self._address = ctypes.c_void_p(address)
        self._classes = plan.descriptions[-1].filters
        weakref.finalize(self, library.network_free, self._address)

    def parameters(self) -> Any:
        """Returns what `scores` takes, as the weights now are: a vector through which gradients reach them."""
        return parameters_of(self._plan)

    def scores(self, images: Any, parameters: Any = None) -> Any:
        """Returns the model's scores before the softmax, ``(batch, classes)``; inside TensorFlow's graph.

        Where it is trained, its moving statistics follow the batch's, and gradients reach its parameters.

        Args:
            images: float32 ``(batch, height, width, channels)`` in [0, 1].
            parameters: float32, as the method of this name gives them; where left out, as it gives them here.
        """
        import tensorflow as tf

        parameters = self.parameters() if parameters is None else parameters

        @tf.custom_gradient
        def passes(images: Any, parameters: Any) -> Any:
            scores, statistics = tf.numpy_function(self._forward, [images, parameters], [tf.float32, tf.float32])

            def gradient(of_scores: Any, of_statistics: Any) -> Any:
                del of_statistics  # nothing that is learned depends on the moving ones
                of_parameters = tf.numpy_function(self._backward, [of_scores, parameters], tf.float32)
                return None, tf.ensure_shape(of_parameters, [self._plan.parameters])

            return (
                tf.ensure_shape(scores, [None, self._classes]),
                tf.ensure_shape(statistics, [self._plan.statistics]),
            ), gradient

        if not self._plan.trains:
            scores, _ = tf.numpy_function(self._forward, [images, parameters], [tf.float32, tf.float32])
            return tf.ensure_shape(scores, [None, self._classes])
        scores, statistics = passes(images, parameters)
        observe_statistics(self._plan, statistics)
        return scores

    def _forward(self, images: np.ndarray, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images, parameters = (np.ascontiguousarray(each, np.float32) for each in (images, parameters))
        if len(images) > self._images:
            raise ValueError(f"a batch of {len(images)} images in memory for {self._images}")
        scores = np.full((len(images), self._classes), np.nan, np.float32)
        statistics = np.full(self._plan.statistics, np.nan, np.float32)
        if not np.isfinite(parameters).all():
            return scores, statistics  # rounding to integers would hide that the training diverged
        self._library.network_forward(
            self._address,
            _pointer(images),
            len(images),
            int(self._plan.rounds_input),
            *map(_pointer, (parameters, scores, statistics)),
        )
        return scores, statistics

    def _backward(self, of_scores: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        of_scores, parameters = (np.ascontiguousarray(each, np.float32) for each in (of_scores, parameters))
        gradients = np.empty_like(parameters)
        self._library.network_backward(self._address, *map(_pointer, (of_scores, parameters, gradients)))
        return gradients


def _pointer(array: np.ndarray) -> Any:
    return array.ctypes.data_as(_FLOATS)
