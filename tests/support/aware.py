"""A model with int8 simulated, its statistics and ranges taken from images: as trained ones are, in no time."""

from dataclasses import replace
from typing import Any

import numpy as np

from glyphlite.datasets.dataset import Dataset, as_float
from glyphlite.models.architecture import Architecture, FoldedConv, FoldedDepthwise, GlobalMean, Pool
from glyphlite.models.qat.state import measure_ranges, set_quantized


def aware_model(
    mnist: Dataset,
    name: str,
    *,
    seed: int,
    stem: int,
    weight_bits: int = 8,
    bias: bool = True,
    biased_scores: bool = True,
    again: bool = False,
) -> Any:
    """Every kind of layer that is trained for int8; ``stem``: filters of the first one.

    ``bias``: of convolutions; ``biased_scores``: of classes; ``again``: the weights behind a stem of 12 are
    used a second time, each channel scaled otherwise; maps are not pooled then, so that both uses are wide enough for
    the kernel of wide maps, whose weights lie in its own order.
    """
    import keras

    keras.utils.set_random_seed(seed)
    depth, point = FoldedDepthwise("depth", 3), FoldedConv("point", 12, 1, bias=bias)
    second = replace(depth, name="depth2", weights_of="depth"), replace(point, name="point2", weights_of="point")
    layers = (
        FoldedConv("stem", stem, 5, 2, bias=bias),
        *(() if again else (Pool("pool"),)),
        depth,
        point,
        *(second if again else ()),
        GlobalMean("mean"),
    )
    built = Architecture(name, layers, weight_bits, biased_scores).build((28, 28, 1), 10)
    if again:
        built.get_layer("point").normalizations[1].gamma.assign(np.linspace(0.5, 2, 12))
    images = as_float(mnist.train.images[:500])
    for _ in range(100):
        built(images, training=True)
    measure_ranges(built, images)
    set_quantized(built, quantized=True)
    return built
