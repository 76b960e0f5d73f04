"""The image shape that a user's model accepts, read from the model before any image is read."""

from glyphlite.errors import ModelError
from glyphlite.models.interface.image_shape import image_shape
from glyphlite.models.loading import load_keras_model
from glyphlite.models.registry import definition_of, resolve_model
from glyphlite.models.user import build_from_function, require_source


def model_input_shape(text: str, size: tuple[int, int] | None, classes: int | None) -> tuple[int, int, int] | None:
    """Returns height, width, channels of the images that a model is to be trained on; None where the data decides.

    Args:
        text: the model as the user named it.
        size: height and width that the user asked for.
        classes: of the dataset, as far as they are known.

    Raises:
        ModelError: the model is unknown, unreadable or fails, takes another size than the user asked for, or needs larger images.
    """
    definition = definition_of(text)
    own_size = definition.input_size if definition else None
    height, width = size or own_size or (28, 28)
    offered = (height, width, 1)
    if definition and size and own_size and own_size != size:
        raise ModelError(_other_size(definition.architecture.name, own_size, size))
    choice = resolve_model(text, offered, classes or 10)
    if definition is not None:
        return offered if size or own_size else None
    path, function = require_source(text)
    model = build_from_function(path, function, offered, classes or 10) if function else load_keras_model(path)
    shape = tuple(model.inputs[0].shape[1:]) if getattr(model, "inputs", None) else ()
    own = image_shape(shape)
    if own is None:
        return offered if size else None
    if size is not None and own[:2] != size:
        raise ModelError(_other_size(choice.name, own[:2], size))
    return own


def _other_size(name: str, own: tuple[int, int], size: tuple[int, int]) -> str:
    return f"{name} takes images of {own[0]}x{own[1]}, --input-size asks for {size[0]}x{size[1]}; leave the option out"
