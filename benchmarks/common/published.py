"""What others have published for small MNIST classifiers, and what our family is to reach. Data; nothing is measured here.

A published size is one byte a parameter where the source counts parameters (in favour of those that store floats), else the bytes
that the source gives, a KB taken as 1,000 (in its favour, too). An accuracy is the source's own, on the 10,000 test images;
``how`` says how its epoch or seed was chosen.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Published:
    """A published classifier.

    Attributes:
        name: as the plot labels it.
        source: the repository.
        bytes: of weights.
        accuracy: a fraction of the test images.
        how: what the accuracy is, and how it was chosen.
        offset: where the plot's label stands from the point, in points.
        macs: multiply-accumulates an image, where the source tells.
        cycles: of an image on a RISC-V core at 48 MHz (CH32V002, with a multiplier), where the source tells.
        ram: bytes that the microcontroller has on which it ran.
    """

    name: str
    source: str
    bytes: int
    accuracy: float
    how: str
    offset: tuple[int, int] = (8, -3)
    macs: int | None = None
    cycles: int | None = None
    ram: int | None = None


PUBLISHED: tuple[Published, ...] = (
    Published("697 parameters", "JoshWarn/Parameter-Efficient-MNIST", 697, 0.9903, "the best of about 700 runs", (-80, 8)),
    Published("1,936 parameters", "ruslangrimov/mnist-minimal-model", 1_936, 0.9910, "held-out validation", (8, -4)),
    Published("BitNetMCU CNN-16 small", "cpldcpu/BitNetMCU", 3_200, 0.9892, "on a CH32V002", (8, -12), cycles=686_490, ram=4_096),
    Published("BitNetMCU CNN-32", "cpldcpu/BitNetMCU", 7_300, 0.9928, "on a CH32V002", (8, -4), cycles=1_434_667, ram=4_096),
    Published(
        "ERA, 7,918 parameters",
        "snehanshu-raj/ERA",
        7_918,
        0.9952,
        "the best epoch on test; about 99.44 sustained",
        (8, -12),
        2_020_000,
    ),
    Published("BitNetMCU CNN-64", "cpldcpu/BitNetMCU", 11_300, 0.9955, "on a CH32V002", (41, -15), 236_000, 2_736_250, 4_096),
    Published("BitNetMCU FC", "cpldcpu/BitNetMCU", 12_300, 0.9902, "on a CH32V003", (8, -4), cycles=528_377, ram=2_048),
    Published("BitNetMCU CNN-96", "cpldcpu/BitNetMCU", 13_000, 0.9958, "the repository's figure", (28, -13)),
    Published(
        "EfficientMnist-Under20K", "divya-r-kamat/EfficientMnist-Under20K", 15_794, 0.9959, "the best epoch on test", (9, -4)
    ),
    Published("MNIST-CNN-99.75", "cdeotte/MNIST-CNN-99.75", 327_000, 0.99641, "mean of 1,500 nets", (0, -16)),
)

GOALS: dict[str, float] = {
    "glyph-2k": 0.994,
    "glyph-4k": 0.995,
    "glyph-8k": 0.996,
    "glyph-2kram": 0.993,
    "glyph-4kram": 0.995,
    "glyph-4kflash": 0.992,
    "glyph-16kflash": 0.9962,
    "glyph-50kmac": 0.994,
    "glyph-110kmac": 0.9945,
}
"""The mean accuracy over seeds that each member is to reach."""


Unit = Literal["bytes", "macs", "ram"]
"""What a size is counted in. Whoever does not tell it in a unit is held against nothing by it."""


def budget_unit(model: str) -> Unit:
    """What the budget of one of our members is counted in."""
    return "macs" if model.endswith("mac") else "ram" if model.endswith("ram") else "bytes"


def held_against(size: int, unit: Unit = "bytes") -> Published | None:
    """The smallest published classifier of at least that size; None where all are smaller."""
    return min((each for known, each in _sizes(unit) if known >= size), key=lambda each: getattr(each, unit), default=None)


def ahead_of_us(size: int, accuracy: float, unit: Unit = "bytes") -> list[Published]:
    """Published classifiers of no larger size that are more accurate."""
    return [each for known, each in _sizes(unit) if known <= size and each.accuracy > accuracy]


def _sizes(unit: Unit) -> list[tuple[int, Published]]:
    return [(known, each) for each in PUBLISHED if (known := getattr(each, unit)) is not None]
