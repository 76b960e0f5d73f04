"""Our own family, ``glyph-700`` to ``glyph-16kflash``: for each budget the most accurate classifier that we know to make.

Only ops that LiteRT, TensorFlow Lite Micro and the compiler all run in int8. What was measured to pay, on validation images:
up to 16 KB, INT4 weights: twice as many for the same bytes; up to 2 KB, no biases, and progressive freezing; in 0.7 KB, weights
that are used more than once; separable convolutions (a depthwise one looks around, a pointwise one mixes channels), which buy
depth for a few bytes; slow reduction of the resolution, by convolutions without padding in place of pooling; a first convolution
of 4x4 with stride 2, which costs half the time of one at full size; two teachers; photometric augmentation; elastic distortion.
Where multiply-accumulates are the budget, a hidden layer; where working memory is, narrow early maps and wide late ones; where
flash is, few different layers, as the code that they share is there once. Widths repeat where they can, as zeros in place of
biases are stored once per width.
docs/explanation/quantization-aware.md explains the recipe, experiments/ has the figures. Data; nothing of Keras.
"""

from dataclasses import replace

from glyphlite.models.architecture import Architecture, Flatten, FoldedConv, FoldedDepthwise, GlobalMean, Layer, Pool
from glyphlite.models.recipe import Distillation, Recipe, Restarts, Schedule
from glyphlite.models.zoo.known_model import KnownModel, RetiredModel


def _separable(number: int, filters: int, padding: str = "valid", *, bias: bool = True) -> tuple[FoldedDepthwise, FoldedConv]:
    return FoldedDepthwise(f"depth{number}", 3, padding=padding), FoldedConv(f"point{number}", filters, 1, bias=bias)


def _recipe(
    budget: str,
    epochs: int,
    *,
    augmentation: str = "affine",
    photometric: str = "faded_noisy",
    cycle: int = 4,
    narrow: float | None = None,
    floor: float = 0.0,
    freezing: float | None = None,
    beginnings: Restarts | None = None,
    warps_seed: int | None = None,
) -> Recipe:
    """Returns the one recipe of the family: a long cosine, averaged weights, teachers, then a sixth of the epochs with int8
    simulated.

    ``narrow``, for INT4 weights, which take more from the model: more than a quarter of the epochs, at that rate; where
    they are frozen progressively, more than a fifth. ``floor``: what that rate falls to.
    """
    quantized = epochs // 6 if narrow is None else round(epochs * 3 / (14 if freezing else 11))
    return Recipe(
        f"frontier-{budget}",
        epochs,
        256,
        Schedule("one_cycle", peak=0.03, warmup=0.1),
        augmentation=augmentation,
        photometric=photometric,
        augmentation_cycle=cycle,
        distillation=Distillation(("teacher-32k", "teacher-64k")),
        ema=0.998,
        quantized_epochs=quantized,
        quantized_schedule=Schedule("one_cycle", peak=narrow or 0.001, floor=floor, warmup=0.1),
        freezing=freezing,
        split_seed=0,
        beginnings=beginnings,
        warps_seed=warps_seed,
    )


def _small_recipe(
    budget: str,
    epochs: int,
    *,
    narrow: float,
    floor: float = 0.0,
    augmentation: str = "elastic",
    freezing: float = 0.85,
    beginnings: Restarts | None = None,
    photometric: str = "faded_noisy_gentle",
    cycle: int = 12,
    warps_seed: int | None = None,
) -> Recipe:
    """Returns the recipe for up to 2 KB: elastic distortion, little photometric augmentation, INT4 weights with progressive
    freezing.
    """
    return _recipe(
        budget,
        epochs,
        augmentation=augmentation,
        photometric=photometric,
        cycle=cycle,
        narrow=narrow,
        floor=floor,
        freezing=freezing,
        beginnings=beginnings,
        warps_seed=warps_seed,
    )


def _teachers_recipe(budget: str) -> Recipe:
    """Returns the recipe of the teachers: from the labels alone, under strong affine augmentation."""
    plain = _recipe(budget, 36, augmentation="affine_strong")
    return replace(plain, name=f"teacher-{budget}", photometric=None, augmentation_cycle=None, distillation=None)


