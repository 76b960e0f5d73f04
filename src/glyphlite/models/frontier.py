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

_Block = tuple[Layer, ...]


def _separable(number: int, filters: int, padding: str = "valid") -> _Block:
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


def _strided(name: str, stem: int, early: tuple[_Block, ...], late: tuple[_Block, ...], head: int = 2) -> Architecture:
    """5x5 with stride 2, to maps of 12; early separable convolutions, pooled by 2, late ones, and a head over the whole map."""
    before, behind = ([layer for block in blocks for layer in block] for blocks in (early, late))
    layers = (FoldedConv("stem", stem, 5, 2), *before, Pool("pool"), *behind, FoldedDepthwise("head", head), Flatten())
    return Architecture(name, layers)


def _deep(name: str, stem: int, early: int, late: tuple[int, ...]) -> Architecture:
    """Three early separable convolutions on maps of 12, 10 and 8; of the late ones, on maps of 4, the last makes 2."""
    *same, last = late
    first = (_separable(1, early, "same"), _separable(2, early), _separable(3, early))
    then = tuple(_separable(number, filters, "same") for number, filters in enumerate(same, 4))
    return _strided(name, stem, first, (*then, _separable(4 + len(same), last)))


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
        _strided("glyph-4k", 16, (_separable(1, 24), _separable(2, 24)), (_separable(3, 36),)),
        _recipe("frontier-4k", 60, augmentation="affine"),
        "weights of at most 4 KB",
    ),
    KnownModel(_deep("glyph-8k", 20, 34, (44,)), _recipe("frontier-8k", 48, augmentation="affine"), "weights of at most 8 KB"),
    KnownModel(
        _deep("glyph-16k", 28, 48, (48, 48)), _recipe("frontier-16k", 42, augmentation="affine"), "weights of at most 16 KB"
    ),
    KnownModel(
        _deep("glyph-32k", 36, 64, (88, 88)),
        _recipe("frontier-32k", 36, augmentation="affine_strong"),
        "weights of at most 32 KB",
    ),
    KnownModel(
        _deep("glyph-64k", 48, 96, (128, 128)),
        _recipe("frontier-64k", 36, augmentation="affine_strong"),
        "weights of at most 64 KB",
    ),
    KnownModel(
        _strided("glyph-50kmac", 4, (_separable(1, 28),), (_separable(2, 64),), head=3),
        _recipe("frontier-50kmac", 60, augmentation="affine"),
        "at most 50,000 multiply-accumulates",
    ),
)
