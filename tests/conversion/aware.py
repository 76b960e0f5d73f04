"""A model with int8 simulated, its statistics and ranges taken from images: as trained ones are, in no time."""

from typing import Any

from glyphlite.data.records import Dataset, as_float
from glyphlite.models.architecture import Architecture, FoldedConv, FoldedDepthwise, GlobalMean, Pool
from glyphlite.models.quantization import measure_ranges, set_quantized


def aware_model(
    mnist: Dataset, name: str, *, seed: int, stem: int, weight_bits: int = 8, bias: bool = True, biased_scores: bool = True
) -> Any:
    """Every kind of layer that is trained for int8; ``stem``: filters of the first one.

    ``bias``: of convolutions; ``biased_scores``: of classes.
    """
    import keras

    keras.utils.set_random_seed(seed)
    layers = (
        FoldedConv("stem", stem, 5, 2, bias=bias),
        Pool("pool"),
        FoldedDepthwise("depth", 3),
        FoldedConv("point", 12, 1, bias=bias),
        GlobalMean("mean"),
    )
    built = Architecture(name, layers, weight_bits, biased_scores).build((28, 28, 1), 10)
    images = as_float(mnist.train.images[:500])
    for _ in range(100):
        built(images, training=True)
    measure_ranges(built, images)
    set_quantized(built, quantized=True)
    return built