def _tapering(
    name: str,
    stem: int,
    filters: tuple[int, ...],
    *,
    wide: bool = False,
    bits: int = 8,
    bias: bool = True,
    padded: bool = True,
) -> Architecture:
    """Builds 4x4 with stride 2, to maps of 14; separable convolutions that leave 12, 10, 8 and 6; and the mean.

    ``wide``: the first separable convolution leaves its map as large as it was. ``bits``: of a weight. ``bias``: whether
    convolutions have one; where they have none, the zeros in their place are stored once a width. ``padded``: whether the first
    one is; where not, maps are smaller by one.
    """
    separable = [
        layer
        for number, count in enumerate(filters, 1)
        for layer in _separable(number, count, "same" if wide and number == 1 else "valid", bias=bias)
    ]
    layers = (FoldedConv("stem", stem, 4, 2, "same" if padded else "valid", bias), *separable, GlobalMean("mean"))
    return Architecture(name, layers, bits)


def _repeated(name: str, filters: int, blocks: str) -> Architecture:
    """Builds 3x3 with stride 2, to maps of 14; separable convolutions, some with the weights of earlier ones; and the mean.

    ``blocks``: a word for each of those convolutions. Those of one letter have the same weights; behind ``=`` its map is as large
    as it was, else smaller by two. INT4 weights, no biases.
    """
    first: dict[str, int] = {}
    separable: list[Layer] = []
    for number, block in enumerate(blocks.split(), 1):
        letter, padding = block[0], "same" if block.endswith("=") else "valid"
        source = first.setdefault(letter, number)
        depth, point = _separable(number, filters, padding, bias=False)
        if source != number:
            depth, point = replace(depth, weights_of=f"depth{source}"), replace(point, weights_of=f"point{source}")
        separable += [depth, point]
    layers = (FoldedConv("stem", filters, 3, 2, "same", bias=False), *separable, GlobalMean("mean"))
    return Architecture(name, layers, 4, biased_scores=False)


def _coarse(name: str, stem: int, early: int, late: int, hidden: int) -> Architecture:
    """Builds 5x5 with stride 3, to maps of 8; two separable convolutions; a hidden layer that sees the whole map of 4.

    A weight of that layer is used once an image, so that multiply-accumulates buy the most weights there.
    """
    blocks = (*_separable(1, early), *_separable(2, late))
    return Architecture(name, (FoldedConv("stem", stem, 5, 3), *blocks, FoldedConv("hidden", hidden, 4), Flatten()))


def _full(name: str, stem: int, filters: int, hidden: int) -> Architecture:
    """Builds 6x6 with stride 4, to maps of 6; a full convolution; a hidden layer that sees the whole map of 4.

    A full convolution costs a processor fewer instructions per multiply-accumulate than a separable one, most of all with filters
    in fours.
    """
    layers = (FoldedConv("stem", stem, 6, 4), FoldedConv("conv", filters, 3), FoldedConv("hidden", hidden, 4), Flatten())
    return Architecture(name, layers)


def _deep(name: str, stem: int, early: int, late: tuple[int, ...]) -> Architecture:
    """Builds 5x5 with stride 2; separable convolutions that leave 12, 10 and 8, pooled to 4; late ones, of which the last
    leaves 2.
    """
    *same, last = late
    first = (*_separable(1, early, "same"), *_separable(2, early), *_separable(3, early))
    then = [layer for number, filters in enumerate(same, 4) for layer in _separable(number, filters, "same")]
    behind = (*then, *_separable(4 + len(same), last), FoldedDepthwise("head", 2), Flatten())
    return Architecture(name, (FoldedConv("stem", stem, 5, 2), *first, Pool("pool"), *behind))


_FAST = _recipe(
    "50kmac",
    192,
    augmentation="elastic_wider",
    photometric="occluded_gentle_rewritten",
    cycle=8,
    warps_seed=0,
)
"""The recipe of the members of few multiply-accumulates."""

