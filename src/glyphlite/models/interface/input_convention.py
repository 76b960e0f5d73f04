"""The input convention: how a pixel of 0 to 255 becomes a model's input value. One record, used by everything that feeds a model.

Models differ in it (0..1, 0..255, -1..1, standardized), and an image in the wrong range gives an answer without a word. So images
stay uint8 everywhere, and whoever hands one to a model names the convention. Knows neither models nor files.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from glyphlite.errors import ModelError
from glyphlite.records import InputReport

HWC, HW, FLAT, CHANNELS_FIRST = "height x width x channels", "height x width", "flat", "channels x height x width"
"""The layouts of one image at a model's input."""

NAMED_RANGES = {"0..1": (0.0, 255.0), "0..255": (0.0, 1.0), "-1..1": (127.5, 127.5), "-0.5..0.5": (127.5, 255.0)}
"""Mean and standard deviation of the ranges that have a name."""

TITLE_TOLERANCE = 0.012
"""Part of a range by which its ends may miss a named one that it still goes by: uint8 files of -1..1 end at 127/128."""


@dataclass(frozen=True)
class InputConvention:
    """Holds how a model's input value is computed from a pixel: ``real = (pixel - mean) / std``.

    Attributes:
        mean: in pixels of 0 to 255; one number, or one per channel.
        std: likewise.
        dtype: element type of the model's own input.
        layout: of one image there: ``HWC``, ``HW``, ``FLAT`` or ``CHANNELS_FIRST``.
        source: how this is known, in words.
        assumed: whether it is only a guess.

    Example:
        >>> import numpy as np
        >>> named_convention("-1..1", "an example").real(np.array([0, 255], np.uint8)).tolist()
        [-1.0, 1.0]
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    source: str
    dtype: str = "float32"
    layout: str = HWC
    assumed: bool = False

    def __post_init__(self) -> None:
        numbers = (*self.mean, *self.std)
        if not (self.mean and self.std and all(map(math.isfinite, numbers)) and all(each > 0 for each in self.std)):
            raise ValueError(f"mean {self.mean} and std {self.std}: expected finite numbers, std above 0")

    def real(self, images: np.ndarray) -> np.ndarray:
        """Converts uint8 images ``(n, height, width, channels)`` to the float32 values that the model takes.

        The result has the images' shape, or ``(n, channels, height, width)`` where that is the model's layout. With mean 0 and
        std 255 it is :func:`glyphlite.datasets.dataset.as_float`, bit by bit.

        Raises:
            TypeError: the images are not uint8: they have been divided before.
        """
        if images.dtype != np.uint8:
            raise TypeError(f"images are {images.dtype}, expected uint8 pixels; the convention alone scales them")
        values = images.astype(np.float32)
        mean, std = np.asarray(self.mean, np.float32), np.asarray(self.std, np.float32)
        if mean.any():
            values -= mean
        if (std != 1).any():
            values /= std
        return self.laid_out(values)

    def laid_out(self, images: np.ndarray) -> np.ndarray:
        """Returns images ``(n, height, width, channels)`` with their values in the order in which the model takes them."""
        return np.moveaxis(images, -1, 1) if self.layout == CHANNELS_FIRST and images.ndim == 4 else images

    def table(self, channel: int = 0) -> np.ndarray:
        """Returns the real value of each pixel 0 to 255 in one channel, float32 ``(256,)``."""
        mean, std = (each[channel % len(each)] for each in (self.mean, self.std))
        return replace(self, mean=(mean,), std=(std,)).real(np.arange(256, dtype=np.uint8))

    @property
    def per_channel(self) -> bool:
        """Returns whether the channels have different conventions."""
        return len(set(self.mean)) > 1 or len(set(self.std)) > 1

    @property
    def low(self) -> float:
        """Returns the input value of the darkest pixel, 0, in the channel where it is lowest."""
        return min(-mean / std for mean, std in self._channels())

    @property
    def high(self) -> float:
        """Returns the input value of the lightest pixel, 255, in the channel where it is highest."""
        return max((255 - mean) / std for mean, std in self._channels())

    @property
    def title(self) -> str:
        """Returns the convention in a word or two: "0..1", "0..255", "-1..1", "mean 33.3, std 78.6"."""
        if not self.per_channel:
            for name, (mean, std) in NAMED_RANGES.items():
                low, high = -mean / std, (255 - mean) / std
                if max(abs(self.low - low), abs(self.high - high)) <= TITLE_TOLERANCE * (high - low):
                    return name
        return f"mean {_numbers(self.mean)}, std {_numbers(self.std)}"

    @property
    def channels(self) -> int:
        """Returns the number of channels with values of their own; 1 if all channels are alike."""
        return max(len(self.mean), len(self.std)) if self.per_channel else 1

    @property
    def formula(self) -> str:
        """Returns the conversion of a pixel in words that C programmers read: "pixel / 255", "(pixel - 127.5) / 127.5"."""
        if self.per_channel:
            return f"(pixel - mean) / std, channel by channel: {self.title}"
        (mean, *_), (std, *_) = self.mean, self.std
        difference = "pixel" if mean == 0 else f"(pixel - {mean:.7g})" if mean > 0 else f"(pixel + {-mean:.7g})"
        return difference if std == 1 else f"{difference} / {std:.7g}"

    def at(self, shape: Sequence[int | None], dtype: object) -> "InputConvention":
        """Returns the same for a model whose input has this shape, without its batch, and this element type."""
        return replace(self, layout=layout_of(shape), dtype=str(dtype))

    def same_values(self, other: "InputConvention") -> bool:
        """Returns whether both conventions give the same real value for every pixel."""
        return all(np.array_equal(self.table(channel), other.table(channel)) for channel in range(4))

    def report(self) -> InputReport:
        """Returns the record of ``results.json`` and of every command's JSON."""
        return InputReport(
            range=self.title,
            mean=_one_or_all(self.mean),
            std=_one_or_all(self.std),
            dtype=self.dtype,
            layout=self.layout,
            source=self.source,
            assumed=self.assumed,
        )

    def _channels(self) -> list[tuple[float, float]]:
        count = max(len(self.mean), len(self.std))
        return [(self.mean[each % len(self.mean)], self.std[each % len(self.std)]) for each in range(count)]


