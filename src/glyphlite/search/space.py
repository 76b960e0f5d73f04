"""The space that is searched: every choice of network and training, by name, with what it may be. Every point of it compiles.

The choices are those that paid on digits (docs/explanation/search.md says where each comes from). What does not fit a point is
mended by rule, not refused: a kernel is never larger than its map, a map too small to shrink stays as it is. Data; knows no
TensorFlow, and of Optuna only that a trial suggests.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from glyphlite.errors import ModelError
from glyphlite.models.architecture import Architecture, FoldedConv, FoldedDepthwise, Layer, Pool
from glyphlite.models.recipe import Recipe, Schedule
from glyphlite.search.words import map_side, parse_words, same_network

SIDES = (28, 20, 16)
"""Rows and columns that images are brought to."""

STEMS = ("c3s1", "c3s2=", "c4s2=", "c5s2", "c5s3", "c6s4")
"""First convolutions: kernel, stride, and ``=`` where zeros are put around the image."""

BLOCKS = ("full", "separable")
POOLS = ("none", "early", "late")
HEADS = ("hidden", "flat", "mean")
AUGMENTATIONS = ("none", "affine_gentle", "affine", "elastic_gentle", "elastic")
LIGHTS = ("none", "faded_noisy_gentle")
"""Photometric augmentations."""

RATES = (0.005, 0.05)
"""Lowest and highest of the highest learning rates."""


LARGEST_BATCH, _LEAST_BATCH, _LEAST_STEPS = 256, 8, 30
"""Images in a batch at most and at least, and steps of an epoch that smaller ones are to bring about."""


class Trial(Protocol):
    """The part of Optuna's trial that a space needs."""

    def suggest_categorical(self, name: str, choices: Sequence[Any], /) -> Any:
        """Returns one of the choices."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """Returns a number from ``low`` to ``high``."""
        ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Returns a number from ``low`` to ``high``."""
        ...


@dataclass(frozen=True)
class Candidate:
    """A point of the space.

    Attributes:
        side: rows and columns of the images.
        words: the network, as `glyphlite.search.words` has it.
        rate: highest learning rate.
        augmentation: of `AUGMENTATIONS`.
        light: of `LIGHTS`.
    """

    side: int
    words: str
    rate: float
    augmentation: str = "elastic_gentle"
    light: str = "none"

    def architecture(self, channels: int, name: str = "net") -> Architecture:
        """Returns the network for images of so many channels."""
        return parse_words(self.words, self.input_shape(channels), name)

    def input_shape(self, channels: int) -> tuple[int, int, int]:
        """Returns height, width and channels of its images."""
        return self.side, self.side, channels

    def recipe(self, epochs: int, name: str = "search", batch: int = LARGEST_BATCH) -> Recipe:
        """Returns how it is trained over so many epochs: float first, then a fourth of them with int8 simulated.

        Rates are meant for the largest batch; a smaller one's steps are shorter by the square root of how much it is smaller.
        """
        step = math.sqrt(batch / LARGEST_BATCH)
        is_narrow = "b4" in self.words.split()
        quantized = max(1, round(epochs / 4)) if epochs > 1 else 0
        return Recipe(
            name,
            epochs,
            batch,
            Schedule("one_cycle", peak=self.rate * step, warmup=0.15),
            augmentation=None if self.augmentation == "none" else self.augmentation,
            photometric=None if self.light == "none" else self.light,
            ema=0.998,
            quantized_epochs=quantized,
            quantized_schedule=Schedule("one_cycle", peak=(0.002 if is_narrow else 0.001) * step, warmup=0.1),
        )


def batch_for(images: int) -> int:
    """Returns how many images a batch of a training has: few where there are few, else an epoch would be a step or two."""
    batch = LARGEST_BATCH
    while batch > _LEAST_BATCH and images < batch * _LEAST_STEPS:
        batch //= 2
    return batch


