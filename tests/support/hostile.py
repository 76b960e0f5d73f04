"""Files that hurt: each made from a good one, each for one way to bring a runtime down."""

from typing import Any

import numpy as np


def rewritten(content: bytes, change: Any) -> bytes:
    """A .tflite file after ``change`` has had its way with the object model."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    change(model)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def crashing(content: bytes) -> bytes:
    """TFLite Micro reads its output's record two gigabytes behind the file's end."""

    def change(model: Any) -> None:
        model.subgraphs[0].outputs = [1 << 29]

    return rewritten(content, change)


def endless() -> bytes:
    """A loop whose condition always holds, in a classifier of 28x28 images."""
    import tensorflow as tf

    from glyphlite.console import captured_noise

    def classify(image: Any) -> Any:
        start = tf.reduce_sum(image, axis=[2, 3])[:, :10]
        _, scores = tf.while_loop(
            lambda _, scores: tf.reduce_sum(scores) > -1e30, lambda step, scores: (step + 1, scores * 0.5), (0, start)
        )
        return scores

    with captured_noise():
        compiled: Any = tf.function(classify, input_signature=[tf.TensorSpec([1, 28, 28, 1], tf.float32)])
        converter = tf.lite.TFLiteConverter.from_concrete_functions([compiled.get_concrete_function()], compiled)
        return converter.convert()


def mutated(content: bytes, seed: int) -> bytes:
    """Flipped bytes, a truncation, or a piece copied elsewhere; the file identifier stays."""
    generator = np.random.default_rng(seed)
    damaged = bytearray(content)
    if seed % 3 == 0:
        damaged = damaged[: generator.integers(8, len(damaged))]
    elif seed % 3 == 1:
        source, target, size = (int(bound) for bound in generator.integers(8, [len(damaged) - 64, len(damaged) - 64, 64]))
        damaged[target : target + size] = damaged[source : source + size]
    for position in generator.integers(8, len(damaged), generator.integers(1, 16)):
        damaged[position] = generator.integers(256)
    return bytes(damaged)
