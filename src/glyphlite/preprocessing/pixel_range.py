"""The range of stored pixels: finds which number is black and which is white, from the numbers' highest and lowest values.

Knows arrays of numbers, not files. People keep pixels as 0..255, as 0..1, as masks of 0 and 1, in 10, 12 or 16 bits, around zero
or standardized. All of these are linear in what is seen, so black and white are all there is to find. What was found is said in
words; what cannot be told is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from glyphlite.errors import DataError

WHITES = (1, 255, 1023, 4095, 16383, 65535)
"""White of floats, and of integers of 8, 10, 12, 14 and 16 bits."""
SYMMETRIC = (0.5, 1.0, 127.5)
"""White where black is its negative: floats around zero."""
SLACK = 1.01
"""Resampling and rounding leave a range by this factor."""
_MOST_APART = 8
"""Splits of one dataset whose brightest pixels differ by this factor were not scaled alike."""
_OVERSHOOT = 0.1
"""Down to this part of white below zero is a resampler's overshoot, and is cut off."""
_SHARE_WITH_BLACK, _FEWEST = 0.5, 30
"""So many images, and pixels of at least so many images, must hold the darkest number for it to be black in all of them."""
_CHUNK = 4096
"""Images looked at or converted at a time: a large array needs no second one of floats."""


@dataclass(frozen=True)
class PixelRange:
    """Holds the numbers for black and white; ``words`` describes them, None for the plain ranges 0..255 and 0..1."""

    black: float
    white: float
    words: str | None = None

    def to_bytes(self, array: np.ndarray) -> np.ndarray:
        """Returns the images as uint8, 0 black and 255 white; what lies beyond is cut off."""
        if array.dtype == np.uint8 and (self.black, self.white) == (0, 255):
            return array
        result = np.empty(array.shape, np.uint8)
        for start in range(0, len(array), _CHUNK):
            scaled = (array[start : start + _CHUNK].astype(np.float64) - self.black) * (255 / (self.white - self.black))
            result[start : start + _CHUNK] = np.rint(np.clip(scaled, 0, 255))
        return result


def find_range(splits: Mapping[str, np.ndarray]) -> PixelRange:
    """Returns the one range that all splits of a dataset are stored in.

    Args:
        splits: images ``(n, ...)`` of numbers, by what errors call them, training images first.

    Raises:
        DataError: no real numbers, one number only, splits that were scaled differently, or a range that says nothing.
    """
    name = next(iter(splits))
    for each, array in splits.items():
        if array.dtype.kind not in "iufb":
            raise DataError(f"{each} holds {array.dtype}, expected numbers: 0 to 255, or floats between 0 and 1")
    low = min(float(array.min()) for array in splits.values())
    high = max(float(array.max()) for array in splits.values())
    # Looked for in each split: Python's min() and max() pass over a NaN that does not come first.
    if not all(np.isfinite((array.min(), array.max())).all() for array in splits.values()):
        raise DataError(
            f"{name} holds numbers that are not finite (NaN or infinity), expected 0 to 255, or floats between 0 and 1"
        )
    if low == high:
        raise DataError(f"every pixel of {name} is {low:g}: there is nothing to see; expected 0 (black) to 255 (white)")
    _check_alike(splits)
    arrays = list(splits.values())
    if all(_holds_only(array, low, high) for array in arrays):
        words = f"pixels are {low:g} and {high:g} only: taken as black and white"
        return PixelRange(low, high, None if (low, high) == (0, 255) else words)
    if low >= 0:
        return _from_zero(high, "f" if any(array.dtype.kind == "f" for array in arrays) else "u")
    if all(array.dtype.kind == "i" for array in arrays):
        return _signed(arrays, low, high, name)
    return _around_zero(arrays, low, high, name)


def nominal_white(highest: float) -> float:
    """Returns white for numbers from 0 up to ``highest``: the least of :data:`WHITES` that holds it, if it reaches beyond half.

    Else the brightest number is white itself: 16 of scikit-learn's digits, 100 of percents, 0.0039 of floats divided twice.
    """
    top = container_white(highest)
    return top if 2 * highest > top else highest