FRONTIER: tuple[KnownModel, ...] = (
    KnownModel(
        _repeated("glyph-700", 17, "A= A A B= B B"),
        _small_recipe(
            "700",
            120,
            narrow=0.004,
            floor=0.0004,
            augmentation="elastic_gentle",
            freezing=0.7,
            beginnings=Restarts(4, 12),
        ),
        "weights up to 700 bytes",
    ),
    KnownModel(
        _tapering("glyph-2k", 23, (23,) * 4, bits=4, bias=False),
        _small_recipe("2k", 110, narrow=0.002, photometric="occluded_often", cycle=8, warps_seed=0),
        "weights up to 2 KB",
    ),
    KnownModel(
        _tapering("glyph-4k", 24, (32, 32, 32, 48), bits=4),
        _recipe("4k", 44, augmentation="elastic", photometric="occluded_coarse_rewritten", cycle=8, narrow=0.0005, warps_seed=0),
        "weights up to 4 KB",
    ),
    KnownModel(
        _tapering("glyph-8k", 28, (44, 44, 44, 48, 52), wide=True, bits=4),
        _recipe("8k", 36, augmentation="elastic", photometric="occluded_coarse_rewritten", cycle=8, narrow=0.0005, warps_seed=0),
        "weights up to 8 KB",
    ),
    KnownModel(
        _coarse("glyph-2kram", 9, 18, 24, 44),
        replace(_FAST, name="frontier-2kram", narrowed=("hidden",)),
        "2 KB of RAM, 16 KB of flash in all",
    ),
    KnownModel(
        _tapering("glyph-4kram", 24, (28, 36, 48, 64), padded=False),
        _recipe("4kram", 48, augmentation="elastic", photometric="occluded_coarse_rewritten", cycle=8, warps_seed=0),
        "4 KB of RAM, 16 KB of flash in all",
    ),
    KnownModel(
        _tapering("glyph-4kflash", 16, (16, 20, 20, 20), bits=4, bias=False),
        _small_recipe("4kflash", 180, narrow=0.003, photometric="occluded_often", cycle=8, warps_seed=0),
        "4 KB of flash in all",
    ),
    KnownModel(
        _tapering("glyph-16kflash", 32, (52, 52, 56, 64, 76), wide=True, bits=4),
        _recipe(
            "16kflash", 36, augmentation="elastic", photometric="occluded_coarse_rewritten", cycle=8, narrow=0.0005, warps_seed=0
        ),
        "16 KB of flash in all",
    ),
    KnownModel(_coarse("glyph-50kmac", 9, 18, 24, 44), _FAST, "at most 50,000 MACs"),
    KnownModel(
        _full("glyph-110kmac", 16, 24, 76),
        _recipe("110kmac", 144, augmentation="elastic_wide", photometric="occluded_gentle_rewritten", cycle=8, warps_seed=0),
        "at most 110,000 MACs",
    ),
)

RETIRED: tuple[RetiredModel, ...] = (
    RetiredModel(
        _tapering("glyph-1k", 15, (15,) * 4, bits=4, bias=False),
        _small_recipe("1k", 84, narrow=0.004, beginnings=Restarts(3, 3)),
        "weights up to 1 KB",
        replaced_by="glyph-4kflash",
        why="is more accurate in the same 4 KB of flash, and reads digits with lines across them",
    ),
    RetiredModel(
        _tapering("glyph-16k", 32, (64, 64, 64, 80, 92), wide=True, bits=4),
        _recipe("16k", 30, augmentation="elastic", photometric="occluded_coarse_rewritten", cycle=8, narrow=0.0005, warps_seed=0),
        "weights up to 16 KB",
        replaced_by="glyph-16kflash",
        why="is as accurate with three quarters of the weights and of the multiply-accumulates",
    ),
    RetiredModel(
        _tapering("glyph-32k", 32, (64, 64, 64, 88, 96), wide=True),
        _recipe("32k", 24, augmentation="affine_strong", cycle=6),
        "weights up to 32 KB",
        replaced_by="glyph-16kflash",
        why="is as accurate with less than half of the weights",
    ),
    RetiredModel(
        _tapering("glyph-64k", 48, (112, 112, 128, 128)),
        _recipe("64k", 20, augmentation="affine_strong", cycle=6),
        "weights up to 64 KB",
        replaced_by="glyph-16kflash",
        why="is as accurate with a fifth of the weights",
    ),
)
"""No longer offered: another member took the place of each; they can be named, trained and loaded as before."""

TEACHERS: tuple[KnownModel, ...] = (
    KnownModel(_deep("teacher-32k", 36, 64, (88, 88)), _teachers_recipe("32k"), "teacher of the glyph family"),
    KnownModel(_deep("teacher-64k", 48, 96, (128, 128)), _teachers_recipe("64k"), "teacher of the glyph family"),
)
"""Trained from the labels alone, so that the family can be made from nothing: first these, then the members."""
