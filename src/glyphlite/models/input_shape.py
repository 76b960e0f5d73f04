"""The image shape that a user's model accepts, read from the model before any image is read."""

from collections.abc import Sequence

from glyphlite.errors import ModelError
from glyphlite.models.loading import load_keras_model
from glyphlite.models.registry import is_known_model, resolve_model
from glyphlite.models.user import build_from_function, require_source

CHANNELS = (1, 3)

_IMAGE, _GREY_IMAGE = 3, 2
"""Lengths of the shape of an image with and without channels."""


def model_input_shape(text: str, size: tuple[int, int] | None, classes: int | None) -> tuple[int, int, int] | None:
    """Returns height, width, channels of the images that a model is to be trained on; None where the data decides.

    Args:
        text: the model as the user named it.
        size: height and width that the user asked for.
        classes: of the dataset, as far as they are known.

    Raises:
        ModelError: the model is unknown, unreadable or fails, takes another size than the user asked for, or needs larger images.
    """
    height, width = size or (28, 28)
    offered = (height, width, 1)
    choice = resolve_model(text, offered, classes or 10)
    if is_known_model(text):
        return offered if size else None
    path, function = require_source(text)
    model = build_from_function(path, function, offered, classes or 10) if function else load_keras_model(path)
    shape = tuple(model.inputs[0].shape[1:]) if getattr(model, "inputs", None) else ()
    own = image_shape(shape)
    if own is None:
        return offered if size else None
    if size is not None and own[:2] != size:
        raise ModelError(
            f"{choice.name} takes images of {own[0]}x{own[1]}, --input-size asks for {size[0]}x{size[1]}; leave the option out"
        )
    return own


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
