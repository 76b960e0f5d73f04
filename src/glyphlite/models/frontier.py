"""Our own family, ``glyph-1k`` to ``glyph-64k``: for each budget of weight bytes the most accurate classifier we know to make.

Only ops that LiteRT, TensorFlow Lite Micro and the compiler all run in int8. What was measured to pay, on validation images:
separable convolutions (a depthwise one looks around, a pointwise one mixes channels) buy depth for a few bytes; a first
convolution of 5x5 with stride 2 costs a quarter of the time of two at full size and loses nothing above 2 KB; below, every byte
counts more than time, and a small 3x3 convolution at full size, pooled, comes out ahead; where the maps have become small, a
depthwise convolution over the whole map beats its mean. Label smoothing cost accuracy. Data; nothing of Keras.
"""

from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, FoldedDepthwise, GlobalMean, Layer, Pool
from glyphlite.models.known import KnownModel
from glyphlite.models.recipe import Recipe, Schedule


def _separable(number: int, filters: int, padding: str = "valid") -> tuple[Layer, ...]:
    return FoldedDepthwise(f"depth{number}", 3, padding=padding), FoldedConv(f"point{number}", filters, 1)


def _recipe(name: str, epochs: int, *, augmentation: str | None) -> Recipe:
    """The one recipe of the family: a long cosine, averaged weights, then a sixth of the epochs with int8 simulated."""
    return Recipe(
        name,
        epochs,
        256,
        Schedule("one_cycle", peak=0.03, warmup=0.1),
        augmentation=augmentation,
        ema=0.998,
        quantized_epochs=epochs // 6,
        quantized_schedule=Schedule("one_cycle", peak=0.001, warmup=0.1),
    )


def _pooled(name: str, stem: int, filters: tuple[int, ...]) -> Architecture:
    """3x3 at full size, pooled to 14, separable convolutions on what the one before leaves (12, 10, ...), and the mean."""
    separable = [layer for number, count in enumerate(filters, 1) for layer in _separable(number, count)]
    return Architecture(name, (FoldedConv("stem", stem, 3, padding="same"), Pool("pool"), *separable, GlobalMean("mean")))


def _strided(name: str, stem: int, early: int, late: tuple[int, ...]) -> Architecture:
    """5x5 with stride 2, three separable convolutions on maps of 12, 10 and 8, pooled to 4, the late ones, a head of 2x2."""
    *same, last = late
    return Architecture(
        name,
        (
            FoldedConv("stem", stem, 5, 2),
            *_separable(1, early, "same"),
            *_separable(2, early),
            *_separable(3, early),
            Pool("pool"),
            *(layer for number, filters in enumerate(same, 4) for layer in _separable(number, filters, "same")),
            *_separable(4 + len(same), last),
            FoldedDepthwise("head", 2),
            Flatten(),
        ),
    )


FRONTIER: tuple[KnownModel, ...] = (
    KnownModel(
        _pooled("glyph-1k", 8, (8, 8, 8, 12)),
        _recipe("frontier-1k", 60, augmentation="affine_gentle"),
        "weights of at most 1 KB",
    ),
    KnownModel(
        _pooled("glyph-2k", 8, (12, 12, 16, 20)),
        _recipe("frontier-2k", 60, augmentation="affine_gentle"),
        "weights of at most 2 KB",
    ),
    KnownModel(
        Architecture(
            "glyph-4k",
            (
                FoldedConv("stem", 16, 5, 2),
                *_separable(1, 24),
                *_separable(2, 24),
                Pool("pool"),
                *_separable(3, 36),
                FoldedDepthwise("head", 2),
                Flatten(),
            ),
        ),
        _recipe("frontier-4k", 60, augmentation="affine"),
        "weights of at most 4 KB",
    ),
    KnownModel(_strided("glyph-8k", 20, 34, (44,)), _recipe("frontier-8k", 48, augmentation="affine"), "weights of at most 8 KB"),
    KnownModel(
        _strided("glyph-16k", 28, 48, (48, 48)), _recipe("frontier-16k", 42, augmentation="affine"), "weights of at most 16 KB"
    ),
    KnownModel(
        _strided("glyph-32k", 36, 64, (88, 88)),
        _recipe("frontier-32k", 36, augmentation="affine_strong"),
        "weights of at most 32 KB",
    ),
    KnownModel(
        _strided("glyph-64k", 48, 96, (128, 128)),
        _recipe("frontier-64k", 36, augmentation="affine_strong"),
        "weights of at most 64 KB",
    ),
    KnownModel(
        Architecture(
            "glyph-50kmac",
            (
                FoldedConv("stem", 4, 5, 2),
                *_separable(1, 28),
                Pool("pool"),
                *_separable(2, 64),
                FoldedDepthwise("head", 3),
                Flatten(),
            ),
        ),
        _recipe("frontier-50kmac", 60, augmentation="affine"),
        "at most 50,000 multiply-accumulates",
    ),
)