def suggest(trial: Trial, sides: Sequence[int] = SIDES) -> Candidate:
    """Returns the candidate that a trial suggests.

    Args:
        trial: Optuna's, or anything that suggests.
        sides: rows and columns that the images may have.
    """
    side = trial.suggest_categorical("side", list(sides))
    stem = trial.suggest_categorical("stem", list(STEMS))
    choices: dict[str, Any] = {"stem": stem, "stem_width": trial.suggest_int("stem_width", 4, 24, step=4)}
    choices["depth"] = depth = trial.suggest_int("depth", 0, 4)
    if depth:
        choices["blocks"] = trial.suggest_categorical("blocks", list(BLOCKS))
        choices["width"] = trial.suggest_int("width", 8, 48, step=4)
        choices["pool"] = trial.suggest_categorical("pool", list(POOLS))
    if depth > 1:
        choices["growth"] = trial.suggest_float("growth", 1.0, 2.0)
    if depth > 2:
        choices["shared"] = trial.suggest_categorical("shared", [False, True])
    choices["head"] = head = trial.suggest_categorical("head", list(HEADS))
    if head == "hidden":
        choices["hidden"] = trial.suggest_int("hidden", 16, 64, step=8)
    choices["bits"] = trial.suggest_categorical("bits", [8, 4])
    choices["biased"] = trial.suggest_categorical("biased", [True, False])
    rate = trial.suggest_float("rate", *RATES, log=True)
    augmentation = trial.suggest_categorical("augmentation", list(AUGMENTATIONS))
    light = trial.suggest_categorical("light", list(LIGHTS))
    return Candidate(side, words_of(choices, side), rate, augmentation, light)


def choices_of(candidate: Candidate, sides: Sequence[int] = SIDES) -> dict[str, Any] | None:
    """Returns what a trial has to suggest for `suggest` to give the candidate; None where the space has no such point.

    What is a hidden layer over a small map may be the space's last block, as well.
    """
    for last in ("h", "c3x", "c1x"):
        found = _read_choices(re.sub(r"\bh(?=\d)", last, candidate.words).split())
        if found is not None:
            training = {"rate": candidate.rate, "augmentation": candidate.augmentation, "light": candidate.light}
            choices = {"side": candidate.side, **found, **training}
            if _gives(choices, candidate, sides):
                return choices
    return None


def _read_choices(words: Sequence[str]) -> dict[str, Any] | None:
    """Returns the choices that a line of words looks like, whether or not the space has them."""
    stem = re.fullmatch(r"c(\d+)(?:s(\d+))?x(\d+)(=?)", words[0])
    if stem is None:
        return None
    widths = [int(match[1]) for word in words[1:] if (match := re.match(r"c\d+x(\d+)", word))]
    found: dict[str, Any] = {"stem": f"c{stem[1]}s{stem[2] or 1}{stem[4]}", "stem_width": int(stem[3]), "depth": len(widths)}
    if widths:
        blocks_before = sum(word[0] == "c" for word in words[1 : words.index("p2")]) if "p2" in words else 0
        found["blocks"] = BLOCKS[any(word[0] == "d" for word in words)]
        found["width"] = widths[0]
        found["pool"] = POOLS[0 if not blocks_before else 1 if blocks_before < len(widths) else 2]
    if len(widths) > 1:
        found["growth"] = _growth(widths)
    if len(widths) > 2:
        found["shared"] = any("@" in word for word in words)
    hidden = [int(word[1:]) for word in words if word[0] == "h"]
    found |= {"head": HEADS[0], "hidden": hidden[0]} if hidden else {"head": HEADS[2] if "m" in words else HEADS[1]}
    return {**found, "bits": 4 if "b4" in words else 8, "biased": "z" not in words}


def _growth(widths: Sequence[int]) -> float:
    """Returns the middle of what the blocks' filters may have grown by, each rounded to fours."""
    last = len(widths) - 1
    ends = [
        [max(0.0, (width + step) / max(1, widths[0])) ** (last / number) for step in (-2, 2)]
        for number, width in enumerate(widths)
        if number
    ]
    return min(2.0, max(1.0, (max(low for low, _ in ends) + min(high for _, high in ends)) / 2))


