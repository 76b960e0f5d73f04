"""BATCH_MATMUL over shapes, transpositions, batches and constant sides, against TFLite Micro; attention is made of it."""

import numpy as np
import pytest
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import Activation, agree, any_activation, any_constant, one_op

from glyphlite.compiler.lower import lower
from glyphlite.errors import ArtifactError
from glyphlite.tflite.reader import parse_graph


def product(rng: np.random.Generator) -> tuple[str, bytes]:
    """Two computed matrices of the same elements, or one of them constant; batches of any rank."""
    rows, depth, columns = (int(extent) for extent in rng.integers(1, 9, 3))
    batch = (1, *rng.integers(1, 4, int(rng.integers(0, 3))).tolist())
    adjoint_x, adjoint_y = (bool(rng.random() < 0.5) for _ in range(2))
    computed = rng.random() < 0.4
    if computed:
        columns = rows
    first = (*batch, *((depth, rows) if adjoint_x else (rows, depth)))
    second = (*batch, *((columns, depth) if adjoint_y else (depth, columns)))
    source = any_activation(rng, first)
    if computed:
        operands = [source, source if first == second else any_activation(rng, second, source.scale)]
        if operands[1] is not source:
            operands[1] = Activation(second, source.scale, source.zero_point)
    else:
        constant = any_constant(rng, second if rng.random() < 0.7 else second[-2:], source.scale)
        operands = [source, constant]
    output = any_activation(rng, (*batch, rows, columns), source.scale**2 * 60 * depth**0.5)
    model = one_op("BATCH_MATMUL", operands, output, "BatchMatMulOptions", adjX=adjoint_x, adjY=adjoint_y)
    return f"{first} x {second} {adjoint_x} {adjoint_y} {'computed' if computed else 'constant'}", model


@pytest.mark.parametrize("path", PATHS)
def test_products_agree(path: str):
    place = list(PATHS).index(path)
    rng = np.random.default_rng(place)
    agree(dict(product(rng) for _ in range(8)), path=path, optimize=OPTIMIZE[place % 3], inputs=12)


def test_matrices_that_do_not_fit_are_refused():
    rng = np.random.default_rng(0)
    source = Activation((1, 3, 4), 0.5, 0)
    model = one_op(
        "BATCH_MATMUL", [source, any_constant(rng, (1, 3, 2), 0.5)], Activation((1, 3, 2), 0.5, 0), "BatchMatMulOptions"
    )
    with pytest.raises(ArtifactError, match="multiplies matrices of 3 x 4 and 3 x 2"):
        parse_graph(model)


def test_batches_that_broadcast_halfway_are_refused():
    rng = np.random.default_rng(0)
    source = Activation((1, 2, 1, 3, 4), 0.5, 0)
    output = Activation((1, 2, 2, 3, 2), 0.5, 0)
    model = one_op("BATCH_MATMUL", [source, any_constant(rng, (1, 1, 2, 4, 2), 0.5)], output, "BatchMatMulOptions")
    with pytest.raises(ArtifactError, match="it broadcasts batches of"):
        lower(parse_graph(model))


@pytest.mark.slow
def test_attention_from_keras_agrees():
    """Queries, keys and values of two heads, as the converter writes them."""
    import keras
    import tensorflow as tf

    source = keras.Input(batch_shape=(1, 6, 8))
    mixed = keras.layers.MultiHeadAttention(2, 4)(source, source)
    model = keras.Model(source, keras.layers.Dense(3)(keras.layers.Flatten()(mixed)))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1, (8, 1, 6, 8)).astype(np.float32)
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content = converter.convert()
    assert [operator.name for operator in parse_graph(content).operators].count("BATCH_MATMUL") == 2
    agree({"attention": content})
