"""The five reference architectures, exactly as specified, each with the recipe that it is trained by.

Where the specification is silent, Keras's defaults hold: no padding, a bias in every layer, Glorot-uniform weights.
"""

from glyphlite.models.architecture import Architecture, BatchNorm, Conv, Dense, Dropout, Flatten, Layer, Pool, Relu
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.models.zoo.known_model import KnownModel


def _conv_block(number: int, filters: int, kernel: int, stride: int) -> tuple[Layer, ...]:
    return (
        Conv(f"conv{number}", filters, kernel, stride),
        BatchNorm(f"norm{number}"),
        Relu(f"relu{number}"),
        Dropout(f"dropout{number}", 0.25),
    )


def _two_convolutions() -> tuple[Layer, ...]:
    return (
        Conv("conv1", 32, 3, activation="relu"),
        Pool("pool1"),
        Conv("conv2", 64, 3, activation="relu"),
        Pool("pool2"),
        Flatten(),
    )


_CONSTANT_ADAM = Schedule("constant", peak=0.001)

CLASSICS: tuple[KnownModel, ...] = (
    KnownModel(
        Architecture(
            "decay-cnn",
            (
                *_conv_block(1, 24, 6, 1),
                *_conv_block(2, 48, 5, 2),
                *_conv_block(3, 64, 4, 2),
                Flatten(),
                Dense("fc", 200),
                BatchNorm("norm4"),
                Relu("relu4"),
                Dropout("dropout4", 0.25),
            ),
        ),
        Recipe("decay", 20, 128, Schedule("exponential_floor", peak=0.02, floor=0.0001, decay_epochs=3.0)),
        "batch-normalized CNN",
    ),
    KnownModel(
        Architecture(
            "micro-cnn",
            (Conv("conv", 8, 3, activation="relu"), Pool("pool"), Flatten(), Dense("fc", 16, "relu")),
        ),
        Recipe(
            "micro",
            30,
            128,
            Schedule("one_cycle", peak=0.006, warmup=0.2),
            augmentation="affine_gentle",
            ema=0.998,
        ),
        "for microcontrollers",
    ),
    KnownModel(
        Architecture("edge-cnn", (*_two_convolutions(), Dense("fc", 128, "relu"), Dropout("dropout", 0.3))),
        Recipe(
            "edge",
            10,
            128,
            Schedule("one_cycle", peak=0.003, warmup=0.1),
            augmentation="affine",
            ema=0.998,
            precision="bfloat16",
        ),
        "for phones, larger boards",
    ),
    KnownModel(
        Architecture("mlp", (Flatten(), Dense("fc", 128, "relu"))),
        Recipe("mlp", 5, 32, _CONSTANT_ADAM),
        "one hidden layer",
    ),
    KnownModel(
        Architecture("classic-cnn", _two_convolutions()),
        Recipe("classic", 5, 32, _CONSTANT_ADAM),
        "two convolutions",
    ),
)
