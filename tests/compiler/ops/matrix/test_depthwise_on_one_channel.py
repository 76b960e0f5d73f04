"""DEPTHWISE_CONV_2D on a map of one channel: the kernel of CONV_2D, TFLite Micro's bytes."""

import numpy as np
import pytest
from random_models.by_hand import write
from random_models.drafts import Draft, Step
from random_models.harness import OPTIMIZE, PATHS
from random_models.one_op import agree

from glyphlite.compiler.lower import lower
from glyphlite.compiler.ops.matrix.convolution import Convolution
from glyphlite.tflite.reader import parse_graph


def model_of(seed: int) -> bytes:
    rng = np.random.default_rng([seed, 23])
    height, width, multiplier, stride = (int(value) for value in rng.integers(1, 7, 4))
    kernel = (int(rng.integers(1, 6)), int(rng.integers(1, 6)))
    settings = {"kernel": kernel, "strides": (stride, stride), "dilation": (1, 1), "padding": "SAME", "bias": seed % 3 > 0}
    shape = (-(-height // stride), -(-width // stride), multiplier)
    step = Step("depthwise", (0,), shape, {"multiplier": multiplier, "fused": "relu" if seed % 2 else "none", **settings})
    return write(Draft(seed, (height, width, 1), (step,), "int8"))


@pytest.mark.parametrize("path", PATHS)
def test_it_is_a_convolution_and_gives_the_same_bytes(path: str):
    place = list(PATHS).index(path)
    models = {f"seed {seed}": model_of(seed) for seed in range(100 * place, 100 * place + 6)}
    assert all(isinstance(lower(parse_graph(content)).nodes[0], Convolution) for content in models.values())
    agree(models, path=path, optimize=OPTIMIZE[place % 3])
