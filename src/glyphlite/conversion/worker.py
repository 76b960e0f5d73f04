"""The process that runs TensorFlow's converter: a small server that forks itself for each file, so that a crash costs one file.

The converter is native code that some models bring down (a loop to int8: tensorflow/tensorflow#41305). The server has imported
TensorFlow but never started its runtime, so that it can be forked safely; every conversion happens in a fork of it. It is begun
by :mod:`glyphlite.conversion.isolation`.
"""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from glyphlite import ipc
from glyphlite.console import quiet_tensorflow
from glyphlite.conversion.variants import get_variant
from glyphlite.ipc import BrokenChannelError, Message

LARGEST_MESSAGE = 1 << 20
"""Characters of an error message that are passed on; the converter prints whole graphs."""


def main() -> None:
    """Imports TensorFlow and serves over standard input and output until the parent closes them."""
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import_converter()
    with suppress(BrokenChannelError):
        ipc.send(answers, Message({"ready": True}))
        serve(0, answers)


def import_converter() -> None:
    """Imports what a conversion needs, without starting TensorFlow's runtime."""
    quiet_tensorflow()
    import tensorflow as tf

    _ = tf.lite.TFLiteConverter, tf.lite.OpsSet, tf.lite.Optimize  # loaded lazily: here once, not in each fork


def serve(requests: int, answers: int) -> None:
    """Converts what comes in, each in a fork; the news of its death is an answer, too.

    Raises:
        BrokenChannelError: the parent is gone.
    """
    while True:
        request = ipc.receive(requests)
        child = os.fork()
        if child == 0:
            try:
                ipc.send(answers, _answer(request))
                os._exit(0)
            finally:
                os._exit(3)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            ipc.send(answers, Message({"died": os.WTERMSIG(status)}))
        elif os.WEXITSTATUS(status):
            ipc.send(answers, Message({"died": 0}))


def _answer(request: Message) -> Message:
    """Returns the file, or what the converter raised."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    header = request.header
    images = list(request.arrays[0]) if request.arrays else []
    try:
        content = _convert(header["folder"], header["variant"], images, select=header["select"])
    except MemoryError:
        return Message({"error": "the machine has not enough memory for it"})
    except Exception as error:  # ConverterError, RuntimeError of the calibrator, ValueError, ...
        return Message({"error": (str(error) or type(error).__name__)[:LARGEST_MESSAGE]})
    return Message({}, (np.frombuffer(content, np.uint8),))


def _convert(folder: str, variant: str, images: Sequence[np.ndarray], *, select: bool) -> bytes:
    """Returns one variant of a SavedModel, as TensorFlow's converter writes it.

    Args:
        folder: the SavedModel.
        variant: one of ``VARIANT_NAMES``.
        images: float32 batches for calibration; none where ranges are in the graph, or not needed.
        select: whether TensorFlow's own ops are allowed.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
    _configure(converter, variant, images, select=select)
    return converter.convert()


def _configure(converter: Any, variant: str, images: Sequence[np.ndarray], *, select: bool) -> None:
    """Sets the options of TensorFlow's converter for a variant."""
    import tensorflow as tf

    kind = get_variant(variant)
    kernels = tf.lite.OpsSet.TFLITE_BUILTINS
    if variant != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant == "int8" and images:  # the converter takes "int8 kernels only" for a demand to calibrate
        kernels = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
    if variant == "int16x8":
        kernels = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    if kind.needs_calibration:
        if images:
            converter.representative_dataset = lambda: ([image] for image in images)
        converter.inference_input_type = converter.inference_output_type = tf.as_dtype(kind.ports)
    converter.target_spec.supported_ops = [kernels, tf.lite.OpsSet.SELECT_TF_OPS] if select else [kernels]


if __name__ == "__main__":
    main()
    sys.exit(0)
