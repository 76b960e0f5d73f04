"""Arrays of any arrangement to ``(n, height, width, channels)``: rows of pixels, channels first, images last."""

import math

import numpy as np

from glyphlite.errors import DataError

MAX_CHANNELS = 4


def arrange_images(array: np.ndarray, name: str, count: int) -> tuple[np.ndarray, str | None]:
    """Returns images as ``(n, height, width, channels)``, and in words how they were arranged anew, None where they were not.

    Args:
        array: ``(n, h, w)``, ``(n, h, w, c)``, ``(n, c, h, w)``, ``(n, h * h)``, or the first two with n at the end.
        name: what errors call it.
        count: how many labels there are.

    Raises:
        DataError: another shape, or nothing in it.
    """
    shape, note = array.shape, None
    if array.ndim in (3, 4) and shape[0] != count and shape[-1] == count:
        array = np.moveaxis(array, -1, 0)
        note = f"{name}, {_times(shape)}: images last are taken as {_times(array.shape)}"
    if array.ndim == 2 and array.shape[1] > 3 and math.isqrt(array.shape[1]) ** 2 == array.shape[1]:
        side = math.isqrt(array.shape[1])
        array = array.reshape(len(array), side, side)
        note = f"{name}: rows of {side * side} numbers are taken as images of {side}x{side}"
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim == 4 and array.shape[3] > MAX_CHANNELS and array.shape[1] <= MAX_CHANNELS:
        array = np.moveaxis(array, 1, 3)
        note = f"{name}, {_times(shape)}: channels first are taken as {_times(array.shape)}"
    if array.ndim != 4 or 0 in array.shape or array.shape[3] > MAX_CHANNELS:
        raise DataError(
            f"{name} has the shape {shape}, expected (n, height, width), (n, height, width, channels), (n, channels, height, "
            "width) or rows of height * width pixels with height = width, not empty"
        )
    return array, note


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)
