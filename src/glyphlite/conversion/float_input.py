"""A Keras model that takes whole numbers, as one that takes them as float32: what TensorFlow's converter can quantize."""

from typing import TYPE_CHECKING, Any

from glyphlite.errors import ConversionError

if TYPE_CHECKING:
    import keras


def with_float_input(model: "keras.Model") -> "keras.Model":
    """Returns the model, or, where its input holds integers, a copy with its weights that takes the same numbers as floats.

    A cast to integers at the input would cut off fractions; there are none in pixels, and none are made by calibration.

    Raises:
        ConversionError: the model cannot be rebuilt from its layers.
    """
    import keras

    taken = model.inputs[0]
    if not str(taken.dtype).startswith(("uint", "int")):
        return model
    image = keras.Input(batch_shape=taken.shape, dtype="float32", name=getattr(taken, "name", None))
    try:
        copy: Any = keras.models.clone_model(model, input_tensors=[image])
        copy.set_weights(model.get_weights())
    except Exception as error:  # a stranger's layers raise what they like
        words = " ".join(str(error).split())[:200]
        raise ConversionError(
            f"the model takes {taken.dtype}, and it cannot be rebuilt with a float32 input ({words}); "
            "train it with keras.Input of float32"
        ) from None
    return copy