def named_convention(name: str, source: str, *, assumed: bool = False) -> InputConvention:
    """Returns the convention of a range that has a name: "0..1", "0..255" or "-1..1"."""
    mean, std = NAMED_RANGES[name]
    return InputConvention((mean,), (std,), source, assumed=assumed)


OURS = named_convention("0..1", "trained by glyphlite, which divides pixels by 255")
"""The convention of every model that glyphlite trains."""


SMALLEST_STD, FARTHEST = 1e-6, 1e6
"""Pixels: past these the numbers that a model is given are none that float32 tells apart."""


def parse_input_range(text: str) -> InputConvention:
    """Reads ``--input-range``: ``0..255``, ``0..1``, ``-1..1``, or ``MEAN,STD`` in pixels of 0 to 255.

    Pixels do not vary by less than one: ``MEAN,STD`` with STD below 1, and MEAN from -1 to 1, is of pixel / 255, as PyTorch's
    ``Normalize`` takes them. :func:`input_range_words` says so.

    Raises:
        ModelError: anything else.

    Example:
        >>> parse_input_range("33.3,78.6").title
        'mean 33.3, std 78.6'
    """
    source = f"--input-range {text.strip()}"
    bounds = re.fullmatch(r"\s*([-+.\d]+?)\s*\.\.\s*([-+.\d]+)\s*", text)
    if bounds:
        ends = [_number(each) for each in bounds.groups()]
        for name, (mean, std) in NAMED_RANGES.items():
            if ends == [-mean / std, (255 - mean) / std]:
                return named_convention(name, source)
    if numbers := _mean_and_std(text):
        mean, std = numbers
        if _are_fractions(mean, std):
            return InputConvention((255 * mean,), (255 * std,), f"{source} of pixel / 255")
        return InputConvention((mean,), (std,), source)
    raise ModelError(
        f"--input-range takes 0..255, 0..1, -1..1, or MEAN,STD in pixels (such as 33.3,78.6; STD above 0); not {text!r}"
    )


def input_range_words(text: str) -> str | None:
    """Returns the line that says how an ``--input-range`` is taken that could be meant in two ways; None for any other.

    Raises:
        ModelError: it is no range.

    Example:
        >>> input_range_words("0.1307,0.3081")
        '--input-range 0.1307,0.3081 is taken as numbers of pixel / 255: mean 33.33, std 78.57 in pixels'
    """
    convention = parse_input_range(text)
    numbers = _mean_and_std(text)
    if numbers is None or not _are_fractions(*numbers):
        return None
    pixels = f"mean {_numbers(convention.mean)}, std {_numbers(convention.std)}"
    return f"--input-range {text.strip()} is taken as numbers of pixel / 255: {pixels} in pixels"


def layout_of(shape: Sequence[int | None]) -> str:
    """Returns the layout of a model's input of ``shape``, without its batch."""
    if len(shape) <= 1:
        return FLAT
    if len(shape) == 2:
        return HW
    return CHANNELS_FIRST if shape[0] in (1, 3) and shape[-1] not in (1, 2, 3, 4) else HWC


def _mean_and_std(text: str) -> tuple[float, float] | None:
    """Returns the two numbers of ``MEAN,STD``; None where they are none, or no convention."""
    numbers = [_number(each) for each in text.split(",")]
    match numbers:
        case [float(mean), float(std)] if abs(mean) <= FARTHEST and SMALLEST_STD <= std <= FARTHEST:
            return mean, std
    return None


def _are_fractions(mean: float, std: float) -> bool:
    """Returns whether a mean and a deviation are of pixel / 255."""
    return std < 1 and abs(mean) <= 1


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numbers(values: tuple[float, ...]) -> str:
    distinct = values[:1] if len(set(values)) == 1 else values
    return " ".join(f"{value:.4g}" for value in distinct)


def _one_or_all(values: tuple[float, ...]) -> float | list[float]:
    return values[0] if len(set(values)) == 1 else list(values)