def _gives(choices: Mapping[str, Any], candidate: Candidate, sides: Sequence[int]) -> bool:
    """Returns whether choices are in the ranges of the space, and give a candidate."""
    try:
        given = suggest(_Fixed(choices), sides)
        return replace(given, words=candidate.words) == candidate and same_network(given.words, candidate.words, candidate.side)
    except (LookupError, ModelError):
        return False


class _Fixed:
    """A trial that suggests what it is told; raises LookupError for what is outside of its range."""

    def __init__(self, choices: Mapping[str, Any]) -> None:
        self._choices = choices

    def suggest_categorical(self, name: str, choices: Sequence[Any], /) -> Any:
        """Returns the choice of that name."""
        return self._known(name, self._choices[name] in choices)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """Returns the number of that name."""
        return self._known(name, self._choices[name] in range(low, high + 1, step))

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Returns the number of that name."""
        return self._known(name, low <= self._choices[name] <= high)

    def _known(self, name: str, is_inside: bool) -> Any:
        if not is_inside:
            raise LookupError(name)
        return self._choices[name]


def words_of(choices: Mapping[str, Any], side: int) -> str:
    """Returns the network of some choices, for images of so many rows and columns."""
    made = _Maker(side)
    made.stem(choices["stem"], choices["stem_width"])
    widths = _widths(choices)
    for number, width in enumerate(widths):
        again = bool(choices.get("shared")) and number > 1
        made.block(choices["blocks"] == "separable", width, again=again)
        if {"early": 0, "late": len(widths) - 1}.get(choices["pool"]) == number:
            made.pool()
    if choices["head"] == "hidden":
        made.words.append(f"h{choices['hidden']}")
    elif choices["head"] == "mean":
        made.words.append("m")
    made.words += ["b4"] if choices["bits"] == 4 else []
    made.words += [] if choices["biased"] else ["z"]
    return " ".join(made.words)


def _widths(choices: Mapping[str, Any]) -> list[int]:
    """Returns each block's filters, in fours; those of blocks that share weights are all the same."""
    depth, growth = choices["depth"], 1.0 if choices.get("shared") else choices.get("growth", 1.0)
    last = depth - 1
    return [4 * max(1, round(choices["width"] * growth ** (number / last if last else 0) / 4)) for number in range(depth)]


class _Maker:
    """Writes words one after the other, and keeps the side of the map behind them."""

    def __init__(self, side: int) -> None:
        self.words: list[str] = []
        self._side = side
        self._first: int | None = None
        """The place of the word whose block is used again."""

    def stem(self, kind: str, width: int) -> None:
        same = kind.endswith("=")
        kernel, stride = (int(part) for part in kind.strip("c=").split("s"))
        kernel = min(kernel, self._side)
        self._put(FoldedConv("stem", width, kernel, stride, "same" if same else "valid"))
        self.words.append(f"c{kernel}s{stride}x{width}{'=' if same else ''}")

    def block(self, separable: bool, width: int, *, again: bool) -> None:
        padding = "same" if self._side < 3 else "valid"
        same = "=" if padding == "same" else ""
        if not again or self._first is None:
            # The second block is the first whose input has as many channels as its output, as all that share need.
            self._first = len(self.words) + 1
            of = ("", "")
        else:
            of = (f"@{self._first}", f"@{self._first + 1}")
        if separable:
            self.words += [f"d3{same}{of[0]}", f"c1x{width}{of[1]}"]
            self._put(FoldedDepthwise("depth", 3, padding=padding))
        else:
            self.words.append(f"c3x{width}{same}{of[0]}")
            self._put(FoldedConv("conv", width, 3, padding=padding))

    def pool(self) -> None:
        if self._side > 1:
            self.words.append("p2")
            self._put(Pool("pool", 2))

    def _put(self, layer: Layer) -> None:
        self._side = map_side([layer], (self._side, self._side, 1))
