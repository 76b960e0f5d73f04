"""The shape of an image as a model takes it."""

from collections.abc import Sequence

CHANNELS = (1, 3)

_IMAGE, _GREY_IMAGE = 3, 2
"""Lengths of the shape of an image with and without channels."""


def image_shape(shape: Sequence[int | None]) -> tuple[int, int, int] | None:
    """Returns height, width, channels of an input's shape without the batch; None where it fixes none.

    Channels may come first, or be left out. An extent that is None or below 1 is free.
    """
    shape = [extent if extent and extent > 0 else None for extent in shape]
    if len(shape) == _GREY_IMAGE:
        shape = (*shape, 1)
    if len(shape) != _IMAGE:
        return None
    height, width, channels = shape if shape[2] in CHANNELS or shape[0] not in CHANNELS else (*shape[1:], shape[0])
    return (height, width, channels) if height and width and channels in CHANNELS else None