def container_white(highest: float) -> float:
    """Returns the least of :data:`WHITES` that holds ``highest``, the number itself beyond the last."""
    return next((white for white in WHITES if highest <= white * SLACK), highest)


def _from_zero(high: float, kind: str) -> PixelRange:
    """Returns numbers from 0 upwards."""
    white = nominal_white(high)
    plain = 1 if kind == "f" else 255
    return PixelRange(0, white, None if white == plain else f"pixels go up to {_words(high)}: {_words(white)} is taken as white")


def _signed(arrays: Sequence[np.ndarray], low: float, high: float, name: str) -> PixelRange:
    """Integers below zero: bytes stored as signed, their zero moved to -128."""
    commonest = _commonest(arrays[0])
    if low >= -128 and high <= 127 and commonest in (-128, 127):
        return PixelRange(-128, 127, "pixels are signed bytes: -128 is taken as black, 127 as white")
    raise DataError(
        f"{name} holds integers from {low:g} to {high:g}; if they are bytes read as signed, save array.astype('uint8'); "
        "expected 0 (black) to 255 (white)"
    )


def _around_zero(arrays: Sequence[np.ndarray], low: float, high: float, name: str) -> PixelRange:
    """Floats below zero: an overshoot, a symmetric range, or standardized by one mean and one deviation."""
    span = f"pixels go from {_words(low)} to {_words(high)}"
    for white in WHITES:
        if low >= -_OVERSHOOT * white and 0.5 * white < high <= (1 + _OVERSHOOT) * white:
            return PixelRange(0, white, f"{span}: 0 is taken as black, {white:,} as white")
    for white in SYMMETRIC:
        if low >= -white * SLACK and high <= white * SLACK and max(-low, high) > 0.75 * white and high > 0.5 * white:
            return PixelRange(-white, white, f"{span}: {-white:g} is taken as black, {white:g} as white")
    # Standardized by one mean and deviation, black is one number, which most images hold and most pixels have in some image.
    # By those of each image it differs from image to image, by those of each pixel from pixel to pixel.
    together = np.concatenate([array.reshape(len(array), -1) for array in arrays])
    black = low + 0.01 * (high - low)
    share = min(float(np.mean(together.min(axis=axis) <= black)) for axis in ((0, 1) if len(together) >= _FEWEST else (1,)))
    if share < _SHARE_WITH_BLACK:
        raise DataError(
            f"{name} holds floats from {_words(low)} to {_words(high)}, with no one number for black: standardized each image or "
            "each pixel by itself? Save pixels from 0 to 255, or floats between 0 and 1"
        )
    return PixelRange(low, high, f"{span} (standardized?): the least is taken as black, the greatest as white")


def _check_alike(splits: Mapping[str, np.ndarray]) -> None:
    """Refuses splits that were scaled differently.

    Raises:
        DataError: one split's brightest pixel is a fraction of another's.
    """
    tops = {name: float(array.max()) for name, array in splits.items()}
    least, most = min(tops, key=tops.__getitem__), max(tops, key=tops.__getitem__)
    if tops[most] > 0 and tops[least] * _MOST_APART <= tops[most]:
        raise DataError(
            f"{least} goes up to {_words(tops[least])}, but {most} to {_words(tops[most])}; expected both scaled alike"
        )


def _holds_only(array: np.ndarray, low: float, high: float) -> bool:
    """Returns whether an array holds only these two numbers; for most arrays the first images already show that it does not."""
    parts = (array[start : start + _CHUNK] for start in range(0, len(array), _CHUNK))
    return all(bool(np.all((part == low) | (part == high))) for part in parts)


def _words(number: float) -> str:
    """Returns a number as people read it: whole ones with all their digits."""
    return f"{number:,.0f}" if abs(number) >= 1000 or float(number).is_integer() else f"{number:.4g}"


def _commonest(array: np.ndarray) -> int:
    """Returns the commonest number of an array's first images."""
    values, counts = np.unique(array[:_CHUNK], return_counts=True)
    return int(values[np.argmax(counts)])
