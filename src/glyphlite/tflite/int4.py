"""Integers of four bits, two in a byte: the first element in the low half, two's complement.

Source: ``PackInt4ValuesDensely`` and ``UnpackDenseInt4IntoInt8`` in ``tensorflow/lite/kernels/internal/portable_tensor_utils.h``.
"""

import numpy as np

LOWEST, HIGHEST = -8, 7


def pack_int4(values: np.ndarray) -> np.ndarray:
    """Packs values from -8 to 7, any shape, as uint8 of half as many; an odd count leaves the last high half 0.

    Raises:
        ValueError: a value needs more than four bits.
    """
    flat = np.asarray(values).reshape(-1)
    if flat.size and (flat.min() < LOWEST or flat.max() > HIGHEST):
        raise ValueError(f"{flat.min()} to {flat.max()} do not fit 4 bits, {LOWEST} to {HIGHEST}")
    halves = np.zeros(flat.size + flat.size % 2, np.uint8)
    halves[: flat.size] = flat.astype(np.int8).view(np.uint8) & 0xF
    return halves[0::2] | (halves[1::2] << 4)


def unpack_int4(packed: np.ndarray, count: int) -> np.ndarray:
    """Returns the first ``count`` values of packed bytes, as int8."""
    packed = np.asarray(packed, np.uint8)
    halves = np.stack([packed & 0xF, packed >> 4], axis=-1).reshape(-1)[:count]
    return ((halves ^ 8).astype(np.int8) - 8).astype(np.int8)
