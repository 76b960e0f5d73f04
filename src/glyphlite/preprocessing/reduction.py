"""Pictures made smaller by whole blocks or steps, and the extremes around each pixel: what sheet and ink need.

Pure functions of arrays, NumPy only.
"""

import numpy as np

LITTLE = 1e-9
"""Added to what is rounded, so that halves go upwards even where floating-point numbers make them a little less."""


def reduce_picture(picture: np.ndarray, side: int) -> tuple[np.ndarray, int]:
    """Averages whole blocks of pixels until the longer side is at most ``side``; returns float64 and the block's side.

    Rows and columns that fill no whole block are left out.
    """
    factor = -(-max(picture.shape) // side)
    rows, columns = (max(1, size // factor) for size in picture.shape)
    row_factor, column_factor = (min(factor, size) for size in picture.shape)
    blocks = picture[: rows * row_factor, : columns * column_factor].reshape(rows, row_factor, columns, column_factor)
    return blocks.mean(axis=(1, 3)), factor


def largest_around(image: np.ndarray, reach: int) -> np.ndarray:
    """Returns the largest value within ``reach`` rows and columns of each pixel."""
    for axis in (0, 1):
        padding = [(0, 0), (0, 0)]
        padding[axis] = (reach, reach)
        padded = np.pad(image, padding, constant_values=-np.inf)
        image = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis).max(axis=-1)
    return image


def smallest_around(image: np.ndarray, reach: int) -> np.ndarray:
    """Returns the smallest value within ``reach`` rows and columns of each pixel."""
    return -largest_around(-image, reach)


def in_steps(image: np.ndarray | float, steps: int = 255) -> np.ndarray:
    """Returns values at the nearest of so many steps from 0 to 1, as a microcontroller keeps them; halves go upwards."""
    return np.floor(image * steps + 0.5 + LITTLE) / steps
